/* t-SNE's kernels against plain C in double, whose gradient is that of the divergence by finite
 * differences; the search for the perplexity; neighbours; principal components. */
#include "eval/tsne.h"

#include "eval/neighbours.h"
#include "eval/project.h"
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *random_points(int n, double scale, uint32_t seed) {
    double *points = malloc(2 * (size_t)n * sizeof *points);
    clc_rng rng = clc_rng_make(seed, 3);
    assert_non_null(points);
    for (int i = 0; i < 2 * n; i++) /* as floats, which the device begins with */
        points[i] = (double)(float)(scale * ((double)clc_rng_below(&rng, 20001) / 10000 - 1));
    return points;
}

/* Edges between random pairs, none to itself, that sum to 1. */
static clc_tsne_graph random_graph(int n, int k, uint32_t seed) {
    int32_t *near = malloc((size_t)(n * k) * sizeof *near);
    float *cosine = malloc((size_t)(n * k) * sizeof *cosine);
    clc_rng rng = clc_rng_make(seed, 4);
    clc_tsne_graph graph;
    assert_non_null(near);
    assert_non_null(cosine);
    for (int i = 0; i < n * k; i++) {
        near[i] = (int32_t)((i / k + 1 + (int)clc_rng_below(&rng, (uint32_t)n - 1)) % n);
        cosine[i] = (float)clc_rng_below(&rng, 1000) / 1000;
    }
    CHECK(clc_tsne_graph_make(near, cosine, n, k, k / 2.0 > 1 ? k / 2.0 : 1, &graph));
    free(near);
    free(cosine);
    return graph;
}

/* ---- the reference: van der Maaten and Hinton, equations 4 and 5, P as a matrix ---- */

static double *matrix_of(const clc_tsne_graph *graph) {
    double *p = calloc((size_t)graph->n * (size_t)graph->n, sizeof *p);
    assert_non_null(p);
    for (int i = 0; i < graph->n; i++)
        for (int e = graph->starts[i]; e < graph->starts[i + 1]; e++)
            p[i * graph->n + graph->others[e]] += (double)graph->weights[e];
    return p;
}

static double weight(const double *y, int i, int j) {
    const double dx = y[2 * i] - y[2 * j], dy = y[2 * i + 1] - y[2 * j + 1];
    return i == j ? 0 : 1 / (1 + dx * dx + dy * dy);
}

static double total(const double *y, int n) {
    double z = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            z += weight(y, i, j);
    return z;
}

static double divergence(const double *p, const double *y, int n) {
    const double z = total(y, n);
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            if (p[i * n + j] > 0)
                sum += p[i * n + j] * log(p[i * n + j] * z / weight(y, i, j));
    return sum;
}

static void gradient(const double *p, const double *y, int n, double exaggeration, double *g) {
    const double z = total(y, n);
    for (int i = 0; i < n; i++)
        for (int a = 0; a < 2; a++) {
            g[2 * i + a] = 0;
            for (int j = 0; j < n; j++)
                g[2 * i + a] += 4 * (exaggeration * p[i * n + j] - weight(y, i, j) / z) *
                                weight(y, i, j) * (y[2 * i + a] - y[2 * j + a]);
        }
}

static void reference_steps(const double *p, double *y, int n, const clc_tsne_settings *s,
                            int steps) {
    double *g = calloc(2 * (size_t)n, sizeof *g), *v = calloc(2 * (size_t)n, sizeof *v);
    double *gain = malloc(2 * (size_t)n * sizeof *gain);
    assert_true(g && v && gain);
    for (int i = 0; i < 2 * n; i++)
        gain[i] = 1;
    for (int k = 0; k < steps; k++) {
        gradient(p, y, n, (double)s->exaggeration, g);
        for (int i = 0; i < 2 * n; i++) {
            gain[i] = fmax(0.01, (g[i] > 0) != (v[i] > 0) ? gain[i] + 0.2 : gain[i] * 0.8);
            v[i] = (double)s->momentum * v[i] - (double)s->rate * gain[i] * g[i];
            y[i] += v[i];
        }
    }
    free(g);
    free(v);
    free(gain);
}

