#include "eval/sts.h"

#include "data/texts.h"
#include "eval/correlation.h"
#include "eval/text_field.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static clc_status add_pair(const clc_texts *t, size_t sample, clc_names sides[2], double *gold) {
    clc_status status = CLC_OK;
    char text[64], *end;
    size_t n;
    for (size_t i = 0; i < 2; i++) {
        const clc_text_span *span = clc_texts_of(t, sample, i, &n);
        CLC_TRY(clc_names_add(&sides[i], t->blob + span->offset, span->length));
    }
    const clc_text_span *span = clc_texts_of(t, sample, 2, &n);
    snprintf(text, sizeof text, "%.*s", (int)span->length, t->blob + span->offset);
    *gold = strtod(text, &end);
    if (end == text || *end || !isfinite(*gold))
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: the score '%s' is no number",
                         clc_names_at(&t->names, sample), text));
fail:
    return status;
}

static clc_status take_texts(const clc_texts *t, clc_tokenizer *tokenizer, clc_sts *sts) {
    clc_status status = CLC_OK;
    clc_names sides[2] = {{0}, {0}};
    CLC_NEW(sts->gold, t->count);
    for (size_t i = 0; i < t->count; i++)
        CLC_TRY(add_pair(t, i, sides, &sts->gold[i]));
    for (int i = 0; i < 2; i++)
        CLC_TRY(clc_text_field_make(tokenizer, &sides[i], &sts->sides[i]));
    sts->count = t->count;
fail:
    clc_names_free(&sides[0]);
    clc_names_free(&sides[1]);
    return status;
}

/* Pairs with scores of the file, under the usual names; NULL if there are none. */
static clc_status open_scored(const clc_config *config, clc_texts **texts) {
    static const char *const pairs[] = {"sentence1,sentence2", "sent0,sent1"};
    const char *const given = config->evaluation.score_column;
    clc_status status = CLC_FORMAT;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && status == CLC_FORMAT; i++) {
        char columns[CLC_CONFIG_TEXT_BYTES + 32];
        snprintf(columns, sizeof columns, "%s,%s", pairs[i], *given ? given : "score");
        status = clc_texts_open(config->data.test,
                                &(clc_texts_options){.columns = columns, .split = CLC_SPLIT_TEST},
                                texts);
    }
    return status == CLC_FORMAT && !*given ? CLC_OK : status;
}

clc_status clc_sts_open(const clc_config *config, clc_tokenizer *tokenizer, clc_sts *sts) {
    clc_status status = CLC_OK;
    clc_texts *texts = NULL;
    struct stat info;
    *sts = (clc_sts){.count = 0};
    if (!tokenizer || stat(config->data.test, &info) != 0 || !S_ISREG(info.st_mode))
        return CLC_OK;
    CLC_TRY(open_scored(config, &texts));
    if (texts)
        CLC_TRY(take_texts(texts, tokenizer, sts));
fail:
    clc_texts_close(&texts);
    if (status != CLC_OK)
        clc_sts_free(sts);
    return status;
}

/* Features (count,dim) of one side on the host; freed by the caller. */
static clc_status embed(clc_embedder *e, const clc_field *side, float **features) {
    clc_status status = CLC_OK;
    const size_t count = side->count * (size_t)clc_embedder_features(e);
    cl_mem buffer = NULL;
    CLC_NEW(*features, count);
    CLC_TRY(clc_buffer_create(e->device, count * sizeof(float), "features", &buffer));
    CLC_TRY(clc_embedder_run_field(e, side, NULL, side->count, buffer));
    CLC_TRY(clc_buffer_read(e->device, buffer, 0, count * sizeof(float), *features));
fail:
    clc_buffer_release(e->device, &buffer);
    return status;
}

clc_status clc_sts_make(clc_embedder *embedder, const clc_sts *sts, clc_sts_score *score) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)clc_embedder_features(embedder);
    float *sides[2] = {NULL, NULL};
    double *cosines = NULL;
    CLC_NEW(cosines, sts->count);
    for (int i = 0; i < 2; i++)
        CLC_TRY(embed(embedder, &sts->sides[i], &sides[i]));
    for (size_t i = 0; i < sts->count; i++)
        cosines[i] = clc_cosine(sides[0] + i * dim, sides[1] + i * dim, dim);
    score->pairs = sts->count;
    score->pearson = clc_pearson(cosines, sts->gold, sts->count);
    CLC_TRY(clc_spearman(cosines, sts->gold, sts->count, &score->spearman));
fail:
    free(cosines);
    free(sides[0]);
    free(sides[1]);
    return status;
}

void clc_sts_free(clc_sts *sts) {
    clc_field_free(&sts->sides[0]);
    clc_field_free(&sts->sides[1]);
    free(sts->gold);
    *sts = (clc_sts){.count = 0};
}
