/* Metrics of how features lie: clusters, spread, likeness of two spaces. */
#include "golden/golden.h"

#include "eval/partition.h"
#include "eval/silhouette.h"
#include "eval/spread.h"
#include "harness.h"

#include <math.h>
#include <stdlib.h>

/* Sums of some thousand products in double. */
static const double exact = 1e-9;
/* Singular values come of a Gram matrix. */
static const double by_gram = 1e-6;
/* Silhouettes come of cosines in float. */
static const double rounding = 2e-6;

void golden_clustering(const clc_safetensors *file) {
    clc_features features = golden_features(file, "embeddings");
    int32_t *labels = golden_integers(golden_tensor(file, "labels"));
    int32_t *assigned = golden_integers(golden_tensor(file, "assignments"));
    const size_t n = features.rows;
    int classes = 1, clusters = 1;
    double *samples = malloc(n * sizeof *samples), mean;
    double *want = golden_doubles(golden_tensor(file, "silhouette_samples"));
    clc_partition_score score;
    assert_non_null(samples);
    for (size_t i = 0; i < n; i++) {
        classes = labels[i] >= classes ? labels[i] + 1 : classes;
        clusters = assigned[i] >= clusters ? assigned[i] + 1 : clusters;
    }
    CHECK(clc_partition_compare(labels, classes, assigned, clusters, n, &score));
    golden_expect(file, "nmi", score.nmi, exact);
    golden_expect(file, "ari", score.ari, exact);
    golden_expect(file, "purity", score.purity, exact);
    CHECK(clc_silhouette(test_device(), &features, assigned, clusters, samples, &mean));
    golden_expect(file, "silhouette", mean, rounding);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(samples[i] - want[i]) <= rounding);
    clc_buffer_release(test_device(), &features.data);
    free(labels);
    free(assigned);
    free(samples);
    free(want);
}

void golden_cka(const clc_safetensors *file) {
    const clc_st_tensor *x = golden_tensor(file, "x"), *y = golden_tensor(file, "y");
    double cka;
    CHECK(clc_linear_cka(x->data, x->shape[1], y->data, y->shape[1], x->shape[0], &cka));
    golden_expect(file, "linear_cka", cka, exact);
}

void golden_spread(const clc_safetensors *file) {
    const clc_st_tensor *x = golden_tensor(file, "embeddings1");
    const clc_st_tensor *y = golden_tensor(file, "embeddings2");
    clc_spread spread;
    double rank;
    CHECK(clc_spread_measure(x->data, y->data, (int)x->shape[0], (int)x->shape[1], &spread));
    CHECK(clc_rankme(x->data, x->shape[0], x->shape[1], &rank));
    golden_expect(file, "rankme", rank, by_gram);
    golden_expect(file, "effective_rank", spread.rank, by_gram);
    golden_expect(file, "deviation", spread.deviation, exact);
    golden_expect(file, "alignment", spread.alignment, exact);
    golden_expect(file, "alignment", clc_alignment(x->data, y->data, x->shape[0], x->shape[1]),
                  exact);
    golden_expect(file, "uniformity", spread.uniformity, exact);
}
