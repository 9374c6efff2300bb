#include "search/search.h"

#include "core/log.h"
#include "core/signals.h"
#include "eval/by_hand.h"
#include "eval/knn.h"
#include "report/found.h"
#include "report/json.h"
#include "search/index.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Features of all queries. */
typedef struct queries {
    clc_encoder *encoder;
    const clc_dataset *data; /* of the query that is being embedded */
    clc_names names;
    int dim;
    float *features; /* (names.count,dim) */
} queries;

static clc_status add_query(queries *q, const char *name, const float *features) {
    clc_status status = CLC_OK;
    const size_t row = (size_t)q->dim * sizeof *features;
    float *grown = realloc(q->features, (q->names.count + 1) * row);
    if (!grown)
        return clc_fail_alloc((q->names.count + 1) * row);
    q->features = grown;
    memcpy(grown + q->names.count * (size_t)q->dim, features, row);
    CLC_TRY(clc_names_add(&q->names, name, strlen(name)));
fail:
    return status;
}

static clc_status take_batch(void *context, const clc_batch *batch, const float *features) {
    clc_status status = CLC_OK;
    queries *q = context;
    for (size_t i = 0; i < batch->count; i++)
        if (!batch->bad[i])
            CLC_TRY(add_query(q, clc_dataset_sample_name(q->data, (size_t)batch->indices[i]),
                              features + i * (size_t)q->dim));
fail:
    return status;
}

static clc_status add_files(queries *q, const char *path) {
    clc_status status = CLC_OK;
    clc_tower_encoder *tower = NULL;
    clc_dataset *data = NULL;
    clc_bad_files bad = {0};
    const size_t before = q->names.count;
    CLC_TRY(clc_by_hand_open(q->encoder, NULL, &path, 1, &tower, &data));
    if (clc_embedder_features(&tower->embedder) != q->dim)
        CLC_TRY(clc_fail(CLC_INVALID, "%s: its features are %d numbers, those of the index %d",
                         path, clc_embedder_features(&tower->embedder), q->dim));
    q->data = data;
    CLC_TRY(clc_embedder_each(&tower->embedder, data, NULL, data->count, take_batch, q, &bad));
    if (q->names.count == before)
        status = clc_fail(CLC_FORMAT, "%s: nothing in it can be searched for%s%s", path,
                          bad.count ? ": " : "", bad.count ? clc_names_at(&bad.entries, 1) : "");
fail:
    clc_dataset_free(&data);
    clc_names_free(&bad.entries);
    return status;
}

static clc_status add_text(queries *q, const char *text) {
    clc_status status = CLC_OK;
    float *features = NULL;
    clc_names one = {0};
    CLC_NEW(features, q->dim);
    CLC_TRY(clc_names_add(&one, text, strlen(text)));
    CLC_TRY(clc_encoder_embed_names(q->encoder, &one, features));
    CLC_TRY(add_query(q, text, features));
fail:
    clc_names_free(&one);
    free(features);
    return status;
}

static bool reads_texts(const clc_encoder *encoder) {
    for (int i = 0; i < encoder->tower_count; i++)
        if (encoder->towers[i].like.kind == CLC_KIND_TOKENS)
            return true;
    return false;
}

/* Queries in the order given. */
static clc_status embed_queries(queries *q, const clc_search_options *o) {
    clc_status status = CLC_OK;
    const bool texts = reads_texts(q->encoder);
    const bool files = !texts || q->encoder->tower_count > 1;
    for (size_t i = 0; i < o->query_count; i++) {
        if (!*o->queries[i])
            return clc_fail(CLC_INVALID, "a query is empty: name a file, or say a text");
        const bool file = files && (!texts || access(o->queries[i], F_OK) == 0);
        CLC_TRY(file ? add_files(q, o->queries[i]) : add_text(q, o->queries[i]));
    }
fail:
    return status;
}

static clc_status print_lines(const clc_index *index, const queries *q, const clc_knn_found *found,
                              int k, FILE *file) {
    for (size_t i = 0; i < q->names.count; i++) {
        if (q->names.count > 1)
            fprintf(file, "%s%s\n", i ? "\n" : "", clc_names_at(&q->names, i));
        for (size_t j = i * (size_t)k; j < (i + 1) * (size_t)k && found->rows[j] >= 0; j++)
            fprintf(file, "%.4f\t%s\n", (double)found->cosines[j],
                    clc_names_at(&index->names, (size_t)found->rows[j]));
    }
    return CLC_OK;
}

static json_t *name_json(const clc_names *names, size_t i) {
    return clc_json_bytes(clc_names_at(names, i), clc_names_length(names, i));
}

