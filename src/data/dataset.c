#include "data/dataset.h"

#include "core/log.h"
#include "core/math.h"
#include "core/parallel.h"
#include "data/dataset_kinds.h"
#include "data/statistics.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static clc_status make_options(const clc_config *config, clc_dataset *d) {
    d->threads = config->data.threads ? config->data.threads : clc_processors();
    d->stop_at_bad = config->data.on_bad == CLC_CONFIG_BAD_STOP;
    d->bad_limit = config->data.bad_limit;
    const clc_status status = clc_dataset_form(config, d->source, &d->image, &d->view);
    d->channels = d->image.channels;
    return status;
}

/* ---- stored or decoded when needed ---- */

static void set_sizes(clc_dataset *d) {
    d->uniform = true;
    d->height = d->places[0].height;
    d->width = d->places[0].width;
    for (size_t i = 1; i < d->count; i++) {
        const clc_place *p = &d->places[i];
        d->uniform = d->uniform && p->height == d->height && p->width == d->width;
        d->height = p->height > d->height ? p->height : d->height;
        d->width = p->width > d->width ? p->width : d->width;
    }
}

static clc_status open_stored(const clc_config *config, clc_dataset *d) {
    clc_status status = CLC_OK;
    const clc_store_options options = {.image = d->image,
                                       .threads = d->threads,
                                       .stop = d->stop_at_bad,
                                       .bad_limit = d->bad_limit,
                                       .pack = config->data.pack && !d->source->bare};
    CLC_TRY(clc_store_open(d->source, &options, &d->store));
    d->count = d->store->count;
    if (!d->count)
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: there is no picture", d->name));
    d->items = d->store->items;
    d->places = d->store->places;
    d->pixels = d->store->pixels;
    d->bytes = d->store->bytes;
    set_sizes(d);
    for (size_t i = 0; i < d->store->bad.entries.count; i += 2)
        CLC_TRY(clc_bad_files_add(&d->bad, clc_names_at(&d->store->bad.entries, i),
                                  clc_names_at(&d->store->bad.entries, i + 1)));
fail:
    return status;
}

/* The greatest size that a picture can come to. */
static clc_status bound_sizes(clc_dataset *d) {
    if (d->source->bare) {
        clc_image_fitted(&d->image, d->source->height, d->source->width, &d->height, &d->width);
        return CLC_OK;
    }
    if (!d->image.side)
        return clc_fail(CLC_INVALID,
                        "%s: pictures that are decoded when needed have to be of bounded size; set "
                        "data.store_side",
                        d->name);
    d->height = d->width = 2 * d->image.side;
    return CLC_OK;
}

static clc_status open_streamed(clc_dataset *d) {
    clc_status status = CLC_OK;
    d->count = d->source->count;
    CLC_TRY(bound_sizes(d));
    CLC_NEW(d->items, d->count);
    for (size_t i = 0; i < d->count; i++)
        d->items[i] = (uint32_t)i;
    for (size_t i = 0; i < d->source->bad.entries.count; i += 2)
        CLC_TRY(clc_bad_files_add(&d->bad, clc_names_at(&d->source->bad.entries, i),
                                  clc_names_at(&d->source->bad.entries, i + 1)));
    CLC_TRY(clc_bad_files_check(&d->bad, d->count + d->bad.count, d->stop_at_bad, d->bad_limit));
fail:
    return status;
}

