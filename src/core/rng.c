#include "core/rng.h"

#include <math.h>

void clc_fill_normal(float *data, size_t count, double deviation, clc_rng *rng) {
    for (size_t i = 0; i < count; i += 4) {
        uint32_t bits[4];
        float values[4];
        clc_rng_next4(rng, bits);
        for (int j = 0; j < 4; j += 2) {
            /* Box-Muller; 1 - u keeps the logarithm's argument above 0. */
            const double radius = deviation * sqrt(-2.0 * log(1.0 - (double)clc_uniform(bits[j])));
            const double angle = 6.283185307179586 * (double)clc_uniform(bits[j + 1]);
            values[j] = (float)(radius * cos(angle));
            values[j + 1] = (float)(radius * sin(angle));
        }
        for (size_t j = 0; j < 4 && i + j < count; j++)
            data[i + j] = values[j];
    }
}

void clc_fill_uniform(float *data, size_t count, double bound, clc_rng *rng) {
    for (size_t i = 0; i < count; i += 4) {
        uint32_t bits[4];
        clc_rng_next4(rng, bits);
        for (size_t j = 0; j < 4 && i + j < count; j++)
            data[i + j] = (float)(bound * (2.0 * (double)clc_uniform(bits[j]) - 1.0));
    }
}
