/* Series in NumPy's files. */
#include "data/array_file.h"
#include "data/format.h"
#include "data/labels.h"
#include "data/series.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 4096 };

static clc_status check_shape(const clc_array_file *f, const char *path) {
    const clc_array *a = &f->array;
    if (a->rank != 2 && a->rank != 3)
        return clc_fail(CLC_FORMAT,
                        "%s: an array of rank %d; series are (N,T,C), or (N,T) of one channel",
                        path, a->rank);
    const uint64_t channels = a->rank == 3 ? a->shape[2] : 1;
    if (a->shape[0] > INT32_MAX || a->shape[1] < 1 || a->shape[1] > INT32_MAX || channels < 1 ||
        channels > 65536)
        return clc_fail(CLC_FORMAT,
                        "%s: %" PRIu64 " series of %" PRIu64 " steps of %" PRIu64
                        " channels; up to 65536 channels and 2^31 - 1 of the others are possible",
                        path, a->shape[0], a->shape[1], channels);
    return CLC_OK;
}

/* All elements as floats, some items at a time. */
static clc_status read_values(const clc_array_file *f, clc_series *s) {
    clc_status status = CLC_OK;
    const clc_array *a = &f->array;
    const size_t count = (size_t)a->shape[0];
    const size_t each = (size_t)a->shape[1] * (size_t)s->channels;
    uint8_t *bytes = NULL;
    CLC_NEW(bytes, CHUNK * f->item);
    CLC_NEW(s->values, count * each);
    for (size_t first = 0; first < count; first += CHUNK) {
        const size_t n = count - first < CHUNK ? count - first : CHUNK;
        CLC_TRY(clc_array_read(f, first, n, bytes));
        clc_elements_to_floats(a->element, a->swapped, bytes, n * each, s->values + first * each);
    }
fail:
    free(bytes);
    return status;
}

static clc_status name_all(const char *path, size_t count, clc_series *s) {
    clc_status status = CLC_OK;
    char name[640];
    CLC_NEW(s->extents, count);
    for (size_t i = 0; i < count; i++) {
        const int n = snprintf(name, sizeof name, "%.600s#%zu", path, i);
        CLC_TRY(clc_names_add(&s->names, name, (size_t)n));
    }
fail:
    return status;
}

static clc_status read_lengths(const char *path, const char *series, size_t count,
                               int64_t **lengths) {
    clc_status status = CLC_OK;
    clc_array_file f;
    uint8_t *bytes = NULL;
    CLC_TRY(clc_array_open(path, clc_npy_parse, &f));
    if (f.array.rank != 1 || f.array.shape[0] != count)
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: lengths are an array of the %zu series of %s, not this",
                         path, count, series));
    CLC_NEW(bytes, count * f.item);
    CLC_NEW(*lengths, count);
    CLC_TRY(clc_array_read(&f, 0, count, bytes));
    if (!clc_elements_to_integers(f.array.element, f.array.swapped, bytes, count, *lengths))
        status = clc_fail(CLC_FORMAT, "%s: its lengths are no whole numbers", path);
fail:
    clc_array_close(&f);
    free(bytes);
    return status;
}

/* Steps without those at the end that are no numbers at all. */
static int64_t own_length(const float *values, int64_t steps, size_t channels) {
    for (; steps > 0; steps--)
        for (size_t c = 0; c < channels; c++)
            if (!isnan(values[(size_t)(steps - 1) * channels + c]))
                return steps;
    return 0;
}

/* Sets the lengths and leaves out what can't be used. */
static clc_status set_extents(const int64_t *lengths, size_t count, int64_t steps, clc_series *s) {
    clc_status status = CLC_OK;
    clc_series_sieve sieve = {.series = s};
    const size_t channels = (size_t)s->channels;
    char text[96];
    for (size_t i = 0; i < count; i++) {
        const float *values = s->values + i * (size_t)steps * channels;
        const int64_t length = lengths ? lengths[i] : own_length(values, steps, channels);
        const char *reason = NULL;
        size_t finite = 0;
        if (length < 1 || length > steps) {
            snprintf(text, sizeof text, "its length is %" PRId64 " of %" PRId64, length, steps);
            reason = text;
        }
        while (!reason && finite < (size_t)length * channels && isfinite(values[finite]))
            finite++;
        if (!reason && finite < (size_t)length * channels) {
            snprintf(text, sizeof text, "step %zu has a value that is no finite number",
                     finite / channels);
            reason = text;
        }
        s->extents[i] = (clc_extent){i * (uint64_t)steps, (int32_t)(reason ? 0 : length), 0};
        CLC_TRY(clc_series_keep(&sieve, i, reason));
    }
    clc_series_kept(&sieve);
fail:
    clc_names_free(&sieve.names);
    return status;
}

static clc_status set_labels(const char *labels, const char *path, size_t count,
                             const clc_names *known, clc_series *s) {
    clc_status status = CLC_OK;
    int64_t *values = NULL;
    clc_listing listing = {0};
    if (!labels || !*labels)
        return CLC_OK;
    CLC_TRY(clc_labels_read(labels, path, count, &values));
    CLC_TRY(clc_labels_classes(&listing, values, count, &s->labels));
    CLC_TRY(clc_classes_number(&listing.classes, known, s->labels, count, &s->classes));
fail:
    clc_name_set_free(&listing.classes);
    free(values);
    return status;
}

clc_status clc_series_read_array(const char *path, const clc_series_options *o, clc_series *s) {
    clc_status status = CLC_OK;
    clc_array_file f = {.file = -1};
    int64_t *lengths = NULL;
    CLC_TRY(clc_array_open(path, clc_npy_parse, &f));
    CLC_TRY(check_shape(&f, path));
    const size_t count = (size_t)f.array.shape[0];
    s->channels = f.array.rank == 3 ? (int)f.array.shape[2] : 1;
    s->steps = count * (size_t)f.array.shape[1];
    CLC_TRY(read_values(&f, s));
    CLC_TRY(name_all(path, count, s));
    if (o->lengths && *o->lengths)
        CLC_TRY(read_lengths(o->lengths, path, count, &lengths));
    CLC_TRY(set_labels(o->labels, path, count, o->known, s));
    CLC_TRY(set_extents(lengths, count, (int64_t)f.array.shape[1], s));
fail:
    clc_array_close(&f);
    free(lengths);
    return status;
}
