/* What training and bench need before the first step: configuration, data, device and the built
 * step. */
#ifndef CLC_TRAIN_SESSION_H
#define CLC_TRAIN_SESSION_H

#include "clcontrast/train.h"
#include "eval/evaluate.h"
#include "train/checkpoint.h"
#include "train/step.h"

typedef struct clc_session {
    clc_config config;
    clc_dataset *data;        /* training images */
    clc_dataset *test;        /* NULL if there are none */
    clc_tokenizer *tokenizer; /* of the run that is resumed; NULL: the data set has its own */
    clc_device *device;
    clc_step step;
    clc_checkpoint *checkpoint; /* of the run to be resumed, until that has been done */
    double started;             /* clc_seconds() at the beginning */
    double prepare_seconds;     /* until the first step could begin */
} clc_session;

/* Loads the configuration and the data, which settle what the configuration left open, opens the
 * device, shows and checks the memory plan, and announces all programs. `data` replaces the
 * configuration's if not NULL (taken over, also on failure). */
clc_status clc_session_plan(clc_session *session, const clc_train_options *options,
                            clc_dataset *data);

/* The same, then initialises the weights while programs are compiled in the background: each kernel
 * of the first step waits for its program only. */
clc_status clc_session_open(clc_session *session, const clc_train_options *options,
                            clc_dataset *data);

/* What evaluation takes. */
static inline clc_evaluation_sets clc_session_sets(const clc_session *session) {
    return (clc_evaluation_sets){session->data, session->test};
}

void clc_session_close(clc_session *session);

#endif
