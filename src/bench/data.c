#include "bench/bench.h"

#include "core/clock.h"
#include "core/parallel.h"
#include "data/dataset_kinds.h"
#include "report/table.h"
#include "train/session.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

enum { SAMPLE = 256, MOST_KINDS = 16, WARM_STEPS = 3, MOST_STEPS = 20, COPIED_BATCHES = 20 };
static const double step_seconds = 5, pack_seconds = 2;

/* The sampled images of one decoder, on one thread. */
typedef struct kind {
    const char *name;
    int images;
    double megapixels;
    double whole, scale,
        both; /* seconds: decoded whole; that scaled; decoded for the side at once */
} kind;

typedef struct data_bench {
    clc_config config;
    clc_source *source;
    clc_image_options options;
    int threads;
    double list_seconds;
    kind kinds[MOST_KINDS];
    int kind_count, bad;
    size_t sampled;
    pthread_mutex_t lock;
    size_t next;                   /* of the sample, for all threads */
    double parallel_seconds;       /* of all threads for the sample */
    double decode_rate, pack_rate; /* images a second of all threads: decoded for the side; that
                                      measured, hashed and stored, too */
    double copy_rate;              /* images a second that the loader brings from memory */
    double step, wait;             /* seconds a step, and of it waiting for images */
    const char *residency;
} data_bench;

static double rate(double n, double seconds) {
    return seconds > 0 ? n / seconds : 0;
}

static size_t sample_item(const data_bench *b, size_t i) {
    return (size_t)((double)i * (double)b->source->count / (double)b->sampled);
}

static kind *find_kind(data_bench *b, const char *name) {
    for (int i = 0; i < b->kind_count; i++)
        if (!strcmp(b->kinds[i].name, name))
            return &b->kinds[i];
    if (b->kind_count == MOST_KINDS)
        return &b->kinds[MOST_KINDS - 1];
    b->kinds[b->kind_count] = (kind){.name = name};
    return &b->kinds[b->kind_count++];
}

static clc_status open_source(data_bench *b) {
    clc_status status = CLC_OK;
    const double start = clc_seconds();
    clc_names paths = {0};
    bool share;
    int view, as;
    CLC_TRY(clc_config_require_data(&b->config));
    CLC_TRY(clc_dataset_find(&b->config.data, CLC_SPLIT_TRAIN, &as, &paths, &share));
    if (as == CLC_CONFIG_AS_TOKENS || as == CLC_CONFIG_AS_SERIES)
        CLC_TRY(
            clc_fail(CLC_INVALID,
                     "%s: bench data times how pictures come in; texts and series are read once "
                     "and lie on the device",
                     b->config.data.train));
    CLC_TRY(clc_source_open(&b->config.data, CLC_SPLIT_TRAIN, NULL, &b->source));
    b->list_seconds = clc_seconds() - start;
    b->threads = b->config.data.threads ? b->config.data.threads : clc_processors();
    b->sampled = b->source->count < SAMPLE ? b->source->count : SAMPLE;
    CLC_TRY(clc_dataset_form(&b->config, b->source, &b->options, &view));
fail:
    clc_names_free(&paths);
    return status;
}

/* Times one image in the three ways. What is no image is counted. */
static void time_item(data_bench *b, size_t item) {
    clc_image_options whole = b->options;
    clc_image_info info = {.format = "bare pixels"};
    clc_image image = {0};
    whole.side = 0;
    if (!b->source->bare && clc_source_probe(b->source, item, &b->options, &info) != CLC_OK) {
        b->bad++;
        return;
    }
    kind *k = find_kind(b, info.format);
    double start = clc_seconds();
    if (clc_source_read(b->source, item, &whole, &image) != CLC_OK) {
        b->bad++;
        return;
    }
    k->whole += clc_seconds() - start;
    k->megapixels += 1e-6 * image.height * image.width;
    start = clc_seconds();
    if (clc_image_fit(&image, &b->options) == CLC_OK)
        k->scale += clc_seconds() - start;
    clc_image_free(&image);
    start = clc_seconds();
    if (clc_source_read(b->source, item, &b->options, &image) == CLC_OK)
        k->both += clc_seconds() - start;
    clc_image_free(&image);
    k->images++;
}

static clc_status decode_some(void *context) {
    data_bench *b = context;
    for (;;) {
        clc_image image = {0};
        pthread_mutex_lock(&b->lock);
        const size_t i = b->next++;
        pthread_mutex_unlock(&b->lock);
        if (i >= b->sampled)
            return CLC_OK;
        if (clc_source_read(b->source, sample_item(b, i), &b->options, &image) == CLC_OK)
            clc_image_free(&image);
    }
}

