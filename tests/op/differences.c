#include "differences.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>

void check_differences(const char *name, double (*loss)(void *context), void *context,
                       double *values, size_t count, const double *gradient) {
    const double h = 1e-5;
    for (size_t i = 0; i < count; i++) {
        const double old = values[i];
        values[i] = old + h;
        const double above = loss(context);
        values[i] = old - h;
        const double difference = (above - loss(context)) / (2 * h);
        values[i] = old;
        if (!(fabs(difference - gradient[i]) <= 1e-7 * fmax(1, fabs(difference))))
            fail_msg("%s: element %zu: gradient %g, difference %g", name, i, gradient[i],
                     difference);
    }
}

double dot(const double *a, const double *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

double *zeros(size_t count) {
    double *values = calloc(count ? count : 1, sizeof *values);
    assert_non_null(values);
    return values;
}
