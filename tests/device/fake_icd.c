/* An OpenCL driver that computes nothing: for the test, it is loaded beside or instead of a real
 * one. The variable FAKE_ICD says what it is: "empty" has no devices, "failing" fails to list them,
 * "devices" has odd ones. */
#include <CL/cl.h>
#include <CL/cl_icd.h>

#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct _cl_platform_id {
    const cl_icd_dispatch *dispatch;
};
struct _cl_device_id {
    const cl_icd_dispatch *dispatch;
    const char *name, *version;
    cl_device_type type;
    cl_bool available, compiler;
    cl_uint compute_units, float_width;
    cl_ulong local_memory;
    cl_int error; /* of every query */
};

static cl_int give(const void *value, size_t bytes, size_t size, void *to, size_t *used) {
    if (used)
        *used = bytes;
    if (!to)
        return CL_SUCCESS;
    if (size < bytes)
        return CL_INVALID_VALUE;
    memcpy(to, value, bytes);
    return CL_SUCCESS;
}

static cl_int give_text(const char *text, size_t size, void *to, size_t *used) {
    return give(text, strlen(text) + 1, size, to, used);
}

static cl_int CL_API_CALL platform_info(cl_platform_id platform, cl_platform_info what, size_t size,
                                        void *to, size_t *used) {
    (void)platform;
    return give_text(what == CL_PLATFORM_NAME             ? "Fake Platform"
                     : what == CL_PLATFORM_VERSION        ? "OpenCL 1.2 fake"
                     : what == CL_PLATFORM_EXTENSIONS     ? "cl_khr_icd"
                     : what == CL_PLATFORM_ICD_SUFFIX_KHR ? "FAKE"
                                                          : "fake",
                     size, to, used);
}

/* The loader looks for it by name; inside, its name means the loader's own function. */
EXPORT cl_int CL_API_CALL clGetPlatformInfo(cl_platform_id platform, cl_platform_info what,
                                            size_t size, void *to, size_t *used) {
    return platform_info(platform, what, size, to, used);
}

static cl_int CL_API_CALL device_info(cl_device_id device, cl_device_info what, size_t size,
                                      void *to, size_t *used) {
    const cl_ulong memory = 1000000000, largest = 250000000;
    const cl_bool little = CL_TRUE;
    const cl_uint alignment = 4096;
    const size_t group = 1024, sizes[3] = {1024, 1024, 64};
    if (device->error)
        return device->error;
    switch (what) {
    case CL_DEVICE_NAME:
        return give_text(device->name, size, to, used);
    case CL_DEVICE_VERSION:
        return give_text(device->version, size, to, used);
    case CL_DEVICE_VENDOR:
    case CL_DRIVER_VERSION:
        return give_text("   fake", size, to, used);
    case CL_DEVICE_EXTENSIONS:
        return give_text("cl_khr_fp16 cl_khr_something cl_khr_fp64", size, to, used);
    case CL_DEVICE_TYPE:
        return give(&device->type, sizeof device->type, size, to, used);
    case CL_DEVICE_AVAILABLE:
        return give(&device->available, sizeof(cl_bool), size, to, used);
    case CL_DEVICE_COMPILER_AVAILABLE:
        return give(&device->compiler, sizeof(cl_bool), size, to, used);
    case CL_DEVICE_ENDIAN_LITTLE:
        return give(&little, sizeof little, size, to, used);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
        return give(&device->compute_units, sizeof(cl_uint), size, to, used);
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT:
        return give(&device->float_width, sizeof(cl_uint), size, to, used);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
        return give(&memory, sizeof memory, size, to, used);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
        return give(&largest, sizeof largest, size, to, used);
    case CL_DEVICE_LOCAL_MEM_SIZE:
        return give(&device->local_memory, sizeof(cl_ulong), size, to, used);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        return give(&group, sizeof group, size, to, used);
    case CL_DEVICE_MAX_WORK_ITEM_SIZES:
        return give(sizes, sizeof sizes, size, to, used);
    case CL_DEVICE_MEM_BASE_ADDR_ALIGN:
        return give(&alignment, sizeof alignment, size, to, used);
    default:
        return CL_INVALID_VALUE;
    }
}

