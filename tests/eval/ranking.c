/* Retrieval by labels: measures against their definition over every order of ties, and rankings of
 * the device against a brute-force one in double. */
#include "eval/ranking.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- measures ---- */

/* The definitions, of rows in their order. */
static void add_plain(const bool *relevant, int count, clc_ranking_measures *sum) {
    int n = 0, found = 0;
    for (int i = 0; i < count; i++)
        n += relevant[i];
    for (int i = 0; i < count; i++) {
        if (!relevant[i])
            continue;
        found++;
        sum->reciprocal_rank += found == 1 ? 1.0 / (i + 1) : 0;
        sum->average_precision += (double)found / (i + 1) / n;
        sum->r_precision += i < n ? 1.0 / n : 0;
        sum->precision_at_r += i < n ? (double)found / (i + 1) / n : 0;
    }
}

/* Over all orders of relevant[first] to before relevant[end]. */
static void add_orders(bool *relevant, int count, int first, int end, int *orders,
                       clc_ranking_measures *sum) {
    if (end - first < 2) {
        add_plain(relevant, count, sum);
        ++*orders;
        return;
    }
    for (int i = first; i < end; i++) {
        const bool kept = relevant[first];
        relevant[first] = relevant[i];
        relevant[i] = kept;
        add_orders(relevant, count, first + 1, end, orders, sum);
        relevant[i] = relevant[first];
        relevant[first] = kept;
    }
}

static void expect_measures(const clc_ranking_measures *got, const clc_ranking_measures *want,
                            double scale, double tolerance) {
    assert_true(fabs(got->reciprocal_rank - want->reciprocal_rank * scale) <= tolerance);
    assert_true(fabs(got->average_precision - want->average_precision * scale) <= tolerance);
    assert_true(fabs(got->r_precision - want->r_precision * scale) <= tolerance);
    assert_true(fabs(got->precision_at_r - want->precision_at_r * scale) <= tolerance);
}

/* Rows by falling similarity; of equal ones those from `first` to before `end` are a tie. */
static void check_tie(const char *order, int first, int end) {
    enum { MOST = 12 };
    bool relevant[MOST];
    float values[MOST];
    int32_t counts[2 * MOST + 1] = {0}, n = 0, tied = -1;
    int orders = 0;
    const int count = (int)strlen(order);
    clc_ranking_measures want = {0}, got;
    for (int i = 0; i < count; i++) {
        relevant[i] = order[i] == 'r';
        if (!relevant[i])
            continue;
        tied = tied < 0 && i >= first && i < end ? n : tied;
        values[n++] = 1.0f - 0.07f * (float)(i >= first && i < end ? first : i);
    }
    for (int i = 0, passed = 0; i < count; passed += relevant[i], i++)
        if (!relevant[i])
            counts[i >= first && i < end && tied >= 0 ? 2 * tied + 1 : 2 * passed]++;
    add_orders(relevant, count, first, end, &orders, &want);
    const clc_ranking ranking = {n, counts, values};
    clc_ranking_measure(&ranking, &got);
    expect_measures(&got, &want, 1.0 / orders, 1e-12);
}

static void measures_are_means_over_the_orders_of_ties(void **state) {
    (void)state;
    check_tie("rnrnnr", 0, 0);
    check_tie("nnr", 0, 3);
    check_tie("nnrrn", 1, 5);
    check_tie("rrrr", 0, 4);
    check_tie("rnnrrnr", 2, 6);
    check_tie("nrnrnrnr", 0, 7);
    check_tie("rnrrnnrn", 3, 8);
}

/* ---- rankings ---- */

typedef struct ranking_case {
    size_t rows, queries; /* queries 0: each row of the bank */
    int dim, classes;
    bool exact; /* vectors with a single 1: most cosines are ties */
} ranking_case;

static float *vectors(size_t rows, int dim, bool exact, uint64_t seed) {
    float *x = test_random(rows * (size_t)dim, seed);
    clc_rng rng = clc_rng_make(seed, 3);
    for (size_t r = 0; exact && r < rows; r++) {
        memset(x + r * (size_t)dim, 0, (size_t)dim * sizeof *x);
        x[r * (size_t)dim + clc_rng_below(&rng, (uint32_t)dim)] = 3;
    }
    return x;
}