static clc_status print_json(const clc_index *index, const queries *q, const clc_knn_found *found,
                             int k, FILE *file) {
    json_t *all = json_array();
    for (size_t i = 0; i < q->names.count; i++) {
        json_t *results = json_array();
        for (size_t j = i * (size_t)k; j < (i + 1) * (size_t)k && found->rows[j] >= 0; j++)
            json_array_append_new(results,
                                  json_pack("{s:o,s:f}", "name",
                                            name_json(&index->names, (size_t)found->rows[j]),
                                            "similarity", (double)found->cosines[j]));
        json_array_append_new(
            all, json_pack("{s:o,s:o}", "query", name_json(&q->names, i), "results", results));
    }
    char *text = json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    if (!text)
        return clc_fail_alloc(4096);
    fprintf(file, "%s\n", text);
    free(text);
    return CLC_OK;
}

static clc_status add_group(clc_found_page *page, const clc_index *index, const queries *q,
                            const clc_knn_found *found, size_t i, size_t k) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_found_page_group(page, clc_names_at(&q->names, i)));
    CLC_TRY(clc_found_page_ask(page, clc_names_at(&q->names, i)));
    for (size_t j = i * k; j < (i + 1) * k && found->rows[j] >= 0; j++) {
        const clc_found_sample sample = {.name =
                                             clc_names_at(&index->names, (size_t)found->rows[j]),
                                         .value = (double)found->cosines[j]};
        CLC_TRY(clc_found_page_add(page, &sample));
    }
fail:
    return status;
}

static clc_status write_page(const clc_index *index, const queries *q, const clc_knn_found *found,
                             int k, const clc_search_options *o) {
    clc_status status = CLC_OK;
    clc_found_page *page = NULL;
    char summary[200];
    CLC_TRY(clc_found_page_open("search", o->index, &page));
    for (size_t i = 0; i < q->names.count; i++)
        CLC_TRY(add_group(page, index, q, found, i, (size_t)k));
    snprintf(summary, sizeof summary,
             "The %d of %zu samples that are most like what was asked, by the cosine of their "
             "features: 1 is the same.",
             k, index->count);
    CLC_TRY(clc_found_page_write(page, o->html, summary));
fail:
    clc_found_page_free(&page);
    return status;
}

static clc_status find_and_print(const clc_index *index, const queries *q,
                                 const clc_search_options *o, FILE *file) {
    clc_status status = CLC_OK;
    clc_device *device = q->encoder->device;
    clc_features bank = {.rows = index->count, .dim = index->dim};
    clc_features asked = {.rows = q->names.count, .dim = index->dim};
    clc_knn_found found = {0};
    const int k = (size_t)o->k < index->count ? o->k : (int)index->count;
    CLC_NEW(found.cosines, q->names.count * (size_t)k);
    CLC_NEW(found.rows, q->names.count * (size_t)k);
    CLC_TRY(clc_features_upload(device, index->features, &bank));
    CLC_TRY(clc_features_upload(device, q->features, &asked));
    CLC_TRY(clc_knn_find(device, &bank, &asked, k, 1, &found));
    CLC_TRY((o->json ? print_json : print_lines)(index, q, &found, k, file));
    if (o->html)
        CLC_TRY(write_page(index, q, &found, k, o));
fail:
    clc_buffer_release(device, &bank.data);
    clc_buffer_release(device, &asked.data);
    free(found.cosines);
    free(found.rows);
    return status;
}

clc_status clc_search_encoder(const clc_index *index, const char *index_path, const char *encoder,
                              const char *device, clc_encoder **opened) {
    clc_status status = CLC_OK;
    const char *path = encoder ? encoder : index->encoder;
    char digits[17];
    if (access(path, F_OK) != 0)
        return clc_fail(CLC_IO,
                        "the encoder that made %s was %s, where it isn't any more: say "
                        "--encoder PATH",
                        index_path, path);
    CLC_TRY(clc_search_weights_hash(path, digits));
    if (strcmp(digits, index->weights))
        return clc_fail(CLC_INVALID,
                        "%s was made by other weights than %s has now: run clcontrast index again",
                        index_path, path);
    CLC_TRY(clc_encoder_open_with(path, device, NULL, 0, opened));
fail:
    return status;
}

clc_status clc_search(const clc_search_options *o, FILE *file) {
    clc_status status = CLC_OK;
    clc_index *index = NULL;
    queries q = {0};
    clc_signals_install();
    CLC_TRY(clc_index_open(o->index, &index));
    CLC_TRY(clc_search_encoder(index, o->index, o->encoder, o->device, &q.encoder));
    q.dim = index->dim;
    CLC_TRY(embed_queries(&q, o));
    CLC_TRY(find_and_print(index, &q, o, file));
fail:
    clc_names_free(&q.names);
    free(q.features);
    clc_encoder_close(&q.encoder);
    clc_index_close(&index);
    clc_signals_restore();
    return status;
}
