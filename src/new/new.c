#define _XOPEN_SOURCE 700 /* realpath */
#include "new/new.h"

#include "bench/bench.h"
#include "core/log.h"
#include "core/path.h"
#include "core/signals.h"
#include "data/dataset.h"
#include "data/dataset_kinds.h"
#include "data/format.h"
#include "device/open.h"
#include "new/choose.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TIMED_BATCHES = 4, TIMED_LEAST = 256 };

typedef struct maker {
    const clc_new_options *options;
    clc_recipe recipe;
    clc_facts facts;
    clc_names paths;
    double memory; /* of the device */
} maker;

/* ---- the data ---- */

/* Whether there are captions with most of the pictures. */
static clc_status find_captions(maker *m, const clc_config *config, const clc_source *source,
                                bool *found) {
    const clc_texts_options options = {.columns = config->data.text_columns,
                                       .pictures = true,
                                       .path_column = config->data.path_column,
                                       .label_column = config->data.label_column,
                                       .split_column = config->data.split_column,
                                       .split = CLC_SPLIT_ALL,
                                       .folder = config->data.pictures};
    clc_texts *texts = NULL;
    *found = clc_texts_open_all(&m->paths, &options, &texts) == CLC_OK &&
             2 * texts->count > source->count;
    if (*found) {
        m->facts.as = CLC_CONFIG_AS_PAIRS;
        m->facts.count = texts->count;
        m->facts.divides = texts->divided;
        clc_log("%zu pictures have captions", texts->count);
    }
    clc_texts_close(&texts);
    return CLC_OK;
}

/* Folders hold all sorts of things beside pictures: what is skipped now may be skipped in training,
 * and a tenth more. */
static clc_status note_bad(maker *m) {
    clc_status status = CLC_OK;
    const clc_look *l = &m->facts.look;
    const size_t files = l->count + l->bad;
    CLC_TRY(clc_recipe_note(&m->recipe,
                            "%zu files are no pictures by their headers; "
                            "the first: %s",
                            l->bad, l->first_bad));
    if (10 * l->bad > files) {
        char limit[16];
        const double share = ceil(10.0 * (double)l->bad / (double)files + 1) / 10;
        snprintf(limit, sizeof limit, "%.1f", share < 1 ? share : 1.0);
        CLC_TRY(clc_recipe_put(&m->recipe, "data.bad_limit", limit,
                               "%zu of %zu files are no pictures and are skipped", l->bad, files));
    }
fail:
    return status;
}

static clc_status note_pictures(maker *m) {
    clc_status status = CLC_OK;
    const clc_look *l = &m->facts.look;
    CLC_TRY(clc_recipe_note(&m->recipe,
                            "%zu pictures, shorter sides of %d to %d pixels (median %d), up to %d "
                            "channels, %zu of them grey",
                            l->count, l->least, l->greatest, l->middle, l->channels, l->grey));
    if (l->classes)
        CLC_TRY(clc_recipe_note(&m->recipe, "%zu classes, by folders or labels", l->classes));
    if (l->bad)
        CLC_TRY(note_bad(m));
    if (l->files)
        CLC_TRY(clc_recipe_note(&m->recipe, "%zu files are copies of others, byte by byte%s",
                                l->copies,
                                l->copies ? "; they count as pictures of their own" : ""));
fail:
    return status;
}

static clc_status look_at_pictures(maker *m, const clc_config *config) {
    clc_status status = CLC_OK;
    clc_source *source = NULL;
    bool pairs = false;
    clc_facts *f = &m->facts;
    const clc_image_options image = clc_image_options_from_config(&config->data, 0, 0);
    CLC_TRY(clc_source_open(&config->data, CLC_SPLIT_TRAIN, NULL, &source));
    f->divides = clc_source_configured(&config->data, CLC_SPLIT_TEST);
    CLC_TRY(clc_look_at(source, &image, &f->look));
    f->count = f->look.count;
    if (config->data.as == CLC_CONFIG_AS_AUTO || f->as == CLC_CONFIG_AS_PAIRS)
        CLC_TRY(find_captions(m, config, source, &pairs));
    CLC_TRY(note_pictures(m));
    if (pairs)
        CLC_TRY(clc_recipe_note(&m->recipe, "%zu of them have captions", f->count));
fail:
    clc_source_close(&source);
    return status;
}

