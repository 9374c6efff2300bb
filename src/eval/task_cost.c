#include "core/clock.h"
#include "core/energy.h"
#include "core/path.h"
#include "eval/task.h"
#include "model/run_folder.h"

#include <math.h>
#include <string.h>

/* Images that are embedded to see how long it takes. */
enum { MOST_SAMPLES = 2048 };

static bool can(const clc_evaluation *e, char *why, size_t size) {
    (void)why;
    (void)size;
    return e->sets.test || e->sets.train;
}

static bool fits(const clc_evaluated *row) {
    return row->kind == CLC_EVALUATED_ENCODER;
}

/* ---- the network ---- */

/* Parameters that the features need. */
static clc_status count_parameters(const clc_graph *graph, double *count) {
    clc_status status = CLC_OK;
    bool *seen = NULL;
    *count = 0;
    CLC_NEW(seen, graph->params->count);
    for (size_t i = 0; i < graph->node_count; i++)
        for (int p = 0; p < graph->nodes[i].param_count; p++)
            seen[graph->nodes[i].params[p]] = true;
    for (size_t i = 0; i < graph->params->count; i++)
        if (seen[i] && clc_param_trainable(&graph->params->items[i]))
            *count += (double)graph->params->items[i].count;
fail:
    free(seen);
    return status;
}

static double flops_of(const clc_embedder *embedder) {
    double sum = 0;
    for (size_t i = 0; i < embedder->graph->forward.count; i++)
        sum += embedder->graph->forward.items[i].flops;
    return sum / embedder->batch;
}

/* ---- embedding ---- */

static clc_status time_embedding(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    clc_embedder *embedder = &row->embedders[0];
    clc_device *device = embedder->device;
    const clc_dataset *data = row->of->sets.test ? row->of->sets.test : row->of->sets.train;
    const size_t n = data->count < MOST_SAMPLES ? data->count : MOST_SAMPLES;
    clc_energy_meter meter;
    cl_mem features = NULL;
    bool *bad = NULL;
    size_t rows;
    CLC_NEW(bad, n);
    CLC_TRY(clc_buffer_create(device, n * (size_t)row->dim * sizeof(float), "features", &features));
    /* Once unseen: kernels are made, files read. */
    CLC_TRY(clc_embedder_run(embedder, data, NULL, n, features, bad, &rows));
    clc_energy_start(&meter, NULL);
    const double start = clc_seconds();
    CLC_TRY(clc_embedder_run(embedder, data, NULL, n, features, bad, &rows));
    const double seconds = clc_seconds() - start;
    json_object_set_new(result, "embed_per_second", clc_json_number((double)n / seconds));
    json_object_set_new(result, "embed_joules",
                        clc_json_number(clc_energy_read(&meter) / (double)n));
    json_object_set_new(result, "device_megabytes",
                        clc_json_number((double)device->allocated / 1e6));
fail:
    clc_buffer_release(device, &features);
    free(bad);
    return status;
}

/* ---- training ---- */

/* Sums of what a run's metrics say of its epochs; NaN where they say nothing. */
typedef struct training {
    double seconds, megabytes, joules, rate;
} training;

static double sum_of(double sum, double value) {
    return isnan(value) ? sum : isnan(sum) ? value : sum + value;
}

static void take_in(const json_t *line, training *t) {
    const char *event = json_string_value(json_object_get(line, "event"));
    const double rate = clc_json_figure(line, "images_per_second");
    if (event && !strcmp(event, "cost")) {
        const double megabytes = clc_json_figure(line, "device_megabytes");
        t->seconds = sum_of(t->seconds, clc_json_figure(line, "seconds"));
        t->joules = sum_of(t->joules, clc_json_figure(line, "joules"));
        t->megabytes = isnan(t->megabytes) || megabytes > t->megabytes ? megabytes : t->megabytes;
    } else if (!event && rate > 0) {
        t->rate = rate; /* the last one: an average over the session */
    }
}

static clc_status read_training(const clc_evaluation *e, training *t) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    *t = (training){NAN, NAN, NAN, NAN};
    if (!e->folder || !clc_run_has(e->folder, CLC_RUN_METRICS_JSONL))
        return CLC_OK;
    CLC_TRY(clc_run_path(e->folder, CLC_RUN_METRICS_JSONL, path));
    FILE *file = fopen(path, "r");
    while (file && !feof(file) && !ferror(file)) {
        json_t *line = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
        if (!line)
            break;
        take_in(line, t);
        json_decref(line);
    }
    if (file)
        fclose(file);
fail:
    return status;
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    double parameters;
    training t;
    CLC_TRY(count_parameters(row->embedders[0].graph, &parameters));
    json_object_set_new(result, "parameters", json_integer((json_int_t)parameters));
    json_object_set_new(result, "flops", clc_json_number(flops_of(&row->embedders[0])));
    json_object_set_new(result, "megaflops", clc_json_number(flops_of(&row->embedders[0]) / 1e6));
    CLC_TRY(time_embedding(row, result));
    CLC_TRY(read_training(row->of, &t));
    json_object_set_new(result, "train_per_second", clc_json_number(t.rate));
    json_object_set_new(result, "train_megabytes", clc_json_number(t.megabytes));
    json_object_set_new(result, "train_seconds", clc_json_number(t.seconds));
    json_object_set_new(result, "train_joules", clc_json_number(t.joules));
fail:
    return status;
}

static const clc_task_column columns[] = {{"parameters", "parameters", CLC_CELL_COUNT},
                                          {"megaflops", "MFLOP a sample", CLC_CELL_TENTH},
                                          {"embed_per_second", "embeds a second", CLC_CELL_TENTH},
                                          {"device_megabytes", "embedding MB", CLC_CELL_COUNT},
                                          {"embed_joules", "J a sample", CLC_CELL_NUMBER},
                                          {"train_per_second", "trains a second", CLC_CELL_TENTH},
                                          {"train_megabytes", "training MB", CLC_CELL_COUNT},
                                          {"train_seconds", "training seconds", CLC_CELL_TENTH},
                                          {"train_joules", "training J", CLC_CELL_COUNT},
                                          {NULL, NULL, CLC_CELL_COUNT}};

static const clc_task_column compared[] = {{"parameters", "parameters", CLC_CELL_COUNT},
                                           {"train_seconds", "training seconds", CLC_CELL_TENTH},
                                           {"train_megabytes", "training MB", CLC_CELL_COUNT},
                                           {"train_joules", "training J", CLC_CELL_COUNT},
                                           {"embed_per_second", "embeds a second", CLC_CELL_COUNT},
                                           {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_cost = {
    .name = "cost",
    .label = "cost",
    .about = "what does it cost? parameters, FLOPs, speed, memory and energy of use and training",
    .costly = true,
    .can = can,
    .fits = fits,
    .run = run,
    .columns = columns,
    .compared = compared};
