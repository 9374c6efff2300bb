#include "eval/holdout.h"

#include "core/math.h"
#include "data/order.h"

#include <stdbool.h>
#include <stdlib.h>

enum { PART = 10 };

/* Which rows are held out; *count of them. */
static clc_status draw(const clc_features *f, uint64_t seed, bool *held, size_t *count) {
    clc_status status = CLC_OK;
    int32_t *order = NULL;
    size_t *left = NULL; /* of each class to be drawn */
    CLC_NEW(order, f->rows);
    CLC_NEW(left, f->classes);
    for (size_t i = 0; i < f->rows; i++)
        left[f->labels[i]]++;
    for (int c = 0; c < f->classes; c++)
        left[c] = left[c] > 1 ? clc_ceil_div(left[c], PART) : 0;
    clc_epoch_order(seed, 0, order, f->rows);
    *count = 0;
    for (size_t i = 0; i < f->rows; i++) {
        size_t *of_class = &left[f->labels[order[i]]];
        held[order[i]] = *of_class > 0;
        *of_class -= held[order[i]];
        *count += held[order[i]];
    }
    if (!*count)
        status = clc_fail(CLC_INVALID, "settings can't be chosen on held-out training samples: no "
                                       "class has two of them");
fail:
    free(order);
    free(left);
    return status;
}

/* Copies the rows whose mark is `mark`, neighbours together. */
static clc_status take(clc_device *device, const clc_features *from, const bool *held, bool mark,
                       clc_features *to, int32_t *labels) {
    clc_status status = CLC_OK;
    const size_t row = (size_t)from->dim * sizeof(float);
    CLC_TRY(clc_buffer_create(device, to->rows * row, "held-out features", &to->data));
    for (size_t first = 0, end, at = 0; first < from->rows; first = end + 1) {
        for (end = first; end < from->rows && held[end] == mark; end++)
            labels[at + end - first] = from->labels[end];
        if (end > first)
            CLC_CL(clEnqueueCopyBuffer(device->queue, from->data, to->data, first * row, at * row,
                                       (end - first) * row, 0, NULL, NULL));
        at += end - first;
    }
    CLC_TRY(clc_device_finish(device));
fail:
    if (status != CLC_OK)
        clFinish(device->queue);
    return status;
}

clc_status clc_holdout_make(clc_device *device, const clc_features *f, uint64_t seed,
                            clc_holdout *h) {
    clc_status status = CLC_OK;
    bool *held = NULL;
    *h = (clc_holdout){.rest = *f, .held = *f};
    h->rest.data = h->held.data = NULL;
    CLC_TRY(clc_features_check(f, f, "holding out"));
    CLC_NEW(held, f->rows);
    CLC_NEW(h->labels[0], f->rows);
    CLC_NEW(h->labels[1], f->rows);
    CLC_TRY(draw(f, seed, held, &h->held.rows));
    h->rest.rows = f->rows - h->held.rows;
    h->rest.labels = h->labels[0];
    h->held.labels = h->labels[1];
    CLC_TRY(take(device, f, held, false, &h->rest, h->labels[0]));
    CLC_TRY(take(device, f, held, true, &h->held, h->labels[1]));
fail:
    free(held);
    return status;
}

void clc_holdout_release(clc_device *device, clc_holdout *h) {
    clc_buffer_release(device, &h->rest.data);
    clc_buffer_release(device, &h->held.data);
    free(h->labels[0]);
    free(h->labels[1]);
    *h = (clc_holdout){0};
}

double clc_accuracy(const int32_t *labels, const int32_t *predictions, size_t n) {
    size_t hits = 0;
    for (size_t i = 0; i < n; i++)
        hits += labels[i] == predictions[i];
    return n ? (double)hits / (double)n : 0;
}
