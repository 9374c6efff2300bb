/* Semantic textual similarity: how well cosines of pairs of sentences agree with gold scores. */
#ifndef CLC_EVAL_STS_H
#define CLC_EVAL_STS_H

#include "core/config.h"
#include "eval/embed.h"
#include "text/tokenizer.h"

typedef struct clc_sts {
    clc_field sides[2]; /* a sentence a pair */
    double *gold;       /* (count) */
    size_t count;       /* 0: none */
} clc_sts;

typedef struct clc_sts_score {
    size_t pairs;             /* 0: none */
    double pearson, spearman; /* NaN: not defined */
} clc_sts_score;

/* Reads data.test if it is a file with columns or keys sent0 and sent1 (or sentence1 and sentence2)
 * and one of gold scores: evaluation.score_column, or else score. Without these, and without
 * score_column in the configuration, sts->count is 0, which is no failure. CLC_FORMAT: a score that
 * is no number. */
clc_status clc_sts_open(const clc_config *config, clc_tokenizer *tokenizer, clc_sts *sts);

clc_status clc_sts_make(clc_embedder *embedder, const clc_sts *sts, clc_sts_score *score);

void clc_sts_free(clc_sts *sts);

#endif
