/* Dropout (Srivastava et al., JMLR 15, 2014). What is dropped is drawn anew in each direction from the same Philox
 * counter: key = seed, counter = (four elements' number, step, micro-batch, stream and layer). */
#include "common.h"

/* 4 factors: 0 for what is dropped, else 1 / (1 - rate). */
INLINE float4 factors_of(const global uint *state, const uint quad, const uint place,
                         const float rate, const float scale) {
    const uint4 bits =
        philox((uint2)(state[0], state[1]), (uint4)(quad, state[2], state[3], place));
    return (float4)(UNIFORM(bits.x) < rate ? 0.0f : scale, UNIFORM(bits.y) < rate ? 0.0f : scale,
                    UNIFORM(bits.z) < rate ? 0.0f : scale, UNIFORM(bits.w) < rate ? 0.0f : scale);
}

/* to = from * factors [+ other], += with `accumulate`. */
GROUP_KERNEL void dropout_apply(const global float *from,  // (count)
                                const global float *other, // (count)
                                global float *to,          // (count)
                                const global uint *restrict state, const int count,
                                const uint place, const float rate, const float scale,
                                const int has_other, const int accumulate) {
    const int quads = (count + 3) / 4, per = CHUNK(quads, (int)get_num_groups(0));
    const int first = (int)get_group_id(0) * per;
    for EACH_FROM (q, first, min(first + per, quads)) {
        float factors[4];
        vstore4(factors_of(state, (uint)q, place, rate, scale), 0, factors);
        for (int k = 0; k < 4 && 4 * q + k < count; k++) {
            const int i = 4 * q + k;
            float v = from[i] * factors[k];
            if (has_other)
                v += other[i];
            to[i] = accumulate ? to[i] + v : v;
        }
    }
}
