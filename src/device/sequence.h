/* A sequence of launches: everything that a training step does is one such flat list, made once.
 * What a launch runs and its arguments are fixed when it is added; kernels are made by
 * clc_sequence_prepare, or else as the first run comes to them, so that it can begin while later
 * programs are compiled. From then on running the list only enqueues. */
#ifndef CLC_DEVICE_SEQUENCE_H
#define CLC_DEVICE_SEQUENCE_H

#include "device/device.h"

typedef struct clc_arg {
    size_t bytes;
    union {
        cl_mem mem;
        cl_int i;
        cl_uint u;
        cl_float f;
        cl_float16 f16;
    } value;
} clc_arg;

#define CLC_MEM(x)     ((clc_arg){sizeof(cl_mem), {.mem = (x)}})
#define CLC_INT(x)     ((clc_arg){sizeof(cl_int), {.i = (cl_int)(x)}})
#define CLC_UINT(x)    ((clc_arg){sizeof(cl_uint), {.u = (cl_uint)(x)}})
#define CLC_FLOAT(x)   ((clc_arg){sizeof(cl_float), {.f = (cl_float)(x)}})
#define CLC_FLOAT16(x) ((clc_arg){sizeof(cl_float16), {.f16 = (x)}})

/* What a launch runs and what bench reports about it. */
typedef struct clc_launch_spec {
    const char *source; /* path below cl/ */
    const char *kernel;
    const char *options; /* -D constants; NULL for none */
    size_t groups[3];    /* number of work-groups; 0 counts as 1 */
    size_t local[3];     /* work-items a group; 0 counts as 1 */
    const char *op;      /* the field's name of the work, such as "conv2d_forward" */
    const char *layer;   /* the layer it belongs to; NULL for none */
    double flops;        /* floating-point operations */
    double bytes;        /* bytes that must be read and written at least */
} clc_launch_spec;

typedef struct clc_launch clc_launch;

/* A launch that is no kernel of ours (a library's GEMM): enqueues onto the queue and sets *event.
 */
typedef clc_status (*clc_call)(clc_device *device, void *context, cl_event *event);

struct clc_launch {
    char op[48], layer[64];
    const char *name; /* of the kernel: static text */
    size_t program;   /* its number */
    clc_arg *args;
    size_t arg_count;
    cl_kernel kernel; /* NULL for a call, and until the launch is prepared */
    size_t global[3], local[3];
    double flops, bytes;
    clc_call call;
    void *context;  /* of `call`; freed with free() */
    double seconds; /* filled by clc_sequence_profile */
};

typedef struct clc_sequence {
    clc_launch *items;
    size_t count, capacity;
} clc_sequence;

/* Appends a launch of a kernel with `n` arguments. source and kernel of `spec` must be static text.
 */
clc_status clc_sequence_add(clc_sequence *sequence, clc_device *device, const clc_launch_spec *spec,
                            const clc_arg *args, size_t n);

/* The same with the arguments given in place. */
#define CLC_LAUNCH(sequence, device, spec, ...)                                                    \
    clc_sequence_add(sequence, device, spec, (const clc_arg[]){__VA_ARGS__},                       \
                     sizeof((const clc_arg[]){__VA_ARGS__}) / sizeof(clc_arg))

/* Appends a call; takes ownership of `context` (malloc'd), also on failure. */
clc_status clc_sequence_add_call(clc_sequence *sequence, const clc_launch_spec *spec, clc_call call,
                                 void *context);

/* Appends a copy of `bytes` from one buffer to another, at offsets in bytes; the buffers must
 * outlive it. */
clc_status clc_sequence_add_copy(clc_sequence *sequence, cl_mem from, size_t from_offset, cl_mem to,
                                 size_t to_offset, size_t bytes);

/* Compiles what the device's sequences need so far, in parallel, and makes the kernels of this one:
 * errors in kernels and arguments show here. */
clc_status clc_sequence_prepare(const clc_sequence *sequence, clc_device *device);

/* Enqueues launches [first, last) without waiting; where device->sync_every is set, each is waited
 * for, and a failure names it. */
clc_status clc_sequence_run_range(const clc_sequence *sequence, clc_device *device, size_t first,
                                  size_t last);
clc_status clc_sequence_run(const clc_sequence *sequence, clc_device *device);

/* Runs the sequence once, waits, and adds each launch's device time to its `seconds`. */
clc_status clc_sequence_profile(clc_sequence *sequence, clc_device *device);

void clc_sequence_free(clc_sequence *sequence);

#endif
