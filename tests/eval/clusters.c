/* Clusters: the kernels against references in double, k-means and silhouettes against their
 * definitions. */
#include "eval/cosines.h"
#include "eval/kmeans.h"
#include "eval/partition.h"
#include "eval/silhouette.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char source[] = "eval/centres.cl";

/* ---- kernels ---- */

static void distances_agree(void **state) {
    (void)state;
    static const int dims[] = {1, 7, 16, 33, 130};
    for (size_t t = 0; t < sizeof dims / sizeof *dims; t++) {
        enum { ROWS = 13 };
        const int dim = dims[t];
        float *x = test_random((size_t)(ROWS * dim), 1), *c = test_random((size_t)dim, 2);
        double want[ROWS] = {0};
        for (int i = 0; i < ROWS * dim; i++)
            want[i / dim] += pow((double)x[i] - (double)c[i % dim], 2);
        test_buffer in = test_buffer_make("unit", x, (size_t)(ROWS * dim));
        test_buffer centre = test_buffer_make("centre", c, (size_t)dim);
        test_buffer out = test_buffer_make("distances", NULL, ROWS);
        clc_sequence sequence = {0};
        const clc_launch_spec s = clc_tile_spec(test_device(), source, "centres_distance", 4);
        CHECK(CLC_LAUNCH(&sequence, test_device(), &s, CLC_MEM(in.mem), CLC_MEM(centre.mem),
                         CLC_MEM(out.mem), CLC_INT(ROWS), CLC_INT(dim)));
        test_run(&sequence);
        test_expect(&out, want, (dim + 4) * 6e-8);
        test_buffer_release(&in);
        test_buffer_release(&centre);
        test_buffer_release(&out);
        free(x);
        free(c);
    }
}

static void the_nearest_is_assigned(void **state) {
    (void)state;
    static const int counts[] = {1, 2, 31, 32, 33};
    for (size_t t = 0; t < sizeof counts / sizeof *counts; t++) {
        enum { K = 5 };
        const int rows = counts[t];
        float *products = test_random((size_t)(rows * K), 3), *halves = test_random(K, 4);
        double *best = calloc((size_t)rows, sizeof *best),
               *wanted = calloc((size_t)rows, sizeof *best);
        float *number = NULL;
        assert_true(best && wanted);
        if (rows > 1) { /* a tie of 1 and 3: the lower one */
            for (int c = 0; c < K; c++)
                products[K + c] = halves[c] + (c == 1 || c == 3 ? 2 : 0);
        }
        for (int r = 0; r < rows; r++) {
            best[r] = -INFINITY;
            for (int c = 0; c < K; c++) {
                const float score = products[r * K + c] - halves[c];
                wanted[r] = (double)score > best[r] ? c : wanted[r];
                best[r] = fmax(best[r], (double)score);
            }
        }
        test_buffer p = test_buffer_make("products", products, (size_t)(rows * K));
        test_buffer h = test_buffer_make("halves", halves, K);
        test_buffer to = test_buffer_make("assigned", NULL, (size_t)rows);
        test_buffer scores = test_buffer_make("scores", NULL, (size_t)rows);
        clc_sequence sequence = {0};
        const clc_launch_spec s =
            clc_tile_spec(test_device(), source, "centres_assign",
                          clc_ceil_div((size_t)rows, test_device()->group_size));
        CHECK(CLC_LAUNCH(&sequence, test_device(), &s, CLC_MEM(p.mem), CLC_MEM(h.mem),
                         CLC_MEM(to.mem), CLC_MEM(scores.mem), CLC_INT(rows), CLC_INT(K)));
        test_run(&sequence);
        test_expect(&scores, best, 1e-6);
        number = test_buffer_read(&to);
        for (int r = 0; r < rows; r++) {
            int32_t got;
            memcpy(&got, &number[r], sizeof got);
            assert_int_equal(got, (int)wanted[r]);
        }
        test_buffer_release(&p);
        test_buffer_release(&h);
        test_buffer_release(&to);
        test_buffer_release(&scores);
        free(products);
        free(halves);
        free(best);
        free(wanted);
        free(number);
    }
}

