/* Data sets of series: from arrays and tables, and of pictures, whose rows are the steps. */
#include "data/dataset_kinds.h"

#include "core/log.h"
#include "data/format.h"
#include "data/series.h"

#include <stdio.h>
#include <string.h>

/* Names and classes of the samples in `chosen`. */
static clc_status take_samples(const clc_series *s, const uint32_t *chosen, clc_dataset *d) {
    clc_status status = CLC_OK;
    clc_field *f = &d->fields[0];
    CLC_NEW(f->firsts, d->count + 1);
    CLC_NEW(f->extents, d->count);
    if (s->labels)
        CLC_NEW(d->labels, d->count);
    for (size_t i = 0; i < d->count; i++) {
        const size_t k = chosen[i];
        f->firsts[i + 1] = (int32_t)(i + 1);
        f->extents[i] = s->extents[k];
        if (s->labels)
            d->labels[i] = s->labels[k];
        CLC_TRY(
            clc_names_add(&d->names, clc_names_at(&s->names, k), clc_names_length(&s->names, k)));
    }
    d->classes = (int)s->classes.count;
    for (size_t i = 0; i < s->classes.count; i++)
        CLC_TRY(clc_names_add(&d->class_names, clc_names_at(&s->classes, i),
                              clc_names_length(&s->classes, i)));
    for (size_t i = 0; i < s->bad.count; i++)
        CLC_TRY(clc_bad_files_add(&d->bad, clc_names_at(&s->bad.entries, 2 * i),
                                  clc_names_at(&s->bad.entries, 2 * i + 1)));
fail:
    return status;
}

static clc_status choose_samples(const clc_config_data *c, clc_split split, bool share,
                                 const clc_series *s, uint32_t **chosen, clc_dataset *d) {
    clc_status status = CLC_OK;
    CLC_NEW(*chosen, s->count);
    for (size_t i = 0; i < s->count; i++) {
        const char *name = clc_base_name(clc_names_at(&s->names, i));
        const bool test = share && clc_in_test_share(name, c->test_fraction);
        if (!share || test == (split == CLC_SPLIT_TEST))
            (*chosen)[d->count++] = (uint32_t)i;
    }
    if (split == CLC_SPLIT_TRAIN && c->limit > 0 && d->count > (size_t)c->limit)
        d->count = (size_t)c->limit;
    if (d->count == 0)
        status = clc_fail(CLC_FORMAT, "%s: there is no series for %s", d->name,
                          split == CLC_SPLIT_TEST ? "tests" : "training");
fail:
    return status;
}

/* The values of the samples alone, one behind the other: what is left out has no say in means. */
static clc_status pack_values(clc_series *s, clc_dataset *d) {
    clc_status status = CLC_OK;
    clc_field *f = &d->fields[0];
    const size_t channels = (size_t)s->channels;
    f->channels = s->channels;
    for (size_t i = 0; i < f->count; i++)
        f->total += (size_t)f->extents[i].length;
    CLC_NEW(f->values, f->total * channels);
    for (size_t i = 0, at = 0; i < f->count; i++) {
        const size_t n = (size_t)f->extents[i].length;
        memcpy(f->values + at * channels, s->values + f->extents[i].offset * channels,
               n * channels * sizeof *f->values);
        f->extents[i].offset = at;
        at += n;
    }
fail:
    return status;
}

static clc_status check_channels(const clc_dataset *train, const clc_dataset *d) {
    const int have = d->fields[0].channels;
    if (!train || train->fields[0].channels == have)
        return CLC_OK;
    return clc_fail(CLC_FORMAT, "%s: series of %d channels; those of training have %d", d->name,
                    have, train->fields[0].channels);
}

static void log_series(const clc_dataset *d) {
    const clc_field *f = &d->fields[0];
    char classes[64] = "";
    if (d->labels)
        snprintf(classes, sizeof classes, ", %d classes", d->classes);
    clc_log("data: %zu series of %d channels%s from %s; %.1f steps in the mean, at most %d",
            d->count, f->channels, classes, d->name, (double)f->total / (double)f->count,
            f->longest);
    if (d->bad.count)
        clc_log("data: %zu series or rows are left out; the first: %s: %s", d->bad.count,
                clc_names_at(&d->bad.entries, 0), clc_names_at(&d->bad.entries, 1));
}

