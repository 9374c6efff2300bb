#include "data/labelled.h"

#include "core/log.h"
#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The samples of each class, class after class, in an order of their own. */
typedef struct by_class {
    size_t classes, all;
    size_t *starts;   /* (classes + 1) */
    int32_t *samples; /* (all) */
    size_t *kept;     /* (classes): the first so many keep their labels */
} by_class;

static void by_class_free(by_class *c) {
    free(c->starts);
    free(c->samples);
    free(c->kept);
}

static size_t size_of(const by_class *c, size_t class) {
    return c->starts[class + 1] - c->starts[class];
}

/* Fisher-Yates; streams of parameters count from 0, those of epochs have the top bit set. */
static void shuffle(int32_t *samples, size_t count, uint64_t seed, size_t class) {
    clc_rng rng = clc_rng_make(seed, 0x40000000u | (uint32_t) class);
    for (size_t i = count; i > 1; i--) {
        const size_t j = clc_rng_below(&rng, (uint32_t)i);
        const int32_t swap = samples[i - 1];
        samples[i - 1] = samples[j];
        samples[j] = swap;
    }
}

static clc_status sort_by_class(const clc_dataset *data, uint64_t seed, by_class *c) {
    clc_status status = CLC_OK;
    c->classes = (size_t)data->classes;
    CLC_NEW(c->starts, c->classes + 1);
    CLC_NEW(c->kept, c->classes);
    CLC_NEW(c->samples, data->count);
    for (size_t class = 0; class < c->classes; class ++) {
        c->starts[class] = c->all;
        for (size_t i = 0; i < data->count; i++)
            if (data->labels[i] == (int32_t) class)
                c->samples[c->all++] = (int32_t)i;
        shuffle(c->samples + c->starts[class], c->all - c->starts[class], seed, class);
    }
    c->starts[c->classes] = c->all;
fail:
    return status;
}

/* Of each class the whole part of its share, at least one; the samples that are missing to the
 * share of all go to the classes with the greatest fractions, of equal ones the first. */
static void keep_share(by_class *c, double share) {
    const size_t wanted = (size_t)floor(share * (double)c->all + 0.5);
    size_t total = 0;
    for (size_t class = 0; class < c->classes; class ++) {
        const size_t whole = (size_t)floor(share * (double)size_of(c, class) + 1e-9);
        c->kept[class] = whole || !size_of(c, class) ? whole : 1;
        total += c->kept[class];
    }
    while (total < wanted) {
        size_t best = c->classes;
        double most = 0;
        for (size_t class = 0; class < c->classes; class ++) {
            const double missing = share * (double)size_of(c, class) - (double)c->kept[class];
            if (missing > most + 1e-9 && c->kept[class] < size_of(c, class)) {
                most = missing;
                best = class;
            }
        }
        if (best == c->classes)
            break;
        c->kept[best]++;
        total++;
    }
}

static void keep_each(by_class *c, size_t each) {
    for (size_t class = 0; class < c->classes; class ++)
        c->kept[class] = size_of(c, class) < each ? size_of(c, class) : each;
}

/* "600 of 60000 samples (60 of each class)". */
static void report(const clc_dataset *data, const by_class *c, const char *what, uint64_t seed) {
    size_t least = SIZE_MAX, most = 0, total = 0;
    char range[64];
    for (size_t class = 0; class < c->classes; class ++) {
        if (!size_of(c, class))
            continue;
        least = c->kept[class] < least ? c->kept[class] : least;
        most = c->kept[class] > most ? c->kept[class] : most;
        total += c->kept[class];
    }
    snprintf(range, sizeof range, least == most ? "%zu" : "%zu to %zu", least, most);
    clc_log("labels of %s: %zu of %zu %s (finetune.labels = %s: %s of each of %zu classes, "
            "seed %llu)",
            data->name, total, c->all, clc_dataset_unit(data), what, range, c->classes,
            (unsigned long long)seed);
}

clc_status clc_labels_limit(const clc_config *config, clc_dataset *data) {
    clc_status status = CLC_OK;
    by_class c = {0};
    double share;
    int each;
    if (!data->labels || !clc_config_labels(&config->finetune, &share, &each) ||
        (!each && share >= 1))
        return CLC_OK;
    CLC_TRY(sort_by_class(data, config->training.seed, &c));
    if (each)
        keep_each(&c, (size_t)each);
    else
        keep_share(&c, share);
    for (size_t class = 0; class < c.classes; class ++)
        for (size_t i = c.starts[class] + c.kept[class]; i < c.starts[class + 1]; i++)
            data->labels[c.samples[i]] = -1;
    report(data, &c, config->finetune.labels, config->training.seed);
fail:
    by_class_free(&c);
    return status;
}

size_t clc_labelled_count(const clc_dataset *data) {
    size_t count = 0;
    for (size_t i = 0; data->labels && i < data->count; i++)
        count += data->labels[i] >= 0;
    return count;
}

clc_status clc_labelled_samples(const clc_dataset *data, int32_t **samples, size_t *count) {
    clc_status status = CLC_OK;
    *samples = NULL;
    *count = clc_labelled_count(data);
    if (*count == data->count)
        return CLC_OK;
    CLC_NEW(*samples, *count);
    for (size_t i = 0, n = 0; n < *count; i++)
        if (data->labels[i] >= 0)
            (*samples)[n++] = (int32_t)i;
fail:
    return status;
}

clc_status clc_labelled_write(const clc_dataset *data, const char *path) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    CLC_TRY(clc_file_writer_open(path, &writer));
    CLC_TRY(clc_file_writer_print(writer, "sample\tlabel\tname\n"));
    for (size_t i = 0; i < data->count; i++) {
        const char *name = clc_dataset_sample_name(data, i);
        if (data->labels[i] < 0)
            continue;
        CLC_TRY(clc_file_writer_print(writer, "%zu\t%d\t", i, (int)data->labels[i]));
        CLC_TRY(clc_write_name(writer, name ? name : ""));
        CLC_TRY(clc_file_writer_print(writer, "\n"));
    }
    CLC_TRY(clc_file_writer_commit(&writer));
fail:
    clc_file_writer_abort(&writer);
    return status;
}
