/* Whole numbers: divisions that round up, the larger of two. */
#ifndef CLC_CORE_MATH_H
#define CLC_CORE_MATH_H

#include <stddef.h>

/* How many parts of `b` cover `a`. */
static inline size_t clc_ceil_div(size_t a, size_t b) {
    return (a + b - 1) / b;
}

/* The smallest multiple of `unit` that is at least n. */
static inline size_t clc_round_up(size_t n, size_t unit) {
    return clc_ceil_div(n, unit) * unit;
}

/* The same for ints, none of them negative. */
static inline int clc_ceil_div_int(int a, int b) {
    return (a + b - 1) / b;
}

static inline int clc_round_up_int(int n, int unit) {
    return clc_ceil_div_int(n, unit) * unit;
}

static inline size_t clc_larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static inline int clc_larger_int(int a, int b) {
    return a > b ? a : b;
}

#endif
