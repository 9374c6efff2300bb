/* Series of several files as one set. */
#include "data/format.h"
#include "data/series.h"
#include "data/source_paths.h"

#include <string.h>

typedef struct join {
    clc_series *all;
    clc_name_set classes; /* of all files; all->labels are numbers in it */
    size_t with_labels;   /* files */
} join;

static clc_status resize(void *array, size_t count, size_t size) {
    void **at = array, *grown = realloc(*at, count * size + 1);
    if (!grown)
        return clc_fail_alloc(count * size);
    *at = grown;
    return CLC_OK;
}

static clc_status add_names(const clc_names *names, clc_names *to) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < names->count; i++)
        CLC_TRY(clc_names_add(to, clc_names_at(names, i), clc_names_length(names, i)));
fail:
    return status;
}

static clc_status add_labels(join *j, const clc_series *s) {
    clc_status status = CLC_OK;
    int32_t *labels = j->all->labels + j->all->count;
    size_t number;
    j->with_labels += s->labels != NULL;
    for (size_t i = 0; i < s->count; i++) {
        labels[i] = -1;
        if (!s->labels || s->labels[i] < 0)
            continue;
        const size_t class = (size_t)s->labels[i];
        CLC_TRY(clc_name_set_add(&j->classes, clc_names_at(&s->classes, class),
                                 clc_names_length(&s->classes, class), &number, NULL));
        labels[i] = (int32_t)number;
    }
fail:
    return status;
}

static clc_status append(join *j, const clc_series *s) {
    clc_status status = CLC_OK;
    clc_series *all = j->all;
    const size_t count = all->count + s->count, channels = (size_t)s->channels;
    CLC_TRY(resize(&all->extents, count, sizeof *all->extents));
    CLC_TRY(resize(&all->labels, count, sizeof *all->labels));
    CLC_TRY(resize(&all->values, (all->steps + s->steps) * channels, sizeof *all->values));
    memcpy(all->values + all->steps * channels, s->values,
           s->steps * channels * sizeof *all->values);
    for (size_t i = 0; i < s->count; i++) {
        all->extents[all->count + i] = s->extents[i];
        all->extents[all->count + i].offset += all->steps;
    }
    CLC_TRY(add_labels(j, s));
    CLC_TRY(add_names(&s->names, &all->names));
    CLC_TRY(add_names(&s->bad.entries, &all->bad.entries));
    all->bad.count += s->bad.count;
    all->channels = s->channels;
    all->count = count;
    all->steps += s->steps;
fail:
    return status;
}

static clc_status check_like(const join *j, const clc_series *s, const char *path,
                             const char *other) {
    if (s->channels != j->all->channels)
        return clc_fail(CLC_FORMAT, "%s: series of %d channels; those of %s have %d", path,
                        s->channels, other, j->all->channels);
    if (s->divided != j->all->divided)
        return clc_fail(CLC_FORMAT,
                        "of %s and %s one has a column of splits and the other has none", other,
                        path);
    return CLC_OK;
}

/* As many files as there are of series, or none. */
static clc_status beside(const char *value, const char *what, const clc_names *paths,
                         clc_names *files) {
    const clc_status status = clc_source_paths(value ? value : "", files);
    if (status == CLC_OK && files->count && files->count != paths->count)
        return clc_fail(CLC_INVALID, "%zu files of series, but %zu of their %s", paths->count,
                        files->count, what);
    return status;
}

static clc_status finish(join *j, const clc_names *known) {
    clc_series *all = j->all;
    if (j->with_labels)
        return clc_classes_number(&j->classes, known, all->labels, all->count, &all->classes);
    free(all->labels);
    all->labels = NULL;
    return CLC_OK;
}

clc_status clc_series_open_all(const clc_names *paths, const clc_series_options *options,
                               clc_series **series) {
    clc_status status = CLC_OK;
    clc_names lengths = {0}, labels = {0};
    clc_series *s = NULL;
    join j = {0};
    *series = NULL;
    if (paths->count == 1)
        return clc_series_open(clc_names_at(paths, 0), options, series);
    CLC_NEW(j.all, 1);
    CLC_TRY(beside(options->lengths, "lengths", paths, &lengths));
    CLC_TRY(beside(options->labels, "classes", paths, &labels));
    for (size_t i = 0; i < paths->count; i++) {
        clc_series_options one = *options;
        one.known = NULL;
        one.lengths = lengths.count ? clc_names_at(&lengths, i) : NULL;
        one.labels = labels.count ? clc_names_at(&labels, i) : NULL;
        CLC_TRY(clc_series_open(clc_names_at(paths, i), &one, &s));
        if (i > 0)
            CLC_TRY(check_like(&j, s, clc_names_at(paths, i), clc_names_at(paths, i - 1)));
        j.all->divided = s->divided;
        CLC_TRY(append(&j, s));
        clc_series_close(&s);
    }
    CLC_TRY(finish(&j, options->known));
    *series = j.all;
    j.all = NULL;
fail:
    clc_series_close(&s);
    clc_series_close(&j.all);
    clc_name_set_free(&j.classes);
    clc_names_free(&lengths);
    clc_names_free(&labels);
    return status;
}
