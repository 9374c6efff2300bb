#include "device/device.h"

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
