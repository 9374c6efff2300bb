/* 1-D convolution as a matrix product: the window of each output step becomes a row of a matrix. Groups handle chunks
 * of rows of that matrix (im2col) or of input steps (col2im), their items the channels. */
#include "common.h"

#ifndef C
#define C 16 /* channels in */
#define STEPS 8
#define OUTPUTS 8 /* steps out */
#define KERNEL 3
#define STRIDE 1
#define PAD 1
#define DILATION 1
#endif

/* columns (samples,OUTPUTS,KERNEL,C) from x, beginning with sample `first`; zeros beyond the ends, the last of which
 * is a sample's length. */
GROUP_KERNEL void conv1d_im2col(const global float *restrict x,     // (n,STEPS,C)
                                const global int *restrict lengths, // (n)
                                global float *restrict columns, const int offset, const int first,
                                const int samples, const int has_lengths) {
    const int rows = samples * OUTPUTS, per = CHUNK(rows, (int)get_num_groups(0));
    const int begin = (int)get_group_id(0) * per;
    for (int r = begin; r < min(begin + per, rows); r++) {
        const int i = first + r / OUTPUTS, steps = has_lengths ? min(lengths[i], STEPS) : STEPS;
        const global float *sample = x + (size_t)i * STEPS * C;
        global float *to = columns + offset + (size_t)r * KERNEL * C;
        for (int k = 0; k < KERNEL; k++, to += C) {
            const int t = r % OUTPUTS * STRIDE - PAD + k * DILATION;
            const int inside = t >= 0 && t < steps;
            const global float *from = sample + (inside ? t * C : 0);
            for EACH(j, C / VW)
                VSTORE(inside ? VLOAD(j, from) : (vec)(0.0f), j, to);
        }
    }
}

/* dx = the sum of the windows' elements that lie on each step, 0 beyond the length; += with `accumulate`. Gathers, so
 * that no two groups write the same place. */
GROUP_KERNEL void conv1d_col2im(const global float *restrict columns,
                                const global int *restrict lengths, // (n)
                                global float *restrict dx,          // (n,STEPS,C)
                                const int offset, const int first, const int samples,
                                const int has_lengths, const int accumulate) {
    const int rows = samples * STEPS, per = CHUNK(rows, (int)get_num_groups(0));
    const int begin = (int)get_group_id(0) * per;
    for (int r = begin; r < min(begin + per, rows); r++) {
        const int inside = !has_lengths || r % STEPS < lengths[first + r / STEPS];
        const global float *from = columns + offset + (size_t)(r / STEPS) * OUTPUTS * KERNEL * C;
        global float *to = dx + ((size_t)first * STEPS + r) * C;
        for EACH(j, C / VW) {
            vec sum = accumulate ? VLOAD(j, to) : (vec)(0.0f);
            for (int k = 0; k < KERNEL; k++) {
                const int t = r % STEPS + PAD - k * DILATION;
                if (inside && t >= 0 && t % STRIDE == 0 && t / STRIDE < OUTPUTS)
                    sum += VLOAD(j, from + ((size_t)(t / STRIDE) * KERNEL + k) * C);
            }
            VSTORE(sum, j, to);
        }
    }
}
