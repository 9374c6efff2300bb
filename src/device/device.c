#include "device/device.h"

#include "device/probe.h"
#include "device/program.h"

#include <string.h>

#define ERROR_LIST(X)                                                                              \
    X(CL_DEVICE_NOT_FOUND)                                                                         \
    X(CL_DEVICE_NOT_AVAILABLE)                                                                     \
    X(CL_COMPILER_NOT_AVAILABLE)                                                                   \
    X(CL_MEM_OBJECT_ALLOCATION_FAILURE)                                                            \
    X(CL_OUT_OF_RESOURCES)                                                                         \
    X(CL_OUT_OF_HOST_MEMORY)                                                                       \
    X(CL_BUILD_PROGRAM_FAILURE)                                                                    \
    X(CL_MISALIGNED_SUB_BUFFER_OFFSET)                                                             \
    X(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)                                                \
    X(CL_INVALID_VALUE)                                                                            \
    X(CL_INVALID_DEVICE_TYPE)                                                                      \
    X(CL_INVALID_PLATFORM)                                                                         \
    X(CL_INVALID_DEVICE)                                                                           \
    X(CL_INVALID_CONTEXT)                                                                          \
    X(CL_INVALID_QUEUE_PROPERTIES)                                                                 \
    X(CL_INVALID_COMMAND_QUEUE)                                                                    \
    X(CL_INVALID_MEM_OBJECT)                                                                       \
    X(CL_INVALID_BINARY)                                                                           \
    X(CL_INVALID_BUILD_OPTIONS)                                                                    \
    X(CL_INVALID_PROGRAM)                                                                          \
    X(CL_INVALID_PROGRAM_EXECUTABLE)                                                               \
    X(CL_INVALID_KERNEL_NAME)                                                                      \
    X(CL_INVALID_KERNEL_DEFINITION)                                                                \
    X(CL_INVALID_KERNEL)                                                                           \
    X(CL_INVALID_ARG_INDEX)                                                                        \
    X(CL_INVALID_ARG_VALUE)                                                                        \
    X(CL_INVALID_ARG_SIZE)                                                                         \
    X(CL_INVALID_KERNEL_ARGS)                                                                      \
    X(CL_INVALID_WORK_DIMENSION)                                                                   \
    X(CL_INVALID_WORK_GROUP_SIZE)                                                                  \
    X(CL_INVALID_WORK_ITEM_SIZE)                                                                   \
    X(CL_INVALID_EVENT)                                                                            \
    X(CL_INVALID_OPERATION)                                                                        \
    X(CL_INVALID_BUFFER_SIZE)                                                                      \
    X(CL_INVALID_GLOBAL_WORK_SIZE)

const char *clc_opencl_error_name(cl_int code) {
    switch (code) {
#define ERROR_CASE(name)                                                                           \
    case name:                                                                                     \
        return #name;
        ERROR_LIST(ERROR_CASE)
#undef ERROR_CASE
    default:
        return "an OpenCL error without a known name";
    }
}

clc_status clc_fail_opencl(cl_int code, const char *call) {
    clc_status status = code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY
                            ? CLC_MEMORY
                            : CLC_OPENCL;
    return clc_fail(status, "OpenCL: %s (%d) from %s", clc_opencl_error_name(code), code, call);
}

/* Chooses how kernels are shaped: see kernels with one work-item a tile in cl/common.h. A CPU
 * driver whose native vector is one float makes vectors of work-items, as GPUs do, and takes their
 * kernels. */
static void choose_profile(clc_device *device, clc_profile profile) {
    bool cpu = !strcmp(device->info.type, "cpu") && device->info.float_width > 1;
    device->profile = profile != CLC_PROFILE_AUTO ? profile
                      : cpu                       ? CLC_PROFILE_CPU
                                                  : CLC_PROFILE_GPU;
    unsigned width = 1;
    while (width * 2 <= device->info.float_width && width < 16)
        width *= 2;
    if (device->profile == CLC_PROFILE_CPU) {
        device->vector_width = width < 4 ? 4 : width;
        device->group_size = 1;
        device->groups = device->info.compute_units * 4 < 8 ? 8 : device->info.compute_units * 4;
    } else {
        device->vector_width = 4;
        for (device->group_size = 1;
             device->group_size * 2 <= device->info.max_group && device->group_size < 64;)
            device->group_size *= 2;
        device->groups = device->info.compute_units * 8 < 16 ? 16 : device->info.compute_units * 8;
    }
    device->groups = device->groups > 1024 ? 1024 : device->groups;
}

