/* Device memory of dense tasks, refused before it is taken. */
#ifndef CLC_DENSE_MEMORY_H
#define CLC_DENSE_MEMORY_H

#include "graph/graph.h"

/* Whether `n` planned graphs (NULL: none) and `more` bytes fit beside what the device holds
 * already; else CLC_MEMORY with what is needed and what to lower. */
clc_status clc_dense_memory_check(const clc_device *device, const clc_graph *const *graphs, int n,
                                  size_t more);

#endif
