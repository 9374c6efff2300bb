/* Several runs in one table: `clcontrast compare`. */
#ifndef CLC_EVAL_COMPARE_H
#define CLC_EVAL_COMPARE_H

#include "core/status.h"

/* Compares the evaluations of `n` folders (runs, or where `eval --output` went). Runs whose
 * configurations differ in seeds and folders alone are one row, with the mean and the standard
 * deviation over them (of n - 1); so are the baselines of runs on the same data. Prints the table,
 * and which differences from the highest are within the spread, that is at most sqrt(s1^2 + s2^2);
 * writes it to compare.txt of the folder `output` (NULL: the current one), and all figures to
 * compare.csv and compare.json, and a page to report.html, unless that folder is a run with a
 * report of its own. CLC_IO: a folder has no evaluation. */
clc_status clc_compare(const char *const *folders, size_t n, const char *output);

#endif
