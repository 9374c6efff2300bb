/* L-BFGS: the minimum of a smooth function (Liu and Nocedal, 1989), in double on the host. */
#ifndef CLC_EVAL_LBFGS_H
#define CLC_EVAL_LBFGS_H

#include "core/status.h"

/* The function's value at x (n), and its gradient (n). */
typedef clc_status (*clc_objective)(void *context, const double *x, double *value,
                                    double *gradient);

typedef struct clc_lbfgs_end {
    int iterations, evaluations;
    double value, slope; /* the latter: the greatest absolute value in the gradient */
} clc_lbfgs_end;

/* Minimises from x (n) on until the slope is at most `tolerance`, `most` iterations are done, or
 * the function goes no further down, as it is when only its rounding is left. Steps satisfy the
 * weak Wolfe conditions, found by bisection. */
clc_status clc_lbfgs(clc_objective objective, void *context, size_t n, double *x, int most,
                     double tolerance, clc_lbfgs_end *end);

#endif