clc_status clc_device_open(const char *selector, clc_profile profile, clc_device **opened) {
    clc_status status = CLC_OK;
    clc_device_info *infos = NULL;
    clc_probed *handles = NULL;
    clc_device *device = NULL;
    size_t count = 0, chosen = 0;
    cl_int code = CL_SUCCESS;
    CLC_TRY(clc_probe(&infos, &handles, &count, NULL));
    CLC_TRY(clc_probe_select(infos, count, selector, &chosen));
    CLC_NEW(device, 1);
    device->info = infos[chosen];
    device->platform = handles[chosen].platform;
    device->id = handles[chosen].id;
    choose_profile(device, profile);
    /* PoCL keeps its own; making a binary for ours compiles each kernel once more, which only
     * tuning does. */
    device->keep_binaries = !strstr(device->info.platform, "Portable Computing Language");
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                (cl_context_properties)device->platform, 0};
    device->context = clCreateContext(properties, 1, &device->id, NULL, NULL, &code);
    CLC_CL(code);
    device->queue =
        clCreateCommandQueue(device->context, device->id, CL_QUEUE_PROFILING_ENABLE, &code);
    CLC_CL(code);
    CLC_TRY(clc_program_cache_create(&device->programs));
    CLC_NEW(device->tuning, 1);
    *opened = device;
    device = NULL;
fail:
    clc_device_close(&device);
    free(infos);
    free(handles);
    return status;
}

void clc_device_close(clc_device **device) {
    if (!device || !*device)
        return;
    clc_program_cache_free(&(*device)->programs);
    if ((*device)->tuning)
        clc_tuning_free((*device)->tuning);
    free((*device)->tuning);
    if ((*device)->queue)
        clReleaseCommandQueue((*device)->queue);
    if ((*device)->context)
        clReleaseContext((*device)->context);
    free(*device);
    *device = NULL;
}

static uint64_t buffer_bytes(cl_mem buffer) {
    size_t bytes = 0;
    clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof bytes, &bytes, NULL);
    return bytes;
}

clc_status clc_buffer_create(clc_device *device, size_t bytes, const char *what, cl_mem *buffer) {
    cl_int code = CL_SUCCESS;
    bytes = clc_buffer_bytes(bytes);
    if (bytes > device->info.largest_buffer)
        return clc_fail(CLC_MEMORY,
                        "%s needs a buffer of %.1f MB, but device %d (%s) allows at most %.1f MB; "
                        "use a smaller batch",
                        what, (double)bytes / 1e6, device->info.number, device->info.name,
                        (double)device->info.largest_buffer / 1e6);
    cl_mem created = clCreateBuffer(device->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code != CL_SUCCESS) {
        clc_status status = clc_fail_opencl(code, "clCreateBuffer");
        return clc_fail_context(code == CL_OUT_OF_RESOURCES ? CLC_MEMORY : status,
                                "allocating %.1f MB for %s on %s", (double)bytes / 1e6, what,
                                device->info.name);
    }
    device->allocated += buffer_bytes(created);
    device->buffers++;
    if (device->allocated > device->peak)
        device->peak = device->allocated;
    *buffer = created;
    return CLC_OK;
}

void clc_buffer_release(clc_device *device, cl_mem *buffer) {
    if (!buffer || !*buffer)
        return;
    device->allocated -= buffer_bytes(*buffer);
    device->buffers--;
    clReleaseMemObject(*buffer);
    *buffer = NULL;
}

clc_status clc_buffer_sub(cl_mem parent, size_t offset, size_t bytes, cl_mem *buffer) {
    cl_int code = CL_SUCCESS;
    const cl_buffer_region region = {offset, bytes};
    cl_mem created =
        clCreateSubBuffer(parent, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    if (code != CL_SUCCESS)
        return clc_fail_opencl(code, "clCreateSubBuffer");
    *buffer = created;
    return CLC_OK;
}

clc_status clc_buffer_write(clc_device *device, cl_mem buffer, size_t offset, size_t bytes,
                            const void *data) {
    clc_status status = CLC_OK;
    if (bytes)
        CLC_CL(clEnqueueWriteBuffer(device->queue, buffer, CL_TRUE, offset, bytes, data, 0, NULL,
                                    NULL));
fail:
    return status;
}

clc_status clc_buffer_read(clc_device *device, cl_mem buffer, size_t offset, size_t bytes,
                           void *data) {
    clc_status status = CLC_OK;
    if (bytes)
        CLC_CL(clEnqueueReadBuffer(device->queue, buffer, CL_TRUE, offset, bytes, data, 0, NULL,
                                   NULL));
fail:
    return status;
}

clc_status clc_buffer_zero(clc_device *device, cl_mem buffer, size_t offset, size_t bytes) {
    clc_status status = CLC_OK;
    const cl_uchar zero = 0;
    if (bytes)
        CLC_CL(clEnqueueFillBuffer(device->queue, buffer, &zero, sizeof zero, offset, bytes, 0,
                                   NULL, NULL));
fail:
    return status;
}

clc_status clc_device_finish(clc_device *device) {
    clc_status status = CLC_OK;
    CLC_CL(clFinish(device->queue));
fail:
    return status;
}
