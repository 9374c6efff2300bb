/* Methods: which views go through which networks, what the loss sees of them, and what is updated
 * after a step. A method is a row of words, without arithmetic; adding one is a file that defines
 * clc_method_<word>, and the word in CLC_METHODS (core/words.h). method/wiring.h interprets it. */
#ifndef CLC_METHOD_METHOD_H
#define CLC_METHOD_METHOD_H

#include "core/config.h"
#include "core/words.h"
#include "graph/graph.h"
#include "loss/loss.h"
#include "model/heads.h"

/* What the embeddings are compared with, besides each other. */
typedef enum clc_target {
    CLC_TARGET_NONE,
    CLC_TARGET_TEACHER,    /* the output of a running average of the networks */
    CLC_TARGET_PROJECTION, /* the other view's projection, in front of the predictor, as a constant
                            */
    CLC_TARGET_TRAINED,    /* the scores of a trained network, finetune.teacher */
    CLC_TARGET_NEIGHBOURS  /* the queue's vectors that are nearest to those */
} clc_target;

/* What the queue takes in after a step. */
typedef enum clc_queue_use {
    CLC_QUEUE_NONE,
    CLC_QUEUE_TEACHER,    /* the teacher's output: negatives of the loss */
    CLC_QUEUE_PROJECTION, /* the projections */
    CLC_QUEUE_SCORED      /* the projections, whose scores join the loss */
} clc_queue_use;

typedef struct clc_method {
    const char *name;
    const char *loss; /* if the configuration does not name one */
    clc_target target;
    clc_queue_use queue;
    int negatives; /* likewise */
    int views;     /* of each sample; 0: two */
    int towers;    /* 2: an encoder of its own for field 1; else one for all */
    bool by_field; /* of data with several fields, view f is one of field f; else all views are of
                      field 0 */
    bool split;    /* the networks see the first view, the teacher the second; else both see both */
    bool predictor;       /* behind the networks, not behind the teacher */
    bool classifier;      /* the loss sees scores of the classes: of a linear layer behind what is
                             kept, in the projector's place */
    bool prototypes;      /* the loss sees cosines with prototypes */
    bool unit_prototypes; /* which are scaled to length 1 after each update */
    bool multicrop;       /* small views beside the two, not for the teacher */
    bool learned_scale;   /* if the configuration does not say */
    bool labels;          /* positives have the same label */
    int norm_parts;       /* parts of each view that batch-norm sees alone; 0: all views together */
    double temperature_weight; /* the loss is multiplied by so many times its temperature; 0: it is
                                  not */
} clc_method;

/* The method of that name, or NULL. */
const clc_method *clc_method_find(const char *name);

/* What a configuration is wired up as: its method, or supervised with a teacher. */
const clc_method *clc_method_of(const clc_config *config);
extern const clc_method clc_method_distilled;

/* The loss that the configuration asks for, with the method's own where it says auto. */
const clc_loss *clc_method_loss(const clc_method *method, const clc_config *config);

/* Its options, with what the method adds: negatives where they are auto, and its weight. */
clc_config_loss clc_method_options(const clc_method *method, const clc_config *config);

/* Whether training needs labels. */
bool clc_method_wants_labels(const clc_config *config);

#define CLC_METHOD_DECLARE(unused, word) extern const clc_method clc_method_##word;
CLC_METHODS(CLC_METHOD_DECLARE, )
#undef CLC_METHOD_DECLARE

#endif
