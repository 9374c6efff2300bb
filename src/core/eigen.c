#include "core/eigen.h"

#include <float.h>
#include <math.h>

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Reflects column k of a below its diagonal onto its first element, which is returned. v, w (n) are
 * workspace: a becomes a - v w' - w v'. */
static double reflect(double *a, size_t n, size_t k, double *v, double *w) {
    const size_t first = k + 1, m = n - first;
    double *x = a + k * n + first; /* as a row: a is symmetric */
    const double length = sqrt(dot(x, x, m)), alpha = x[0] > 0 ? -length : length;
    if (!(length > 0))
        return length; /* 0, or NaN */
    for (size_t i = 0; i < m; i++)
        v[i] = x[i];
    v[0] -= alpha;
    const double squares = dot(v, v, m);
    if (!(squares > 0))
        return alpha;
    for (size_t i = 0; i < m; i++)
        w[i] = dot(a + (first + i) * n + first, v, m) * 2 / squares;
    const double share = dot(v, w, m) / squares;
    for (size_t i = 0; i < m; i++)
        w[i] -= share * v[i];
    for (size_t i = 0; i < m; i++) {
        double *row = a + (first + i) * n + first;
        for (size_t j = 0; j < m; j++)
            row[j] -= v[i] * w[j] + w[i] * v[j];
    }
    return alpha;
}

/* One implicit QL step on d[l .. m], e[l .. m - 1]. */
static void ql_step(double *d, double *e, size_t l, size_t m) {
    const double slope = (d[l + 1] - d[l]) / (2 * e[l]), root = hypot(slope, 1);
    double g = d[m] - d[l] + e[l] / (slope + copysign(root, slope));
    double s = 1, c = 1, p = 0;
    for (size_t i = m; i-- > l;) {
        const double f = s * e[i], b = c * e[i], r = hypot(f, g);
        e[i + 1] = r;
        if (!(r > 0)) { /* splits here */
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        const double t = (d[i] - g) * s + 2 * c * b;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - b;
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

/* The first m from l on behind which e is negligible. */
static size_t split(const double *d, const double *e, size_t l, size_t n) {
    size_t m = l;
    while (m + 1 < n && fabs(e[m]) > DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1])))
        m++;
    return m;
}

clc_status clc_eigenvalues(double *a, size_t n, double *values) {
    clc_status status = CLC_OK;
    enum { MOST_STEPS = 60 };
    double *v = NULL, *w = NULL, *e = NULL;
    CLC_NEW(v, n);
    CLC_NEW(w, n);
    CLC_NEW(e, n);
    for (size_t k = 0; k < n; k++) {
        e[k] = k + 2 < n ? reflect(a, n, k, v, w) : k + 1 < n ? a[k * n + k + 1] : 0;
        values[k] = a[k * n + k];
        if (!isfinite(values[k]) || !isfinite(e[k]))
            CLC_TRY(clc_fail(CLC_NONFINITE, "a matrix of %zu rows is not finite", n));
    }
    for (size_t l = 0; l < n; l++)
        for (int step = 0; step < MOST_STEPS; step++) {
            const size_t m = split(values, e, l, n);
            if (m == l)
                break;
            ql_step(values, e, l, m);
        }
fail:
    free(v);
    free(w);
    free(e);
    return status;
}

/* gram (n,n) = x x' of rows, or x' x of columns, the fewer of both. */
static void fill_gram(const double *x, size_t rows, size_t columns, size_t n, double *gram) {
    if (n == rows) {
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                gram[i * n + j] = dot(x + i * columns, x + j * columns, columns);
    } else {
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < n; i++) {
                const double value = x[r * columns + i];
                for (size_t j = 0; j <= i; j++)
                    gram[i * n + j] += value * x[r * columns + j];
            }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            gram[i * n + j] = gram[j * n + i];
}

clc_status clc_singular_values(const double *x, size_t rows, size_t columns, double **values,
                               size_t *count) {
    clc_status status = CLC_OK;
    const size_t n = rows < columns ? rows : columns;
    double *gram = NULL;
    *values = NULL;
    *count = n;
    CLC_NEW(gram, n * n);
    CLC_NEW(*values, n);
    fill_gram(x, rows, columns, n, gram);
    CLC_TRY(clc_eigenvalues(gram, n, *values));
    for (size_t i = 0; i < n; i++)
        (*values)[i] = sqrt(fmax((*values)[i], 0));
fail:
    free(gram);
    if (status != CLC_OK) {
        free(*values);
        *values = NULL;
    }
    return status;
}
