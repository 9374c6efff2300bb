#include "eval/project.h"

#include <math.h>
#include <string.h>

/* Enough for ratios of neighbouring variances of 0.95 and what a map shows. */
enum { ITERATIONS = 200 };
static const double converged = 1e-12; /* change of a direction, squared */

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void scale(double *v, size_t n, double by) {
    for (size_t i = 0; i < n; i++)
        v[i] *= by;
}

/* Gram-Schmidt. A direction that vanishes, as there is no more variance, stays zero. */
static void orthonormalise(double *v, size_t parts, size_t dim) {
    for (size_t p = 0; p < parts; p++) {
        double *mine = v + p * dim;
        for (size_t q = 0; q < p; q++) {
            const double along = dot(mine, v + q * dim, dim);
            for (size_t i = 0; i < dim; i++)
                mine[i] -= along * v[q * dim + i];
        }
        const double length = sqrt(dot(mine, mine, dim));
        scale(mine, dim, length > 1e-150 ? 1 / length : 0);
    }
}

/* next (parts,dim) = covariance times v; the rows are about `mean`. */
static void multiply(const float *x, size_t rows, size_t dim, size_t parts, const double *mean,
                     const double *v, double *row, double *next) {
    memset(next, 0, parts * dim * sizeof *next);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < dim; i++)
            row[i] = (double)x[r * dim + i] - mean[i];
        for (size_t p = 0; p < parts; p++) {
            const double along = dot(row, v + p * dim, dim) / (double)rows;
            for (size_t i = 0; i < dim; i++)
                next[p * dim + i] += along * row[i];
        }
    }
}

static void iterate(const float *x, size_t rows, size_t dim, size_t parts, const double *mean,
                    double *row, double *v, double *next) {
    uint64_t state = 1;
    for (size_t i = 0; i < parts * dim; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        v[i] = (double)(state >> 33) / (double)(1u << 31) - 0.5;
    }
    orthonormalise(v, parts, dim);
    for (int k = 0; k < ITERATIONS; k++) {
        double change = 0;
        multiply(x, rows, dim, parts, mean, v, row, next);
        orthonormalise(next, parts, dim);
        for (size_t i = 0; i < parts * dim; i++)
            change += (next[i] - v[i]) * (next[i] - v[i]);
        memcpy(v, next, parts * dim * sizeof *v);
        if (change < converged)
            break;
    }
}

static void turn(double *v, size_t parts, size_t dim) {
    for (size_t p = 0; p < parts; p++) {
        size_t most = 0;
        for (size_t i = 1; i < dim; i++)
            if (fabs(v[p * dim + i]) > fabs(v[p * dim + most]))
                most = i;
        if (v[p * dim + most] < 0)
            scale(v + p * dim, dim, -1);
    }
}

clc_status clc_project(const float *x, size_t rows, size_t dim, size_t parts, double *out,
                       double *share) {
    clc_status status = CLC_OK;
    double *mean = NULL, *row = NULL, *v = NULL, *next = NULL, held = 0, all = 0;
    CLC_NEW(mean, dim);
    CLC_NEW(row, dim);
    CLC_NEW(v, parts * dim);
    CLC_NEW(next, parts * dim);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < dim; i++)
            mean[i] += (double)x[r * dim + i] / (double)rows;
    iterate(x, rows, dim, parts, mean, row, v, next);
    turn(v, parts, dim);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < dim; i++)
            row[i] = (double)x[r * dim + i] - mean[i];
        all += dot(row, row, dim);
        for (size_t p = 0; p < parts; p++)
            out[r * parts + p] = dot(row, v + p * dim, dim);
        held += dot(out + r * parts, out + r * parts, parts);
    }
    *share = all > 0 ? held / all : 0;
fail:
    free(mean);
    free(row);
    free(v);
    free(next);
    return status;
}
