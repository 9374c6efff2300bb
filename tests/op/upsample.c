/* Bilinear interpolation against its reference: sizes that don't divide each other, one pixel,
 * smaller outputs. */
#include "harness.h"
#include "node_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
    int n, h, w, c, oh, ow;
} shape;

/* Where output pixel o of `outputs` looks among `size`, as torch has it. */
static void place(int o, int size, int outputs, int at[2], double weight[2]) {
    const double x = fmax((o + 0.5) * size / outputs - 0.5, 0);
    at[0] = (int)x;
    at[1] = at[0] + 1 < size ? at[0] + 1 : at[0];
    weight[1] = x - at[0];
    weight[0] = 1 - weight[1];
}

/* y of x, and dx of dy. */
static void reference(const shape *s, const double *x, double *y, const double *dy, double *dx) {
    memset(dx, 0, (size_t)(s->n * s->h * s->w * s->c) * sizeof *dx);
    for (int i = 0; i < s->n * s->oh * s->ow * s->c; i++) {
        const int c = i % s->c, ow = i / s->c % s->ow, oh = i / s->c / s->ow % s->oh;
        const int n = i / s->c / s->ow / s->oh;
        int rows[2], columns[2];
        double down[2], across[2];
        place(oh, s->h, s->oh, rows, down);
        place(ow, s->w, s->ow, columns, across);
        y[i] = 0;
        for (int k = 0; k < 4; k++) {
            const int from = ((n * s->h + rows[k / 2]) * s->w + columns[k % 2]) * s->c + c;
            y[i] += down[k / 2] * across[k % 2] * x[from];
            dx[from] += down[k / 2] * across[k % 2] * dy[i];
        }
    }
}

static void check(const shape *s) {
    const size_t inputs = (size_t)(s->n * s->h * s->w * s->c);
    const size_t outputs = (size_t)(s->n * s->oh * s->ow * s->c);
    float *x = test_random(inputs, 1), *dy = test_random(outputs, 2);
    double *wide = node_case_widen(x, inputs), *wide_dy = node_case_widen(dy, outputs);
    double *want = malloc(outputs * sizeof *want), *want_dx = malloc(inputs * sizeof *want_dx);
    const double share = ((double)s->oh / s->h + 2) * ((double)s->ow / s->w + 2) * 4;
    node_case c;
    clc_tensor *in = NULL, *out = NULL;
    reference(s, wide, want, wide_dy, want_dx);
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_images(s->n, s->h, s->w, s->c), true, &in));
    CHECK(clc_op_upsample(c.graph, "upsample", in, s->oh, s->ow, &out));
    assert_int_equal(out->count, outputs);
    node_case_build(&c);
    node_case_set(in, x);
    node_case_set_grad(out, dy);
    node_case_forward(&c);
    node_case_backward(&c);
    /* Two products in a row, of numbers up to 1; sums of as many as see a pixel. */
    node_case_expect(&c, out, want, 8 * 6e-8);
    node_case_expect_grad(&c, in, want_dx, share * 8 * 6e-8);
    node_case_end(&c);
    free(x);
    free(dy);
    free(wide);
    free(wide_dy);
    free(want);
    free(want_dx);
}

static void every_shape(void **state) {
    static const shape shapes[] = {
        {1, 1, 1, 1, 1, 1},   {2, 1, 1, 3, 5, 7},    {1, 4, 4, 16, 32, 32}, {3, 5, 7, 8, 11, 13},
        {2, 7, 3, 5, 14, 6},  {1, 16, 2, 1, 17, 33}, {2, 8, 8, 21, 3, 5},   {1, 2, 31, 4, 63, 32},
        {17, 3, 3, 2, 12, 9}, {1, 6, 6, 48, 6, 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(&shapes[i]);
}

/* An equal picture stays equal: weights sum up to 1, but for rounding. */
static void a_constant_stays(void **state) {
    enum { OUTPUTS = 2 * 37 * 23 };
    node_case c;
    clc_tensor *in = NULL, *out = NULL;
    float x[2 * 3 * 5], got[OUTPUTS];
    (void)state;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = 0.75f;
    node_case_begin(&c, false);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_images(2, 3, 5, 1), false, &in));
    CHECK(clc_op_upsample(c.graph, "upsample", in, 37, 23, &out));
    node_case_build(&c);
    node_case_set(in, x);
    node_case_forward(&c);
    CHECK(clc_buffer_read(test_device(), out->value, 0, sizeof got, got));
    for (int i = 0; i < OUTPUTS; i++)
        assert_true(fabsf(got[i] - 0.75f) <= 1.2e-7f);
    node_case_end(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape),
        cmocka_unit_test(a_constant_stays),
    };
    return cmocka_run_group_tests_name("upsample", tests, NULL, test_close_device);
}