static void the_reference_has_the_gradient_of_the_divergence(void **state) {
    (void)state;
    enum { N = 7 };
    clc_tsne_graph graph = random_graph(N, 3, 1);
    double *p = matrix_of(&graph), *y = random_points(N, 2, 2), g[2 * N];
    gradient(p, y, N, 1, g);
    for (int i = 0; i < 2 * N; i++) {
        const double h = 1e-5, at = y[i];
        y[i] = at + h;
        const double above = divergence(p, y, N);
        y[i] = at - h;
        const double slope = (above - divergence(p, y, N)) / (2 * h);
        y[i] = at;
        assert_true(fabs(slope - g[i]) <= 1e-7);
    }
    free(p);
    free(y);
    clc_tsne_graph_free(&graph);
}

static void steps_are_as_in_the_reference(void **state) {
    (void)state;
    static const int sizes[] = {2, 3, 63, 64, 65, 131, 257};
    const clc_tsne_settings settings = {4, 0.5f, 0.5f};
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++)
        for (int steps = 1; steps <= 3; steps++) {
            const int n = sizes[c], k = n > 10 ? 9 : n - 1;
            if (!test_affordable((double)n * n * steps))
                continue;
            clc_tsne_graph graph = random_graph(n, k, (uint32_t)n);
            double *p = matrix_of(&graph), *y = random_points(n, 3, 5),
                   *got = random_points(n, 1, 1);
            clc_tsne tsne;
            CHECK(clc_tsne_make(test_device(), &graph, y, &tsne));
            CHECK(clc_tsne_run(&tsne, &settings, steps));
            CHECK(clc_tsne_read(&tsne, got));
            reference_steps(p, y, n, &settings, steps);
            /* Places and moves are at most 4; sums of n floats, three steps of them. */
            for (int i = 0; i < 2 * n; i++)
                assert_true(fabs(got[i] - y[i]) <= 1e-5);
            clc_tsne_release(&tsne);
            clc_tsne_graph_free(&graph);
            free(p);
            free(y);
            free(got);
        }
}

static void weights_have_the_perplexity_and_sum_to_one(void **state) {
    (void)state;
    enum { K = 40 };
    double distances[K], p[K];
    for (int i = 0; i < K; i++)
        distances[i] = 0.01 * (i + 1) * (i + 1);
    for (double wanted = 2; wanted < 35; wanted *= 1.7) {
        assert_true(fabs(clc_tsne_perplexity(distances, K, wanted, p) - wanted) <= 1e-6 * wanted);
        double sum = 0, entropy = 0;
        for (int i = 0; i < K; i++) {
            sum += p[i];
            entropy -= p[i] * log2(p[i]);
        }
        assert_true(fabs(sum - 1) <= 1e-12 && fabs(pow(2, entropy) - wanted) <= 1e-6 * wanted);
    }
    memset(distances, 0, sizeof distances); /* copies of one sample: all the same, no more */
    assert_true(fabs(clc_tsne_perplexity(distances, K, 10, p) - K) <= 1e-9);
    assert_true(fabs(p[0] - 1.0 / K) <= 1e-12);
    distances[0] = 1e30; /* one far from the others: exp of it is 0, not the sum */
    assert_true(isfinite(clc_tsne_perplexity(distances, K, 3, p)));
    clc_tsne_graph graph = random_graph(50, 7, 3);
    double all = 0;
    for (int e = 0; e < graph.starts[50]; e++)
        all += (double)graph.weights[e];
    assert_true(fabs(all - 1) <= 1e-5);
    clc_tsne_graph_free(&graph);
}

static float *blobs(int n, int dim, int groups) {
    float *x = malloc((size_t)n * (size_t)dim * sizeof *x);
    clc_rng rng = clc_rng_make(9, 9);
    assert_non_null(x);
    for (int i = 0; i < n; i++)
        for (int d = 0; d < dim; d++)
            x[i * dim + d] =
                (d == i % groups ? 5.0f : 0.0f) + (float)clc_rng_below(&rng, 1000) / 1000;
    return x;
}

static double cosine_of(const float *a, const float *b, int dim) {
    double ab = 0, aa = 0, bb = 0;
    for (int d = 0; d < dim; d++) {
        ab += (double)a[d] * (double)b[d];
        aa += (double)a[d] * (double)a[d];
        bb += (double)b[d] * (double)b[d];
    }
    return ab / sqrt(aa * bb);
}

