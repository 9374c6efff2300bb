/* An OpenCL layer (OPENCL_LAYERS) that makes any device a small one: it reports the limits and
 * keeps to them. Groups have at most 256 work-items and 32 KB of local memory, there is no fp64,
 * and the variables NARROW_MEMORY and NARROW_BUFFER hold the bytes of all buffers and of one. */
#include <CL/cl_layer.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { MOST_ITEMS = 256, MOST_LOCAL = 32768 };

static const cl_icd_dispatch *next; /* the loader's functions without this layer */
static cl_icd_dispatch table;
static atomic_ullong allocated; /* bytes of all buffers */

static cl_ulong limit(const char *variable) {
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : CL_ULONG_MAX;
}

static void lower(size_t *value, size_t most) {
    *value = *value > most ? most : *value;
}

static void lower_long(cl_ulong *value, cl_ulong most) {
    *value = *value > most ? most : *value;
}

static void blank(char *text, const char *word) {
    char *place = strstr(text, word);
    if (place)
        memset(place, ' ', strlen(word));
}

static cl_int CL_API_CALL device_info(cl_device_id device, cl_device_info what, size_t size,
                                      void *to, size_t *used) {
    const cl_int code = next->clGetDeviceInfo(device, what, size, to, used);
    if (code != CL_SUCCESS || !to)
        return code;
    size_t *sizes = to;
    switch (what) {
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        lower(sizes, MOST_ITEMS);
        break;
    case CL_DEVICE_MAX_WORK_ITEM_SIZES:
        for (int i = 0; i < 3; i++)
            lower(&sizes[i], MOST_ITEMS);
        break;
    case CL_DEVICE_LOCAL_MEM_SIZE:
        lower_long(to, MOST_LOCAL);
        break;
    case CL_DEVICE_GLOBAL_MEM_SIZE:
        lower_long(to, limit("NARROW_MEMORY"));
        break;
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
        lower_long(to, limit("NARROW_MEMORY"));
        lower_long(to, limit("NARROW_BUFFER"));
        break;
    case CL_DEVICE_DOUBLE_FP_CONFIG:
        memset(to, 0, sizeof(cl_device_fp_config));
        break;
    case CL_DEVICE_EXTENSIONS:
        blank(to, "cl_khr_fp64");
        break;
    default:
        break;
    }
    return code;
}

static void CL_CALLBACK freed(cl_mem buffer, void *bytes) {
    (void)buffer;
    atomic_fetch_sub(&allocated, (size_t)bytes);
}

static cl_mem CL_API_CALL create_buffer(cl_context context, cl_mem_flags flags, size_t bytes,
                                        void *host, cl_int *error) {
    cl_int code = CL_SUCCESS;
    cl_mem buffer = NULL;
    if (bytes > limit("NARROW_BUFFER"))
        code = CL_INVALID_BUFFER_SIZE;
    else if (atomic_load(&allocated) + bytes > limit("NARROW_MEMORY"))
        code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    else
        buffer = next->clCreateBuffer(context, flags, bytes, host, &code);
    if (buffer) {
        atomic_fetch_add(&allocated, bytes);
        next->clSetMemObjectDestructorCallback(buffer, freed, (void *)bytes);
    }
    if (error)
        *error = code;
    return buffer;
}

static cl_int CL_API_CALL enqueue_kernel(cl_command_queue queue, cl_kernel kernel,
                                         cl_uint dimensions, const size_t *offset,
                                         const size_t *global, const size_t *local, cl_uint waits,
                                         const cl_event *wait, cl_event *event) {
    cl_device_id device = NULL;
    cl_ulong bytes = 0;
    size_t items = 1;
    for (cl_uint i = 0; local && i < dimensions; i++)
        items *= local[i];
    if (items > MOST_ITEMS)
        return CL_INVALID_WORK_GROUP_SIZE;
    next->clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof(cl_device_id), &device, NULL);
    next->clGetKernelWorkGroupInfo(kernel, device, CL_KERNEL_LOCAL_MEM_SIZE, sizeof bytes, &bytes,
                                   NULL);
    if (bytes > MOST_LOCAL)
        return CL_OUT_OF_RESOURCES;
    return next->clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, waits,
                                        wait, event);
}

EXPORT cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *to, size_t *used) {
    const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    const char name[] = "narrow";
    const void *value = what == CL_LAYER_API_VERSION ? (const void *)&version : name;
    const size_t bytes = what == CL_LAYER_API_VERSION ? sizeof version : sizeof name;
    if (what != CL_LAYER_API_VERSION && what != CL_LAYER_NAME)
        return CL_INVALID_VALUE;
    if (used)
        *used = bytes;
    if (to && size < bytes)
        return CL_INVALID_VALUE;
    if (to)
        memcpy(to, value, bytes);
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clInitLayer(cl_uint entries, const cl_icd_dispatch *target, cl_uint *used,
                                      const cl_icd_dispatch **layer) {
    if (entries < sizeof table / sizeof(void *))
        return CL_INVALID_VALUE;
    next = target;
    table = *target;
    table.clGetDeviceInfo = device_info;
    table.clCreateBuffer = create_buffer;
    table.clEnqueueNDRangeKernel = enqueue_kernel;
    *layer = &table;
    *used = sizeof table / sizeof(void *);
    return CL_SUCCESS;
}
