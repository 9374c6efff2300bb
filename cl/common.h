/* What every kernel shares: vectors of VW floats, element offsets, Philox.
 *
 * Kernels for CPU devices use one work-item a tile (CPU_KERNELS 1): groups of one item, wide
 * vectors, private arrays, no barriers. */
#ifndef COMMON_H
#define COMMON_H

#ifndef CPU_KERNELS
#define CPU_KERNELS 1
#endif
#ifndef NATIVE_WIDTH
#define NATIVE_WIDTH 8
#endif
/* Floats a vector: must divide what the kernel vectorises over (usually the channels). */
#ifndef VW
#define VW NATIVE_WIDTH
#endif

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define ROLLED    _Pragma("unroll 1")
#define UNROLL(n) _Pragma(STRING(unroll n))

#if VW == 1
typedef float vec;
typedef int ivec;
#define VLOAD(i, p) ((p)[i])
#define VSTORE(v, i, p) ((p)[i] = (v))
#else
typedef CAT(float, VW) vec;
typedef CAT(int, VW) ivec;
#define VLOAD(i, p) CAT(vload, VW)(i, p)
#define VSTORE(v, i, p) CAT(vstore, VW)(v, i, p)
#endif

/* Asks for the cache line of an address that may lie outside its buffer. Only where the compiler is known to be
 * the host's own: as OpenCL's prefetch() the common implementations do nothing. */
#if CPU_KERNELS && (defined(__x86_64__) || defined(__aarch64__))
#define PREFETCH(p) __builtin_prefetch((const void *)(size_t)(p))
#else
#define PREFETCH(p) ((void)(p))
#endif

#define INLINE static inline __attribute__((always_inline))

/* One work-item a group, a whole tile each. */
#define TILE_KERNEL __attribute__((reqd_work_group_size(1, 1, 1))) kernel

/* A group shares a tile: LS work-items on GPUs, where VW is 1 and neighbours take neighbouring channels; one on CPU
 * devices. `for EACH(j, n)` shares the numbers below n, EACH_FROM those from `first` on. */
#ifndef LS
#define LS 1
#endif
#define GROUP_KERNEL __attribute__((reqd_work_group_size(LS, 1, 1))) kernel
#define EACH_FROM(j, first, last) (int j = (first) + (int)get_local_id(0); j < (last); j += LS)
#define EACH(j, n) EACH_FROM(j, 0, n)

/* The first of `n` elements that group `g` of `groups` handles, in equal consecutive chunks. */
#define CHUNK(n, groups) (((n) + (groups) - 1) / (groups))

/* Philox4x32-10 (Salmon et al., SC11); src/core/rng.h holds the same function. */
uint4 philox(uint2 key, uint4 counter) {
    for (int round = 0; round < 10; round++) {
        const ulong p0 = (ulong)counter.x * 0xD2511F53u, p1 = (ulong)counter.z * 0xCD9E8D57u;
        counter = (uint4)((uint)(p1 >> 32) ^ counter.y ^ key.x, (uint)p1,
                          (uint)(p0 >> 32) ^ counter.w ^ key.y, (uint)p0);
        key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
}

/* Uniform in [0, 1) with 24 random bits: exact in float. */
#define UNIFORM(bits) ((float)((bits) >> 8) * (1.0f / 16777216.0f))

/* Uniform in 0 .. n - 1. */
#define BELOW(bits, n) ((int)(((ulong)(bits) * (uint)(n)) >> 32))

#endif
