/* An index that other programs search (clcontrast/search.h). */
#include "eval/encoder.h"
#include "eval/knn.h"
#include "search/index.h"
#include "search/search.h"

#include <stdlib.h>

struct clc_searcher {
    clc_index *index;
    clc_encoder *encoder;
    clc_features bank; /* of the index */
};

clc_status clc_searcher_open(const char *path, const char *encoder, const char *device,
                             clc_searcher **searcher) {
    clc_status status = CLC_OK;
    clc_searcher *s = NULL;
    *searcher = NULL;
    CLC_NEW(s, 1);
    CLC_TRY(clc_index_open(path, &s->index));
    CLC_TRY(clc_search_encoder(s->index, path, encoder, device, &s->encoder));
    s->bank = (clc_features){.rows = s->index->count, .dim = s->index->dim};
    if (clc_encoder_features(s->encoder) != s->index->dim)
        CLC_TRY(clc_fail(CLC_INVALID, "%s: its features are %d numbers, the encoder's %d", path,
                         s->index->dim, clc_encoder_features(s->encoder)));
    CLC_TRY(clc_features_upload(s->encoder->device, s->index->features, &s->bank));
    *searcher = s;
    s = NULL;
fail:
    clc_searcher_close(&s);
    return status;
}

size_t clc_searcher_count(const clc_searcher *searcher) {
    return searcher->index->count;
}

const char *clc_searcher_name(const clc_searcher *searcher, size_t sample) {
    const clc_names *names = &searcher->index->names;
    return sample < names->count ? clc_names_at(names, sample) : NULL;
}

clc_encoder *clc_searcher_encoder(clc_searcher *searcher) {
    return searcher->encoder;
}

static clc_status find(clc_searcher *s, const clc_features *asked, int k, clc_match *matches) {
    clc_status status = CLC_OK;
    clc_knn_found found = {0};
    CLC_NEW(found.cosines, asked->rows * (size_t)k);
    CLC_NEW(found.rows, asked->rows * (size_t)k);
    CLC_TRY(clc_knn_find(s->encoder->device, &s->bank, asked, k, 1, &found));
    for (size_t i = 0; i < asked->rows * (size_t)k; i++)
        matches[i] =
            (clc_match){found.rows[i] < 0 ? SIZE_MAX : (size_t)found.rows[i], found.cosines[i]};
fail:
    free(found.cosines);
    free(found.rows);
    return status;
}

clc_status clc_searcher_find(clc_searcher *s, const float *features, size_t count, int k,
                             clc_match *matches) {
    clc_status status = CLC_OK;
    clc_features asked = {.rows = count, .dim = s->index->dim};
    if (k < 1 || (size_t)k > s->index->count)
        return clc_fail(CLC_INVALID, "the %d nearest: the index holds %zu samples", k,
                        s->index->count);
    if (!count)
        return CLC_OK;
    pthread_mutex_lock(&s->encoder->lock);
    CLC_TRY(clc_features_upload(s->encoder->device, features, &asked));
    CLC_TRY(find(s, &asked, k, matches));
fail:
    clc_buffer_release(s->encoder->device, &asked.data);
    pthread_mutex_unlock(&s->encoder->lock);
    return status;
}

/* Which of the two a query is: not both are given. */
static clc_status find_one(clc_searcher *s, const char *path, const char *text, int k,
                           clc_match *matches) {
    clc_status status = CLC_OK;
    float *features = NULL;
    CLC_NEW(features, s->index->dim);
    CLC_TRY(path ? clc_encoder_embed_files(s->encoder, &path, 1, features, NULL)
                 : clc_encoder_embed_texts(s->encoder, &text, 1, features));
    CLC_TRY(clc_searcher_find(s, features, 1, k, matches));
fail:
    free(features);
    return status;
}

clc_status clc_searcher_find_file(clc_searcher *searcher, const char *path, int k,
                                  clc_match *matches) {
    return find_one(searcher, path, NULL, k, matches);
}

clc_status clc_searcher_find_text(clc_searcher *searcher, const char *text, int k,
                                  clc_match *matches) {
    return find_one(searcher, NULL, text, k, matches);
}

void clc_searcher_close(clc_searcher **searcher) {
    if (!searcher || !*searcher)
        return;
    clc_searcher *s = *searcher;
    if (s->encoder)
        clc_buffer_release(s->encoder->device, &s->bank.data);
    clc_encoder_close(&s->encoder);
    clc_index_close(&s->index);
    free(s);
    *searcher = NULL;
}
