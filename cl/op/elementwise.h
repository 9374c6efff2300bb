/* Kernels over all elements of a tensor: a group handles consecutive vectors. */
#ifndef ELEMENTWISE_H
#define ELEMENTWISE_H
#include "common.h"

/* Goes over this item's share of `n` vectors. */
#define MY_VECTORS(j, n)                                                                           \
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;          \
    for EACH_FROM (j, first, min(first + per, n))

#endif
