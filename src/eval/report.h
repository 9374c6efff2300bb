/* The tables of an evaluation, from its JSON: a list of rows of features, each an object
 *
 *     {"features": "encoder", "dim": 512, "seconds": 1.5, "classes": [names], "knn": {figures} ...,
 *      "skipped": {"sts": "why"}}
 */
#ifndef CLC_EVAL_REPORT_H
#define CLC_EVAL_REPORT_H

#include "core/names.h"

#include <jansson.h>
#include <stdio.h>

/* Names are bytes, JSON's strings UTF-8: other bytes are written as \xNN. */
json_t *clc_json_of_names(const clc_names *names);

/* Prints a table of each task that has results in any row, what belongs to the last row, and what
 * was skipped in spite of being asked for (skipped as in {"task": "why"}, or NULL). */
clc_status clc_evaluation_print(const json_t *rows, const json_t *skipped, FILE *file);

/* Writes <folder>/evaluation.txt and evaluation.json. */
clc_status clc_evaluation_write(const json_t *rows, const json_t *skipped, const char *folder);

#endif
