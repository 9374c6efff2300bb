#include "op/elementwise.h"

#include <stdio.h>

void clc_elementwise_begin(clc_elementwise *b, const clc_device *device, const clc_tensor *tensor,
                           const char *source, const char *kernel, const char *define,
                           const char *layer, double passes) {
    const unsigned width = clc_item_width(device, tensor->count);
    const size_t vectors = tensor->count / width, most = (size_t)device->groups * 4;
    const size_t groups = clc_ceil_div(vectors, device->group_size);
    snprintf(b->options, sizeof b->options, "-DVW=%u%s", width, define);
    b->vectors = (int)vectors;
    b->spec = (clc_launch_spec){.source = source,
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {groups < most ? groups : most},
                                .local = {device->group_size},
                                .layer = layer,
                                .flops = (double)tensor->count,
                                .bytes = 4 * passes * (double)tensor->count};
}

clc_status clc_pass_gradient(clc_sequence *sequence, clc_device *device, const clc_tensor *from,
                             const clc_tensor *to, bool accumulate, const char *layer) {
    clc_elementwise b;
    clc_elementwise_begin(&b, device, from, "op/elementwise.cl", "gradient_pass", "", layer, 2);
    return CLC_LAUNCH(sequence, device, &b.spec, CLC_MEM(from->grad), CLC_MEM(to->grad),
                      CLC_INT(b.vectors), CLC_INT(accumulate));
}
