/* What the cache folder holds, for people: packs of decoded pictures, compiled programs, lists. */
#ifndef CLC_REPORT_CACHE_H
#define CLC_REPORT_CACHE_H

#include "core/status.h"

#include <stdio.h>

/* Prints the place, each pack with its size and the time of its making, and the number and size of
 * all other files by kind. */
clc_status clc_cache_report(FILE *out);

/* Removes all of it but what a running program is writing; prints how much that was. All of it can
 * be made again. */
clc_status clc_cache_clear(FILE *out);

#endif
