#include "eval/spread.h"

#include "core/eigen.h"
#include "core/signals.h"

#include <math.h>
#include <string.h>

static double dot(const double *a, const double *b, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += a[k] * b[k];
    return sum;
}

static void normalize(const float *z, int rows, int dim, double *u) {
    for (int i = 0; i < rows; i++) {
        double *row = u + (size_t)i * (size_t)dim;
        for (int k = 0; k < dim; k++)
            row[k] = (double)z[(size_t)i * (size_t)dim + (size_t)k];
        const double length = sqrt(dot(row, row, dim));
        for (int k = 0; k < dim; k++)
            row[k] /= length > 1e-12 ? length : 1e-12;
    }
}

/* exp of the entropy of p = s / sum(s) + added; 1 if all are 0. */
static double rank_of(const double *singular, size_t n, double added) {
    double sum = 0, entropy = 0;
    for (size_t i = 0; i < n; i++)
        sum += singular[i];
    for (size_t i = 0; i < n; i++) {
        const double p = singular[i] / fmax(sum, 1e-300) + added;
        entropy -= p > 0 ? p * log(p) : 0;
    }
    return sum > 0 ? exp(entropy) : 1;
}

/* Takes the mean row off all rows. */
static void centre(double *x, size_t rows, size_t dim) {
    for (size_t k = 0; k < dim; k++) {
        double mean = 0;
        for (size_t i = 0; i < rows; i++)
            mean += x[i * dim + k] / (double)rows;
        for (size_t i = 0; i < rows; i++)
            x[i * dim + k] -= mean;
    }
}

/* Of u (rows,dim) about its mean. */
static clc_status effective_rank(const double *u, int rows, int dim, double *rank) {
    clc_status status = CLC_OK;
    const size_t count = (size_t)rows * (size_t)dim;
    double *centred = NULL, *singular = NULL, sum = 0;
    size_t n;
    CLC_NEW(centred, count);
    memcpy(centred, u, count * sizeof *u);
    centre(centred, (size_t)rows, (size_t)dim);
    CLC_TRY(clc_singular_values(centred, (size_t)rows, (size_t)dim, &singular, &n));
    for (size_t i = 0; i < n; i++)
        sum += singular[i];
    *rank = sum > 1e-6 * rows ? rank_of(singular, n, 0) : 1; /* all alike */
fail:
    free(centred);
    free(singular);
    return status;
}

static double deviation(const double *u, int rows, int dim) {
    double all = 0;
    for (int k = 0; k < dim; k++) {
        double mean = 0, squares = 0;
        for (int i = 0; i < rows; i++)
            mean += u[i * dim + k] / rows;
        for (int i = 0; i < rows; i++)
            squares += pow(u[i * dim + k] - mean, 2) / rows;
        all += sqrt(squares) / dim;
    }
    return all * sqrt(dim);
}

static double uniformity(const double *u, int rows, int dim) {
    double sum = 0;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < i; j++)
            sum += exp(-2 * (2 - 2 * dot(u + i * dim, u + j * dim, dim)));
    return rows > 1 ? log(sum * 2 / ((double)rows * (rows - 1))) : 0;
}

clc_status clc_spread_measure(const float *first, const float *second, int rows, int dim,
                              clc_spread *spread) {
    clc_status status = CLC_OK;
    const size_t count = (size_t)rows * (size_t)dim;
    double *u = NULL, *v = NULL;
    CLC_NEW(u, count);
    CLC_NEW(v, count);
    normalize(first, rows, dim, u);
    spread->deviation = deviation(u, rows, dim);
    spread->uniformity = uniformity(u, rows, dim);
    spread->alignment = NAN;
    CLC_TRY(effective_rank(u, rows, dim, &spread->rank));
    if (second) {
        normalize(second, rows, dim, v);
        spread->alignment = 0;
        for (int i = 0; i < rows; i++)
            spread->alignment += (2 - 2 * dot(u + i * dim, v + i * dim, dim)) / rows;
    }
fail:
    free(u);
    free(v);
    return status;
}

