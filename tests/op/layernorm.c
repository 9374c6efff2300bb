/* Layer normalisation against its reference: any sizes, rows with a large mean, constant rows. */
#include "differences.h"
#include "harness.h"
#include "node_case.h"

#include <math.h>
#include <stdlib.h>

typedef struct reference {
    size_t rows, channels;
    double eps;
    double *x, *weight, *bias, *y, *dy;
    double *dx, *dweight, *dbias;
} reference;

static void forward(const reference *r) {
    for (size_t i = 0; i < r->rows; i++) {
        const double *x = r->x + i * r->channels;
        double mean = 0, variance = 0;
        for (size_t c = 0; c < r->channels; c++)
            mean += x[c] / (double)r->channels;
        for (size_t c = 0; c < r->channels; c++)
            variance += (x[c] - mean) * (x[c] - mean) / (double)r->channels;
        for (size_t c = 0; c < r->channels; c++)
            r->y[i * r->channels + c] =
                (x[c] - mean) / sqrt(variance + r->eps) * r->weight[c] + r->bias[c];
    }
}

static void backward_row(const reference *r, size_t i) {
    const size_t n = r->channels;
    const double *x = r->x + i * n, *dy = r->dy + i * n;
    double mean = 0, variance = 0, sum_g = 0, sum_gn = 0;
    for (size_t c = 0; c < n; c++)
        mean += x[c] / (double)n;
    for (size_t c = 0; c < n; c++)
        variance += (x[c] - mean) * (x[c] - mean) / (double)n;
    const double scale = 1 / sqrt(variance + r->eps);
    for (size_t c = 0; c < n; c++) {
        const double normal = (x[c] - mean) * scale, g = dy[c] * r->weight[c];
        r->dweight[c] += dy[c] * normal;
        r->dbias[c] += dy[c];
        sum_g += g / (double)n;
        sum_gn += g * normal / (double)n;
    }
    for (size_t c = 0; c < n; c++)
        r->dx[i * n + c] = scale * (dy[c] * r->weight[c] - sum_g - (x[c] - mean) * scale * sum_gn);
}

static reference make(size_t rows, size_t channels, const float *const values[4]) {
    const size_t count = rows * channels;
    reference r = {.rows = rows,
                   .channels = channels,
                   .eps = (double)1e-5f,
                   .x = node_case_widen(values[0], count),
                   .weight = node_case_widen(values[1], channels),
                   .bias = node_case_widen(values[2], channels),
                   .dy = node_case_widen(values[3], count),
                   .y = zeros(count),
                   .dx = zeros(count),
                   .dweight = zeros(channels),
                   .dbias = zeros(channels)};
    forward(&r);
    for (size_t i = 0; i < rows; i++)
        backward_row(&r, i);
    return r;
}

static void release(reference *r) {
    double *const all[] = {r->x, r->weight, r->bias, r->y, r->dy, r->dx, r->dweight, r->dbias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static double loss(void *context) {
    const reference *r = context;
    forward(r);
    return dot(r->y, r->dy, r->rows * r->channels);
}

static void reference_agrees_with_finite_differences(void **state) {
    enum { ROWS = 3, CHANNELS = 5 };
    float *values[4];
    (void)state;
    for (int i = 0; i < 4; i++)
        values[i] = test_random(ROWS * CHANNELS, (uint64_t)i + 1);
    reference r = make(ROWS, CHANNELS, (const float *const *)values);
    check_differences("x", loss, &r, r.x, ROWS * CHANNELS, r.dx);
    check_differences("weight", loss, &r, r.weight, CHANNELS, r.dweight);
    check_differences("bias", loss, &r, r.bias, CHANNELS, r.dbias);
    release(&r);
    for (int i = 0; i < 4; i++)
        free(values[i]);
}

/* Row 0 lies far from 0, row 1 is constant. */
static void spoil(float *x, size_t rows, size_t channels) {
    for (size_t c = 0; c < channels; c++)
        x[c] += 100;
    for (size_t c = 0; rows > 1 && c < channels; c++)
        x[channels + c] = 0.5f;
}

static void check(int rows, int channels, bool training, bool spoilt) {
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    float *values[4];
    const size_t count = (size_t)rows * (size_t)channels;
    for (int i = 0; i < 4; i++)
        values[i] = test_random(i == 1 || i == 2 ? (size_t)channels : count, (uint64_t)i + 1);
    if (spoilt)
        spoil(values[0], (size_t)rows, (size_t)channels);
    node_case_begin(&c, training);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_rows(rows, channels), true, &x));
    CHECK(clc_op_layernorm(c.graph, "ln", x, 1e-5f, &y));
    node_case_build(&c);
    node_case_set(x, values[0]);
    node_case_set_param(&c, "ln.weight", values[1]);
    node_case_set_param(&c, "ln.bias", values[2]);
    node_case_forward(&c);
    reference r = make((size_t)rows, (size_t)channels, (const float *const *)values);
    /* Means of numbers near 100 are off by 100 roundings, 6e-6, and deviations of 0.3 or more
     * divide by as much; few channels can lie closer together. A constant row's dx is dy /
     * sqrt(eps). */
    const double tolerance = (spoilt ? 1e-3 : 2e-5), scale = spoilt ? 320 : 30;
    node_case_expect(&c, y, r.y, tolerance);
    if (training) {
        node_case_set_grad(y, values[3]);
        node_case_backward(&c);
        node_case_expect_grad(&c, x, r.dx, tolerance * scale);
        node_case_expect_param(&c, "ln.weight", r.dweight, tolerance * rows);
        node_case_expect_param(&c, "ln.bias", r.dbias, 1e-6 * rows);
    }
    node_case_end(&c);
    release(&r);
    for (int i = 0; i < 4; i++)
        free(values[i]);
}

static void all_sizes(void **state) {
    static const int sizes[][2] = {{1, 1},   {1, 17},  {2, 2},    {5, 16},  {7, 31},
                                   {13, 64}, {65, 33}, {130, 63}, {31, 65}, {3, 192}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check(sizes[i][0], sizes[i][1], true, false);
}

static void inference(void **state) {
    (void)state;
    check(9, 40, false, false);
}

static void far_and_constant_rows(void **state) {
    (void)state;
    check(4, 48, true, true);
    check(2, 37, true, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(all_sizes),
        cmocka_unit_test(inference),
        cmocka_unit_test(far_and_constant_rows),
    };
    return cmocka_run_group_tests_name("layernorm", tests, NULL, test_close_device);
}
