#include "device/sequence.h"

#include "core/log.h"
#include "device/program.h"

#include <stdio.h>
#include <string.h>

static clc_status grow(clc_sequence *sequence) {
    if (sequence->count < sequence->capacity)
        return CLC_OK;
    size_t capacity = sequence->capacity ? sequence->capacity * 2 : 64;
    clc_launch *items = realloc(sequence->items, capacity * sizeof *items);
    if (!items)
        return clc_fail_alloc(capacity * sizeof *items);
    sequence->items = items;
    sequence->capacity = capacity;
    return CLC_OK;
}

static void describe(clc_launch *launch, const clc_launch_spec *spec) {
    snprintf(launch->op, sizeof launch->op, "%s", spec->op ? spec->op : spec->kernel);
    snprintf(launch->layer, sizeof launch->layer, "%s", spec->layer ? spec->layer : "");
    launch->flops = spec->flops;
    launch->bytes = spec->bytes;
}

clc_status clc_sequence_add(clc_sequence *sequence, clc_device *device, const clc_launch_spec *spec,
                            const clc_arg *args, size_t n) {
    clc_status status = CLC_OK;
    clc_launch launch = {.name = spec->kernel, .arg_count = n};
    describe(&launch, spec);
    CLC_TRY(grow(sequence));
    CLC_NEW(launch.args, n);
    memcpy(launch.args, args, n * sizeof *args);
    CLC_TRY(clc_program_request(device, spec->source, spec->options ? spec->options : "",
                                &launch.program));
    for (int d = 0; d < 3; d++) {
        launch.local[d] = spec->local[d] ? spec->local[d] : 1;
        launch.global[d] = (spec->groups[d] ? spec->groups[d] : 1) * launch.local[d];
    }
    sequence->items[sequence->count++] = launch;
    return CLC_OK;
fail:
    free(launch.args);
    return status;
}

static clc_status prepare(clc_launch *launch, clc_device *device) {
    if (launch->kernel || launch->call)
        return CLC_OK;
    clc_status status = clc_program_kernel(device, launch->program, launch->name, &launch->kernel);
    for (size_t i = 0; i < launch->arg_count && status == CLC_OK; i++) {
        const clc_arg *arg = &launch->args[i];
        cl_int code = clSetKernelArg(launch->kernel, (cl_uint)i, arg->bytes, &arg->value);
        if (code != CL_SUCCESS) {
            clc_fail_opencl(code, "clSetKernelArg");
            status = clc_fail_context(CLC_OPENCL, "argument %zu of kernel %s", i, launch->name);
        }
    }
    return status;
}

clc_status clc_sequence_prepare(const clc_sequence *sequence, clc_device *device) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < sequence->count && status == CLC_OK; i++)
        status = prepare(&sequence->items[i], device);
    return status;
}

clc_status clc_sequence_add_call(clc_sequence *sequence, const clc_launch_spec *spec, clc_call call,
                                 void *context) {
    clc_status status = grow(sequence);
    if (status != CLC_OK) {
        free(context);
        return status;
    }
    clc_launch *launch = &sequence->items[sequence->count++];
    *launch = (clc_launch){.call = call, .context = context};
    describe(launch, spec);
    return CLC_OK;
}

typedef struct copy {
    cl_mem from, to;
    size_t from_offset, to_offset, bytes;
} copy;

static clc_status enqueue_copy(clc_device *device, void *context, cl_event *event) {
    clc_status status = CLC_OK;
    const copy *c = context;
    CLC_CL(clEnqueueCopyBuffer(device->queue, c->from, c->to, c->from_offset, c->to_offset,
                               c->bytes, 0, NULL, event));
fail:
    return status;
}

clc_status clc_sequence_add_copy(clc_sequence *sequence, cl_mem from, size_t from_offset, cl_mem to,
                                 size_t to_offset, size_t bytes) {
    clc_status status = CLC_OK;
    copy *context = NULL;
    const clc_launch_spec spec = {.kernel = "copy", .op = "copy", .bytes = 2.0 * (double)bytes};
    CLC_NEW(context, 1);
    *context = (copy){from, to, from_offset, to_offset, bytes};
    return clc_sequence_add_call(sequence, &spec, enqueue_copy, context);
fail:
    return status;
}

