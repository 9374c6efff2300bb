/* Weighted kNN against a brute-force reference in double. */
#include "eval/knn.h"

#include "eval/cosines.h"
#include "eval/nearest.h"

#include "harness.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct neighbour {
    double cosine;
    int index;
} neighbour;

static int by_rank(const void *a, const void *b) {
    const neighbour *x = a, *y = b;
    return x->cosine != y->cosine ? (x->cosine < y->cosine ? 1 : -1) : x->index - y->index;
}

static double *unit_rows(const float *x, size_t rows, size_t dim) {
    double *unit = malloc(rows * dim * sizeof *unit);
    assert_non_null(unit);
    for (size_t r = 0; r < rows; r++) {
        double sum = 0;
        for (size_t i = 0; i < dim; i++)
            sum += (double)x[r * dim + i] * (double)x[r * dim + i];
        for (size_t i = 0; i < dim; i++)
            unit[r * dim + i] = sum > 0 ? (double)x[r * dim + i] / sqrt(sum) : 0;
    }
    return unit;
}

/* Class of one query from all bank rows, sorted here. *certain: no rounding of the cosines by
 * `error` can change it, because neither the k-th neighbour nor the class is close to the next. */
static int reference(neighbour *list, size_t n, const int32_t *labels, int classes, size_t k,
                     double temperature, double error, bool *certain) {
    double score[16] = {0}, second = -1;
    int best = 0;
    qsort(list, n, sizeof *list, by_rank);
    for (size_t i = 0; i < k; i++)
        score[labels[list[i].index]] += exp((list[i].cosine - list[0].cosine) / temperature);
    for (int c = 1; c < classes; c++)
        best = score[c] > score[best] ? c : best;
    for (int c = 0; c < classes; c++)
        second = c != best ? fmax(second, score[c]) : second;
    const double gap = k < n ? list[k - 1].cosine - list[k].cosine : 1;
    /* Equal weights are exactly 1: their sums are exact, and so are ties. */
    const bool equal = list[0].cosine == list[k - 1].cosine;
    *certain = (gap == 0 || gap > 2 * error) &&
               (equal ||
                score[best] - second > score[best] * 4 * error / temperature + 1e-5 * score[best]);
    return best;
}

typedef struct knn_case {
    size_t bank, queries, dim;
    int classes, k;
    double temperature;
    int distinct; /* bank row r repeats row r % distinct: ties */
    size_t least; /* queries that must be certain */
} knn_case;

static int32_t *labels_of(size_t rows, int classes) {
    int32_t *labels = malloc((rows ? rows : 1) * sizeof *labels);
    clc_rng rng = clc_rng_make(5, 1);
    assert_non_null(labels);
    for (size_t i = 0; i < rows; i++)
        labels[i] = (int32_t)clc_rng_below(&rng, (uint32_t)classes);
    return labels;
}

/* cos in float: its partial sums stay below 1, so each of dim additions rounds by up to 2^-24, like
 * a random walk; four standard deviations and a few roundings of the unit vectors. */
static double cosine_error(size_t dim) {
    return (4 * sqrt((double)dim) + 4) * 6e-8;
}

static void compare(const knn_case *c, const float *bank, const float *query, const int32_t *labels,
                    const int32_t *got) {
    double *b = unit_rows(bank, c->bank, c->dim), *q = unit_rows(query, c->queries, c->dim);
    neighbour *list = malloc(c->bank * sizeof *list);
    size_t certain = 0;
    const size_t k = (size_t)c->k < c->bank ? (size_t)c->k : c->bank;
    assert_non_null(list);
    for (size_t i = 0; i < c->queries; i++) {
        bool sure = false;
        for (size_t r = 0; r < c->bank; r++) {
            list[r] = (neighbour){0, (int)r};
            for (size_t d = 0; d < c->dim; d++)
                list[r].cosine += b[r * c->dim + d] * q[i * c->dim + d];
        }
        const int want = reference(list, c->bank, labels, c->classes, k, c->temperature,
                                   cosine_error(c->dim), &sure);
        certain += sure;
        if (sure && got[i] != want)
            fail_msg("query %zu: class %d, expected %d", i, (int)got[i], want);
    }
    if (certain < c->least)
        fail_msg("only %zu of %zu queries have a certain answer", certain, c->queries);
    free(b);
    free(q);
    free(list);
}

