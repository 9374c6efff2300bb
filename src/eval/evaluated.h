/* A row of features that is evaluated: raw pixels, the untrained encoder, the encoder ... Features
 * of a data set are made once, when the first task asks for them, and shared by all. */
#ifndef CLC_EVAL_EVALUATED_H
#define CLC_EVAL_EVALUATED_H

#include "eval/embed.h"
#include "eval/evaluation.h"
#include "eval/features.h"
#include "graph/param.h"
#include "model/heads.h"

/* Where features come from. */
typedef enum clc_evaluated_kind {
    CLC_EVALUATED_RAW,       /* pixels, a bag of tokens, values of a series */
    CLC_EVALUATED_HISTOGRAM, /* of the colours of images */
    CLC_EVALUATED_UNTRAINED, /* the encoder as it was before training */
    CLC_EVALUATED_ENCODER,
    CLC_EVALUATED_KINDS
} clc_evaluated_kind;

/* Features of samples that could be read, on the device. */
typedef struct clc_evaluated_set {
    const clc_dataset *data;
    clc_features features; /* its labels are those below */
    int32_t *labels;       /* (features.rows), -1: none */
    int32_t *samples;      /* (features.rows): which of the data's */
} clc_evaluated_set;

typedef struct clc_evaluated {
    const clc_evaluation *of;
    clc_evaluated_kind kind;
    const char *name; /* "raw pixels", "bag of tokens", "untrained encoder", "encoder" ... */
    int dim;
    int towers; /* embedders: only the encoder has as many as of->towers */
    clc_embedder embedders[CLC_TOWERS];
    double started; /* clc_seconds */
    /* What the last classifier said of the labelled test samples, for reports; NULL: none did. */
    int32_t *predicted;
    const char *predicted_by;
    /* private */
    clc_params untrained;
    clc_evaluated_set sets[2][2]; /* by split; labelled samples, all samples */
    bool made[2][2];
} clc_evaluated;

/* Whether there are such features of the data. */
bool clc_evaluated_possible(const clc_evaluation *e, clc_evaluated_kind kind);

/* Makes the embedders. `params`: the encoder's towers', of CLC_EVALUATED_ENCODER only. Release it
 * also after a failure. */
clc_status clc_evaluated_open(const clc_evaluation *e, clc_evaluated_kind kind,
                              clc_params *const params[CLC_TOWERS], clc_evaluated *row);
void clc_evaluated_release(clc_evaluated *row);

/* Features by the first tower of the samples of CLC_SPLIT_TRAIN or CLC_SPLIT_TEST: those with a
 * label, or all. The row owns them. The set must be there; CLC_INVALID: none of it can be read. */
clc_status clc_evaluated_labelled(clc_evaluated *row, clc_split split,
                                  const clc_evaluated_set **set);
clc_status clc_evaluated_all(clc_evaluated *row, clc_split split, const clc_evaluated_set **set);

#endif