static cl_int CL_API_CALL device_ids(cl_platform_id platform, cl_device_type type, cl_uint size,
                                     cl_device_id *devices, cl_uint *count);

static cl_context CL_API_CALL create_context(const cl_context_properties *properties, cl_uint count,
                                             const cl_device_id *devices,
                                             void(CL_CALLBACK *notify)(const char *, const void *,
                                                                       size_t, void *),
                                             void *user, cl_int *error) {
    (void)properties;
    (void)count;
    (void)devices;
    (void)notify;
    (void)user;
    *error = CL_OUT_OF_RESOURCES;
    return NULL;
}

static const cl_icd_dispatch table = {.clGetPlatformInfo = platform_info,
                                      .clGetDeviceIDs = device_ids,
                                      .clGetDeviceInfo = device_info,
                                      .clCreateContext = create_context};
static struct _cl_platform_id only = {&table};
static struct _cl_device_id all[] = {
    {&table, "Fake Old", "OpenCL 1.1 x", CL_DEVICE_TYPE_GPU, 1, 1, 90, 1, 32768, 0},
    {&table, "Fake Card", "OpenCL 3.0 x", CL_DEVICE_TYPE_GPU, 1, 1, 8, 0, 49152, 0},
    {&table, "Fake Card", "OpenCL 3.0 x", CL_DEVICE_TYPE_GPU, 1, 1, 16, 1, 49152, 0},
    {&table, "Fake Blind", "OpenCL 1.2 x", CL_DEVICE_TYPE_CPU, 1, 0, 64, 16, 32768, 0},
    {&table, "Fake Absent", "OpenCL 2.0 x", CL_DEVICE_TYPE_GPU, 0, 1, 8, 4, 32768, 0},
    {&table, "Fake Small", "OpenCL 1.2 x", CL_DEVICE_TYPE_ACCELERATOR, 1, 1, 8, 4, 1024, 0},
    {&table, "Fake Mute", "", CL_DEVICE_TYPE_GPU, 1, 1, 8, 4, 32768, CL_INVALID_DEVICE},
};

static cl_int CL_API_CALL device_ids(cl_platform_id platform, cl_device_type type, cl_uint size,
                                     cl_device_id *devices, cl_uint *count) {
    const char *mode = getenv("FAKE_ICD");
    const cl_uint n = sizeof all / sizeof *all;
    (void)platform;
    (void)type;
    if (mode && !strcmp(mode, "failing"))
        return CL_OUT_OF_HOST_MEMORY;
    if (!mode || strcmp(mode, "devices") != 0)
        return CL_DEVICE_NOT_FOUND;
    if (count)
        *count = n;
    for (cl_uint i = 0; devices && i < n && i < size; i++)
        devices[i] = &all[i];
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clIcdGetPlatformIDsKHR(cl_uint size, cl_platform_id *platforms,
                                                 cl_uint *count);

EXPORT cl_int CL_API_CALL clIcdGetPlatformIDsKHR(cl_uint size, cl_platform_id *platforms,
                                                 cl_uint *count) {
    if (platforms && size)
        platforms[0] = &only;
    if (count)
        *count = 1;
    return CL_SUCCESS;
}

EXPORT void *CL_API_CALL clGetExtensionFunctionAddress(const char *name) {
    union {
        cl_int(CL_API_CALL *function)(cl_uint, cl_platform_id *, cl_uint *);
        void *pointer;
    } address = {.function = clIcdGetPlatformIDsKHR};
    return strcmp(name, "clIcdGetPlatformIDsKHR") ? NULL : address.pointer;
}