/* Of uneven classes; one in 8 of none. */
static int32_t *labels_of(size_t n, int classes, uint64_t seed) {
    int32_t *labels = malloc((n ? n : 1) * sizeof *labels);
    clc_rng rng = clc_rng_make(seed, 4);
    assert_non_null(labels);
    for (size_t i = 0; i < n; i++) {
        const uint32_t below = clc_rng_below(&rng, (uint32_t)classes) + 1;
        labels[i] = clc_rng_below(&rng, 8) ? (int32_t)clc_rng_below(&rng, below) : -1;
    }
    return labels;
}

static clc_features upload(const float *values, size_t rows, int dim, const int32_t *labels,
                           int classes) {
    clc_features features = {NULL, rows, dim, labels, classes};
    CHECK(clc_features_upload(test_device(), values, &features));
    return features;
}

static float cosine(const float *a, const float *b, int dim) {
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < dim; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return aa > 0 && bb > 0 ? (float)(ab / sqrt(aa * bb)) : 0;
}

static int by_falling(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* Query `q`'s measures by comparing each row with each relevant one. */
static void reference(const ranking_case *c, const float *x, const int32_t *labels, const float *y,
                      const int32_t *asked, size_t q, clc_ranking_measures *measures) {
    float *values = malloc(c->rows * sizeof *values);
    int32_t *counts = calloc(2 * c->rows + 1, sizeof *counts), n = 0;
    assert_true(values && counts);
    for (size_t i = 0; i < c->rows; i++)
        if (asked[q] >= 0 && labels[i] == asked[q] && (c->queries || i != q))
            values[n++] = cosine(y + q * (size_t)c->dim, x + i * (size_t)c->dim, c->dim);
    qsort(values, (size_t)n, sizeof *values, by_falling);
    for (size_t i = 0; n && i < c->rows; i++) {
        if (labels[i] == asked[q])
            continue;
        const float v = cosine(y + q * (size_t)c->dim, x + i * (size_t)c->dim, c->dim);
        int32_t p = 0;
        while (p < n && values[p] > v)
            p++;
        counts[2 * p + (p < n && values[p] >= v)]++;
    }
    const clc_ranking ranking = {n, counts, values};
    clc_ranking_measure(&ranking, measures);
    free(values);
    free(counts);
}

static void check_case(const ranking_case *c) {
    const size_t queries = c->queries ? c->queries : c->rows;
    if (!test_affordable((double)(queries * c->rows) * c->dim))
        return;
    float *x = vectors(c->rows, c->dim, c->exact, 1);
    float *y = c->queries ? vectors(c->queries, c->dim, c->exact, 2) : x;
    int32_t *labels = labels_of(c->rows, c->classes, 5);
    int32_t *asked = c->queries ? labels_of(c->queries, c->classes, 6) : labels;
    clc_features bank = upload(x, c->rows, c->dim, labels, c->classes), others = {0};
    clc_ranking_score score;
    clc_ranking_measures sum = {0};
    size_t counted = 0;
    if (c->queries)
        others = upload(y, c->queries, c->dim, asked, c->classes);
    CHECK(clc_ranking_score_make(test_device(), &bank, c->queries ? &others : NULL, &score));
    for (size_t q = 0; q < queries; q++) {
        clc_ranking_measures m;
        reference(c, x, labels, y, asked, q, &m);
        counted += m.first.relevant > 0;
        sum.reciprocal_rank += m.reciprocal_rank;
        sum.average_precision += m.average_precision;
        sum.r_precision += m.r_precision;
        sum.precision_at_r += m.precision_at_r;
    }
    assert_int_equal(score.first.queries, counted);
    const clc_ranking_measures got = {score.mrr, score.map, score.r_precision, score.map_at_r, {0}};
    /* Where float's rounding changes places of two rows, as one pair in 10^5 may: little. */
    expect_measures(&got, &sum, counted ? 1.0 / (double)counted : 0, c->exact ? 1e-11 : 2e-4);
    clc_buffer_release(test_device(), &bank.data);
    clc_buffer_release(test_device(), &others.data);
    free(x);
    free(labels);
    if (c->queries) {
        free(y);
        free(asked);
    }
}

static void rankings_agree_with_brute_force(void **state) {
    (void)state;
    static const ranking_case cases[] = {
        {1, 0, 1, 1, false},  {1, 1, 1, 1, false},   {2, 0, 3, 1, false},   {17, 0, 16, 3, true},
        {31, 13, 5, 4, true}, {33, 15, 9, 9, false}, {67, 0, 13, 5, false}, {257, 16, 8, 2, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* More rows than a tile has; more relevant rows than a table has parts; ties across tiles. */
static void tiles_make_no_difference(void **state) {
    (void)state;
    static const ranking_case cases[] = {
        {4601, 40, 6, 9, true}, {150, 70, 65536, 3, false}, {4099, 2111, 3, 800, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* All in one point: the first of the others is relevant by chance. */
static void a_collapsed_encoder_scores_as_chance(void **state) {
    (void)state;
    enum { ROWS = 40, DIM = 9, CLASSES = 4 };
    float x[ROWS * DIM];
    int32_t labels[ROWS];
    clc_ranking_score score;
    for (int i = 0; i < ROWS * DIM; i++)
        x[i] = (float)(i % DIM) + 0.3f;
    for (int i = 0; i < ROWS; i++)
        labels[i] = i % CLASSES;
    clc_features all = upload(x, ROWS, DIM, labels, CLASSES);
    CHECK(clc_ranking_score_make(test_device(), &all, NULL, &score));
    assert_float_equal(score.first.recall[0], 9.0 / 39, 1e-12);
    assert_float_equal(score.r_precision, 9.0 / 39, 1e-12);
    clc_buffer_release(test_device(), &all.data);
}

/* Rows 0 and 1 are of one class: row 0, which is NaN, finds row 1 last, and row 1 row 0; the others
 * find what isn't finite before all else. */
static void what_is_not_finite_is_no_success(void **state) {
    (void)state;
    enum { ROWS = 4, DIM = 3 };
    static const int32_t labels[ROWS] = {0, 0, 1, 1};
    float *x = test_random(ROWS * DIM, 3);
    clc_ranking_score score;
    x[1] = NAN;
    memcpy(x + 3 * DIM, x + 2 * DIM, DIM * sizeof *x);
    clc_features all = upload(x, ROWS, DIM, labels, 2);
    CHECK(clc_ranking_score_make(test_device(), &all, NULL, &score));
    assert_int_equal(score.first.queries, ROWS);
    assert_float_equal(score.mrr, (1.0 / 3 + 1.0 / 3 + 1.0 / 2 + 1.0 / 2) / 4, 1e-12);
    clc_buffer_release(test_device(), &all.data);
    free(x);
}

static void wrong_input_is_refused(void **state) {
    (void)state;
    static const int32_t labels[] = {0, 2};
    clc_features bank = {NULL, 2, 3, NULL, 2}, queries = {NULL, 2, 4, labels, 2};
    clc_ranking_score score;
    assert_int_equal(clc_ranking_score_make(test_device(), &bank, NULL, &score), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "needs labels"));
    bank.labels = labels;
    assert_int_equal(clc_ranking_score_make(test_device(), &bank, &queries, &score), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "3 and of 4 dimensions"));
    assert_int_equal(clc_ranking_score_make(test_device(), &bank, NULL, &score), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "label 2 of row 1 is outside the 2 classes"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_are_means_over_the_orders_of_ties),
        cmocka_unit_test(rankings_agree_with_brute_force),
        cmocka_unit_test(tiles_make_no_difference),
        cmocka_unit_test(a_collapsed_encoder_scores_as_chance),
        cmocka_unit_test(what_is_not_finite_is_no_success),
        cmocka_unit_test(wrong_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
