/* NT-Xent in plain C and double precision with its gradient: the specification of the kernels. */
#ifndef TESTS_LOSS_REFERENCE_NTXENT_H
#define TESTS_LOSS_REFERENCE_NTXENT_H

#include <stddef.h>

/* NT-Xent of z (views,dim), rows i and views/2 + i being two views of one image. dz (views,dim)
 * receives dL/dz; NULL for the loss alone. */
double reference_ntxent(const double *z, int views, int dim, double temperature, double *dz);

#endif
