#include "eval/neighbours.h"

#include "core/signals.h"
#include "eval/cosines.h"

#include <math.h>

/* Puts a neighbour into its place of a falling list. What isn't finite is as far as can be. */
static void insert(int32_t *index, float *cosine, int k, int32_t row, float value) {
    if (!isfinite(value))
        value = -2;
    if (!(value > cosine[k - 1]))
        return;
    int i = k - 1;
    for (; i > 0 && value > cosine[i - 1]; i--) {
        cosine[i] = cosine[i - 1];
        index[i] = index[i - 1];
    }
    cosine[i] = value;
    index[i] = row;
}

clc_status clc_neighbours(clc_device *device, const clc_features *features, int k, int32_t *index,
                          float *cosine) {
    clc_status status = CLC_OK;
    clc_cosines c = {0};
    float *tile = NULL;
    size_t rows, columns;
    for (size_t i = 0; i < features->rows * (size_t)k; i++) {
        cosine[i] = -3;
        index[i] = 0;
    }
    CLC_TRY(clc_cosines_make(device, features, features, 1024, &c));
    CLC_NEW(tile, c.query_block * c.bank_block);
    for (size_t q = 0; q < features->rows; q += rows) {
        CLC_TRY(clc_cosines_queries(&c, q, &rows));
        for (size_t b = 0; b < features->rows; b += columns) {
            if (clc_signals_stop())
                CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted among nearest neighbours"));
            CLC_TRY(clc_cosines_tile(&c, b, &columns));
            CLC_TRY(clc_buffer_read(device, c.tile, 0, c.query_block * c.bank_block * sizeof *tile,
                                    tile));
            for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < columns; j++)
                    if (q + i != b + j)
                        insert(index + (q + i) * (size_t)k, cosine + (q + i) * (size_t)k, k,
                               (int32_t)(b + j), tile[i * c.bank_block + j]);
        }
    }
fail:
    clc_cosines_release(&c);
    free(tile);
    return status;
}
