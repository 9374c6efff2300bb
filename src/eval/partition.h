/* How well a partition of samples into clusters agrees with their classes. */
#ifndef CLC_EVAL_PARTITION_H
#define CLC_EVAL_PARTITION_H

#include "core/status.h"

#include <stdint.h>

typedef struct clc_partition_score {
    double nmi; /* mutual information, divided by the mean of both entropies; 1 if both are one */
    double ari; /* Rand index, adjusted for chance (Hubert & Arabie, 1985); 1: the same */
    double purity; /* share of samples that bear the commonest label of their cluster */
} clc_partition_score;

/* Of `n` samples: labels in [0, classes), clusters in [0, cluster_count); numbers may be unused. */
clc_status clc_partition_compare(const int32_t *labels, int classes, const int32_t *clusters,
                                 int cluster_count, size_t n, clc_partition_score *score);

#endif
