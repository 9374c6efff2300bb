/* GELU (Hendrycks and Gimpel, arXiv 1606.08415): y = x P(x), where P is the normal distribution function, or the
 * logistic one of 1.702 x (QUICK). */
#include "op/elementwise.h"

#ifndef QUICK
#define QUICK 0
#endif

#define QUICK_SLOPE 1.702f

/* P(x). Of the normal distribution as P(-a) = exp(-a^2 / 2) t c(t), t = 1 / (1 + 0.26 a), with a polynomial c fitted to
 * it for 0 <= a <= 14: relative error 2.5e-8, and what rounding adds. */
INLINE vec distribution(const vec x) {
#if QUICK
    return 1.0f / (1.0f + exp(-QUICK_SLOPE * x));
#else
    const vec a = fabs(x), t = 1.0f / (1.0f + 0.26f * a);
    vec c = (vec)(3.050494179e-02f);
    c = c * t - 1.528291005e-01f;
    c = c * t + 2.514918566e-01f;
    c = c * t - 1.509496054e-01f;
    c = c * t + 1.609482904e-01f;
    c = c * t + 5.102750200e-02f;
    c = c * t + 1.030302981e-01f;
    c = c * t + 1.030167445e-01f;
    c = c * t + 1.037590602e-01f;
    const vec tail = c * t * exp(-0.5f * x * x);
    return x > 0.0f ? 1.0f - tail : tail;
#endif
}

/* dP/dx, given P. */
INLINE vec density(const vec x, const vec p) {
#if QUICK
    return QUICK_SLOPE * p * (1.0f - p);
#else
    return 0.3989422804f * exp(-0.5f * x * x);
#endif
}

GROUP_KERNEL void gelu_forward(const global float *restrict x, // (n * VW)
                               global float *restrict y,       // (n * VW)
                               const int n) {
    MY_VECTORS(j, n) {
        const vec v = VLOAD(j, x);
        VSTORE(v * distribution(v), j, y);
    }
}

/* dx = dy (P + x dP/dx), += with `accumulate`. */
GROUP_KERNEL void gelu_backward(const global float *restrict x,  // (n * VW)
                                const global float *restrict dy, // (n * VW)
                                global float *restrict dx,       // (n * VW)
                                const int n, const int accumulate) {
    MY_VECTORS(j, n) {
        const vec v = VLOAD(j, x), p = distribution(v);
        const vec d = VLOAD(j, dy) * (p + v * density(v, p));
        VSTORE(accumulate ? d + VLOAD(j, dx) : d, j, dx);
    }
}
