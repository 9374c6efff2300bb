#include "data/scale.h"

#include <math.h>
#include <stdbool.h>
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

#define INLINED static inline __attribute__((always_inline))

/* sum (n) = (first) or += `count` rows that lie `stride` bytes apart, weighted. Inlined, so that
 * count and first are constants. */
INLINED void add_rows(const uint8_t *restrict rows, size_t stride, const float *restrict weights,
                      int count, bool first, float *restrict sum, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float s = first ? 0 : sum[i];
        for (int k = 0; k < count; k++)
            s += weights[k] * (float)rows[(size_t)k * stride + i];
        sum[i] = s;
    }
}

/* The sum (n) of `count` rows, by four: it would else travel to the cache and back for each. */
INLINED void sum_rows(const uint8_t *rows, size_t stride, const float *weights, int count,
                      float *sum, size_t n) {
    switch (count % 4) { /* the odd ones come first */
    case 1:
        add_rows(rows, stride, weights, 1, true, sum, n);
        break;
    case 2:
        add_rows(rows, stride, weights, 2, true, sum, n);
        break;
    case 3:
        add_rows(rows, stride, weights, 3, true, sum, n);
        break;
    default:
        add_rows(rows, stride, weights, 4, true, sum, n);
        break;
    }
    for (int k = count % 4 ? count % 4 : 4; k < count; k += 4)
        add_rows(rows + (size_t)k * stride, stride, weights + k, 4, false, sum, n);
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

/* A mean of bytes: whatever the weights were rounded to, it is at least 0 and below 255.5. */
static uint8_t to_byte(float value) {
    return (uint8_t)(value + 0.5f);
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
