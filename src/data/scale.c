#include "data/scale.h"

#include <math.h>
#include <string.h>

/* Which elements of a line make each element of the shorter line, and by what weights. */
typedef struct taps {
    int *starts, *counts; /* (n) */
    float *weights;       /* (n,most) */
    int most;
} taps;

static void taps_free(taps *t) {
    free(t->starts);
    free(t->counts);
    free(t->weights);
}

/* Triangle of half-width `scale`, at least 1, around the middle of element i, cut at the ends of
 * the line and normalised, without the zeros at its feet. */
static void taps_of(taps *t, int i, int from, double scale, double *line) {
    const double centre = (i + 0.5) * scale, half = fmax(scale, 1.0);
    int begin = (int)fmax(centre - half + 0.5, 0.0), end = (int)fmin(centre + half + 0.5, from);
    double sum = 0;
    for (int j = begin; j < end; j++) {
        line[j - begin] = fmax(0.0, 1.0 - fabs(j - centre + 0.5) / half);
        sum += line[j - begin];
    }
    int skip = 0;
    while (begin + skip < end - 1 && line[skip] <= 0)
        skip++;
    while (end > begin + skip + 1 && line[end - begin - 1] <= 0)
        end--;
    t->starts[i] = begin + skip;
    t->counts[i] = end - begin - skip;
    for (int j = 0; j < t->counts[i]; j++)
        t->weights[i * t->most + j] = (float)(line[skip + j] / sum);
}

/* taken: of the `from` elements. */
static clc_status taps_make(taps *t, int from, double taken, int to) {
    clc_status status = CLC_OK;
    const double scale = taken / to;
    double *line = NULL;
    t->most = (int)(2 * ceil(fmax(scale, 1.0))) + 2;
    CLC_NEW(t->starts, to);
    CLC_NEW(t->counts, to);
    CLC_NEW(t->weights, (size_t)to * (size_t)t->most);
    CLC_NEW(line, t->most);
    for (int i = 0; i < to; i++)
        taps_of(t, i, from, scale, line);
fail:
    free(line);
    return status;
}

/* sum (n) of `count` rows that lie `stride` bytes apart, weighted. Four at a time: the sum would
 * else travel to the cache and back for each. */
static inline __attribute__((always_inline)) void sum_rows(const uint8_t *restrict rows,
                                                           size_t stride,
                                                           const float *restrict weights, int count,
                                                           float *restrict sum, size_t n) {
    memset(sum, 0, n * sizeof *sum);
    int k = 0;
    for (; k + 4 <= count; k += 4, rows += 4 * stride) {
        const uint8_t *restrict a = rows, *restrict b = rows + stride;
        const uint8_t *restrict c = rows + 2 * stride, *restrict d = rows + 3 * stride;
        const float u = weights[k], v = weights[k + 1], w = weights[k + 2], x = weights[k + 3];
        for (size_t i = 0; i < n; i++)
            sum[i] += u * (float)a[i] + v * (float)b[i] + w * (float)c[i] + x * (float)d[i];
    }
    for (; k < count; k++, rows += stride)
        for (size_t i = 0; i < n; i++)
            sum[i] += weights[k] * (float)rows[i];
}

static void sum_rows_anywhere(const uint8_t *rows, size_t stride, const float *weights, int count,
                              float *sum, size_t n) {
    sum_rows(rows, stride, weights, count, sum, n);
}

#if defined(__x86_64__)
/* Without fused multiplication, which would round otherwise. */
__attribute__((target("avx2"))) static void sum_rows_avx2(const uint8_t *rows, size_t stride,
                                                          const float *weights, int count,
                                                          float *sum, size_t n) {
    sum_rows(rows, stride, weights, count, sum, n);
}
#endif

typedef void (*row_summer)(const uint8_t *, size_t, const float *, int, float *, size_t);

static row_summer choose_summer(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return sum_rows_avx2;
#endif
    return sum_rows_anywhere;
}

static uint8_t to_byte(float value) {
    return (uint8_t)(fminf(fmaxf(value, 0.0f), 255.0f) + 0.5f);
}

typedef float quad __attribute__((vector_size(16)));

/* A pixel of three channels is summed as four floats; the fourth is the next pixel's and unused. */
static void shorten_rgb(const float *restrict row, const taps *t, int to_width,
                        uint8_t *restrict out) {
    for (int x = 0; x < to_width; x++) {
        const float *weights = t->weights + x * t->most, *at = row + 3 * t->starts[x];
        quad sum = {0};
        for (int k = 0; k < t->counts[x]; k++) {
            quad pixel;
            memcpy(&pixel, at + 3 * k, sizeof pixel);
            sum += pixel * weights[k];
        }
        for (int c = 0; c < 3; c++)
            out[3 * x + c] = to_byte(sum[c]);
    }
}

static void shorten(const float *restrict row, const taps *t, int to_width, int channels,
                    uint8_t *restrict out) {
    for (int x = 0; x < to_width; x++) {
        const float *weights = t->weights + x * t->most, *at = row + channels * t->starts[x];
        for (int c = 0; c < channels; c++) {
            float sum = 0;
            for (int k = 0; k < t->counts[x]; k++)
                sum += weights[k] * at[channels * k + c];
            out[channels * x + c] = to_byte(sum);
        }
    }
}

clc_status clc_scale(const clc_scale_from *from, uint8_t *to, int to_height, int to_width) {
    clc_status status = CLC_OK;
    taps rows = {0}, columns = {0};
    float *sum = NULL;
    const int channels = from->channels;
    const size_t stride = (size_t)from->width * (size_t)channels;
    const row_summer summer = choose_summer();
    CLC_TRY(taps_make(&rows, from->height, from->rows, to_height));
    CLC_TRY(taps_make(&columns, from->width, from->columns, to_width));
    CLC_NEW(sum, stride + 1); /* one more: see shorten_rgb */
    /* Rows are summed first: that is long lines of bytes, and leaves little to do along them. */
    for (int y = 0; y < to_height; y++) {
        uint8_t *out = to + (size_t)y * (size_t)to_width * (size_t)channels;
        summer(from->pixels + (size_t)rows.starts[y] * stride, stride, rows.weights + y * rows.most,
               rows.counts[y], sum, stride);
        if (channels == 3)
            shorten_rgb(sum, &columns, to_width, out);
        else
            shorten(sum, &columns, to_width, channels, out);
    }
fail:
    taps_free(&rows);
    taps_free(&columns);
    free(sum);
    return status;
}
