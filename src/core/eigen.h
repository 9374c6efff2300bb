/* Eigenvalues of symmetric matrices, and singular values. */
#ifndef CLC_CORE_EIGEN_H
#define CLC_CORE_EIGEN_H

#include "core/status.h"

/* values (n): the eigenvalues of the symmetric a (n,n), which is overwritten, in no order: by
 * Householder's reflections to a tridiagonal matrix and implicit QL steps (Golub & Van Loan, Matrix
 * Computations, 8.3). Takes about 4/3 n^3 multiplications. CLC_NONFINITE: a isn't finite. */
clc_status clc_eigenvalues(double *a, size_t n, double *values);

/* *values (*count), freed by the caller: the singular values of x (rows,columns), the smaller
 * number of both, in no order: square roots of the eigenvalues of a Gram matrix, and so right to
 * 1e-8 of the greatest. */
clc_status clc_singular_values(const double *x, size_t rows, size_t columns, double **values,
                               size_t *count);

#endif
