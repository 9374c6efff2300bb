#include "augment/corrupt.h"
#include "core/log.h"
#include "eval/classification.h"
#include "eval/knn.h"
#include "eval/linear.h"

#include <math.h>
#include <string.h>

/* Image after image as it is, then corrupted in each kind and strength. */
enum { STRENGTHS = CLC_CORRUPTION_STRENGTHS, SETS = 1 + CORRUPTIONS * STRENGTHS };
/* What their features may take. */
static const size_t most_bytes = 512u << 20;

typedef struct robustness {
    clc_evaluated *row;
    const clc_evaluated_set *train, *test;
    size_t n;         /* images */
    int32_t *samples; /* (n) */
    int32_t *labels;  /* (n) */
    clc_features all; /* (SETS n,dim) */
    cl_mem some;      /* (n,dim) */
    bool *bad;        /* (n) */
    int32_t *predicted;
    double knn[SETS], linear[SETS]; /* accuracies */
} robustness;

static bool can(const clc_evaluation *e, char *why, size_t size) {
    if (!clc_evaluation_has_classes(e, why, size))
        return false;
    if (clc_evaluation_known(e)->fields[0].kind == CLC_KIND_IMAGES)
        return true;
    snprintf(why, size, "it needs images: there are no corruptions of texts and series");
    return false;
}

/* Test samples, evenly spaced. */
static clc_status choose(robustness *r) {
    clc_status status = CLC_OK;
    const size_t rows = r->test->features.rows,
                 wanted = (size_t)r->row->of->config->evaluation.robustness_images;
    const size_t dim = (size_t)r->row->dim;
    const size_t most = most_bytes / (SETS * dim * sizeof(float)) + 1;
    r->n = wanted && wanted < rows ? wanted : rows;
    r->n = r->n < most ? r->n : most;
    CLC_NEW(r->samples, r->n);
    CLC_NEW(r->labels, r->n);
    CLC_NEW(r->bad, r->n);
    CLC_NEW(r->predicted, SETS * r->n);
    for (size_t i = 0; i < r->n; i++) {
        r->samples[i] = r->test->samples[i * rows / r->n];
        r->labels[i] = r->test->labels[i * rows / r->n];
    }
    r->all = (clc_features){
        .rows = SETS * r->n, .dim = r->row->dim, .classes = r->train->features.classes};
    CLC_TRY(clc_buffer_create(r->row->of->device, r->all.rows * dim * sizeof(float), "features",
                              &r->all.data));
    CLC_TRY(
        clc_buffer_create(r->row->of->device, r->n * dim * sizeof(float), "features", &r->some));
fail:
    return status;
}

/* Embeds the images as set number `set` of all. */
static clc_status embed(robustness *r, int set) {
    clc_status status = CLC_OK;
    clc_device *device = r->row->of->device;
    const size_t bytes = r->n * (size_t)r->row->dim * sizeof(float);
    size_t rows;
    CLC_TRY(clc_embedder_run(&r->row->embedders[0], r->test->data, r->samples, r->n, r->some,
                             r->bad, &rows));
    if (rows != r->n)
        CLC_TRY(clc_fail(CLC_INVALID, "%zu of %zu test images can't be read any more", r->n - rows,
                         r->n));
    CLC_CL(clEnqueueCopyBuffer(device->queue, r->some, r->all.data, 0, (size_t)set * bytes, bytes,
                               0, NULL, NULL));
    CLC_TRY(clc_device_finish(device));
fail:
    return status;
}

static clc_status embed_all(robustness *r) {
    clc_status status = CLC_OK;
    clc_embedder *embedder = &r->row->embedders[0];
    const int side = embedder->augment.settings.size;
    CLC_TRY(embed(r, 0));
    for (int set = 1; set < SETS; set++) {
        const int kind = (set - 1) / STRENGTHS, strength = (set - 1) % STRENGTHS + 1;
        clc_live("robustness of %s: %s %d", r->row->name, clc_corruption_names[kind], strength);
        CLC_TRY(clc_embedder_show_corrupted(embedder, kind,
                                            clc_corruption_amount(kind, strength, side)));
        CLC_TRY(embed(r, set));
    }
fail:
    clc_embedder_show_plain(embedder);
    return status;
}

static void count_hits(const robustness *r, double accuracy[SETS]) {
    for (int set = 0; set < SETS; set++) {
        size_t hits = 0;
        for (size_t i = 0; i < r->n; i++)
            hits += r->predicted[(size_t)set * r->n + i] == r->labels[i];
        accuracy[set] = (double)hits / (double)r->n;
    }
}

