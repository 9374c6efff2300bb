#include "eval/zeroshot.h"

#include "eval/cosines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double length_of(const float *x, size_t dim) {
    double squares = 0;
    for (size_t i = 0; i < dim; i++)
        squares += (double)x[i] * (double)x[i];
    return sqrt(squares);
}

void clc_zeroshot_vectors(const float *embeddings, size_t classes, size_t templates, size_t dim,
                          float *vectors) {
    for (size_t c = 0; c < classes; c++) {
        const float *from = embeddings + c * templates * dim;
        float *to = vectors + c * dim;
        memset(to, 0, dim * sizeof *to);
        for (size_t t = 0; t < templates; t++, from += dim) {
            const double length = length_of(from, dim);
            for (size_t i = 0; i < dim && length > 0; i++)
                to[i] += (float)((double)from[i] / length / (double)templates);
        }
        const double length = length_of(to, dim);
        for (size_t i = 0; i < dim && length > 0; i++)
            to[i] = (float)((double)to[i] / length);
    }
}

/* The cosines of a block of queries with all of the bank: tile for tile into rows on the host. */
static clc_status gather(clc_cosines *c, size_t rows, float *tile, float *cosines) {
    clc_status status = CLC_OK;
    const size_t classes = c->bank->rows;
    for (size_t b = 0, columns; b < classes; b += columns) {
        CLC_TRY(clc_cosines_tile(c, b, &columns));
        CLC_TRY(clc_buffer_read(c->device, c->tile, 0, rows * c->bank_block * sizeof *tile, tile));
        for (size_t r = 0; r < rows; r++)
            memcpy(cosines + r * classes + b, tile + r * c->bank_block, columns * sizeof *tile);
    }
fail:
    return status;
}

clc_status clc_zeroshot_each(clc_device *device, const clc_features *classes,
                             const clc_features *images, clc_zeroshot_take take, void *context) {
    /* Rows on the host, whatever the classes. */
    const size_t most_bytes = 64u << 20, row = classes->rows * sizeof(float);
    clc_status status = clc_features_comparable(classes, images, "zero-shot classification");
    clc_cosines c = {0};
    float *tile = NULL, *cosines = NULL;
    if (status != CLC_OK || !images->rows)
        return status;
    CLC_TRY(clc_cosines_make(device, classes, images, most_bytes / row, &c));
    CLC_NEW(tile, c.query_block * c.bank_block);
    CLC_NEW(cosines, c.query_block * classes->rows);
    for (size_t first = 0, rows; first < images->rows; first += rows) {
        CLC_TRY(clc_cosines_queries(&c, first, &rows));
        CLC_TRY(gather(&c, rows, tile, cosines));
        CLC_TRY(take(context, first, rows, cosines));
    }
fail:
    clc_cosines_release(&c);
    free(tile);
    free(cosines);
    return status;
}

void clc_zeroshot_probabilities(const float *cosines, size_t classes, double scale,
                                double *probabilities) {
    double greatest = -INFINITY, sum = 0;
    for (size_t c = 0; c < classes; c++)
        greatest = fmax(greatest, (double)cosines[c]);
    for (size_t c = 0; c < classes; c++) {
        probabilities[c] = exp(scale * ((double)cosines[c] - greatest));
        sum += probabilities[c];
    }
    for (size_t c = 0; c < classes; c++)
        probabilities[c] /= sum;
}
