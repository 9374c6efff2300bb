#include "eval/lbfgs.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { PAIRS = 10, TRIALS = 30 };
static const double sufficient = 1e-4, curvature = 0.9; /* Wolfe's constants */

typedef struct search {
    clc_objective objective;
    void *context;
    size_t n;
    double *x, *gradient, *direction, *next, *next_gradient; /* (n) */
    double *steps, *changes;                                 /* (PAIRS,n): s and y */
    double scale[PAIRS];                                     /* 1 / (s . y) */
    int pairs, newest;
    double value, next_value;
    int evaluations;
} search;

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void add(double *to, double factor, const double *from, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] += factor * from[i];
}

static double slope_of(const search *s) {
    double greatest = 0;
    for (size_t i = 0; i < s->n; i++)
        greatest = fmax(greatest, fabs(s->gradient[i]));
    return greatest;
}

/* The i-th newest pair. */
static int pair_at(const search *s, int i) {
    return (s->newest - i + PAIRS) % PAIRS;
}

/* direction = -H gradient by the two loops over the pairs. */
static void choose_direction(search *s) {
    double a[PAIRS];
    const size_t n = s->n;
    for (size_t i = 0; i < n; i++)
        s->direction[i] = -s->gradient[i];
    for (int i = 0; i < s->pairs; i++) {
        const int p = pair_at(s, i);
        a[i] = s->scale[p] * dot(s->steps + (size_t)p * n, s->direction, n);
        add(s->direction, -a[i], s->changes + (size_t)p * n, n);
    }
    if (s->pairs) {
        const double *y = s->changes + (size_t)s->newest * n;
        const double first = 1 / (s->scale[s->newest] * dot(y, y, n));
        for (size_t i = 0; i < n; i++)
            s->direction[i] *= first;
    }
    for (int i = s->pairs - 1; i >= 0; i--) {
        const int p = pair_at(s, i);
        const double b = s->scale[p] * dot(s->changes + (size_t)p * n, s->direction, n);
        add(s->direction, a[i] - b, s->steps + (size_t)p * n, n);
    }
}

/* A step along the direction; *found: there is one. */
static clc_status find_step(search *s, bool *found) {
    clc_status status = CLC_OK;
    const double down = dot(s->gradient, s->direction, s->n);
    double low = 0, high = INFINITY, step = s->pairs ? 1 : fmin(1, 1 / slope_of(s));
    *found = false;
    for (int i = 0; i < TRIALS && down < 0; i++) {
        memcpy(s->next, s->x, s->n * sizeof *s->next);
        add(s->next, step, s->direction, s->n);
        CLC_TRY(s->objective(s->context, s->next, &s->next_value, s->next_gradient));
        s->evaluations++;
        if (!(s->next_value <= s->value + sufficient * step * down))
            high = step;
        else if (dot(s->next_gradient, s->direction, s->n) < curvature * down)
            low = step;
        else {
            *found = true;
            break;
        }
        step = isinf(high) ? 2 * step : (low + high) / 2;
    }
fail:
    return status;
}

/* Goes to the next point and remembers how the gradient changed. */
static void advance(search *s) {
    const int p = (s->newest + 1) % PAIRS;
    double *step = s->steps + (size_t)p * s->n, *change = s->changes + (size_t)p * s->n;
    for (size_t i = 0; i < s->n; i++) {
        step[i] = s->next[i] - s->x[i];
        change[i] = s->next_gradient[i] - s->gradient[i];
    }
    const double product = dot(step, change, s->n);
    if (product > 0) {
        s->scale[p] = 1 / product;
        s->newest = p;
        s->pairs += s->pairs < PAIRS;
    }
    memcpy(s->x, s->next, s->n * sizeof *s->x);
    memcpy(s->gradient, s->next_gradient, s->n * sizeof *s->gradient);
    s->value = s->next_value;
}

static clc_status allocate(search *s) {
    clc_status status = CLC_OK;
    CLC_NEW(s->gradient, s->n);
    CLC_NEW(s->direction, s->n);
    CLC_NEW(s->next, s->n);
    CLC_NEW(s->next_gradient, s->n);
    CLC_NEW(s->steps, PAIRS * s->n);
    CLC_NEW(s->changes, PAIRS * s->n);
fail:
    return status;
}

clc_status clc_lbfgs(clc_objective objective, void *context, size_t n, double *x, int most,
                     double tolerance, clc_lbfgs_end *end) {
    clc_status status = CLC_OK;
    search s = {.objective = objective, .context = context, .n = n, .x = x};
    int iterations = 0;
    bool found = true;
    CLC_TRY(allocate(&s));
    CLC_TRY(objective(context, x, &s.value, s.gradient));
    s.evaluations = 1;
    if (!isfinite(s.value))
        CLC_TRY(clc_fail(CLC_NONFINITE, "the function to minimise is %g at the start", s.value));
    while (iterations < most && slope_of(&s) > tolerance && found) {
        choose_direction(&s);
        CLC_TRY(find_step(&s, &found));
        if (found)
            advance(&s);
        iterations += found;
    }
    *end = (clc_lbfgs_end){iterations, s.evaluations, s.value, slope_of(&s)};
fail:
    free(s.gradient);
    free(s.direction);
    free(s.next);
    free(s.next_gradient);
    free(s.steps);
    free(s.changes);
    return status;
}