static clc_status time_all_threads(data_bench *b, double *seconds) {
    const double start = clc_seconds();
    b->next = 0;
    const clc_status status = clc_parallel(b->threads, decode_some, b);
    *seconds = clc_seconds() - start;
    return status;
}

static clc_status time_decoders(data_bench *b) {
    for (size_t i = 0; i < b->sampled; i++)
        time_item(b, sample_item(b, i));
    return time_all_threads(b, &b->parallel_seconds);
}

/* A store of as many images as take some seconds, between two passes that only decode them. Bare
 * pixels are not packed. */
static clc_status time_packing(data_bench *b) {
    clc_status status = CLC_OK;
    if (b->source->bare) {
        b->decode_rate = rate((double)b->sampled, b->parallel_seconds);
        return CLC_OK;
    }
    clc_store *store = NULL;
    clc_config_data data = b->config.data;
    const clc_store_options options = {.image = b->options, .threads = b->threads, .bad_limit = 1};
    data_bench some = {.options = b->options, .threads = b->threads};
    double decoded[2], stored = 0;
    const double most = pack_seconds * (double)b->sampled / b->parallel_seconds;
    pthread_mutex_init(&some.lock, NULL);
    data.limit = most < SAMPLE ? SAMPLE : most > INT_MAX ? INT_MAX : (int)most;
    CLC_TRY(clc_source_open(&data, CLC_SPLIT_TRAIN, NULL, &some.source));
    some.sampled = some.source->count;
    CLC_TRY(time_all_threads(&some, &decoded[0]));
    stored = clc_seconds();
    CLC_TRY(clc_store_open(some.source, &options, &store));
    stored = clc_seconds() - stored;
    CLC_TRY(time_all_threads(&some, &decoded[1]));
    b->decode_rate = rate((double)some.sampled, fmin(decoded[0], decoded[1]));
    b->pack_rate = rate((double)some.sampled, stored);
fail:
    clc_store_close(&store);
    clc_source_close(&some.source);
    pthread_mutex_destroy(&some.lock);
    return status;
}

/* The loader alone, copying stored images into batches. */
static clc_status time_copies(data_bench *b, const clc_session *s) {
    clc_status status = CLC_OK;
    clc_loader *loader = NULL;
    clc_batch batch;
    clc_loader_options options = {
        .batch = s->config.training.batch, .shuffle = true, .seed = 1, .slots = 4, .held = 1};
    if (!s->data->pixels)
        return CLC_OK;
    options.room = clc_dataset_most_bytes(s->data, (size_t)options.batch);
    for (int i = 0; i < options.slots; i++)
        CLC_NEW(options.memory[i], options.room);
    CLC_TRY(clc_loader_open(s->data, &options, &loader));
    CLC_TRY(clc_loader_next(loader, &batch));
    const double start = clc_seconds();
    for (int i = 0; i < COPIED_BATCHES; i++)
        CLC_TRY(clc_loader_next(loader, &batch));
    b->copy_rate = COPIED_BATCHES * options.batch / (clc_seconds() - start);
fail:
    clc_loader_close(&loader);
    for (int i = 0; i < options.slots; i++)
        free(options.memory[i]);
    return status;
}

/* Steps as training takes them. */
static clc_status time_steps(data_bench *b, clc_session *s) {
    clc_status status = CLC_OK;
    clc_loader *loader = NULL;
    clc_step_slot slot;
    clc_batch batch;
    double start = 0, waited = 0;
    int n = 0;
    CLC_TRY(clc_step_loader(&s->step, 0, &loader));
    for (int i = 0; i < WARM_STEPS + MOST_STEPS; i++) {
        if (i == WARM_STEPS) {
            CLC_TRY(clc_device_finish(s->device));
            start = clc_seconds();
            waited = clc_loader_waited(loader);
        }
        CLC_TRY(clc_loader_next(loader, &batch));
        CLC_TRY(clc_step_enqueue(&s->step, 0.01f, &batch, &slot));
        n += i >= WARM_STEPS;
        if (n && clc_seconds() - start > step_seconds)
            break;
    }
    CLC_TRY(clc_device_finish(s->device));
    b->step = (clc_seconds() - start) / n;
    b->wait = (clc_loader_waited(loader) - waited) / n;
    b->residency = s->step.residence.resident ? "on the device"
                   : s->data->pixels          ? "in host memory"
                                              : "decoded when needed";
fail:
    if (s->device)
        clc_device_finish(s->device);
    clc_loader_close(&loader);
    return status;
}