/* What decoded pictures may take: as a file of the cache, or in half of the host's memory. */
static double most_stored(const clc_config *config, const clc_dataset *d) {
    const double memory = 0.5 * (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    const double limit = 1e9 * config->data.pack_limit;
    if (config->data.pack && !d->source->bare)
        return limit;
    return d->source->bare || memory < limit ? memory : limit;
}

/* Bytes of all pictures at most. */
static double bound_bytes(const clc_dataset *d) {
    double pixels = 2.0 * d->image.side * d->image.side;
    int height, width;
    if (d->source->bare) {
        clc_image_fitted(&d->image, d->source->height, d->source->width, &height, &width);
        pixels = (double)height * width;
    }
    return (double)d->source->count * pixels * d->channels;
}

/* Whether pictures are decoded each time they are needed; *measured: it took the measuring. */
static clc_status choose(const clc_config *config, clc_dataset *d, bool *streamed, bool *measured) {
    clc_status status = CLC_OK;
    const bool bounded = d->source->bare || d->image.side;
    const double limit = most_stored(config, d);
    double bytes = bound_bytes(d);
    *measured = false;
    *streamed = config->data.residency == CLC_CONFIG_RESIDENCY_STREAM;
    if (!*streamed &&
        (!bounded || bytes <= limit || config->data.residency != CLC_CONFIG_RESIDENCY_AUTO))
        return CLC_OK;
    CLC_TRY(clc_dataset_measure(d, &bytes));
    *measured = true;
    *streamed = *streamed || bytes > limit;
    if (bytes > limit)
        clc_log("%s: decoded, its pictures would take %.1f GB, more than %s: they are decoded in "
                "each epoch",
                d->name, bytes / 1e9,
                limit < 1e9 * config->data.pack_limit ? "half of the memory" : "data.pack_limit");
fail:
    return status;
}

/* ---- labels ---- */

static clc_status set_labels(clc_dataset *d) {
    clc_status status = CLC_OK;
    d->classes = (int)d->source->classes.count;
    for (size_t i = 0; i < d->source->classes.count; i++) {
        const char *name = clc_names_at(&d->source->classes, i);
        CLC_TRY(clc_names_add(&d->class_names, name, strlen(name)));
    }
    if (!d->source->labels)
        return CLC_OK;
    CLC_NEW(d->labels, d->count);
    for (size_t i = 0; i < d->count; i++)
        d->labels[i] = d->source->labels[d->items[i]];
fail:
    return status;
}

static clc_status log_counts(const clc_dataset *d) {
    clc_status status = CLC_OK;
    size_t copies = 0, unlabelled = 0;
    if (d->store)
        CLC_TRY(clc_store_duplicates(d->store, &copies));
    for (size_t i = 0; d->labels && i < d->count; i++)
        unlabelled += d->labels[i] < 0;
    char size[64] = "", classes[64] = "";
    if (d->uniform)
        snprintf(size, sizeof size, " of %d x %d", d->height, d->width);
    if (d->labels)
        snprintf(classes, sizeof classes, ", %d classes", d->classes);
    clc_log("data: %zu images%s with %d channel%s%s from %s", d->count, size, d->channels,
            d->channels == 1 ? "" : "s", classes, d->name);
    if (d->bad.count)
        clc_log("data: %zu bad files are left out; the first: %s: %s", d->bad.count,
                clc_names_at(&d->bad.entries, 0), clc_names_at(&d->bad.entries, 1));
    if (d->source->passed_over || copies || unlabelled)
        clc_log("data: %zu other files passed over, %zu images are copies of others, %zu have no "
                "label",
                d->source->passed_over, copies, unlabelled);
fail:
    return status;
}

clc_status clc_dataset_open_source(const clc_config *config, clc_dataset *d) {
    clc_status status = CLC_OK;
    bool streamed, measured;
    d->field_count = 1;
    memcpy(d->name, d->source->name, sizeof d->name);
    CLC_TRY(make_options(config, d));
    CLC_TRY(choose(config, d, &streamed, &measured));
    CLC_TRY(streamed ? open_streamed(d) : open_stored(config, d));
    if (!measured)
        CLC_TRY(clc_dataset_measure(d, NULL));
    CLC_TRY(set_labels(d));
    CLC_TRY(log_counts(d));
fail:
    return status;
}

clc_status clc_dataset_open_paths(const clc_config *config, const char *const *paths, size_t n,
                                  clc_dataset **dataset) {
    clc_status status = CLC_OK;
    clc_dataset *d = NULL;
    *dataset = NULL;
    CLC_NEW(d, 1);
    d->field_count = 1;
    CLC_TRY(clc_source_open_paths(&config->data, paths, n, &d->source));
    memcpy(d->name, d->source->name, sizeof d->name);
    CLC_TRY(make_options(config, d));
    CLC_TRY(open_streamed(d));
    CLC_TRY(set_labels(d));
    *dataset = d;
    d = NULL;
fail:
    clc_dataset_free(&d);
    return status;
}

clc_status clc_dataset_make(const char *name, size_t count, int height, int width, int channels,
                            uint8_t *pixels, int32_t *labels, int classes, clc_dataset **dataset) {
    clc_status status = CLC_OK;
    const uint64_t image = (uint64_t)height * (uint64_t)width * (uint64_t)channels;
    clc_dataset *d = NULL;
    CLC_NEW(d, 1);
    snprintf(d->name, sizeof d->name, "%s", name);
    d->field_count = 1;
    d->count = count;
    d->threads = clc_processors();
    d->height = height;
    d->width = width;
    d->channels = channels;
    d->uniform = true;
    d->labels = labels;
    d->classes = classes;
    d->pixels = d->own_pixels = pixels;
    d->bytes = count * image;
    labels = NULL;
    pixels = NULL;
    CLC_NEW(d->own_places, count);
    d->places = d->own_places;
    for (size_t i = 0; i < count; i++)
        d->own_places[i] = (clc_place){i * image, height, width};
    CLC_TRY(clc_dataset_measure(d, NULL));
    *dataset = d;
    d = NULL;
fail:
    free(labels);
    free(pixels);
    clc_dataset_free(&d);
    return status;
}

clc_status clc_dataset_make_fields(const char *name, size_t count, const clc_field *fields,
                                   int field_count, int32_t *labels, int classes,
                                   clc_dataset **dataset) {
    clc_status status = CLC_OK;
    clc_dataset *d = calloc(1, sizeof *d);
    if (!d)
        status = clc_fail_alloc(sizeof *d);
    for (int i = 0; !d && i < field_count; i++) {
        clc_field lost = fields[i];
        clc_field_free(&lost);
    }
    if (!d) {
        free(labels);
        return status;
    }
    snprintf(d->name, sizeof d->name, "%s", name);
    d->count = count;
    d->labels = labels;
    d->classes = classes;
    d->field_count = field_count;
    memcpy(d->fields, fields, (size_t)field_count * sizeof *fields);
    for (int i = 0; i < field_count && status == CLC_OK; i++)
        status = clc_field_measure(&d->fields[i]);
    if (status != CLC_OK)
        clc_dataset_free(&d);
    *dataset = d;
    return status;
}

const char *clc_dataset_unit(const clc_dataset *d) {
    static const char *const units[CLC_KINDS] = {
        [CLC_KIND_IMAGES] = "images", [CLC_KIND_TOKENS] = "texts", [CLC_KIND_SERIES] = "series"};
    return d->field_count > 1 ? "pairs" : units[d->fields[0].kind];
}

const char *clc_dataset_sample_name(const clc_dataset *d, size_t i) {
    if (d->source)
        return clc_names_at(&d->source->names, d->items[i]);
    if (d->names.count > 0)
        return clc_names_at(&d->names, i);
    return d->texts ? clc_names_at(&d->texts->names, d->text_samples[i]) : "";
}

static int larger_first(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

size_t clc_dataset_most_bytes(const clc_dataset *d, size_t n) {
    const size_t largest = (size_t)d->height * (size_t)d->width * (size_t)d->channels;
    const size_t side = (size_t)d->image.side;
    size_t sum = 0;
    /* Decoded when needed: one side is within data.store_side, the other within twice of it. */
    if (!d->places && !d->source->bare)
        return n * 2 * side * side * (size_t)d->channels;
    uint64_t *sizes = d->uniform || !d->places ? NULL : malloc(d->count * sizeof *sizes);
    if (!sizes)
        return n * largest;
    for (size_t i = 0; i < d->count; i++)
        sizes[i] =
            (uint64_t)d->places[i].height * (uint64_t)d->places[i].width * (uint64_t)d->channels;
    qsort(sizes, d->count, sizeof *sizes, larger_first);
    for (size_t i = 0; i < n; i++)
        sum += sizes[i < d->count ? i : d->count - 1];
    free(sizes);
    return sum;
}

void clc_dataset_free(clc_dataset **dataset) {
    clc_dataset *d = *dataset;
    if (!d)
        return;
    if (!d->store)
        free(d->items);
    clc_store_close(&d->store);
    clc_source_close(&d->source);
    clc_names_free(&d->class_names);
    clc_names_free(&d->bad.entries);
    free(d->labels);
    free(d->own_places);
    free(d->own_pixels);
    for (int i = 0; i < CLC_FIELDS_MAX; i++)
        clc_field_free(&d->fields[i]);
    clc_texts_close(&d->texts);
    free(d->text_samples);
    clc_names_free(&d->names);
    clc_synonyms_free(&d->synonyms);
    if (d->own_tokenizer)
        clc_tokenizer_free(&d->tokenizer);
    free(d);
    *dataset = NULL;
}
