/* Optimizers over all parameters at once. The flat buffers are cut into chunks that lie in one tensor (segment)
 * each; padding behind a tensor is 0 in all of them and stays so. */
#include "common.h"

#ifndef KIND
#define KIND 0 /* 0 SGD, 1 LARS, 2 AdamW */
#define NESTEROV 0
#endif
#define EACH_VECTOR(i, chunk) EACH(i, (COUNT(chunk) + 15) / 16)
/* Fields of a chunk (int4) and a segment (int4). */
#define SEGMENT(chunk) (chunk).x
#define START(chunk) (chunk).y /* in vectors of 16 floats */
#define COUNT(chunk) (chunk).z /* floats */
#define FIRST_CHUNK(segment) (segment).x
#define CHUNKS(segment) (segment).y
#define DECAYS(segment) (segment).z
#define ADAPTS(segment) ((segment).w & 1)
#define GROUP(segment) ((segment).w >> 1)
#define GROUP_RATES 4 /* in hyper */

/* part (chunks,3): sums of g g, g w and w w. */
GROUP_KERNEL void optim_sums(const global float *restrict value, const global float *restrict grad,
                            const global int4 *restrict chunks, global float *restrict part) {
    local float all[3][LS];
    const int4 chunk = chunks[get_group_id(0)];
    const global float *g = grad + (size_t)START(chunk) * 16;
#if KIND == 1
    const global float *w = value + (size_t)START(chunk) * 16;
#endif
    float16 gg = 0.0f, gw = 0.0f, ww = 0.0f;
    for EACH_VECTOR(i, chunk) {
        const float16 a = vload16(i, g);
        gg += a * a;
#if KIND == 1
        const float16 b = vload16(i, w);
        gw += a * b;
        ww += b * b;
#endif
    }
    float sums[3][16];
    vstore16(gg, 0, sums[0]);
    vstore16(gw, 0, sums[1]);
    vstore16(ww, 0, sums[2]);
    for (int k = 0; k < 3; k++) {
        float sum = 0.0f;
        for (int i = 0; i < 16; i++)
            sum += sums[k][i];
        all[k][get_local_id(0)] = sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for EACH(k, 3) {
        float sum = 0.0f;
        for (int i = 0; i < LS; i++)
            sum += all[k][i];
        part[get_group_id(0) * 3 + k] = sum;
    }
}

/* One group: norms (2,segments): norms of the gradients, and what LARS multiplies a segment's step by;
 * result: loss, gradient norm, 1 if all is finite, clip factor. */
TILE_KERNEL void optim_merge(const global float *restrict part, // (chunks,3)
                             const global int4 *restrict segments, const global float *restrict loss,
                             global float *restrict norms, global float *restrict result, const int count,
                             const float clip_norm, const float weight_decay, const float trust,
                             const float epsilon) {
    float total = 0.0f;
    for (int s = 0; s < count; s++) {
        float gg = 0.0f;
        for (int i = 0; i < CHUNKS(segments[s]); i++)
            gg += part[(FIRST_CHUNK(segments[s]) + i) * 3];
        norms[s] = sqrt(gg);
        total += gg;
    }
    const float norm = sqrt(total);
    const float clip = clip_norm > 0.0f && norm > clip_norm ? clip_norm / norm : 1.0f;
    for (int s = 0; s < count; s++) {
        float gw = 0.0f, ww = 0.0f, factor = 1.0f;
        for (int i = 0; i < CHUNKS(segments[s]); i++) {
            gw += part[(FIRST_CHUNK(segments[s]) + i) * 3 + 1];
            ww += part[(FIRST_CHUNK(segments[s]) + i) * 3 + 2];
        }
        if (KIND == 1 && ADAPTS(segments[s])) {
            /* |clip g + decay w| from the sums. */
            const float d = DECAYS(segments[s]) ? weight_decay : 0.0f, g = clip * norms[s];
            const float squared = g * g + 2.0f * clip * d * gw + d * d * ww;
            if (ww > 0.0f && squared > 0.0f)
                factor = trust * sqrt(ww) / (sqrt(squared) + epsilon);
        }
        norms[count + s] = factor;
    }
    result[0] = loss[0];
    result[1] = norm;
    result[2] = isfinite(norm) && isfinite(loss[0]) ? 1.0f : 0.0f;
    result[3] = clip;
}

/* The update, left out when something isn't finite. hyper: rate, 1 - beta1^t, 1 - beta2^t, and from
 * GROUP_RATES on the rates of the groups; one of rate 0 is left out, too. */
GROUP_KERNEL void optim_update(global float *restrict value, const global float *restrict grad,
                              global float *restrict state, // (states,floats)
                              const global int4 *restrict chunks,
                              const global int4 *restrict segments,
                              const global float *restrict norms, // (2,segments)
                              const global float *restrict result,
                              const global float *restrict hyper, const int vectors, const int count,
                              const float weight_decay, const float momentum, const float beta2,
                              const float gain1, const float gain2, const float epsilon) {
    const int4 chunk = chunks[get_group_id(0)];
    const int s = SEGMENT(chunk);
    const int group = GROUP(segments[s]);
    const float rate = hyper[group ? GROUP_RATES + group : 0], clip = result[3];
    const float decay = DECAYS(segments[s]) ? weight_decay : 0.0f;
    global float *w = value + (size_t)START(chunk) * 16, *m = state + (size_t)START(chunk) * 16;
    const global float *g = grad + (size_t)START(chunk) * 16;
    if (!(result[2] > 0.5f) || (group && rate == 0.0f))
        return;
    for EACH_VECTOR(i, chunk) {
        const float16 a = vload16(i, w);
#if KIND == 2
        /* Loshchilov and Hutter, arXiv 1711.05101; `momentum` is beta1. gain1 = 1 - beta1 and
         * gain2 = 1 - beta2 come from the host: in float, 1 - 0.999 is off by 1e-5. */
        const float16 b = clip * vload16(i, g);
        const float16 mean = momentum * vload16(i, m) + gain1 * b;
        const float16 square = beta2 * vload16(i, m + (size_t)vectors * 16) + gain2 * b * b;
        vstore16(mean, i, m);
        vstore16(square, i, m + (size_t)vectors * 16);
        const float16 root = sqrt(square) / sqrt(hyper[2]) + epsilon;
        vstore16(a * (1.0f - rate * decay) - rate / hyper[1] * mean / root, i, w);
#else
        /* LARS: You et al., arXiv 1708.03888. */
        const float16 b = norms[count + s] * (clip * vload16(i, g) + decay * a);
        const float16 v = momentum * vload16(i, m) + b;
        vstore16(v, i, m);
        vstore16(a - rate * (NESTEROV ? b + momentum * v : v), i, w);
#endif
    }
}
