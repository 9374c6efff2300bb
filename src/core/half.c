#include "core/half.h"

#include <string.h>

/* NORMAL_EXPONENT: of the smallest half that isn't subnormal, as floats count. */
enum { INFINITE = 0x7c00, QUIET = 0x0200, NORMAL_EXPONENT = 113 };

/* The upper bits of `bits` behind `shift` lower ones, rounded. */
static uint32_t shift_rounded(uint32_t bits, unsigned shift) {
    const uint32_t kept = bits >> shift, rest = bits & ((1u << shift) - 1), tie = 1u << (shift - 1);
    return kept + (rest > tie || (rest == tie && (kept & 1)));
}

bool clc_half_from_float(float value, uint16_t *half) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000, exponent = bits >> 23 & 0xff;
    const uint32_t fraction = bits & 0x7fffff;
    uint32_t size;
    if (exponent == 0xff)
        size = INFINITE | (fraction ? QUIET : 0);
    else if (exponent >= NORMAL_EXPONENT) /* a carry out of the fraction raises the exponent */
        size = shift_rounded((exponent - NORMAL_EXPONENT + 1) << 23 | fraction, 13);
    else if (exponent + 11 < NORMAL_EXPONENT)
        size = 0;
    else
        size = shift_rounded(fraction | 0x800000, 14 + NORMAL_EXPONENT - 1 - exponent);
    const bool fits = exponent == 0xff || size < INFINITE;
    *half = (uint16_t)(sign | (fits ? size : INFINITE));
    return fits;
}
