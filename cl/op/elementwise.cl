/* What several ops do with all elements of a tensor. */
#include "op/elementwise.h"

/* to = from, or += with `accumulate`. */
GROUP_KERNEL void gradient_pass(const global float *restrict from, // (n * VW)
                                global float *restrict to,         // (n * VW)
                                const int n, const int accumulate) {
    MY_VECTORS(j, n) {
        const vec v = VLOAD(j, from);
        VSTORE(accumulate ? v + VLOAD(j, to) : v, j, to);
    }
}
