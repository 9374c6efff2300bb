/* The evaluation tables. */
#ifndef CLC_EVAL_REPORT_H
#define CLC_EVAL_REPORT_H

#include "eval/evaluate.h"

/* Prints the tables and the confusion matrix of the last row on stdout, and writes them to
 * <folder>/evaluation.txt and evaluation.json. Classes go by their `names`, or by numbers if there
 * are none. */
clc_status clc_evaluation_report(const clc_evaluation_row *rows, size_t n, const clc_names *names,
                                 const char *folder);

#endif
