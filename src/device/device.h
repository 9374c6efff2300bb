/* An open device (device/open.h opens it): context, in-order queue, limits, memory count and built
 * programs. */
#ifndef CLC_DEVICE_DEVICE_H
#define CLC_DEVICE_DEVICE_H

#include "clcontrast/device.h"
#include "core/math.h"
#include "core/status.h"
#include "core/words.h"
#include "device/error.h"
#include "device/tuning.h"

typedef enum clc_profile { CLC_PROFILES(CLC_WORD_VALUE, CLC_PROFILE_) } clc_profile;

typedef struct clc_program_cache clc_program_cache;

/* Share of a device's memory that a plan may take, in percent: drivers and programs need the rest.
 */
enum { CLC_USABLE_PERCENT = 95 };

typedef struct clc_device {
    clc_device_info info;
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;  /* in order; profiling events are on */
    clc_profile profile;     /* CPU: one work-item a tile. GPU: work-groups share tiles */
    unsigned vector_width;   /* floats a vector of CPU kernels: 1, 2, 4, 8 or 16 */
    unsigned groups;         /* work-groups of a launch that keep the device busy */
    unsigned group_size;     /* work-items of a group, LS in kernels that share a tile: 1 on CPU */
    uint64_t allocated;      /* bytes in buffers of clc_buffer_create */
    uint64_t peak;           /* the most `allocated` has been */
    unsigned buffers;        /* how many such buffers are alive */
    bool clblast_everywhere; /* GEMM by CLBlast also where a kernel of our own is preferred */
    bool sync_every;         /* sequences wait for each launch */
    bool keep_binaries; /* what is compiled goes to our disk cache; not where the driver has its own
                         */
    clc_program_cache *programs;
    clc_tuning *tuning; /* choices for this device; empty unless loaded */
} clc_device;

/* What clc_buffer_create takes for so many bytes: OpenCL has no empty buffers. */
static inline size_t clc_buffer_bytes(size_t bytes) {
    return bytes < 4 ? 4 : bytes;
}

/* Allocates `bytes` of device memory (at least 4), counted in `allocated`. `what` names it in an
 * error. Release with clc_buffer_release, which accepts NULL. */
clc_status clc_buffer_create(clc_device *device, size_t bytes, const char *what, cl_mem *buffer);
void clc_buffer_release(clc_device *device, cl_mem *buffer);

/* A range of `parent`; offset must be a multiple of info.alignment. Release: clReleaseMemObject. */
clc_status clc_buffer_sub(cl_mem parent, size_t offset, size_t bytes, cl_mem *buffer);

/* Blocking copies, for set-up and evaluation only. `offset` and `bytes` in bytes. */
clc_status clc_buffer_write(clc_device *device, cl_mem buffer, size_t offset, size_t bytes,
                            const void *data);
clc_status clc_buffer_read(clc_device *device, cl_mem buffer, size_t offset, size_t bytes,
                           void *data);

/* Sets all bytes to zero (enqueued, not waited for). */
clc_status clc_buffer_zero(clc_device *device, cl_mem buffer, size_t offset, size_t bytes);

/* Waits until all enqueued work is done. */
clc_status clc_device_finish(clc_device *device);

/* The widest vector, up to the device's own, that divides `channels`. */
static inline unsigned clc_vector_width(const clc_device *device, size_t channels) {
    unsigned width = device->vector_width;
    while (width > 1 && channels % width)
        width /= 2;
    return width;
}

/* Of the kernels whose groups share a tile (GROUP_KERNEL in cl/common.h), floats that an item takes
 * together: on GPUs neighbouring items take neighbouring channels instead. */
static inline unsigned clc_item_width(const clc_device *device, size_t channels) {
    return device->profile == CLC_PROFILE_GPU ? 1 : clc_vector_width(device, channels);
}

/* Groups of a kernel over columns (cl/group.h). */
static inline size_t clc_column_groups(const clc_device *device, size_t columns) {
    const size_t vectors = columns / clc_item_width(device, columns);
    const size_t each = device->group_size < 16 ? device->group_size : 16;
    return clc_ceil_div(vectors, each);
}

#endif
