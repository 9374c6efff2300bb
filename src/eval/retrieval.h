/* Retrieval by cosine: where among all rows of a bank the relevant ones of each query stand. */
#ifndef CLC_EVAL_RETRIEVAL_H
#define CLC_EVAL_RETRIEVAL_H

#include "eval/features.h"
#include "eval/relevance.h"

/* Where the most similar of a query's relevant rows stands. */
typedef struct clc_retrieval_place {
    int32_t better;   /* rows that are more similar to the query */
    int32_t equal;    /* rows that are exactly as similar, relevant ones included */
    int32_t relevant; /* the relevant ones of these: at least 1; 0: nothing is relevant */
} clc_retrieval_place;

/* places (queries->rows, on the host). Rows that aren't finite count as better than any, and such a
 * query as the last. Works in tiles: takes about 100 MB of device memory, whatever the sizes.
 * Labels of features aren't read. */
clc_status clc_retrieval_places(clc_device *device, const clc_features *bank,
                                const clc_features *queries, const clc_relevance *relevance,
                                clc_retrieval_place *places);

enum { CLC_RECALLS = 3 };
extern const int clc_recall_at[CLC_RECALLS]; /* 1, 5, 10 */

typedef struct clc_retrieval_score {
    size_t queries;             /* with relevant rows; the others take no part */
    double recall[CLC_RECALLS]; /* share of queries with a relevant row among the first k */
    double median_rank;         /* of the first relevant row, from 1 on */
} clc_retrieval_score;

/* Ties stand in random order: a share of a recall and a rank are the expected ones, so that an
 * encoder that maps everything to one point scores as chance does. */
clc_status clc_retrieval_score_make(const clc_retrieval_place *places, size_t n,
                                    clc_retrieval_score *score);

/* Asks for its programs ahead of time. */
clc_status clc_retrieval_request(clc_device *device);

#endif