/* Both learn from clean images. */
static clc_status classify(robustness *r) {
    clc_status status = CLC_OK;
    const clc_config *config = r->row->of->config;
    clc_device *device = r->row->of->device;
    CLC_TRY(clc_knn_classify(device, &r->train->features, &r->all, config->evaluation.knn_k,
                             config->evaluation.knn_temperature, r->predicted));
    count_hits(r, r->knn);
    CLC_TRY(clc_linear_probe(device, &r->train->features, &r->all, &config->evaluation,
                             config->training.seed, r->predicted, NULL));
    count_hits(r, r->linear);
fail:
    return status;
}

/* Accuracy over sets [first, end), and how much of the clean one's is lost. */
static void add_means(json_t *line, const char *key, const double accuracy[SETS], int first,
                      int end) {
    char drop[32];
    double sum = 0;
    for (int set = first; set < end; set++)
        sum += accuracy[set] / (end - first);
    snprintf(drop, sizeof drop, "%s_drop", key);
    json_object_set_new(line, key, clc_json_number(sum));
    json_object_set_new(line, drop,
                        clc_json_number(first && accuracy[0] > 0 ? 1 - sum / accuracy[0] : NAN));
}

static void add_line(const robustness *r, const char *name, int first, int end, json_t *result) {
    json_t *line = json_object();
    add_means(line, "knn", r->knn, first, end);
    add_means(line, "linear", r->linear, first, end);
    for (int s = 0; first && end - first == STRENGTHS && s < STRENGTHS; s++) {
        char key[32];
        snprintf(key, sizeof key, "linear_%d", s + 1);
        json_object_set_new(line, key, clc_json_number(r->linear[first + s]));
        snprintf(key, sizeof key, "knn_%d", s + 1);
        json_object_set_new(line, key, clc_json_number(r->knn[first + s]));
    }
    json_object_set_new(result, name, line);
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    robustness r = {.row = row};
    CLC_TRY(clc_classification_sets(row, &r.train, &r.test));
    CLC_TRY(choose(&r));
    CLC_TRY(embed_all(&r));
    CLC_TRY(classify(&r));
    add_line(&r, "clean", 0, 1, result);
    for (int kind = 0; kind < CORRUPTIONS; kind++)
        add_line(&r, clc_corruption_names[kind], 1 + kind * STRENGTHS, 1 + (kind + 1) * STRENGTHS,
                 result);
    add_line(&r, "mean", 1, SETS, result);
    json_object_set_new(result, "images", json_integer((json_int_t)r.n));
fail:
    clc_buffer_release(row->of->device, &r.all.data);
    clc_buffer_release(row->of->device, &r.some);
    free(r.samples);
    free(r.labels);
    free(r.bad);
    free(r.predicted);
    return status;
}

static clc_status request(clc_device *device) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_knn_request(device));
    CLC_TRY(clc_linear_request(device));
    CLC_TRY(clc_corruption_request(device));
fail:
    return status;
}

static const clc_task_column columns[] = {{"", "robustness", CLC_CELL_LINE},
                                          {"knn", "kNN", CLC_CELL_PERCENT},
                                          {"knn_drop", "drop", CLC_CELL_PERCENT},
                                          {"linear", "linear", CLC_CELL_PERCENT},
                                          {"linear_drop", "drop", CLC_CELL_PERCENT},
                                          {"linear_1", "at 1", CLC_CELL_PERCENT},
                                          {"linear_2", "2", CLC_CELL_PERCENT},
                                          {"linear_3", "3", CLC_CELL_PERCENT},
                                          {"linear_4", "4", CLC_CELL_PERCENT},
                                          {"linear_5", "5", CLC_CELL_PERCENT},
                                          {NULL, NULL, CLC_CELL_COUNT}};

static const clc_task_column compared[] = {{"mean.linear", "linear", CLC_CELL_PERCENT},
                                           {"mean.linear_drop", "drop", CLC_CELL_PERCENT},
                                           {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_robustness = {
    .name = "robustness",
    .label = "robustness",
    .about = "what is left of kNN and linear probe under noise, blur, rotation ... in 5 strengths?",
    .costly = true,
    .can = can,
    .request = request,
    .run = run,
    .columns = columns,
    .compared = compared};
