/* Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3" (SC11). cl/common.h holds the same function: host and kernels agree bit for bit. */
#ifndef CLC_CORE_RNG_H
#define CLC_CORE_RNG_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Replaces the counter by the 128 random bits that belong to it under `key`. */
static inline void clc_philox(const uint32_t key[2], uint32_t counter[4]) {
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)counter[0] * 0xD2511F53u, p1 = (uint64_t)counter[2] * 0xCD9E8D57u;
        counter[0] = (uint32_t)(p1 >> 32) ^ counter[1] ^ k0;
        counter[1] = (uint32_t)p1;
        counter[2] = (uint32_t)(p0 >> 32) ^ counter[3] ^ k1;
        counter[3] = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* A number in [0, 1) with 24 random bits: exact in float. */
static inline float clc_uniform(uint32_t bits) {
    return (float)(bits >> 8) * (1.0f / 16777216.0f);
}

/* A host stream: consecutive numbers of one (seed, stream) pair. */
typedef struct clc_rng {
    uint32_t key[2];
    uint32_t stream;
    uint32_t index;
} clc_rng;

static inline clc_rng clc_rng_make(uint64_t seed, uint32_t stream) {
    return (clc_rng){{(uint32_t)seed, (uint32_t)(seed >> 32)}, stream, 0};
}

/* The next 128 random bits of the stream. */
static inline void clc_rng_next4(clc_rng *rng, uint32_t bits[4]) {
    /* Word 3 tells host streams from the kernels' counters (epoch, sample, view, purpose). */
    const uint32_t counter[4] = {rng->index++, rng->stream, 0, 0x686F7374u};
    memcpy(bits, counter, sizeof counter);
    clc_philox(rng->key, bits);
}

/* The first 32 of them. */
static inline uint32_t clc_rng_next(clc_rng *rng) {
    uint32_t bits[4];
    clc_rng_next4(rng, bits);
    return bits[0];
}

/* Uniform in [0, n), n > 0, without modulo bias worth measuring (n < 2^24 in practice). */
static inline uint32_t clc_rng_below(clc_rng *rng, uint32_t n) {
    return (uint32_t)(((uint64_t)clc_rng_next(rng) * n) >> 32);
}

/* Normal numbers of mean 0 and the given deviation; uniform ones in [-bound, bound). */
void clc_fill_normal(float *data, size_t count, double deviation, clc_rng *rng);
void clc_fill_uniform(float *data, size_t count, double bound, clc_rng *rng);

#endif