/* On top of sums that are there; cluster 2 has no rows. */
static void sums_agree(void **state) {
    (void)state;
    static const int dims[] = {1, 15, 16, 17, 130};
    for (size_t t = 0; t < sizeof dims / sizeof *dims; t++) {
        enum { ROWS = 29, K = 4 };
        const int dim = dims[t];
        const size_t n = (size_t)(K * dim);
        float *x = test_random((size_t)(ROWS * dim), 5), *before = test_random(n, 6), numbers[ROWS];
        double *want = calloc(n, sizeof *want);
        assert_non_null(want);
        for (size_t i = 0; i < n; i++)
            want[i] = (double)before[i];
        for (int r = 0; r < ROWS; r++) {
            const int32_t c = r * r % 3 == 1 ? 3 : r % 2;
            memcpy(&numbers[r], &c, sizeof c);
            for (int d = 0; d < dim; d++)
                want[c * dim + d] += (double)x[r * dim + d];
        }
        test_buffer in = test_buffer_make("unit", x, (size_t)(ROWS * dim));
        test_buffer of = test_buffer_make("assigned", numbers, ROWS);
        test_buffer part = test_buffer_make("part", NULL, n);
        test_buffer sums = test_buffer_make("sums", before, n);
        clc_sequence sequence = {0};
        const clc_launch_spec s = clc_tile_spec(test_device(), source, "centres_sum", 3);
        CHECK(CLC_LAUNCH(&sequence, test_device(), &s, CLC_MEM(in.mem), CLC_MEM(of.mem),
                         CLC_MEM(part.mem), CLC_MEM(sums.mem), CLC_INT(ROWS), CLC_INT(K),
                         CLC_INT(dim)));
        test_run(&sequence);
        test_expect(&sums, want, ROWS * 6e-8);
        test_buffer_release(&in);
        test_buffer_release(&of);
        test_buffer_release(&part);
        test_buffer_release(&sums);
        free(x);
        free(before);
        free(want);
    }
}

/* ---- k-means ---- */

/* Rows about k directions, of any length. */
static float *blobs(size_t rows, int dim, int k, double noise, int32_t *labels) {
    float *x = test_random(rows * (size_t)dim, 7), *centre = test_random((size_t)(k * dim), 8);
    for (size_t r = 0; r < rows; r++) {
        labels[r] = (int32_t)(r * 5 % (size_t)k);
        for (int d = 0; d < dim; d++)
            x[r * (size_t)dim + (size_t)d] =
                (float)(1 + r % 5) *
                (centre[labels[r] * dim + d] + (float)noise * x[r * (size_t)dim + (size_t)d]);
    }
    free(centre);
    return x;
}

static void normalise(const float *x, size_t rows, size_t dim, double *u) {
    for (size_t r = 0; r < rows; r++) {
        double squares = 0;
        for (size_t d = 0; d < dim; d++)
            squares += (double)x[r * dim + d] * (double)x[r * dim + d];
        for (size_t d = 0; d < dim; d++)
            u[r * dim + d] = (double)x[r * dim + d] / sqrt(squares);
    }
}

static void clear_clusters_are_found(void **state) {
    (void)state;
    enum { ROWS = 301, DIM = 19, K = 7 };
    int32_t labels[ROWS];
    if (!test_affordable((double)ROWS * DIM * K * 8))
        return;
    float *x = blobs(ROWS, DIM, K, 0.1, labels);
    clc_features features = test_features(x, ROWS, DIM);
    clc_kmeans_result result, again;
    clc_partition_score score;
    CHECK(clc_kmeans(test_device(), &features, K, 8, 1, &result));
    CHECK(clc_partition_compare(labels, K, result.assigned, K, ROWS, &score));
    assert_true(score.nmi > 1 - 1e-12 && score.ari > 1 - 1e-12 && score.purity > 1 - 1e-12);
    CHECK(clc_kmeans(test_device(), &features, K, 8, 1, &again));
    assert_memory_equal(result.assigned, again.assigned, sizeof labels);
    free(result.assigned);
    free(again.assigned);
    free(x);
    clc_buffer_release(test_device(), &features.data);
}

