/* Retrieval: places against a brute-force reference in double, and what becomes of them. */
#include "eval/retrieval.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct retrieval_case {
    size_t images, texts;
    int dim;
    int apart;  /* texts that differ; the others say what one of these says */
    bool exact; /* vectors with a single 1: cosines are 0 or 1, and most are ties */
} retrieval_case;

static float *vectors(size_t rows, int dim, bool exact, uint64_t seed) {
    float *x = test_random(rows * (size_t)dim, seed);
    clc_rng rng = clc_rng_make(seed, 3);
    for (size_t r = 0; exact && r < rows; r++) {
        memset(x + r * (size_t)dim, 0, (size_t)dim * sizeof *x);
        x[r * (size_t)dim + clc_rng_below(&rng, (uint32_t)dim)] = 3;
    }
    return x;
}

static int32_t *numbers(size_t n, size_t below, uint64_t seed) {
    int32_t *x = malloc((n ? n : 1) * sizeof *x);
    clc_rng rng = clc_rng_make(seed, 4);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (int32_t)clc_rng_below(&rng, (uint32_t)below);
    return x;
}

static double cosine(const float *a, const float *b, int dim) {
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < dim; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* Whether row b is right for query q, by the definition. */
typedef bool (*is_right)(const int32_t *owner, const int32_t *same, size_t texts, size_t q,
                         size_t b);

static bool text_is_right(const int32_t *owner, const int32_t *same, size_t texts, size_t q,
                          size_t b) {
    for (size_t t = 0; t < texts; t++)
        if (owner[t] == (int32_t)q && same[t] == same[b])
            return true;
    return false;
}

static bool image_is_right(const int32_t *owner, const int32_t *same, size_t texts, size_t q,
                           size_t b) {
    for (size_t t = 0; t < texts; t++)
        if (owner[t] == (int32_t)b && same[t] == same[q])
            return true;
    return false;
}

/* A query's place where each cosine is off by up to `error`: bounds of the counts. */
static void expect_place(const double *cosines, const bool *right, size_t rows, double error,
                         const clc_retrieval_place *got) {
    double best = -2;
    int32_t surely_better = 0, perhaps_better = 0, near = 0, right_near = 0;
    for (size_t b = 0; b < rows; b++)
        best = right[b] ? fmax(best, cosines[b]) : best;
    for (size_t b = 0; b < rows; b++) {
        surely_better += cosines[b] > best + 2 * error;
        perhaps_better += cosines[b] > best - 2 * error;
        near += fabs(cosines[b] - best) <= 2 * error;
        right_near += right[b] && fabs(cosines[b] - best) <= 2 * error;
    }
    if (best < -1.5) {
        assert_int_equal(got->relevant, 0);
        return;
    }
    assert_in_range(got->better, surely_better, perhaps_better);
    assert_in_range(got->equal, 1, near);
    assert_in_range(got->relevant, 1, right_near);
    if (error > 0)
        return;
    assert_int_equal(got->better, surely_better);
    assert_int_equal(got->equal, near);
    assert_int_equal(got->relevant, right_near);
}

static void compare(const clc_features *bank, const float *b, const clc_features *queries,
                    const float *q, const clc_relevance *relevance, is_right right_for,
                    const int32_t *owner, const int32_t *same, size_t texts, double error) {
    clc_retrieval_place *got = malloc(queries->rows * sizeof *got);
    double *cosines = malloc(bank->rows * sizeof *cosines);
    bool *right = malloc(bank->rows);
    const size_t dim = (size_t)bank->dim;
    /* Of many queries some will do: the last are in the last block. */
    const size_t step = queries->rows / 60 + 1;
    assert_true(got && cosines && right);
    memset(got, 0xff, queries->rows * sizeof *got);
    CHECK(clc_retrieval_places(test_device(), bank, queries, relevance, got));
    for (size_t i = (queries->rows - 1) % step; i < queries->rows; i += step) {
        for (size_t r = 0; r < bank->rows; r++) {
            cosines[r] = cosine(q + i * dim, b + r * dim, bank->dim);
            right[r] = right_for(owner, same, texts, i, r);
        }
        expect_place(cosines, right, bank->rows, error, &got[i]);
    }
    free(got);
    free(cosines);
    free(right);
}

static void check_case(const retrieval_case *c) {
    if (!test_affordable((double)(c->images * c->texts) * c->dim))
        return;
    float *x = vectors(c->images, c->dim, c->exact, 1), *y = vectors(c->texts, c->dim, c->exact, 2);
    int32_t *owner = numbers(c->texts, c->images, 5),
            *same = numbers(c->texts, (size_t)c->apart, 6);
    clc_features images = test_features(x, c->images, c->dim),
                 texts = test_features(y, c->texts, c->dim);
    clc_relevance to_text, to_image;
    /* Roundings of dim products and sums, like a random walk, and of the unit vectors. */
    const double error = c->exact ? 0 : (4 * sqrt(c->dim) + 4) * 6e-8;
    CHECK(clc_relevance_of_texts(owner, same, c->texts, c->images, &to_text, &to_image));
    compare(&texts, y, &images, x, &to_text, text_is_right, owner, same, c->texts, error);
    compare(&images, x, &texts, y, &to_image, image_is_right, owner, same, c->texts, error);
    clc_relevance_free(&to_text);
    clc_relevance_free(&to_image);
    clc_buffer_release(test_device(), &images.data);
    clc_buffer_release(test_device(), &texts.data);
    free(x);
    free(y);
    free(owner);
    free(same);
}

static void places_agree_with_brute_force(void **state) {
    (void)state;
    static const retrieval_case cases[] = {
        {1, 1, 1, 1, false},   {1, 3, 5, 3, false},  {7, 17, 16, 17, false}, {13, 31, 33, 9, false},
        {9, 67, 13, 20, true}, {16, 15, 8, 3, true}, {5, 33, 24, 33, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* More rows than a tile has, of queries and of the bank, with ties across tiles. */
static void tiles_make_no_difference(void **state) {
    (void)state;
    static const retrieval_case cases[] = {{2111, 4601, 6, 1000, true},
                                           {70, 130, 65536, 130, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* Query 0 and bank row 3 are NaN: the query stands last, and the row before all others. */
static void what_is_not_finite_is_no_success(void **state) {
    (void)state;
    enum { ROWS = 5, DIM = 3 };
    float *x = test_random(ROWS * DIM, 3), *y = test_random(ROWS * DIM, 4);
    clc_retrieval_place got[ROWS];
    clc_relevance to_text, to_image;
    x[1] = NAN;
    y[3 * DIM] = INFINITY;
    for (int i = 0; i < DIM; i++) /* query 1 and its row are the same */
        y[DIM + i] = x[DIM + i];
    clc_features images = test_features(x, ROWS, DIM), texts = test_features(y, ROWS, DIM);
    static const int32_t owner[ROWS] = {0, 1, 2, 3, 4};
    CHECK(clc_relevance_of_texts(owner, NULL, ROWS, ROWS, &to_text, &to_image));
    CHECK(clc_retrieval_places(test_device(), &texts, &images, &to_text, got));
    assert_int_equal(got[0].better, ROWS - 1);
    assert_int_equal(got[0].relevant, 1);
    assert_int_equal(got[1].better, 1);
    assert_int_equal(got[3].better, ROWS - 1);
    clc_relevance_free(&to_text);
    clc_relevance_free(&to_image);
    clc_buffer_release(test_device(), &images.data);
    clc_buffer_release(test_device(), &texts.data);
    free(x);
    free(y);
}

/* All in one point: every order is as likely, so 1, 5 and 10 of 40 are found by chance. */
static void a_collapsed_encoder_scores_as_chance(void **state) {
    (void)state;
    enum { ROWS = 40, DIM = 9 };
    float x[ROWS * DIM];
    int32_t owner[ROWS];
    clc_retrieval_place got[ROWS];
    clc_relevance to_text, to_image;
    clc_retrieval_score score;
    for (int i = 0; i < ROWS; i++) {
        owner[i] = i;
        for (int d = 0; d < DIM; d++)
            x[i * DIM + d] = (float)d + 0.3f;
    }
    clc_features all = test_features(x, ROWS, DIM);
    CHECK(clc_relevance_of_texts(owner, NULL, ROWS, ROWS, &to_text, &to_image));
    CHECK(clc_retrieval_places(test_device(), &all, &all, &to_text, got));
    CHECK(clc_retrieval_score_make(got, ROWS, &score));
    for (int i = 0; i < CLC_RECALLS; i++)
        assert_float_equal(score.recall[i], (double)clc_recall_at[i] / ROWS, 1e-12);
    assert_float_equal(score.median_rank, (ROWS + 1) / 2.0, 1e-12);
    clc_relevance_free(&to_text);
    clc_relevance_free(&to_image);
    clc_buffer_release(test_device(), &all.data);
}

/* By hand: certain places, a tie of 2 of which 1 is right, one of 4 of which 2 are, a query without
 * anything relevant. */
static void scores_are_the_expected_ones(void **state) {
    (void)state;
    static const clc_retrieval_place places[] = {{0, 1, 1}, {4, 1, 1}, {10, 1, 1},
                                                 {0, 2, 1}, {8, 4, 2}, {0, 0, 0}};
    clc_retrieval_score score;
    CHECK(clc_retrieval_score_make(places, 6, &score));
    assert_int_equal(score.queries, 5);
    assert_float_equal(score.recall[0], (1 + 0.5) / 5, 1e-12);
    assert_float_equal(score.recall[1], 3.0 / 5, 1e-12);
    /* Of the last, 2 places are left: both wrong with probability 2/4 1/3. */
    assert_float_equal(score.recall[2], (3 + 5.0 / 6) / 5, 1e-12);
    /* Ranks 1, 5, 11, 1.5 and 8 + 5/3. */
    assert_float_equal(score.median_rank, 5, 1e-12);
    CHECK(clc_retrieval_score_make(places, 2, &score));
    assert_float_equal(score.median_rank, 3, 1e-12);
    CHECK(clc_retrieval_score_make(places + 5, 1, &score));
    assert_int_equal(score.queries, 0);
}

static void relations_are_sorted_and_without_doubles(void **state) {
    (void)state;
    static const int32_t from[] = {2, 0, 2, 2, 0, 2}, to[] = {1, 4, 0, 1, 4, 3};
    static const int32_t starts[] = {0, 1, 1, 4, 4}, targets[] = {4, 0, 1, 3};
    clc_relation r;
    CHECK(clc_relation_make(from, to, 6, 4, 5, &r));
    assert_memory_equal(r.starts, starts, sizeof starts);
    assert_memory_equal(r.targets, targets, sizeof targets);
    clc_relation_free(&r);
    CHECK(clc_relation_make(NULL, NULL, 0, 0, 0, &r));
    assert_int_equal(r.starts[0], 0);
    clc_relation_free(&r);
    assert_int_equal(clc_relation_make(from, to, 6, 2, 5, &r), CLC_INVALID);
    assert_int_equal(clc_relation_make(from, to, 6, 4, 4, &r), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "target 4 of pair 1"));
    assert_int_equal(clc_relation_make(NULL, NULL, 6, 5, 6, &r), CLC_INVALID);
    assert_null(r.starts);
}

static void wrong_input_is_refused(void **state) {
    (void)state;
    static const int32_t owner[] = {0, 1};
    clc_relevance to_text, to_image;
    clc_retrieval_place got[2] = {{7, 7, 7}, {7, 7, 7}};
    clc_features bank = {NULL, 2, 3, NULL, 0}, queries = {NULL, 2, 4, NULL, 0};
    CHECK(clc_relevance_of_texts(owner, NULL, 2, 2, &to_text, &to_image));
    assert_int_equal(clc_retrieval_places(test_device(), &bank, &queries, &to_text, got),
                     CLC_INVALID);
    queries = (clc_features){NULL, 1, 3, NULL, 0};
    assert_int_equal(clc_retrieval_places(test_device(), &bank, &queries, &to_text, got),
                     CLC_INVALID);
    assert_non_null(strstr(clc_error(), "1 queries, but relevant rows of 2"));
    clc_relevance_free(&to_text);
    clc_relevance_free(&to_image);
    assert_int_equal(got[0].better, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relations_are_sorted_and_without_doubles),
        cmocka_unit_test(places_agree_with_brute_force),
        cmocka_unit_test(tiles_make_no_difference),
        cmocka_unit_test(what_is_not_finite_is_no_success),
        cmocka_unit_test(a_collapsed_encoder_scores_as_chance),
        cmocka_unit_test(scores_are_the_expected_ones),
        cmocka_unit_test(wrong_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
