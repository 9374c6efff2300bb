/* Retrieval by labels: what is relevant for a query are the rows of its class, and where all of
 * them stand among the rows of a bank by cosine. */
#ifndef CLC_EVAL_RANKING_H
#define CLC_EVAL_RANKING_H

#include "eval/retrieval.h"

/* One query's ranking: what stands between the relevant rows, from the most similar on. */
typedef struct clc_ranking {
    int32_t relevant;      /* n */
    const int32_t *counts; /* (2 n + 1): [2 i] other rows between relevant ones i - 1 and i, [2 i +
                              1] those as similar as i (of equal ones the first i) */
    const float *values;   /* (n): similarities of the relevant rows, falling */
} clc_ranking;

/* Measures of one query, by their usual definitions (Musgrave et al., arXiv 2003.08505; Manning et
 * al., Introduction to Information Retrieval, 8.4). */
typedef struct clc_ranking_measures {
    double reciprocal_rank;    /* 1 / rank of the first relevant row */
    double average_precision;  /* mean of the precisions at the relevant rows' ranks */
    double r_precision;        /* share of relevant rows among the first n */
    double precision_at_r;     /* sum of the precisions at relevant ranks up to n, divided by n: its
                                  mean is MAP@R */
    clc_retrieval_place first; /* where the most similar relevant row stands */
} clc_ranking_measures;

/* Rows that are exactly as similar stand in random order: the measures are the expected ones. */
void clc_ranking_measure(const clc_ranking *ranking, clc_ranking_measures *measures);

/* Means over queries; those for which nothing is relevant are left out. */
typedef struct clc_ranking_score {
    clc_retrieval_score first; /* R@k; the queries counted */
    double mrr, map, r_precision, map_at_r;
} clc_ranking_score;

/* Ranks the bank for each query. Queries NULL: each row of the bank is a query to all others.
 * Labels of both are in [0, bank->classes), or below 0: relevant for nothing. Rows that aren't
 * finite count as better than any, a query that isn't as the worst. Works in tiles: takes about 150
 * MB of device memory, and 64 times 16 bytes for each row of the largest class where that is more,
 * whatever the number of rows. Ctrl-C ends it with CLC_INTERRUPTED. */
clc_status clc_ranking_score_make(clc_device *device, const clc_features *bank,
                                  const clc_features *queries, clc_ranking_score *score);

/* Asks for its programs ahead of time. */
clc_status clc_ranking_request(clc_device *device);

#endif
