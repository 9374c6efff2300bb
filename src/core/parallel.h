/* The same function in several threads at once. */
#ifndef CLC_CORE_PARALLEL_H
#define CLC_CORE_PARALLEL_H

#include "core/status.h"

/* Processors that threads may run on; at least 1. */
int clc_processors(void);

/* Calls work(context) in `threads` threads (one of them the caller's) and waits for all. A failure
 * of one, the first in time, is the result, with its message; the others are to notice by means of
 * their own that there is nothing left to do. Where a thread can't be made, fewer do the work. */
clc_status clc_parallel(int threads, clc_status (*work)(void *context), void *context);

#endif
