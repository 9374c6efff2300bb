/* Class vectors and cosines with them, against the definition in double. */
#include "eval/zeroshot.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double dot(const float *a, const float *b, size_t dim) {
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double cosine(const float *a, const float *b, size_t dim) {
    return dot(a, b, dim) / sqrt(dot(a, a, dim) * dot(b, b, dim));
}

/* The first embedding of a class is long: what counts is its direction. */
static void vectors_are_means_of_directions(void **state) {
    (void)state;
    enum { CLASSES = 5, TEMPLATES = 3, DIM = 17 };
    float *x = test_random(CLASSES * TEMPLATES * DIM, 1), got[CLASSES * DIM];
    for (int i = 0; i < DIM; i++)
        x[i] *= 1000;
    memset(x + TEMPLATES * DIM, 0, DIM * sizeof *x); /* one is zero: no direction */
    clc_zeroshot_vectors(x, CLASSES, TEMPLATES, DIM, got);
    for (size_t c = 0; c < CLASSES; c++) {
        double mean[DIM] = {0}, squares = 0;
        for (size_t t = 0; t < TEMPLATES; t++) {
            const float *from = x + (c * TEMPLATES + t) * DIM;
            const double length = sqrt(dot(from, from, DIM));
            for (size_t i = 0; i < DIM; i++)
                mean[i] += length > 0 ? (double)from[i] / length : 0;
        }
        for (size_t i = 0; i < DIM; i++)
            squares += mean[i] * mean[i];
        for (size_t i = 0; i < DIM; i++) /* sums of 3 and two divisions, rounded to float */
            assert_true(fabs((double)got[c * DIM + i] - mean[i] / sqrt(squares)) <= 3e-7);
    }
    free(x);
}

static void opposite_texts_cancel_out(void **state) {
    (void)state;
    const float x[] = {3, -4, -3, 4};
    float got[2] = {7, 7};
    clc_zeroshot_vectors(x, 1, 2, 2, got);
    assert_true(fabsf(got[0]) < 1e-6f && fabsf(got[1]) < 1e-6f);
}

typedef struct expectation {
    const float *classes, *images;
    size_t class_count, dim, seen;
} expectation;

static clc_status compare(void *context, size_t first, size_t rows, const float *cosines) {
    expectation *e = context;
    assert_int_equal(first, e->seen);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = r % 7; c < e->class_count; c += 7) {
            const double want =
                cosine(e->images + (first + r) * e->dim, e->classes + c * e->dim, e->dim);
            const double got = (double)cosines[r * e->class_count + c];
            if (!(fabs(got - want) <= (4 * sqrt((double)e->dim) + 4) * 6e-8)) /* as kNN's */
                fail_msg("image %zu, class %zu: %g, expected %g", first + r, c, got, want);
        }
    e->seen += rows;
    return CLC_OK;
}

/* Also more classes than a tile has. */
static void cosines_agree_with_the_definition(void **state) {
    (void)state;
    static const size_t sizes[][3] = {{1, 1, 1}, {3, 17, 5}, {4999, 37, 6}, {2, 2111, 3}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t classes = sizes[i][0], images = sizes[i][1], dim = sizes[i][2];
        if (!test_affordable((double)(classes * images * dim)))
            continue;
        float *c = test_random(classes * dim, 3), *x = test_random(images * dim, 4);
        clc_features known = test_features(c, classes, (int)dim),
                     asked = test_features(x, images, (int)dim);
        expectation e = {c, x, classes, dim, 0};
        CHECK(clc_zeroshot_each(test_device(), &known, &asked, compare, &e));
        assert_int_equal(e.seen, images);
        clc_buffer_release(test_device(), &known.data);
        clc_buffer_release(test_device(), &asked.data);
        free(c);
        free(x);
    }
}

static void probabilities_are_a_softmax(void **state) {
    (void)state;
    const float cosines[] = {0.9f, 0.8f, -1};
    double p[3];
    clc_zeroshot_probabilities(cosines, 3, 10, p);
    const double sum = exp(9) + exp(8) + exp(-10);
    assert_true(fabs(p[0] - exp(9) / sum) < 1e-6 && fabs(p[2] - exp(-10) / sum) < 1e-12);
    clc_zeroshot_probabilities(cosines, 3, 1e6, p);
    assert_true(p[0] >= 1 && p[1] <= 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_means_of_directions),
        cmocka_unit_test(opposite_texts_cancel_out),
        cmocka_unit_test(cosines_agree_with_the_definition),
        cmocka_unit_test(probabilities_are_a_softmax),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
