/* The working image of one view: C planes of PLANE floats (S rows of S pixels, then padding to
 * whole vectors), and how the LWS work-items of a group share loops over it. */
#ifndef AUGMENT_IMAGE_H
#define AUGMENT_IMAGE_H

#include "common.h"
#include "augment/draw.h"

/* Work-items of a group, which handles a view at a time: 1 on CPU devices. */
#ifndef LWS
#define LWS 1
#endif
#ifndef STAGES
#define STAGES 255
#endif

#define PLANE ((S * S + VW - 1) / VW * VW)

/* LX items share a row: each loop visits every index once in the group. */
#if LWS % 16 == 0
#define LX 16
#else
#define LX 1
#endif
/* Unrolled, they would take more registers than a GPU has for several groups. */
#if LWS == 1
#define SHARED_LOOP
#else
#define SHARED_LOOP ROLLED
#endif
#define ROWS(r, n) SHARED_LOOP for (int r = lid / LX; r < (n); r += LWS / LX)
#define COLUMNS(i, first, end)                                                                     \
    SHARED_LOOP for (int i = (first) + lid % LX; i < (end); i += LX)
#define ITEMS(i, n) SHARED_LOOP for (int i = lid; i < (n); i += LWS)

/* Makes what each item wrote visible to its group. Never under a condition. */
#if LWS == 1
#define SYNC()
#else
#define SYNC() barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#endif

#endif
