/* Histograms of colours against counting. */
#include "device/program.h"
#include "device/sequence.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>

typedef struct histogram_case {
    int images, area, channels, bins, joint;
    size_t groups;
} histogram_case;

static int size_of(const histogram_case *c) {
    int size = c->joint ? 1 : c->channels;
    for (int i = 0; i < (c->joint ? c->channels : 1); i++)
        size *= c->bins;
    return size;
}

/* The first bin that a value is below the end of. */
static int bin_of(double value, int bins) {
    for (int b = 0; b < bins - 1; b++)
        if (value < (b + 1.0) / bins)
            return b;
    return bins - 1;
}

static double *reference(const histogram_case *c, const float *pixels) {
    const int size = size_of(c);
    double *shares = calloc((size_t)(c->images * size), sizeof *shares);
    assert_non_null(shares);
    for (int i = 0; i < c->images; i++)
        for (int p = 0; p < c->area; p++) {
            const float *value = pixels + (size_t)((i * c->area + p) * c->channels);
            int joint = 0;
            for (int ch = 0; ch < c->channels; ch++) {
                const int bin = bin_of((double)value[ch], c->bins);
                joint = joint * c->bins + bin;
                if (!c->joint)
                    shares[i * size + ch * c->bins + bin] += 1.0 / c->area;
            }
            if (c->joint)
                shares[i * size + joint] += 1.0 / c->area;
        }
    return shares;
}

/* Values k / 256 lie on the bounds of 2^n bins: both sides of a bound are met, and none rounds.
 * Some are beyond 0 and 1. */
static void check_case(const histogram_case *c) {
    const size_t count = (size_t)(c->images * c->area * c->channels);
    float *pixels = test_random(count, 3);
    for (size_t i = 0; i < count; i++)
        pixels[i] = floorf(pixels[i] * 140 + 128) / 256;
    double *want = reference(c, pixels);
    test_buffer in = test_buffer_make("pixels", pixels, count);
    test_buffer out = test_buffer_make("histogram", NULL, (size_t)(c->images * size_of(c)));
    const clc_launch_spec spec = {.source = "eval/histogram.cl",
                                  .kernel = "histogram_count",
                                  .groups = {c->groups},
                                  .local = {test_device()->group_size},
                                  .op = "histogram"};
    clc_sequence sequence = {0};
    CHECK(CLC_LAUNCH(&sequence, test_device(), &spec, CLC_MEM(in.mem), CLC_MEM(out.mem),
                     CLC_INT(c->images), CLC_INT(c->area), CLC_INT(c->channels), CLC_INT(c->bins),
                     CLC_INT(c->joint), CLC_INT(size_of(c))));
    test_run(&sequence);
    test_expect(&out, want, 1e-6); /* counts are exact; one division */
    test_buffer_release(&in);
    test_buffer_release(&out);
    free(pixels);
    free(want);
}

static void shares_agree_with_counting(void **state) {
    (void)state;
    static const histogram_case cases[] = {{1, 1, 1, 1, 0, 1},    {1, 1, 3, 8, 1, 4},
                                           {7, 49, 1, 64, 0, 3},  {5, 31, 3, 8, 1, 2},
                                           {67, 16, 4, 16, 0, 5}, {3, 100, 2, 4, 1, 17}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shares_agree_with_counting)};
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
