#include "data/field.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t clc_field_data_bytes(const clc_field *f) {
    const size_t width = f->kind == CLC_KIND_SERIES ? (size_t)f->channels : 1;
    return f->total * width * sizeof(float);
}

/* In the order of the steps: the same sums everywhere. A channel that never changes has nothing to
 * scale. */
static clc_status measure_values(clc_field *f) {
    clc_status status = CLC_OK;
    const size_t channels = (size_t)f->channels;
    double *sums = NULL;
    CLC_NEW(sums, 2 * channels);
    CLC_NEW(f->mean, channels);
    CLC_NEW(f->deviation, channels);
    for (size_t i = 0; i < f->total; i++)
        for (size_t c = 0; c < channels; c++)
            sums[c] += (double)f->values[i * channels + c];
    for (size_t c = 0; c < channels; c++)
        sums[c] /= (double)f->total;
    for (size_t i = 0; i < f->total; i++)
        for (size_t c = 0; c < channels; c++) {
            const double d = (double)f->values[i * channels + c] - sums[c];
            sums[channels + c] += d * d;
        }
    for (size_t c = 0; c < channels; c++) {
        const double deviation = sqrt(sums[channels + c] / (double)f->total);
        f->mean[c] = (float)sums[c];
        f->deviation[c] = deviation > 1e-6 * (1 + fabs(sums[c])) ? (float)deviation : 1;
    }
fail:
    free(sums);
    return status;
}

clc_status clc_field_measure(clc_field *f) {
    f->longest = 0;
    for (size_t i = 0; i < f->count; i++)
        f->longest = f->extents[i].length > f->longest ? f->extents[i].length : f->longest;
    return f->kind == CLC_KIND_SERIES ? measure_values(f) : CLC_OK;
}

static int by_length(const void *a, const void *b) {
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

clc_status clc_field_holding(const clc_field *f, double share, int *length) {
    clc_status status = CLC_OK;
    int32_t *lengths = NULL;
    CLC_NEW(lengths, f->count);
    for (size_t i = 0; i < f->count; i++)
        lengths[i] = f->extents[i].length;
    qsort(lengths, f->count, sizeof *lengths, by_length);
    const double rank = ceil(share * (double)f->count);
    *length = lengths[rank >= 1 ? (size_t)rank - 1 : 0];
fail:
    free(lengths);
    return status;
}

clc_status clc_field_norm_text(const clc_field *f, char **text) {
    size_t size;
    *text = NULL;
    FILE *file = open_memstream(text, &size);
    if (!file)
        return clc_fail_alloc(4096);
    for (int c = 0; c < f->channels; c++)
        fprintf(file, "%.9g %.9g\n", (double)f->mean[c], (double)f->deviation[c]);
    return fclose(file) == 0 ? CLC_OK : clc_fail_alloc(size);
}

clc_status clc_field_norm_parse(const char *text, clc_field *norm) {
    clc_status status = CLC_OK;
    int channels = 0, used;
    for (const char *c = text; *c; c++)
        channels += *c == '\n';
    *norm = (clc_field){.kind = CLC_KIND_SERIES, .channels = channels};
    CLC_NEW(norm->mean, channels);
    CLC_NEW(norm->deviation, channels);
    for (int c = 0; c < channels; c++, text += used)
        if (sscanf(text, "%f %f\n%n", &norm->mean[c], &norm->deviation[c], &used) != 2 ||
            !isfinite(norm->mean[c]) || !(norm->deviation[c] > 0))
            CLC_TRY(clc_fail(CLC_FORMAT,
                             "mean and deviation of channel %d of the series can't be "
                             "read",
                             c));
    return CLC_OK;
fail:
    clc_field_free(norm);
    return status;
}

int clc_series_fit(const clc_field *f, size_t series, const clc_field *norm, int context,
                   float *out) {
    const clc_extent *e = &f->extents[series];
    const int length = e->length < context ? e->length : context;
    const size_t channels = (size_t)f->channels;
    const size_t first = (size_t)e->offset + (size_t)((e->length - length) / 2);
    const float *from = f->values + first * channels;
    memset(out, 0, (size_t)context * channels * sizeof *out);
    for (size_t i = 0; i < (size_t)length * channels; i++)
        out[i] = (from[i] - norm->mean[i % channels]) / norm->deviation[i % channels];
    return length;
}

void clc_field_free(clc_field *f) {
    free(f->firsts);
    free(f->extents);
    free(f->ids);
    free(f->values);
    free(f->mean);
    free(f->deviation);
    *f = (clc_field){.kind = f->kind};
}
