/* The order of images in an epoch. */
#ifndef CLC_DATA_ORDER_H
#define CLC_DATA_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* Fills order (count) with a permutation that depends on seed and epoch only (Fisher-Yates by
 * Philox). */
void clc_epoch_order(uint64_t seed, int epoch, int32_t *order, size_t count);

#endif