/* Texts and series lie in memory: they are opened as training does. */
static clc_status look_at_others(maker *m, const clc_config *config) {
    clc_status status = CLC_OK;
    clc_dataset *data = NULL;
    clc_facts *f = &m->facts;
    CLC_TRY(clc_dataset_open(config, CLC_SPLIT_TRAIN, NULL, &data));
    f->count = data->count;
    f->labelled = data->labels && data->classes > 1;
    f->divides = clc_dataset_has_test(config, data);
    f->texts_each = data->field_count;
    f->channels = data->fields[0].channels;
    f->longest = data->fields[0].longest;
    if (f->as == CLC_CONFIG_AS_SERIES)
        CLC_TRY(clc_recipe_note(&m->recipe, "%zu series of up to %d steps of %d values", f->count,
                                f->longest, f->channels));
    else
        CLC_TRY(clc_recipe_note(&m->recipe, "%zu samples of %d text%s, of up to %d tokens",
                                f->count, f->texts_each, f->texts_each > 1 ? "s" : "", f->longest));
    if (f->labelled)
        CLC_TRY(clc_recipe_note(&m->recipe, "%d classes", data->classes));
fail:
    clc_dataset_free(&data);
    return status;
}

/* The whole path where it is one, so that the file may lie anywhere. */
static clc_status put_data(maker *m) {
    char *whole = realpath(m->options->data, NULL);
    const clc_status status =
        clc_recipe_put(&m->recipe, "data.train", whole ? whole : m->options->data, "%s", "");
    free(whole);
    return status;
}

static clc_status look(maker *m) {
    clc_status status = CLC_OK;
    clc_config config;
    bool share;
    CLC_TRY(put_data(m));
    CLC_TRY(clc_recipe_load(&m->recipe, &config));
    CLC_TRY(clc_dataset_find(&config.data, CLC_SPLIT_TRAIN, &m->facts.as, &m->paths, &share));
    if (m->facts.as == CLC_CONFIG_AS_IMAGES || m->facts.as == CLC_CONFIG_AS_PAIRS)
        CLC_TRY(look_at_pictures(m, &config));
    else
        CLC_TRY(look_at_others(m, &config));
fail:
    return status;
}

/* ---- the device ---- */

static clc_status look_at_device(maker *m) {
    clc_status status = CLC_OK;
    clc_device *device = NULL;
    CLC_TRY(clc_device_open(m->options->device, CLC_PROFILE_AUTO, &device));
    m->facts.gpu = device->profile == CLC_PROFILE_GPU;
    m->memory = (double)device->info.memory;
    CLC_TRY(clc_recipe_note(&m->recipe, "device %d: %s, %u compute units, %.1f GB%s%s",
                            device->info.number, device->info.name, device->info.compute_units,
                            m->memory / 1e9, m->options->device ? "; train with --device " : "",
                            m->options->device ? m->options->device : ""));
fail:
    clc_device_close(&device);
    return status;
}

/* runs/NAME, of the last name of the path. */
static clc_status put_output(maker *m) {
    char folder[128] = "runs/";
    size_t n = strlen(folder);
    const char *name = clc_base_name(clc_names_at(&m->paths, 0));
    for (; *name && *name != '.' && n < 100; name++)
        folder[n++] = isalnum((unsigned char)*name) ? *name : '-';
    folder[n] = '\0';
    return clc_recipe_put(&m->recipe, "output.folder", n > strlen("runs/") ? folder : "runs/train",
                          "%s", "");
}

static clc_status choose(maker *m) {
    clc_status status = CLC_OK;
    const clc_facts *f = &m->facts;
    CLC_TRY(f->as == CLC_CONFIG_AS_TOKENS   ? clc_choose_texts(&m->recipe, f)
            : f->as == CLC_CONFIG_AS_SERIES ? clc_choose_series(&m->recipe, f)
            : f->as == CLC_CONFIG_AS_PAIRS  ? clc_choose_pairs(&m->recipe, f)
                                            : clc_choose_images(&m->recipe, f));
    CLC_TRY(clc_choose_batch(&m->recipe, f));
    if (f->count < 10000)
        CLC_TRY(clc_recipe_put(&m->recipe, "evaluation.knn_k", "20",
                               "neighbours that vote: few of few samples"));
    CLC_TRY(put_output(m));
fail:
    return status;
}