double clc_alignment(const float *x, const float *y, size_t rows, size_t dim) {
    double sum = 0;
    for (size_t i = 0; i < rows * dim; i += dim) {
        double xx = 0, yy = 0, xy = 0;
        for (size_t k = i; k < i + dim; k++) {
            xx += (double)x[k] * (double)x[k];
            yy += (double)y[k] * (double)y[k];
            xy += (double)x[k] * (double)y[k];
        }
        sum += (xx > 0) + (yy > 0) - (xx > 0 && yy > 0 ? 2 * xy / sqrt(xx * yy) : 0);
    }
    return sum / (double)rows;
}

static clc_status to_double(const float *x, size_t count, double **y) {
    clc_status status = CLC_OK;
    CLC_NEW(*y, count);
    for (size_t i = 0; i < count; i++)
        (*y)[i] = (double)x[i];
fail:
    return status;
}

clc_status clc_rankme(const float *x, size_t rows, size_t dim, double *rank) {
    clc_status status = CLC_OK;
    double *values = NULL, *singular = NULL;
    size_t n;
    CLC_TRY(to_double(x, rows * dim, &values));
    CLC_TRY(clc_singular_values(values, rows, dim, &singular, &n));
    *rank = rank_of(singular, n, 1e-7);
fail:
    free(values);
    free(singular);
    return status;
}

/* The squares of y' x, of x (rows,a) and y (rows,b), some rows of the product at a time. */
static clc_status squares_of_product(const double *x, size_t a, const double *y, size_t b,
                                     size_t rows, double *sum) {
    enum { BLOCK = 8 };
    clc_status status = CLC_OK;
    double *block = NULL;
    *sum = 0;
    CLC_NEW(block, BLOCK * b);
    for (size_t first = 0; first < a; first += BLOCK) {
        const size_t n = a - first < BLOCK ? a - first : BLOCK;
        memset(block, 0, n * b * sizeof *block);
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < b; j++)
                    block[i * b + j] += x[r * a + first + i] * y[r * b + j];
        for (size_t i = 0; i < n; i++)
            *sum += dot(block + i * b, block + i * b, (int)b);
    }
fail:
    free(block);
    return status;
}

/* A space about its mean, and the squares of its product with itself. */
typedef struct centred_space {
    double *values; /* (rows,dim) */
    size_t dim;
    double own;
} centred_space;

static void free_spaces(centred_space *spaces, size_t count) {
    for (size_t i = 0; spaces && i < count; i++)
        free(spaces[i].values);
    free(spaces);
}

static clc_status centre_spaces(const clc_space *from, size_t count, size_t rows,
                                centred_space **spaces) {
    clc_status status = CLC_OK;
    CLC_NEW(*spaces, count);
    for (size_t i = 0; i < count; i++) {
        centred_space *s = &(*spaces)[i];
        s->dim = from[i].dim;
        CLC_TRY(to_double(from[i].values, rows * s->dim, &s->values));
        centre(s->values, rows, s->dim);
        if (clc_signals_stop())
            return CLC_INTERRUPTED;
        CLC_TRY(squares_of_product(s->values, s->dim, s->values, s->dim, rows, &s->own));
    }
fail:
    return status;
}

clc_status clc_linear_ckas(const clc_space *x, size_t x_count, const clc_space *y, size_t y_count,
                           size_t rows, double *cka) {
    clc_status status = CLC_OK;
    centred_space *u = NULL, *v = NULL;
    CLC_TRY(centre_spaces(x, x_count, rows, &u));
    CLC_TRY(centre_spaces(y, y_count, rows, &v));
    for (size_t i = 0; i < x_count * y_count && status == CLC_OK; i++) {
        const centred_space *a = &u[i / y_count], *b = &v[i % y_count];
        double both;
        CLC_TRY(squares_of_product(a->values, a->dim, b->values, b->dim, rows, &both));
        cka[i] = a->own > 0 && b->own > 0 ? both / sqrt(a->own * b->own) : NAN;
        status = clc_signals_stop() ? CLC_INTERRUPTED : CLC_OK;
    }
fail:
    free_spaces(u, x_count);
    free_spaces(v, y_count);
    return status;
}

clc_status clc_linear_cka(const float *x, size_t dim_x, const float *y, size_t dim_y, size_t rows,
                          double *cka) {
    const clc_space of_x = {x, dim_x}, of_y = {y, dim_y};
    return clc_linear_ckas(&of_x, 1, &of_y, 1, rows, cka);
}
