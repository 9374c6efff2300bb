/* Numbers of 16 bits (IEEE 754's binary16). */
#ifndef CLC_CORE_HALF_H
#define CLC_CORE_HALF_H

#include <stdbool.h>
#include <stdint.h>

/* The nearest half, of two equally near ones the even one; what is not a number stays none. False
 * (and an infinity of its sign) where a finite value is nearest to none. */
bool clc_half_from_float(float value, uint16_t *half);

#endif
