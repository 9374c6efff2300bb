#include "eval/spread.h"

#include "core/eigen.h"

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

/* The squares of y' x, of x (rows,a) and y (rows,b), a row of the product at a time. */
static clc_status squares_of_product(const double *x, size_t a, const double *y, size_t b,
                                     size_t rows, double *sum) {
    clc_status status = CLC_OK;
    double *row = NULL;
    *sum = 0;
    CLC_NEW(row, b);
    for (size_t i = 0; i < a; i++) {
        memset(row, 0, b * sizeof *row);
        for (size_t r = 0; r < rows; r++)
            for (size_t j = 0; j < b; j++)
                row[j] += x[r * a + i] * y[r * b + j];
        *sum += dot(row, row, (int)b);
    }
fail:
    free(row);
    return status;
}

clc_status clc_linear_cka(const float *x, size_t dim_x, const float *y, size_t dim_y, size_t rows,
                          double *cka) {
    clc_status status = CLC_OK;
    double *u = NULL, *v = NULL, both, of_x, of_y;
    CLC_TRY(to_double(x, rows * dim_x, &u));
    CLC_TRY(to_double(y, rows * dim_y, &v));
    centre(u, rows, dim_x);
    centre(v, rows, dim_y);
    CLC_TRY(squares_of_product(u, dim_x, v, dim_y, rows, &both));
    CLC_TRY(squares_of_product(u, dim_x, u, dim_x, rows, &of_x));
    CLC_TRY(squares_of_product(v, dim_y, v, dim_y, rows, &of_y));
    *cka = of_x > 0 && of_y > 0 ? both / sqrt(of_x * of_y) : NAN;
fail:
    free(u);
    free(v);
    return status;
}
