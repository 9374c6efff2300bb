/* Training an encoder from a configuration file. */
#ifndef CLCONTRAST_TRAIN_H
#define CLCONTRAST_TRAIN_H

#include "clcontrast/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct clc_train_progress {
    int64_t step, steps; /* done, of all */
    int epoch, epochs;   /* of the step, from 1 */
    double loss, rate;   /* of the step; rate: of learning */
    double samples_per_second;
    double seconds_left; /* of training, without the evaluation; 0: not known yet */
} clc_train_progress;

typedef struct clc_train_options {
    const char *config;           /* path of the .ini file */
    const char *const *overrides; /* "section.key=value", may be NULL */
    size_t override_count;
    const char *device;     /* number, "cpu", "gpu" or part of a name; NULL: the best */
    bool dry_run;           /* everything up to the first step */
    bool overwrite;         /* a run that is in the output folder already may be lost */
    bool resume;            /* go on from a checkpoint */
    const char *checkpoint; /* which one; NULL: the newest of the output folder */
    bool allow_changes;     /* of settings with which it becomes another training */

    /* Callbacks, each with `context`; NULL: none. With any of them the library installs no
     * signal handlers (the compiler of an OpenCL driver may) and prints nothing: text goes to `log`
     * only. One training of a process at a time can have some: another one is CLC_INVALID. */
    void *context;
    clc_log_callback log; /* from any thread, see clcontrast/log.h */
    /* After each step that is finished, in the caller's thread. */
    void (*progress)(void *context, const clc_train_progress *progress);
    /* Whether to save and end with CLC_INTERRUPTED; asked between steps and parts of other work, in
     * the caller's thread. */
    bool (*stop)(void *context);
} clc_train_options;

/* Trains, writes checkpoints, metrics and encoder.safetensors to the output folder and evaluates.
 * Returns CLC_INTERRUPTED after SIGINT, SIGTERM or as options->stop says, when the state has been
 * saved. Without callbacks messages go to stderr, the evaluation to stdout. */
CLC_API clc_status clc_train(const clc_train_options *options);

/* Fine-tunes the encoder of `run` (a folder or file) by the labels of its data, or of section
 * [data] of the .ini file `data` unless that is NULL: supervised training as `clcontrast options`
 * says of [finetune], with settings of options->config (may be NULL) and the overrides over those
 * of the run and of the recipe. It writes what clc_train does, by default to a folder below the
 * run's. */
CLC_API clc_status clc_finetune(const char *run, const char *data,
                                const clc_train_options *options);

/* Trains a network on the scores of `teacher` (a fine-tuned or supervised run's folder or file), of
 * samples with and without a label: those of its data, or of section [data] of the .ini file `data`
 * unless that is NULL. The network is the teacher's, with random weights, unless options->config
 * (may be NULL) or the overrides say otherwise. It writes what clc_train does, by default to the
 * folder "distilled" below the teacher's. */
CLC_API clc_status clc_distill(const char *teacher, const char *data,
                               const clc_train_options *options);

#ifdef __cplusplus
}
#endif
#endif
