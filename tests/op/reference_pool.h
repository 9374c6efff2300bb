/* Pooling over height and width in plain C and double precision. */
#ifndef TESTS_OP_REFERENCE_POOL_H
#define TESTS_OP_REFERENCE_POOL_H

typedef struct reference_pool {
    int n, h, w, c, kernel, stride, pad;
} reference_pool;

int reference_pool_out(int size, int kernel, int stride, int pad);

/* x (n,h,w,c), y (n,oh,ow,c): the maximum of each window, padding left out. With dy, dx receives dy
 * at the first maximum in order of rows; NULL to leave backward out. */
void reference_maxpool(const reference_pool *p, const double *x, double *y, const double *dy,
                       double *dx);

/* x (n,h,w,c), y (n,c): the mean; and dx of dy, if not NULL. */
void reference_avgpool(const reference_pool *p, const double *x, double *y, const double *dy,
                       double *dx);

#endif
