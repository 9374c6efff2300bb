/* Sums of partial results of kernels for CPU devices: one item a group. */
#include "common.h"

/* out[i] = sum of parts[offset + p * floats + i] over p, in order: the same result whatever the groups. */
TILE_KERNEL void reduce_parts(const global float *parts, global float *out, const int offset, const int floats,
                              const int count) {
    const int vectors = floats / VW, per = CHUNK(vectors, (int)get_num_groups(0));
    const int first = (int)get_group_id(0) * per;
    parts += offset;
    for (int i = first; i < min(first + per, vectors); i++) {
        vec sum = VLOAD(i, parts);
        for (int p = 1; p < count; p++)
            sum += VLOAD(i, parts + (size_t)p * floats);
        VSTORE(sum, i, out);
    }
    if ((int)get_group_id(0) == 0)
        for (int i = vectors * VW; i < floats; i++) {
            float sum = parts[i];
            for (int p = 1; p < count; p++)
                sum += parts[(size_t)p * floats + i];
            out[i] = sum;
        }
}