/* ---- time and memory ---- */

/* Times steps of a part of the samples: those are all that is read. */
static clc_status time_steps(maker *m, const clc_config *config, clc_bench_times *times) {
    const char *all[CLC_RECIPE_MAX + 3];
    char limit[64];
    const int batch = config->training.batch;
    const int needed = TIMED_BATCHES * batch > TIMED_LEAST ? TIMED_BATCHES * batch : TIMED_LEAST;
    snprintf(limit, sizeof limit, "data.limit=%d",
             config->data.limit && config->data.limit < needed ? config->data.limit : needed);
    const char *const more[] = {limit, "data.pack=false", "data.test_fraction=0"};
    const clc_train_options options = {.overrides = all,
                                       .override_count =
                                           clc_recipe_overrides(&m->recipe, more, 3, all),
                                       .device = m->options->device};
    const bool quiet = clc_log_quiet(true);
    const clc_status status = clc_bench_time(&options, times);
    clc_log_quiet(quiet);
    return status;
}

/* Halves what is embedded at a time until it fits the device: the gradient stays the batch's. */
static clc_status fit(maker *m, clc_bench_times *times) {
    clc_status status = CLC_OK;
    clc_config config;
    for (;;) {
        CLC_TRY(clc_recipe_load(&m->recipe, &config));
        const int part =
            config.training.micro_batch ? config.training.micro_batch : config.training.batch;
        clc_log("timing some steps of %d samples%s", config.training.batch,
                part < config.training.batch ? " in parts" : "");
        status = time_steps(m, &config, times);
        if (status != CLC_MEMORY || part < 4)
            break;
        CLC_TRY(clc_recipe_put_int(&m->recipe, "training.micro_batch", part / 2,
                                   "all at once don't fit the device's memory"));
    }
    CLC_TRY(status);
    CLC_TRY(clc_recipe_note(&m->recipe,
                            "device memory while training: %.0f MB of %.0f, with few "
                            "samples; all are kept there where they fit",
                            (double)times->bytes / 1e6, m->memory / 1e6));
fail:
    return status;
}

/* Samples that an epoch draws from. */
static clc_status count_training(maker *m, const clc_config *config, size_t *count) {
    clc_status status = CLC_OK;
    clc_source *source = NULL;
    *count = (size_t)((1 - config->data.test_fraction) * (double)m->facts.count);
    if (m->facts.as == CLC_CONFIG_AS_IMAGES) {
        CLC_TRY(clc_source_open(&config->data, CLC_SPLIT_TRAIN, NULL, &source));
        *count = source->count;
    }
    if (*count < (size_t)config->training.batch)
        status = clc_fail(CLC_INVALID, "%zu samples are left to train on, fewer than a batch of %d",
                          *count, config->training.batch);
fail:
    clc_source_close(&source);
    return status;
}

static clc_status make(maker *m, FILE *file) {
    clc_status status = CLC_OK;
    clc_config config;
    clc_bench_times times;
    size_t count;
    CLC_TRY(clc_recipe_start(&m->recipe, m->options->overrides, m->options->override_count));
    CLC_TRY(clc_recipe_note(&m->recipe,
                            "written by clcontrast new %s; a line says why, the key "
                            "below it may be changed",
                            m->options->data));
    CLC_TRY(look(m));
    CLC_TRY(look_at_device(m));
    CLC_TRY(choose(m));
    CLC_TRY(fit(m, &times));
    CLC_TRY(clc_recipe_load(&m->recipe, &config));
    CLC_TRY(count_training(m, &config, &count));
    CLC_TRY(clc_choose_epochs(&m->recipe, &m->facts, count, config.training.batch, times.seconds));
    if (clc_signals_stop())
        CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted before the configuration was written"));
    clc_recipe_write(&m->recipe, file);
fail:
    return status;
}

clc_status clc_new(const clc_new_options *options, FILE *file) {
    clc_status status = CLC_OK;
    maker *m = NULL;
    clc_signals_install();
    CLC_NEW(m, 1);
    m->options = options;
    CLC_TRY(make(m, file));
fail:
    if (m) {
        clc_recipe_free(&m->recipe);
        clc_names_free(&m->paths);
    }
    free(m);
    clc_signals_restore();
    return status;
}
