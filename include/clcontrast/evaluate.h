/* How good an encoder is: the tasks of `clcontrast eval`, and their figures by name. */
#ifndef CLCONTRAST_EVALUATE_H
#define CLCONTRAST_EVALUATE_H

#include "clcontrast/log.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct clc_evaluate_options {
    const char *run;              /* a run's folder, or an encoder file */
    const char *device;           /* number, "cpu", "gpu" or part of a name; NULL: the best */
    const char *tasks;            /* names with commas between; NULL: as the run's configuration */
    const char *data;             /* an .ini file whose section [data] counts; NULL: the run's */
    const char *output;           /* folder; NULL: the run's, or the current one; with `data` one of
                                     that file's name in it */
    const char *const *overrides; /* "section.key=value", may be NULL */
    size_t override_count;

    /* As those of clc_train_options: with any of them no signal handlers are installed and nothing
     * is printed. */
    void *context;
    clc_log_callback log;
    bool (*stop)(void *context);
} clc_evaluate_options;

/* What an evaluation found. */
typedef struct clc_results clc_results;

/* Evaluates an encoder, writes evaluation.txt and .json to the output folder and, without
 * callbacks, prints the tables. *results, unless NULL, are to be freed with clc_results_free.
 * CLC_INTERRUPTED: what is finished is in the folder. */
CLC_API clc_status clc_evaluate(const clc_evaluate_options *options, clc_results **results);

/* The results that are in a folder already: of a run that was trained to its end, or as
 * clc_evaluate left them. */
CLC_API clc_status clc_results_open(const char *folder, clc_results **results);

/* All of it, a list of objects, one of each kind of features; it belongs to the results. */
CLC_API const char *clc_results_json(const clc_results *results);

/* A figure by the names that stand in the JSON: of "encoder", "raw pixels" and so on, such as
 * "knn.accuracy" or "retrieval.text_to_image.recall_1". CLC_INVALID: there is none such; the
 * message says which there are instead. */
CLC_API clc_status clc_results_value(const clc_results *results, const char *features,
                                     const char *name, double *value);

CLC_API void clc_results_free(clc_results **results);

#ifdef __cplusplus
}
#endif
#endif