static clc_status open_series(const clc_config_data *c, const clc_names *paths, clc_split split,
                              bool share, const clc_dataset *train, clc_dataset *d) {
    clc_status status = CLC_OK;
    const bool test = split == CLC_SPLIT_TEST && *c->test;
    clc_series *s = NULL;
    uint32_t *chosen = NULL;
    const clc_series_options options = {.config = c,
                                        .lengths = test ? c->test_lengths : c->train_lengths,
                                        .labels = test ? c->test_labels : c->train_labels,
                                        .split = split,
                                        .known = train ? &train->class_names : NULL};
    CLC_TRY(clc_series_open_all(paths, &options, &s));
    CLC_TRY(choose_samples(c, split, share && !s->divided, s, &chosen, d));
    CLC_TRY(take_samples(s, chosen, d));
    CLC_TRY(clc_bad_files_check(&d->bad, s->count + d->bad.count, c->on_bad == CLC_CONFIG_BAD_STOP,
                                c->bad_limit));
    d->divided = s->divided;
    d->fields[0].count = d->count;
    status = pack_values(s, d);
fail:
    free(chosen);
    clc_series_close(&s);
    return status;
}

/* ---- pictures ---- */

/* A picture's rows become steps, its columns and channels the step's channels. */
static clc_status take_rows(const clc_dataset *p, clc_dataset *d) {
    clc_status status = CLC_OK;
    clc_field *f = &d->fields[0];
    const size_t channels = (size_t)p->width * (size_t)p->channels;
    f->channels = (int)channels;
    f->count = p->count;
    for (size_t i = 0; i < p->count; i++)
        f->total += (size_t)p->places[i].height;
    CLC_NEW(f->values, f->total * channels);
    CLC_NEW(f->firsts, p->count + 1);
    CLC_NEW(f->extents, p->count);
    for (size_t i = 0, step = 0; i < p->count; i++) {
        const clc_place *place = &p->places[i];
        const size_t n = (size_t)place->height * channels;
        if (place->width != p->width)
            return clc_fail(CLC_INVALID,
                            "%s: pictures read as series have to be equally wide, but there are "
                            "such of %d and of %d pixels",
                            p->name, place->width, p->width);
        for (size_t k = 0; k < n; k++)
            f->values[step * channels + k] = (float)p->pixels[place->offset + k] / 255.0f;
        f->extents[i] = (clc_extent){step, place->height, 0};
        f->firsts[i + 1] = (int32_t)(i + 1);
        step += (size_t)place->height;
        const char *name = clc_dataset_sample_name(p, i);
        CLC_TRY(clc_names_add(&d->names, name, strlen(name)));
    }
fail:
    return status;
}

static clc_status open_pictures(const clc_config *config, clc_split split, const clc_dataset *train,
                                clc_dataset *d) {
    clc_status status = CLC_OK;
    clc_dataset *p = NULL;
    clc_config c = *config;
    c.data.as = CLC_CONFIG_AS_IMAGES;
    c.data.residency = CLC_CONFIG_RESIDENCY_HOST;
    CLC_TRY(clc_dataset_open(&c, split, train, &p));
    memcpy(d->name, p->name, sizeof d->name);
    if (!p->pixels)
        CLC_TRY(
            clc_fail(CLC_INVALID, "%s: pictures read as series have to fit into memory", p->name));
    d->count = p->count;
    CLC_TRY(take_rows(p, d));
    d->labels = p->labels;
    d->classes = p->classes;
    d->class_names = p->class_names;
    d->bad = p->bad;
    d->divided = clc_source_configured(&config->data, CLC_SPLIT_TEST);
    p->labels = NULL;
    p->class_names = (clc_names){0};
    p->bad = (clc_bad_files){0};
fail:
    clc_dataset_free(&p);
    return status;
}

clc_status clc_dataset_open_series(const clc_config *config, const clc_names *paths,
                                   clc_split split, bool share, const clc_dataset *train,
                                   clc_dataset *d) {
    clc_status status = CLC_OK;
    d->field_count = 1;
    d->fields[0].kind = CLC_KIND_SERIES;
    snprintf(d->fields[0].name, sizeof d->fields[0].name, "series");
    if (clc_series_recognise(&config->data, clc_names_at(paths, 0))) {
        clc_dataset_name(paths, d->name);
        CLC_TRY(open_series(&config->data, paths, split, share, train, d));
    } else {
        CLC_TRY(open_pictures(config, split, train, d));
    }
    CLC_TRY(check_channels(train, d));
    CLC_TRY(clc_field_measure(&d->fields[0]));
    log_series(d);
fail:
    return status;
}