static void check_case(const knn_case *c) {
    if (!test_affordable((double)(c->bank * c->queries * c->dim)))
        return;
    float *bank = test_random(c->bank * c->dim, 1), *query = test_random(c->queries * c->dim, 2);
    int32_t *labels = labels_of(c->bank, c->classes), *got = malloc(c->queries * sizeof *got);
    assert_non_null(got);
    for (size_t r = (size_t)c->distinct; c->distinct && r < c->bank; r++)
        memcpy(bank + r * c->dim, bank + r % (size_t)c->distinct * c->dim, c->dim * sizeof *bank);
    clc_features known = {NULL, c->bank, (int)c->dim, labels, c->classes};
    clc_features asked = {NULL, c->queries, (int)c->dim, NULL, c->classes};
    CHECK(clc_features_upload(test_device(), bank, &known));
    CHECK(clc_features_upload(test_device(), query, &asked));
    memset(got, 0xff, c->queries * sizeof *got);
    CHECK(clc_knn_classify(test_device(), &known, &asked, c->k, c->temperature, got));
    compare(c, bank, query, labels, got);
    clc_buffer_release(test_device(), &known.data);
    clc_buffer_release(test_device(), &asked.data);
    free(bank);
    free(query);
    free(labels);
    free(got);
}

static void classes_agree_with_brute_force(void **state) {
    (void)state;
    static const knn_case cases[] = {
        {1, 1, 1, 1, 1, 0.1, 0, 1},        {2, 3, 5, 2, 1, 0.1, 0, 3},
        {17, 5, 16, 3, 1, 0.1, 0, 5},      {31, 16, 33, 4, 31, 0.1, 0, 14}, /* k: the bank */
        {31, 16, 33, 4, 500, 0.1, 0, 14},                                   /* k beyond it */
        {257, 65, 13, 10, 20, 0.1, 0, 58}, {500, 63, 64, 7, 200, 0.07, 0, 56},
        {301, 47, 8, 5, 7, 0.5, 0, 42},    {211, 33, 24, 16, 10, 0.001, 0, 28},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* Each row comes several times with labels of its own: which copies are among the k is decided by
 * the index. */
static void ties_go_to_the_lower_row(void **state) {
    (void)state;
    static const knn_case cases[] = {
        {60, 40, 7, 5, 1, 0.1, 20, 36},
        {100, 40, 16, 8, 3, 0.1, 20, 36},
        {300, 64, 24, 10, 30, 0.05, 37, 56},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* More rows than a block holds, of queries and of the bank, with copies across blocks; and so large
 * a k that its neighbours make the blocks small. */
static void blocks_make_no_difference(void **state) {
    (void)state;
    static const knn_case cases[] = {
        {4601, 2111, 8, 10, 5, 0.1, 4099, 1900},
        {8200, 130, 4, 3, 8200, 0.1, 0, 110},
        {70, 67, 65536, 4, 9, 0.01, 0, 40},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* A zero vector is equally far from all: the k lowest rows vote, all with the same weight. */
static void a_zero_vector_is_as_near_to_all(void **state) {
    (void)state;
    float *bank = test_random(40 * 6, 3), query[12] = {0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6};
    int32_t labels[40], got[2] = {-1, -1};
    for (int i = 0; i < 40; i++)
        labels[i] = i < 2 ? 2 : i < 5 ? 1 : 0;
    memcpy(bank + 39 * 6, query + 6, 6 * sizeof *bank);
    memset(bank + 38 * 6, 0, 6 * sizeof *bank);
    clc_features known = {NULL, 40, 6, labels, 3}, asked = {NULL, 2, 6, NULL, 3};
    CHECK(clc_features_upload(test_device(), bank, &known));
    CHECK(clc_features_upload(test_device(), query, &asked));
    CHECK(clc_knn_classify(test_device(), &known, &asked, 5, 0.1, got));
    assert_int_equal(got[0], 1);
    CHECK(clc_knn_classify(test_device(), &known, &asked, 4, 0.1, got));
    assert_int_equal(got[0], 1); /* two votes each: the lower class */
    CHECK(clc_knn_classify(test_device(), &known, &asked, 1, 0.1, got));
    assert_int_equal(got[0], 2);
    assert_int_equal(got[1], 0);
    clc_buffer_release(test_device(), &known.data);
    clc_buffer_release(test_device(), &asked.data);
    free(bank);
}

/* A product of dim squares, a root and two divisions: dim / 2 + 4 roundings of 6e-8 of elements up
 * to 1. */
static void rows_are_normalised(void **state) {
    (void)state;
    static const size_t dims[] = {1, 3, 7, 8, 15, 16, 17, 33, 784};
    for (size_t t = 0; t < sizeof dims / sizeof *dims; t++) {
        const size_t dim = dims[t], rows = 9, block = 13, first = 2;
        float *x = test_random((first + rows) * dim, 4);
        double *unit = NULL, *want = calloc(block * dim, sizeof *want);
        assert_non_null(want);
        memset(x + 3 * dim, 0, dim * sizeof *x);
        for (size_t i = 0; i < dim; i++) {
            x[4 * dim + i] *= 1e30f;  /* its squares overflow */
            x[5 * dim + i] *= 1e-30f; /* its squares vanish */
        }
        unit = unit_rows(x + first * dim, rows, dim);
        memcpy(want, unit, rows * dim * sizeof *want);
        test_buffer in = test_buffer_make("x", x, (first + rows) * dim);
        test_buffer out = test_buffer_make("y", NULL, block * dim);
        clc_sequence sequence = {0};
        const clc_launch_spec s =
            clc_tile_spec(test_device(), "eval/cosines.cl", "cosines_normalise", 4);
        CHECK(CLC_LAUNCH(&sequence, test_device(), &s, CLC_MEM(in.mem), CLC_MEM(NULL),
                         CLC_MEM(out.mem), CLC_INT(first), CLC_INT(rows), CLC_INT(block),
                         CLC_INT(dim)));
        test_run(&sequence);
        test_expect(&out, want, ((double)dim / 2 + 4) * 6e-8);
        test_buffer_release(&in);
        test_buffer_release(&out);
        free(x);
        free(unit);
        free(want);
    }
}

/* Neighbours come in order, with their cosines and votes; without labels, too. */
static void neighbours_stand_in_order(void **state) {
    (void)state;
    enum { BANK = 67, QUERIES = 11, DIM = 9, K = 13 };
    float *bank = test_random(BANK * DIM, 8), *query = test_random(QUERIES * DIM, 9);
    float cosines[QUERIES * K], logits[QUERIES * 3];
    int32_t rows[QUERIES * K], *labels = labels_of(BANK, 3);
    memcpy(bank + 40 * DIM, bank + 3 * DIM, DIM * sizeof *bank); /* a tie */
    memcpy(query, bank + 3 * DIM, DIM * sizeof *bank);
    double *b = unit_rows(bank, BANK, DIM), *q = unit_rows(query, QUERIES, DIM);
    clc_features known = {NULL, BANK, DIM, NULL, 0}, asked = {NULL, QUERIES, DIM, NULL, 0};
    CHECK(clc_features_upload(test_device(), bank, &known));
    CHECK(clc_features_upload(test_device(), query, &asked));
    CHECK(clc_knn_find(test_device(), &known, &asked, K, 0,
                       &(clc_knn_found){.cosines = cosines, .rows = rows}));
    known.labels = labels;
    known.classes = 3;
    CHECK(clc_knn_find(test_device(), &known, &asked, K, 0.1, &(clc_knn_found){.logits = logits}));
    assert_int_equal(rows[0], 3);
    assert_int_equal(rows[1], 40);
    for (int i = 0; i < QUERIES; i++) {
        neighbour list[BANK];
        double votes[3] = {0};
        for (int r = 0; r < BANK; r++) {
            list[r] = (neighbour){0, r};
            for (int d = 0; d < DIM; d++)
                list[r].cosine += b[r * DIM + d] * q[i * DIM + d];
        }
        qsort(list, BANK, sizeof *list, by_rank);
        for (int k = 0; k < K; k++) {
            const double cosine = (double)cosines[i * K + k];
            assert_true(fabs(cosine - list[k].cosine) <= cosine_error(DIM));
            votes[labels[rows[i * K + k]]] += exp((cosine - (double)cosines[i * K]) / 0.1);
        }
        for (int c = 0; c < 3; c++)
            assert_true(fabs(exp((double)logits[i * 3 + c]) - votes[c]) <= 1e-5 * (votes[c] + 1));
    }
    clc_buffer_release(test_device(), &known.data);
    clc_buffer_release(test_device(), &asked.data);
    free(bank);
    free(query);
    free(labels);
    free(b);
    free(q);
}

typedef struct select_run {
    size_t queries, columns;
    int k;
    test_buffer similarity, values, indices;
} select_run;

/* Selects from the columns in two halves, as two blocks of the bank. */
static void run_select(const select_run *r) {
    const clc_launch_spec s = clc_tile_spec(test_device(), "eval/knn.cl", "knn_select", r->queries);
    const size_t half = r->columns / 2;
    test_buffer second = test_buffer_make("second half", NULL, r->queries * r->columns);
    float *all = test_buffer_read(&r->similarity);
    for (size_t q = 0; q < r->queries; q++)
        memmove(all + q * r->columns, all + q * r->columns + half,
                (r->columns - half) * sizeof *all);
    CHECK(
        clc_buffer_write(test_device(), second.mem, 0, r->queries * r->columns * sizeof *all, all));
    clc_sequence sequence = {0};
    CHECK(CLC_LAUNCH(&sequence, test_device(), &s, CLC_MEM(r->similarity.mem),
                     CLC_MEM(r->values.mem), CLC_MEM(r->indices.mem), CLC_INT(r->k), CLC_INT(0),
                     CLC_INT(half), CLC_INT(r->columns)));
    CHECK(CLC_LAUNCH(&sequence, test_device(), &s, CLC_MEM(second.mem), CLC_MEM(r->values.mem),
                     CLC_MEM(r->indices.mem), CLC_INT(r->k), CLC_INT(half),
                     CLC_INT(r->columns - half), CLC_INT(r->columns)));
    test_run(&sequence);
    test_buffer_release(&second);
    free(all);
}

/* Exactly the k of the sorted list, which has many equal similarities; NaN is never among them. */
static void expect_selected(const select_run *r, const float *similarity, const int32_t *index) {
    neighbour *list = malloc(r->columns * sizeof *list);
    bool *taken = malloc(r->columns * sizeof *taken);
    assert_true(list && taken);
    for (size_t q = 0; q < r->queries; q++) {
        size_t n = 0;
        memset(taken, 0, r->columns * sizeof *taken);
        for (size_t i = 0; i < r->columns; i++)
            if (!isnan(similarity[q * r->columns + i]))
                list[n++] = (neighbour){(double)similarity[q * r->columns + i], (int)i};
        qsort(list, n, sizeof *list, by_rank);
        for (size_t i = 0; i < (size_t)r->k; i++) {
            const int32_t at = index[q * (size_t)r->k + i];
            if (at != INT_MAX && at >= 0 && (size_t)at < r->columns)
                taken[at] = true;
        }
        for (size_t i = 0; i < n && i < (size_t)r->k; i++)
            assert_true(taken[list[i].index]);
    }
    free(list);
    free(taken);
}

static void the_nearest_are_selected(void **state) {
    (void)state;
    static const int columns[] = {1, 2, 15, 17, 64, 251}, neighbours[] = {1, 2, 7, 31};
    for (size_t t = 0; t < 6 * 4; t++) {
        select_run r = {.queries = 5, .columns = (size_t)columns[t % 6], .k = neighbours[t / 6]};
        const size_t count = r.queries * r.columns, kept = r.queries * (size_t)r.k;
        float *similarity = test_random(count, t), *values = malloc(kept * sizeof *values);
        int32_t *index = malloc(kept * sizeof *index);
        assert_true(values && index);
        for (size_t i = 0; i < count; i++) /* few values: ties; and some NaN */
            similarity[i] = i % 11 == 3 ? NAN : floorf(similarity[i] * 8) / 8;
        for (size_t i = 0; i < kept; i++) {
            values[i] = -INFINITY;
            index[i] = INT_MAX;
        }
        r.similarity = test_buffer_make("similarity", similarity, count);
        r.values = test_buffer_make("values", values, kept);
        r.indices = test_buffer_make("indices", NULL, kept);
        CHECK(clc_buffer_write(test_device(), r.indices.mem, 0, kept * sizeof *index, index));
        run_select(&r);
        assert_true(test_buffer_intact(&r.values) && test_buffer_intact(&r.indices));
        CHECK(clc_buffer_read(test_device(), r.indices.mem, 0, kept * sizeof *index, index));
        expect_selected(&r, similarity, index);
        test_buffer_release(&r.similarity);
        test_buffer_release(&r.values);
        test_buffer_release(&r.indices);
        free(similarity);
        free(values);
        free(index);
    }
}

/* A million rows and a hundred thousand queries, which are planned but not made, take what a tenth
 * and ten times of either take; the matrix of their cosines would be 400 GB. */
static void memory_does_not_grow_with_rows_times_queries(void **state) {
    (void)state;
    static const size_t rows[] = {100000, 1000000, 10000000}, queries[] = {10000, 100000, 1000000};
    const int dim = 128, k = 200;
    const size_t most = 10000;
    for (size_t t = 0; t < 9; t++) {
        const clc_features bank = {NULL, rows[t % 3], dim, NULL, 0};
        const clc_features asked = {NULL, queries[t / 3], dim, NULL, 0};
        clc_nearest n;
        clc_nearest_plan(test_device(), &bank, &asked, k, most, &n);
        assert_true(n.query_block <= 4096 && n.bank_block <= bank.rows);
        assert_true(clc_nearest_bytes(&n) <= (size_t)96 << 20);
    }
}

/* Plans of few queries among many rows share the rows out; all parts are asked for the nearest. */
static void parts_of_the_bank_make_no_difference(void **state) {
    (void)state;
    static const knn_case cases[] = {
        {5003, 30, 16, 7, 25, 0.1, 0, 24},
        {5000, 30, 16, 7, 12, 0.1, 625, 24}, /* 8 copies of each: the lowest 4 of the second stay */
        {40, 30, 300, 3, 40, 0.1, 0, 20},    /* fewer rows than parts have places */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

static void wrong_input_is_refused(void **state) {
    (void)state;
    const int32_t labels[] = {0, 1, 2};
    int32_t got = 7;
    clc_features known = {NULL, 3, 4, labels, 3}, asked = {NULL, 1, 4, NULL, 3};
    clc_device *device = test_device();
    assert_int_equal(clc_knn_classify(device, &known, &asked, 0, 0.1, &got), CLC_INVALID);
    assert_int_equal(clc_knn_classify(device, &known, &asked, 1, 0, &got), CLC_INVALID);
    assert_int_equal(clc_knn_classify(device, &known, &asked, 1, NAN, &got), CLC_INVALID);
    known.classes = 2;
    assert_int_equal(clc_knn_classify(device, &known, &asked, 1, 0.1, &got), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "label 2 of row 2"));
    known.classes = 3;
    known.rows = 0;
    assert_int_equal(clc_knn_classify(device, &known, &asked, 1, 0.1, &got), CLC_INVALID);
    known.rows = 3;
    asked.dim = 5;
    assert_int_equal(clc_knn_classify(device, &known, &asked, 1, 0.1, &got), CLC_INVALID);
    asked.dim = 4;
    asked.rows = 0;
    CHECK(clc_knn_classify(device, &known, &asked, 1, 0.1, &got));
    assert_int_equal(got, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_stand_in_order),
        cmocka_unit_test(rows_are_normalised),
        cmocka_unit_test(the_nearest_are_selected),
        cmocka_unit_test(classes_agree_with_brute_force),
        cmocka_unit_test(ties_go_to_the_lower_row),
        cmocka_unit_test(memory_does_not_grow_with_rows_times_queries),
        cmocka_unit_test(parts_of_the_bank_make_no_difference),
        cmocka_unit_test(blocks_make_no_difference),
        cmocka_unit_test(a_zero_vector_is_as_near_to_all),
        cmocka_unit_test(wrong_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
