/* Texts and series are short: batches of them are put together on the host. */
#include "eval/embed_parts.h"

#include "model/heads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- raw features of texts ---- */

/* Where a token counts, and with which sign where several share a place (feature hashing,
 * Weinberger et al., arXiv 0902.2206). */
static int bag_place(int token, int vocabulary, float *sign) {
    const uint32_t hash = (uint32_t)token * 0x9E3779B1u;
    const bool folded = vocabulary > CLC_BAG_TOKENS;
    *sign = folded && hash >> 31 ? -1 : 1;
    return folded ? (int)(hash >> 8 & (CLC_BAG_TOKENS - 1)) : token;
}

/* log((1 + texts) / (1 + texts that have the token)) + 1 of each token. */
static clc_status weigh_tokens(const clc_field *f, float **weights) {
    clc_status status = CLC_OK;
    int32_t *seen_in = NULL; /* 1 + the last text that has the token */
    CLC_NEW(*weights, f->vocabulary);
    CLC_NEW(seen_in, f->vocabulary);
    for (size_t i = 0; i < f->count; i++)
        for (int32_t k = 0; k < f->extents[i].length; k++) {
            const int32_t token = f->ids[f->extents[i].offset + (uint64_t)k];
            if (seen_in[token] != (int32_t)i + 1)
                (*weights)[token]++;
            seen_in[token] = (int32_t)i + 1;
        }
    for (int t = 0; t < f->vocabulary; t++)
        (*weights)[t] = (float)(log((1.0 + (double)f->count) / (1.0 + (double)(*weights)[t])) + 1);
fail:
    free(seen_in);
    return status;
}

/* Start and end, which every text has, say nothing. */
static void fill_bag(const clc_embedder *e, const int32_t *ids, int32_t n, float *row) {
    float sign;
    for (int32_t k = 1; k + 1 < n; k++) {
        const int place = bag_place(ids[k], e->in.like->vocabulary, &sign);
        row[place] += sign * e->weights[ids[k]];
    }
}

/* ---- what a network or nobody reads ---- */

/* A text that is too long keeps its end. */
static void fill_tokens(const clc_embedder *e, const int32_t *ids, int32_t n, int32_t *row) {
    const int32_t kept = n < e->context ? n : e->context;
    memcpy(row, ids, (size_t)kept * sizeof *row);
    if (kept < n)
        row[kept - 1] = ids[n - 1];
}

static size_t row_values(const clc_embedder *e) {
    if (!e->graph)
        return (size_t)clc_embedder_raw_field(e);
    return (size_t)e->context *
           (size_t)(e->in.like->kind == CLC_KIND_SERIES ? e->in.like->channels : 1);
}

static void fill_row(const clc_embedder *e, const clc_field *field, int32_t number, size_t row) {
    const clc_extent *x = &field->extents[number];
    void *to = (int32_t *)e->values + row * row_values(e);
    e->lengths[row] = x->length < e->context ? x->length : e->context;
    if (field->kind == CLC_KIND_SERIES) {
        e->lengths[row] = clc_series_fit(field, (size_t)number, e->in.like, e->context, to);
        return;
    }
    memset(to, 0, row_values(e) * sizeof(int32_t));
    if (e->graph)
        fill_tokens(e, field->ids + x->offset, x->length, to);
    else
        fill_bag(e, field->ids + x->offset, x->length, to);
}

clc_status clc_embedder_write_field(clc_embedder *e, const clc_field *field, const int32_t *numbers,
                                    size_t count) {
    clc_status status = CLC_OK;
    const size_t rows = (size_t)e->batch;
    for (size_t i = 0; i < rows; i++)
        fill_row(e, field, numbers[i < count ? i : count - 1], i);
    CLC_TRY(clc_buffer_write(e->device, e->graph ? e->input.values->value : e->raw, 0,
                             rows * row_values(e) * sizeof(int32_t), e->values));
    if (e->graph)
        CLC_TRY(clc_buffer_write(e->device, e->input.lengths->value, 0, rows * sizeof *e->lengths,
                                 e->lengths));
fail:
    return status;
}

int clc_embedder_raw_field(const clc_embedder *e) {
    const clc_field *like = e->in.like;
    if (like->kind == CLC_KIND_SERIES)
        return e->context * like->channels;
    return like->vocabulary < CLC_BAG_TOKENS ? like->vocabulary : CLC_BAG_TOKENS;
}

clc_status clc_embedder_plan_field(clc_embedder *e, bool raw) {
    clc_status status = CLC_OK;
    const clc_field *like = e->in.like;
    e->context = e->in.tower ? e->config->text_encoder.context : e->config->encoder.context;
    if (e->context < 1)
        return clc_fail(CLC_INVALID,
                        "%s: how many tokens or steps it sees is not known; give it "
                        "with --set %s=N",
                        e->in.tower ? "text_encoder.context" : "encoder.context",
                        e->in.tower ? "text_encoder.context" : "encoder.context");
    if (raw && like->kind == CLC_KIND_TOKENS)
        CLC_TRY(weigh_tokens(like, &e->weights));
    const size_t seen =
        (size_t)e->context * (size_t)(like->kind == CLC_KIND_SERIES ? like->channels : 1);
    const size_t most = raw ? (size_t)clc_embedder_raw_field(e) : seen;
    CLC_NEW(e->lengths, e->batch);
    free(e->values);
    e->values = calloc((size_t)e->batch * most, sizeof(int32_t));
    if (!e->values)
        status = clc_fail_alloc((size_t)e->batch * most * sizeof(int32_t));
fail:
    return status;
}