static clc_status print_text(const data_bench *b, FILE *file) {
    clc_status status = CLC_OK;
    clc_table table;
    const char *const headings[] = {"decoder", "images",           "megapixels",  "whole",
                                    "scaled",  "whole and scaled", "at that side"};
    fprintf(file, "list: %zu images in %.3f s, %.0f a second\n", b->source->count, b->list_seconds,
            rate((double)b->source->count, b->list_seconds));
    fprintf(file,
            "images a second of one thread, decoded whole, scaled to a short side of %d, "
            "both, and decoded for that side:\n",
            b->options.side);
    clc_table_begin(&table, "l", sizeof headings / sizeof *headings);
    for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
        clc_table_cell(&table, "%s", headings[i]);
    for (int i = 0; i < b->kind_count; i++) {
        const kind *k = &b->kinds[i];
        clc_table_cell(&table, "%s", k->name);
        clc_table_cell(&table, "%d", k->images);
        clc_table_cell(&table, "%.2f", k->images ? k->megapixels / k->images : 0);
        clc_table_cell(&table, "%.0f", rate(k->images, k->whole));
        clc_table_cell(&table, "%.0f", rate(k->images, k->scale));
        clc_table_cell(&table, "%.0f", rate(k->images, k->whole + k->scale));
        clc_table_cell(&table, "%.0f", rate(k->images, k->both));
    }
    CLC_TRY(clc_table_print(&table, file));
    fprintf(file, "decode and scale: %.0f images/s with %d threads", b->decode_rate, b->threads);
    if (b->pack_rate > 0)
        fprintf(file, "; store them, too: %.0f (%.2f)", b->pack_rate,
                b->pack_rate / b->decode_rate);
    fputc('\n', file);
    if (b->bad)
        fprintf(file, "bad files among the %zu sampled: %d\n", b->sampled, b->bad);
    if (b->copy_rate > 0)
        fprintf(file, "copy: %.0f images/s from memory into batches\n", b->copy_rate);
    fprintf(file, "wait: %.1f ms of a step of %.1f ms (%.1f %%), images %s: %.1f images/s\n",
            1e3 * b->wait, 1e3 * b->step, 100 * b->wait / b->step, b->residency,
            rate(b->config.training.batch, b->step));
fail:
    return status;
}

static clc_status print_json(const data_bench *b, FILE *file) {
    json_t *kinds = json_array();
    for (int i = 0; i < b->kind_count; i++) {
        const kind *k = &b->kinds[i];
        json_array_append_new(kinds, json_pack("{s:s,s:i,s:f,s:f,s:f,s:f}", "decoder", k->name,
                                               "images", k->images, "megapixels", k->megapixels,
                                               "whole_seconds", k->whole, "scale_seconds", k->scale,
                                               "both_seconds", k->both));
    }
    json_t *root = json_pack("{s:I,s:f,s:i,s:o,s:i,s:f,s:f,s:f,s:f,s:f,s:s}", "images",
                             (json_int_t)b->source->count, "list_seconds", b->list_seconds, "side",
                             b->options.side, "decoders", kinds, "threads", b->threads,
                             "decode_images_per_second", b->decode_rate, "store_images_per_second",
                             b->pack_rate, "copy_images_per_second", b->copy_rate, "step_seconds",
                             b->step, "wait_seconds", b->wait, "residency", b->residency);
    if (!root)
        return clc_fail_alloc(1024);
    json_dumpf(root, file, JSON_INDENT(2));
    fputc('\n', file);
    json_decref(root);
    return CLC_OK;
}

clc_status clc_bench_data(const clc_train_options *options, bool json, FILE *file) {
    clc_status status = CLC_OK;
    data_bench *b = NULL;
    clc_session session = {0};
    CLC_NEW(b, 1);
    pthread_mutex_init(&b->lock, NULL);
    CLC_TRY(
        clc_config_load(options->config, options->overrides, options->override_count, &b->config));
    CLC_TRY(open_source(b));
    CLC_TRY(time_decoders(b));
    CLC_TRY(time_packing(b));
    CLC_TRY(clc_session_open(&session, options, NULL));
    CLC_TRY(time_copies(b, &session));
    CLC_TRY(time_steps(b, &session));
    CLC_TRY(json ? print_json(b, file) : print_text(b, file));
fail:
    clc_session_close(&session);
    if (b) {
        clc_source_close(&b->source);
        pthread_mutex_destroy(&b->lock);
    }
    free(b);
    return status;
}
