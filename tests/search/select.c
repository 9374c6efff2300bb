/* Ways to select samples, each against its definition, scanned anew at each step in double. */
#include "search/select.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 61, DIM = 4, CLUSTERS = 7, NEIGHBOURS = 6 };

static float *unit_rows(uint64_t seed) {
    float *x = test_random(ROWS * DIM, seed);
    for (size_t i = 0; i < ROWS; i++) {
        double sum = 0;
        for (size_t d = 0; d < DIM; d++)
            sum += (double)x[i * DIM + d] * (double)x[i * DIM + d];
        for (size_t d = 0; d < DIM; d++)
            x[i * DIM + d] = (float)((double)x[i * DIM + d] / sqrt(sum));
    }
    return x;
}

static double cosine(const float *x, size_t i, size_t j) {
    double sum = 0;
    for (size_t d = 0; d < DIM; d++)
        sum += (double)x[i * DIM + d] * (double)x[j * DIM + d];
    return sum;
}

static bool among(const clc_selected *list, size_t n, size_t sample) {
    for (size_t i = 0; i < n; i++)
        if (list[i].sample == sample)
            return true;
    return false;
}

static void diverse_ones_are_the_farthest_from_those_before(void **state) {
    (void)state;
    clc_selected list[ROWS];
    float *x = unit_rows(1);
    memcpy(x + 5 * DIM, x + 3 * DIM, DIM * sizeof *x); /* a copy comes last */
    CHECK(clc_select_diverse(x, ROWS, DIM, ROWS, list));
    for (size_t n = 1; n < ROWS; n++) {
        double least = 2, here = -2;
        for (size_t i = 0; i < ROWS; i++) {
            double nearest = -2;
            for (size_t s = 0; s < n; s++)
                nearest = fmax(nearest, cosine(x, i, list[s].sample));
            least = among(list, n, i) ? least : fmin(least, nearest);
            here = i == list[n].sample ? nearest : here;
        }
        assert_false(among(list, n, list[n].sample));
        assert_true(fabs(here - least) < 1e-6 && fabs(list[n].value - here) < 1e-6);
    }
    assert_true(list[ROWS - 1].sample == 3 || list[ROWS - 1].sample == 5);
    free(x);
}

static int falling(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static void typicality_is_the_inverse_mean_distance(void **state) {
    (void)state;
    float *x = unit_rows(2), cosines[ROWS * (NEIGHBOURS + 1)];
    double got[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        double all[ROWS];
        for (size_t j = 0; j < ROWS; j++)
            all[j] = cosine(x, i, j);
        qsort(all, ROWS, sizeof *all, falling);
        for (size_t j = 0; j <= NEIGHBOURS; j++)
            cosines[i * (NEIGHBOURS + 1) + j] = (float)all[j];
    }
    clc_typicality(cosines, ROWS, NEIGHBOURS + 1, got);
    for (size_t i = 0; i < ROWS; i++) {
        double distances[ROWS], sum = 0;
        for (size_t j = 0; j < ROWS; j++) {
            double squares = 0;
            for (size_t d = 0; d < DIM; d++)
                squares += pow((double)x[i * DIM + d] - (double)x[j * DIM + d], 2);
            distances[j] = -sqrt(squares);
        }
        qsort(distances, ROWS, sizeof *distances, falling);
        for (size_t j = 1; j <= NEIGHBOURS; j++)
            sum -= distances[j];
        assert_true(fabs(got[i] * sum / NEIGHBOURS - 1) < 1e-4);
    }
    free(x);
}

/* Whose turn it is: the cluster that gave the fewest, of these the largest. */
static int next_cluster(const int32_t *assigned, const clc_selected *list, size_t n) {
    int best = -1, best_taken = 0, best_size = 0;
    for (int c = 0; c < CLUSTERS; c++) {
        int size = 0, taken = 0;
        for (size_t i = 0; i < ROWS; i++)
            if (assigned[i] == c) {
                size++;
                taken += among(list, n, i);
            }
        if (taken < size &&
            (best < 0 || taken < best_taken || (taken == best_taken && size > best_size))) {
            best = c;
            best_taken = taken;
            best_size = size;
        }
    }
    return best;
}

static void typical_ones_come_from_all_clusters_in_turn(void **state) {
    (void)state;
    int32_t assigned[ROWS];
    double typicality[ROWS];
    clc_selected list[ROWS];
    clc_rng rng = clc_rng_make(3, 3);
    for (size_t i = 0; i < ROWS; i++) {
        const uint32_t below = clc_rng_below(&rng, CLUSTERS - 1) + 1; /* the last one is empty */
        assigned[i] = (int32_t)clc_rng_below(&rng, below);
        typicality[i] = (double)clc_rng_below(&rng, 9); /* ties */
    }
    CHECK(clc_select_typical(assigned, typicality, ROWS, CLUSTERS, ROWS, list));
    for (size_t n = 0; n < ROWS; n++) {
        const int c = next_cluster(assigned, list, n);
        size_t best = ROWS;
        for (size_t i = 0; i < ROWS; i++)
            if (assigned[i] == c && !among(list, n, i) &&
                (best == ROWS || typicality[i] > typicality[best]))
                best = i;
        assert_int_equal(list[n].sample, best);
        assert_true(list[n].value >= typicality[best] && list[n].value <= typicality[best]);
    }
}

static void doubt_is_entropy_or_a_small_margin(void **state) {
    (void)state;
    enum { CLASSES = 5 };
    float *logits = test_random(ROWS * CLASSES, 4);
    for (size_t i = 0; i < ROWS; i++) {
        double p[CLASSES], sum = 0, entropy = 0;
        for (size_t c = 0; c < CLASSES; c++) {
            logits[i * CLASSES + c] *= 5;
            sum += p[c] = exp((double)logits[i * CLASSES + c]);
        }
        for (size_t c = 0; c < CLASSES; c++) {
            p[c] /= sum;
            entropy -= p[c] * log(p[c]);
        }
        qsort(p, CLASSES, sizeof *p, falling);
        const float *row = logits + i * CLASSES;
        assert_true(fabs(clc_doubt_of(row, CLASSES, CLC_DOUBT_ENTROPY) - entropy) < 1e-12);
        assert_true(fabs(clc_doubt_of(row, CLASSES, CLC_DOUBT_MARGIN) - (p[0] - p[1])) < 1e-12);
    }
    const float far[] = {1e30f, -1e30f, 0};
    assert_true(clc_doubt_of(far, 3, CLC_DOUBT_ENTROPY) < 1e-300);
    assert_true(fabs(clc_doubt_of(far, 3, CLC_DOUBT_MARGIN) - 1) < 1e-15);
    assert_true(fabs(clc_doubt_of(far, 1, CLC_DOUBT_MARGIN) - 1) < 1e-15);
    free(logits);
}

static void extremes_come_in_order(void **state) {
    (void)state;
    const double values[] = {3, 1, 4, 1, 5, 4};
    const size_t greatest[] = {4, 2, 5, 0}, least[] = {1, 3, 0, 2};
    clc_selected list[4];
    CHECK(clc_select_extreme(values, 6, true, 4, list));
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(list[i].sample, greatest[i]);
    CHECK(clc_select_extreme(values, 6, false, 4, list));
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(list[i].sample, least[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diverse_ones_are_the_farthest_from_those_before),
        cmocka_unit_test(typicality_is_the_inverse_mean_distance),
        cmocka_unit_test(typical_ones_come_from_all_clusters_in_turn),
        cmocka_unit_test(doubt_is_entropy_or_a_small_margin),
        cmocka_unit_test(extremes_come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