static void neighbours_are_those_of_greatest_cosine(void **state) {
    (void)state;
    enum { N = 139, DIM = 13, K = 5 };
    float *x = blobs(N, DIM, 4), cosine[N * K];
    int32_t near[N * K];
    clc_features features = test_features(x, N, DIM);
    CHECK(clc_neighbours(test_device(), &features, K, near, cosine));
    for (int i = 0; i < N; i++) {
        int nearer = 0; /* than the last of the list, by more than rounding */
        for (int j = 0; j < N; j++)
            nearer += j != i && cosine_of(x + i * DIM, x + j * DIM, DIM) >
                                    (double)cosine[i * K + K - 1] + 1e-6;
        assert_true(nearer <= K - 1);
        for (int e = 0; e < K; e++) {
            const int32_t j = near[i * K + e];
            assert_true(j != i && j >= 0 && j < N);
            assert_true(
                fabs(cosine_of(x + i * DIM, x + j * DIM, DIM) - (double)cosine[i * K + e]) <= 1e-6);
            assert_true(e == 0 || cosine[i * K + e] <= cosine[i * K + e - 1]);
            for (int f = 0; f < e; f++)
                assert_int_not_equal(near[i * K + f], j);
        }
    }
    clc_buffer_release(test_device(), &features.data);
    free(x);
}

static void groups_stay_together_on_the_map(void **state) {
    (void)state;
    enum { N = 120, DIM = 8, K = 30, GROUPS = 3 };
    if (!test_affordable(1000.0 * N * N))
        return;
    float *x = blobs(N, DIM, GROUPS), cosine[N * K];
    int32_t near[N * K];
    double points[2 * N], share;
    clc_features features = test_features(x, N, DIM);
    clc_tsne_graph graph;
    CHECK(clc_neighbours(test_device(), &features, K, near, cosine));
    CHECK(clc_tsne_graph_make(near, cosine, N, K, 10, &graph));
    CHECK(clc_project(x, N, DIM, 2, points, &share));
    CHECK(clc_tsne_map(test_device(), &graph, points));
    for (int i = 0; i < N; i++) {
        int nearest = -1;
        for (int j = 0; j < N; j++)
            if (j != i && (nearest < 0 || weight(points, i, j) > weight(points, i, nearest)))
                nearest = j;
        assert_true(isfinite(points[2 * i]) && isfinite(points[2 * i + 1]));
        assert_int_equal(nearest % GROUPS, i % GROUPS);
    }
    clc_tsne_graph_free(&graph);
    clc_buffer_release(test_device(), &features.data);
    free(x);
}

static void components_are_the_directions_of_variance(void **state) {
    (void)state;
    enum { N = 200, DIM = 5 };
    static float x[N * DIM];
    double out[2 * N], share;
    for (int i = 0; i < N; i++) { /* along (3,4,0,0,0)/5, then along the last axis */
        const float a = (float)sin(i), b = (float)(0.3 * cos(7.0 * i));
        x[i * DIM] = 0.6f * a + 100;
        x[i * DIM + 1] = 0.8f * a - 50;
        x[i * DIM + 4] = b;
    }
    CHECK(clc_project(x, N, DIM, 2, out, &share));
    assert_true(fabs(share - 1) <= 1e-6);
    double means[2] = {0, 0};
    for (int i = 0; i < N; i++) {
        means[0] += sin(i) / N;
        means[1] += 0.3 * cos(7.0 * i) / N;
    }
    for (int i = 0; i < N; i++) {
        assert_true(fabs(out[2 * i] - (sin(i) - means[0])) <= 1e-2);
        assert_true(fabs(out[2 * i + 1] - (0.3 * cos(7.0 * i) - means[1])) <= 1e-2);
    }
    memset(x, 0, sizeof x); /* no variance at all */
    CHECK(clc_project(x, N, DIM, 2, out, &share));
    assert_true(share == 0 && out[0] == 0 && out[2 * N - 1] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_has_the_gradient_of_the_divergence),
        cmocka_unit_test(steps_are_as_in_the_reference),
        cmocka_unit_test(weights_have_the_perplexity_and_sum_to_one),
        cmocka_unit_test(neighbours_are_those_of_greatest_cosine),
        cmocka_unit_test(groups_stay_together_on_the_map),
        cmocka_unit_test(components_are_the_directions_of_variance),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
