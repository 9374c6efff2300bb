/* The two ceilings of a roofline (Williams, Waterman and Patterson, CACM 2009): fused multiply-adds on registers,
 * and a copy through memory. */
#include "common.h"

#ifndef CHAINS
#define CHAINS 12 /* independent sums: more than the latency of a multiply-add times its rate */
#endif

/* `rounds` x CHAINS vector multiply-adds an item; out gets one vector an item, so that none is left out. */
kernel void roofline_fma(global float *out, const int rounds, const float factor, const float addend) {
    const size_t item = (int)get_global_id(0);
    vec sums[CHAINS];
    UNROLL(CHAINS)
    for (int i = 0; i < CHAINS; i++)
        sums[i] = (vec)((float)i + (float)item);
    for (int r = 0; r < rounds; r++)
        UNROLL(CHAINS)
        for (int i = 0; i < CHAINS; i++)
            sums[i] = fma(sums[i], (vec)(factor), (vec)(addend));
    vec total = (vec)(0.0f);
    UNROLL(CHAINS)
    for (int i = 0; i < CHAINS; i++)
        total += sums[i];
    VSTORE(total, item, out);
}

/* to = from, vectors in all. CPU: each item copies a chunk of its own. GPU: neighbours copy neighbours. */
kernel void roofline_copy(const global float *restrict from, global float *restrict to, const int vectors) {
#if CPU_KERNELS
    const int per = CHUNK(vectors, (int)get_global_size(0)), first = (int)get_global_id(0) * per;
    for (int i = first; i < min(first + per, vectors); i++)
        VSTORE(VLOAD(i, from), i, to);
#else
    for (int i = (int)get_global_id(0); i < vectors; i += (int)get_global_size(0))
        VSTORE(VLOAD(i, from), i, to);
#endif
}
