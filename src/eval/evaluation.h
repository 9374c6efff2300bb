/* What is evaluated on what: what tasks and rows of features share. */
#ifndef CLC_EVAL_EVALUATION_H
#define CLC_EVAL_EVALUATION_H

#include "core/config.h"
#include "data/dataset.h"
#include "data/scenes.h"
#include "device/device.h"
#include "eval/sts.h"

/* The data sets that evaluation takes: both opened for the same configuration. Either may be NULL,
 * but not both. */
typedef struct clc_evaluation_sets {
    const clc_dataset *train, *test;
} clc_evaluation_sets;

/* Of masks and boxes, for training and test. */
enum { CLC_EVALUATION_SCENES = 4 };

typedef struct clc_evaluation {
    clc_device *device; /* NULL while only what is possible is asked */
    const clc_config *config;
    clc_evaluation_sets sets;
    int towers;                   /* networks that the encoder has */
    int classes;                  /* of both sets */
    const clc_names *class_names; /* of both sets: the longer list begins with the other */
    const char *folder;           /* where files go; NULL: between epochs, where there are none */
    clc_scenes **scenes;          /* (CLC_EVALUATION_SCENES): see labelled_scenes.h; may be NULL */
    clc_sts sts;                  /* pairs of sentences with gold scores */
    clc_status sts_status;        /* whether they could be read */
    char sts_error[512];
} clc_evaluation;

/* Networks that an encoder of this configuration has. */
int clc_config_towers(const clc_config *config);

/* Borrows all that it is given. */
void clc_evaluation_make(clc_device *device, const clc_config *config,
                         const clc_evaluation_sets *sets, const char *folder, clc_evaluation *e);
void clc_evaluation_free(clc_evaluation *e);

/* The data whose fields say what the networks read: of training, or else of the test. */
const clc_dataset *clc_evaluation_known(const clc_evaluation *e);

/* Whether both sets have labelled samples; else `why` (size) says what is missing. Label -1 is
 * none. */
bool clc_evaluation_has_classes(const clc_evaluation *e, char *why, size_t size);

#endif
