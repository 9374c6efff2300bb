/* What is learned of positions: a row added to each step, and a token put in front of all. */
#include "common.h"

#ifndef C
#define C 16
#endif
#ifndef T
#define T 8 /* steps of a sample of the output */
#endif
#define CV (C / VW)

#define MY_ROWS(r, rows)                                                                           \
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;       \
    for (int r = first; r < min(first + per, rows); r++)

/* y = x + row t of the table at step t. */
GROUP_KERNEL void position_forward(const global float *restrict x,     // (n,T,C)
                                   const global float *restrict table, // (T or more,C)
                                   global float *restrict y,           // (n,T,C)
                                   const int n) {
    MY_ROWS(r, n * T)
        for EACH(j, CV)
            VSTORE(VLOAD(j, x + (size_t)r * C) + VLOAD(j, table + (size_t)(r % T) * C), j,
                   y + (size_t)r * C);
}

/* Sums over the samples, in their order; rows from T on are 0. */
GROUP_KERNEL void position_backward(const global float *restrict dy, // (n,T,C)
                                    global float *restrict dtable,   // (context,C)
                                    const int n, const int context) {
    MY_ROWS(t, context) {
        global float *sum = dtable + (size_t)t * C;
        for EACH(j, CV) {
            vec s = (vec)(0.0f);
            for (int i = 0; i < (t < T ? n : 0); i++)
                s += VLOAD(j, dy + ((size_t)i * T + t) * C);
            VSTORE(s, j, sum);
        }
    }
}

/* y = the token, then the T - 1 steps of x. */
GROUP_KERNEL void class_token_forward(const global float *restrict x,     // (n,T-1,C)
                                      const global float *restrict token, // (C)
                                      global float *restrict y,           // (n,T,C)
                                      const int n) {
    MY_ROWS(r, n * T) {
        const global float *row = r % T ? x + (size_t)(r - r / T - 1) * C : token;
        for EACH(j, CV)
            VSTORE(VLOAD(j, row), j, y + (size_t)r * C);
    }
}

/* y = x without the first step; backward, y's gradient goes to the others. */
GROUP_KERNEL void without_class_token_backward(const global float *restrict dy, // (n,T-1,C)
                                               global float *restrict dx,       // (n,T,C)
                                               const int n, const int accumulate) {
    MY_ROWS(r, n * T) {
        global float *to = dx + (size_t)r * C;
        for EACH(j, CV) {
            const vec d = r % T ? VLOAD(j, dy + (size_t)(r - r / T - 1) * C) : (vec)(0.0f);
            VSTORE(accumulate ? d + VLOAD(j, to) : d, j, to);
        }
    }
}

/* dx, or dx += with `accumulate`; without, also what takes the first step away. */
GROUP_KERNEL void class_token_backward(const global float *restrict dy, // (n,T,C)
                                       global float *restrict dx,       // (n,T-1,C)
                                       const int n, const int accumulate) {
    MY_ROWS(r, n * (T - 1)) {
        const global float *row = dy + (size_t)(r + r / (T - 1) + 1) * C;
        global float *to = dx + (size_t)r * C;
        for EACH(j, CV)
            VSTORE(accumulate ? VLOAD(j, row) + VLOAD(j, to) : VLOAD(j, row), j, to);
    }
}
