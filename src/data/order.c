#include "data/order.h"

#include "core/rng.h"

void clc_epoch_order(uint64_t seed, int epoch, int32_t *order, size_t count) {
    /* Streams of parameters count from 0; those of epochs have the top bit set. */
    clc_rng rng = clc_rng_make(seed, 0x80000000u | (uint32_t)epoch);
    for (size_t i = 0; i < count; i++)
        order[i] = (int32_t)i;
    for (size_t i = count; i > 1; i--) {
        size_t j = clc_rng_below(&rng, (uint32_t)i);
        int32_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}
