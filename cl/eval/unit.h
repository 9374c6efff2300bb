/* Rows of length 1. */
#ifndef UNIT_H
#define UNIT_H
#include "common.h"

/* What a row's numbers are multiplied with before they are squared, by the greatest of their magnitudes: not 1 where
 * a square would overflow or vanish. */
INLINE float before_squares(const float greatest) {
    return greatest > 1e15f ? 1e-25f : greatest < 1e-15f ? 1e30f : 1.0f;
}

/* What a row is then multiplied with, by the sum of the squares; 0 for a zero row. */
INLINE float to_unit(const float greatest, const float squares) {
    return greatest > 0.0f ? 1.0f / sqrt(squares) : 0.0f;
}

#endif