/* At the end each row is with the nearest mean of rows, and the inertia is that of these. */
static void the_end_is_a_fixed_point(void **state) {
    (void)state;
    enum { ROWS = 157, DIM = 6, K = 9 };
    int32_t labels[ROWS];
    float *x = blobs(ROWS, DIM, K, 1.5, labels);
    double u[ROWS * DIM], means[K * DIM] = {0}, inertia = 0;
    int counts[K] = {0};
    clc_features features = test_features(x, ROWS, DIM);
    clc_kmeans_result result;
    CHECK(clc_kmeans(test_device(), &features, K, 1, 3, &result));
    normalise(x, ROWS, DIM, u);
    for (int i = 0; i < ROWS * DIM; i++)
        means[result.assigned[i / DIM] * DIM + i % DIM] += u[i];
    for (int r = 0; r < ROWS; r++)
        counts[result.assigned[r]]++;
    for (int r = 0; r < ROWS; r++) {
        double least = INFINITY, own = 0;
        for (int c = 0; c < K; c++) {
            double d2 = 0;
            assert_true(counts[c] > 0);
            for (int d = 0; d < DIM; d++)
                d2 += pow(u[r * DIM + d] - means[c * DIM + d] / counts[c], 2);
            least = fmin(least, d2);
            own = c == result.assigned[r] ? d2 : own;
        }
        assert_true(own <= least + 1e-5);
        inertia += own;
    }
    assert_true(fabs(result.inertia - inertia) <= 1e-4 * inertia);
    assert_true(result.iterations > 1 && result.iterations < 100);
    free(result.assigned);
    free(x);
    clc_buffer_release(test_device(), &features.data);
}

/* As many clusters as rows; all rows in one point; rows of zeros. */
static void odd_numbers_end_well(void **state) {
    (void)state;
    enum { ROWS = 12, DIM = 3 };
    float *x = test_random(ROWS * DIM, 9);
    bool used[ROWS] = {false};
    clc_features features = test_features(x, ROWS, DIM);
    clc_kmeans_result result;
    CHECK(clc_kmeans(test_device(), &features, ROWS, 1, 1, &result));
    for (int i = 0; i < ROWS; i++)
        used[result.assigned[i]] = true;
    for (int i = 0; i < ROWS; i++)
        assert_true(used[i]);
    assert_true(result.inertia < 1e-5);
    free(result.assigned);
    for (int i = 0; i < ROWS * DIM; i++)
        x[i] = i < 6 * DIM ? (float)(i % DIM) : 0;
    CHECK(clc_buffer_write(test_device(), features.data, 0, ROWS * DIM * sizeof *x, x));
    CHECK(clc_kmeans(test_device(), &features, 4, 1, 1, &result));
    for (int i = 1; i < 6; i++)
        assert_int_equal(result.assigned[i], result.assigned[0]);
    free(result.assigned);
    assert_int_equal(clc_kmeans(test_device(), &features, 13, 1, 1, &result), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "13 clusters"));
    clc_buffer_release(test_device(), &features.data);
    free(x);
}

/* ---- silhouettes ---- */

static double brute_silhouette(const double *u, const int32_t *of, size_t n, size_t dim, int k,
                               size_t i) {
    double sums[16] = {0}, counts[16] = {0}, b = INFINITY;
    for (size_t j = 0; j < n; j++) {
        double d = 1;
        for (size_t e = 0; e < dim; e++)
            d -= u[i * dim + e] * u[j * dim + e];
        sums[of[j]] += i == j ? 0 : d;
        counts[of[j]]++;
    }
    const double a = sums[of[i]] / (counts[of[i]] - 1);
    for (int c = 0; c < k; c++)
        if (c != of[i] && counts[c] > 0)
            b = fmin(b, sums[c] / counts[c]);
    return counts[of[i]] < 2 ? 0 : (b - a) / fmax(a, b);
}

