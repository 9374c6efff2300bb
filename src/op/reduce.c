#include "op/reduce.h"

clc_status clc_reduce_parts(clc_sequence *sequence, clc_device *device, const clc_parts *parts,
                            cl_mem out, const char *op, const char *layer) {
    const clc_launch_spec spec = {.source = "op/reduce.cl",
                                  .kernel = "reduce_parts",
                                  .groups = {(size_t)device->groups * 4},
                                  .op = op,
                                  .layer = layer,
                                  .bytes = 4.0 * (double)(parts->floats * (parts->count + 1))};
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(parts->buffer), CLC_MEM(out),
                      CLC_INT(parts->offset), CLC_INT(parts->floats), CLC_INT(parts->count));
}
