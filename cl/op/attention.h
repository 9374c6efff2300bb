/* Scaled dot-product attention (Vaswani et al., arXiv 1706.03762): y = softmax(q k^T / sqrt(D)) v for each head, with a
 * running softmax (Dao et al., arXiv 2205.14135), so that no T x T matrix is ever in memory. qkv is (n,T,3 C): the
 * queries of all heads, then keys, then values. Steps at and beyond a sample's length have no part in it: y is 0
 * there, and so are all their gradients. `saved` (n,heads,T) holds log sum exp of each query's scores. */
#ifndef ATTENTION_H
#define ATTENTION_H
#include "common.h"

#ifndef D
#define D 16 /* width of a head */
#endif

/* In terms of kernels' arguments: heads, causal (a query sees keys up to its own step) and front (steps in front that
 * lengths don't count). */
#define C   (heads * D)
#define ROW (3 * C)
#define SCALE (1.0f / sqrt((float)D))

/* Where a head's step of q, of k or of v (part 0, 1, 2) begins. */
#define STEP(qkv, part, i, h, t, steps)                                                            \
    ((qkv) + ((size_t)(i) * (steps) + (t)) * ROW + (part)*C + (h)*D)
#define OUT_STEP(y, i, h, t, steps) ((y) + ((size_t)(i) * (steps) + (t)) * C + (h)*D)

#define LENGTH(lengths, i, steps, has) ((has) ? clamp((lengths)[i] + front, 0, steps) : (steps))

/* Whether query q sees key k. */
#define SEES(q, k, length) ((k) < (length) && (!causal || (k) <= (q)))

/* The keys that any of `count` queries from q0 on sees end here. */
#define LAST_KEY(q0, count, length) (causal ? min((q0) + (count), length) : (length))

#endif