/* Clusters with gaps between their numbers, and one of a single row. */
static void silhouettes_agree_with_their_definition(void **state) {
    (void)state;
    enum { ROWS = 93, DIM = 11, K = 12 };
    int32_t labels[ROWS];
    float *x = blobs(ROWS, DIM, 4, 0.8, labels);
    double u[ROWS * DIM], got[ROWS], mean, want = 0;
    clc_features features = test_features(x, ROWS, DIM);
    normalise(x, ROWS, DIM, u);
    for (int i = 0; i < ROWS; i++)
        labels[i] *= 3;
    labels[5] = 11;
    CHECK(clc_silhouette(test_device(), &features, labels, K, got, &mean));
    for (size_t i = 0; i < ROWS; i++) {
        const double s = brute_silhouette(u, labels, ROWS, DIM, K, i);
        assert_true(fabs(got[i] - s) <= 2e-6);
        want += s / ROWS;
    }
    assert_true(fabs(mean - want) <= 2e-6);
    assert_true(got[5] >= 0 && got[5] <= 0);
    for (int i = 0; i < ROWS; i++)
        labels[i] = 3;
    CHECK(clc_silhouette(test_device(), &features, labels, K, NULL, &mean));
    assert_true(isnan(mean));
    labels[4] = 12;
    assert_int_equal(clc_silhouette(test_device(), &features, labels, K, NULL, &mean), CLC_INVALID);
    free(x);
    clc_buffer_release(test_device(), &features.data);
}

/* More rows than a block has. */
static void blocks_make_no_difference(void **state) {
    (void)state;
    enum { ROWS = 150, DIM = 65536, K = 3 };
    static int32_t labels[ROWS];
    if (!test_affordable((double)ROWS * DIM * K * 8))
        return;
    float *x = blobs(ROWS, DIM, K, 0.5, labels);
    double *u = calloc((size_t)ROWS * DIM, sizeof *u), mean, want = 0;
    clc_features features = test_features(x, ROWS, DIM);
    clc_kmeans_result result;
    clc_partition_score score;
    assert_non_null(u);
    CHECK(clc_kmeans(test_device(), &features, K, 3, 2, &result));
    CHECK(clc_partition_compare(labels, K, result.assigned, K, ROWS, &score));
    assert_true(score.ari > 1 - 1e-12);
    CHECK(clc_silhouette(test_device(), &features, labels, K, NULL, &mean));
    normalise(x, ROWS, DIM, u);
    for (size_t i = 0; i < ROWS; i += 10)
        want += brute_silhouette(u, labels, ROWS, DIM, K, i) / (ROWS / 10);
    assert_true(fabs(mean - want) < 0.01);
    free(result.assigned);
    free(x);
    free(u);
    clc_buffer_release(test_device(), &features.data);
}

/* By hand: {0 0 1 1} in clusters {0 0 1 2}. */
static void partitions_are_compared(void **state) {
    (void)state;
    static const int32_t labels[] = {0, 0, 1, 1}, clusters[] = {0, 0, 1, 2}, one[] = {0, 0, 0, 0};
    clc_partition_score s;
    CHECK(clc_partition_compare(labels, 2, clusters, 3, 4, &s));
    assert_true(fabs(s.nmi - (2 * log(2) / (log(2) + 1.5 * log(2)))) <= 1e-12);
    assert_true(fabs(s.ari - ((1 - 1.0 / 3) / (1.5 - 1.0 / 3))) <= 1e-12);
    assert_true(fabs(s.purity - (1)) <= 1e-12);
    CHECK(clc_partition_compare(labels, 2, one, 1, 4, &s));
    assert_true(fabs(s.nmi - (0)) <= 1e-12);
    assert_true(fabs(s.ari - (0)) <= 1e-12);
    assert_true(fabs(s.purity - (0.5)) <= 1e-12);
    assert_int_equal(clc_partition_compare(labels, 2, clusters, 2, 4, &s), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "sample 3 has label 1 of 2 and cluster 2 of 2"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_agree),
        cmocka_unit_test(the_nearest_is_assigned),
        cmocka_unit_test(sums_agree),
        cmocka_unit_test(clear_clusters_are_found),
        cmocka_unit_test(the_end_is_a_fixed_point),
        cmocka_unit_test(odd_numbers_end_well),
        cmocka_unit_test(silhouettes_agree_with_their_definition),
        cmocka_unit_test(blocks_make_no_difference),
        cmocka_unit_test(partitions_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