/* What is known of a launch, put in front of the present message. */
static clc_status fail_launch(const clc_launch *launch, clc_status status) {
    return clc_fail_context(
        status, "%s of %s (kernel %s: %zu,%zu,%zu items in groups of %zu,%zu,%zu)", launch->op,
        launch->layer[0] ? launch->layer : "no layer", launch->name ? launch->name : "of a library",
        launch->global[0], launch->global[1], launch->global[2], launch->local[0], launch->local[1],
        launch->local[2]);
}

static clc_status enqueue(clc_launch *launch, clc_device *device, cl_event *event) {
    if (launch->call)
        return launch->call(device, launch->context, event);
    clc_status status = prepare(launch, device);
    if (status != CLC_OK)
        return status;
    cl_int code = clEnqueueNDRangeKernel(device->queue, launch->kernel, 3, NULL, launch->global,
                                         launch->local, 0, NULL, event);
    if (code == CL_SUCCESS)
        return CLC_OK;
    return fail_launch(launch, clc_fail_opencl(code, "clEnqueueNDRangeKernel"));
}

/* Enqueues it and waits. The line on the terminal tells what ran when a driver hangs or crashes. */
static clc_status run_alone(clc_launch *launch, clc_device *device) {
    cl_event event = NULL;
    cl_int failure = CL_COMPLETE;
    clc_live("%s of %s", launch->op, launch->layer);
    clc_status status = enqueue(launch, device, &event);
    if (status != CLC_OK || !event)
        return status;
    const cl_int code = clWaitForEvents(1, &event);
    if (code != CL_SUCCESS) {
        clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof failure, &failure, NULL);
        status = fail_launch(launch,
                             clc_fail_opencl(failure < 0 ? failure : code, "the wait for its end"));
    }
    clReleaseEvent(event);
    return status;
}

clc_status clc_sequence_run_range(const clc_sequence *sequence, clc_device *device, size_t first,
                                  size_t last) {
    clc_status status = CLC_OK;
    for (size_t i = first; i < last && status == CLC_OK; i++)
        status = device->sync_every ? run_alone(&sequence->items[i], device)
                                    : enqueue(&sequence->items[i], device, NULL);
    return status;
}

clc_status clc_sequence_run(const clc_sequence *sequence, clc_device *device) {
    clc_status status = clc_sequence_run_range(sequence, device, 0, sequence->count);
    if (status == CLC_OK)
        clFlush(device->queue);
    return status;
}

clc_status clc_sequence_profile(clc_sequence *sequence, clc_device *device) {
    clc_status status = CLC_OK;
    cl_event *events = NULL;
    CLC_NEW(events, sequence->count);
    for (size_t i = 0; i < sequence->count; i++)
        CLC_TRY(enqueue(&sequence->items[i], device, &events[i]));
    CLC_TRY(clc_device_finish(device));
    for (size_t i = 0; i < sequence->count; i++) {
        cl_ulong start = 0, end = 0;
        CLC_CL(clGetEventProfilingInfo(events[i], CL_PROFILING_COMMAND_START, sizeof start, &start,
                                       NULL));
        CLC_CL(
            clGetEventProfilingInfo(events[i], CL_PROFILING_COMMAND_END, sizeof end, &end, NULL));
        sequence->items[i].seconds += (double)(end - start) * 1e-9;
    }
fail:
    for (size_t i = 0; events && i < sequence->count; i++)
        if (events[i])
            clReleaseEvent(events[i]);
    free(events);
    return status;
}

void clc_sequence_free(clc_sequence *sequence) {
    for (size_t i = 0; i < sequence->count; i++) {
        if (sequence->items[i].kernel)
            clReleaseKernel(sequence->items[i].kernel);
        free(sequence->items[i].args);
        free(sequence->items[i].context);
    }
    free(sequence->items);
    *sequence = (clc_sequence){0};
}
