#include "optim/optim.h"

static clc_launch_spec spec_of(const clc_device *device, const char *kernel, size_t floats,
                               int passes) {
    return (clc_launch_spec){.source = "optim/average.cl",
                             .kernel = kernel,
                             .groups = {(size_t)device->groups * 4},
                             .local = {device->group_size},
                             .op = kernel,
                             .flops = 2 * (double)floats,
                             .bytes = 4.0 * passes * (double)floats};
}

clc_status clc_average_build(clc_sequence *sequence, clc_device *device, cl_mem average,
                             cl_mem value, cl_mem hyper, size_t floats) {
    const clc_launch_spec spec = spec_of(device, "average_update", floats, 3);
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(average), CLC_MEM(value), CLC_MEM(hyper),
                      CLC_INT(floats / device->vector_width));
}

clc_status clc_clamp_build(clc_sequence *sequence, clc_device *device, cl_mem value, int count,
                           double least, double most) {
    clc_launch_spec spec = spec_of(device, "average_clamp", (size_t)count, 2);
    spec.groups[0] = 1;
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(value), CLC_INT(count), CLC_FLOAT(least),
                      CLC_FLOAT(most));
}

clc_status clc_accumulate_build(clc_sequence *sequence, clc_device *device, cl_mem sum, cl_mem grad,
                                size_t floats, bool first, bool last) {
    const clc_launch_spec spec = spec_of(device, "average_accumulate", floats, 4);
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(sum), CLC_MEM(grad),
                      CLC_INT(floats / device->vector_width), CLC_INT(first), CLC_INT(last));
}
