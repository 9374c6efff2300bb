#include "eval/partition.h"

#include <math.h>

/* Counts of labels, of clusters and of both together. */
typedef struct table {
    int64_t *both, *labels, *clusters; /* (classes,clusters), (classes), (clusters) */
    size_t classes, cluster_count;
} table;

static clc_status count(const int32_t *labels, const int32_t *clusters, size_t n, table *t) {
    clc_status status = CLC_OK;
    CLC_NEW(t->both, t->classes * t->cluster_count);
    CLC_NEW(t->labels, t->classes);
    CLC_NEW(t->clusters, t->cluster_count);
    for (size_t i = 0; i < n; i++) {
        if (labels[i] < 0 || (size_t)labels[i] >= t->classes || clusters[i] < 0 ||
            (size_t)clusters[i] >= t->cluster_count)
            CLC_TRY(clc_fail(CLC_INVALID, "sample %zu has label %d of %zu and cluster %d of %zu", i,
                             (int)labels[i], t->classes, (int)clusters[i], t->cluster_count));
        t->both[(size_t)labels[i] * t->cluster_count + (size_t)clusters[i]]++;
        t->labels[labels[i]]++;
        t->clusters[clusters[i]]++;
    }
fail:
    return status;
}

static double entropy(const int64_t *counts, size_t k, double n) {
    double sum = 0;
    for (size_t i = 0; i < k; i++)
        sum -= counts[i] ? (double)counts[i] / n * log((double)counts[i] / n) : 0;
    return sum;
}

static double nmi(const table *t, double n) {
    const double a = entropy(t->labels, t->classes, n);
    const double b = entropy(t->clusters, t->cluster_count, n);
    double information = 0;
    for (size_t i = 0; i < t->classes; i++)
        for (size_t j = 0; j < t->cluster_count; j++) {
            const double both = (double)t->both[i * t->cluster_count + j];
            if (both > 0)
                information +=
                    both / n * log(both * n / ((double)t->labels[i] * (double)t->clusters[j]));
        }
    return a + b > 0 ? fmax(2 * information / (a + b), 0) : 1;
}

static double pairs(const int64_t *counts, size_t k) {
    double sum = 0;
    for (size_t i = 0; i < k; i++)
        sum += (double)counts[i] * ((double)counts[i] - 1) / 2;
    return sum;
}

static double ari(const table *t, double n) {
    const double both = pairs(t->both, t->classes * t->cluster_count);
    const double a = pairs(t->labels, t->classes), b = pairs(t->clusters, t->cluster_count);
    const double expected = n > 1 ? a * b / (n * (n - 1) / 2) : 0, most = (a + b) / 2;
    return most > expected ? (both - expected) / (most - expected) : 1;
}

static double purity(const table *t, double n) {
    int64_t sum = 0;
    for (size_t j = 0; j < t->cluster_count; j++) {
        int64_t most = 0;
        for (size_t i = 0; i < t->classes; i++) {
            const int64_t both = t->both[i * t->cluster_count + j];
            most = both > most ? both : most;
        }
        sum += most;
    }
    return (double)sum / n;
}

clc_status clc_partition_compare(const int32_t *labels, int classes, const int32_t *clusters,
                                 int cluster_count, size_t n, clc_partition_score *score) {
    clc_status status = CLC_OK;
    table t = {.classes = (size_t)classes, .cluster_count = (size_t)cluster_count};
    if (n < 1 || classes < 1 || cluster_count < 1)
        return clc_fail(CLC_INVALID, "clusters need samples, not %zu in %d clusters", n,
                        cluster_count);
    CLC_TRY(count(labels, clusters, n, &t));
    *score = (clc_partition_score){nmi(&t, (double)n), ari(&t, (double)n), purity(&t, (double)n)};
fail:
    free(t.both);
    free(t.labels);
    free(t.clusters);
    return status;
}
