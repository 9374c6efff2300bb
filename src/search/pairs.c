#include "search/pairs.h"

#include "core/log.h"
#include "core/signals.h"
#include "eval/cosines.h"

#include <stdlib.h>

typedef struct pairs_run {
    clc_cosines cosines;
    float *tile; /* of cosines, on the host */
    float threshold;
    bool same; /* both sides are */
    clc_pairs_take take;
    void *context;
} pairs_run;

/* Most rows have nothing that reaches the threshold: they are passed over as vectors. */
static bool reaches(const float *row, size_t n, float threshold) {
    int found = 0;
    for (size_t i = 0; i < n; i++)
        found |= row[i] >= threshold;
    return found;
}

static clc_status take_tile(pairs_run *p, size_t first, size_t rows, size_t bank, size_t columns) {
    clc_status status = CLC_OK;
    clc_cosines *c = &p->cosines;
    CLC_TRY(
        clc_buffer_read(c->device, c->tile, 0, rows * c->bank_block * sizeof *p->tile, p->tile));
    for (size_t r = 0; r < rows; r++) {
        const float *row = p->tile + r * c->bank_block;
        if (!reaches(row, columns, p->threshold))
            continue;
        for (size_t k = 0; k < columns; k++)
            if (row[k] >= p->threshold && (!p->same || first + r < bank + k))
                CLC_TRY(p->take(p->context, first + r, bank + k, row[k]));
    }
fail:
    return status;
}

static clc_status run_tiles(pairs_run *p, const clc_features *a, const clc_features *b) {
    clc_status status = CLC_OK;
    clc_cosines *c = &p->cosines;
    size_t rows, columns;
    for (size_t first = 0; first < a->rows; first += c->query_block) {
        CLC_TRY(clc_cosines_queries(c, first, &rows));
        clc_live("comparing: %zu of %zu", first, a->rows);
        for (size_t bank = 0; bank < b->rows; bank += c->bank_block) {
            if (clc_signals_stop())
                CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted after %zu of %zu", first, a->rows));
            if (p->same && bank + c->bank_block <= first)
                continue;
            CLC_TRY(clc_cosines_tile(c, bank, &columns));
            CLC_TRY(take_tile(p, first, rows, bank, columns));
        }
    }
fail:
    clc_live("%s", "");
    return status;
}

clc_status clc_pairs_find(clc_device *device, const clc_features *a, const clc_features *b,
                          float threshold, clc_pairs_take take, void *context) {
    clc_status status = CLC_OK;
    pairs_run p = {
        .threshold = threshold, .same = a->data == b->data, .take = take, .context = context};
    CLC_TRY(clc_features_comparable(b, a, "the search for pairs"));
    if (!a->rows)
        return CLC_OK;
    CLC_TRY(clc_cosines_make(device, b, a, SIZE_MAX, &p.cosines));
    CLC_NEW(p.tile, p.cosines.query_block * p.cosines.bank_block);
    CLC_TRY(run_tiles(&p, a, b));
fail:
    if (p.cosines.device)
        clFinish(device->queue);
    clc_cosines_release(&p.cosines);
    free(p.tile);
    return status;
}
