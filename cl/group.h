/* Groups whose items share a row or a tile. On GPUs LS items of one float each (VW 1), so that neighbours touch
 * neighbouring addresses; on CPU devices one item with vectors of VW floats. The `vec` of all items of a group
 * together has LANES numbers either way, and one source serves both. */
#ifndef GROUP_H
#define GROUP_H
#include "common.h"

#define LANES   (LS * VW)
#define MINE(j) ((j)*LS + LANE)        /* this item's j-th of the vectors that the group shares out */

/* Memory that the group shares, and waiting for what the others wrote to it or to global memory. Compilers for
 * CPU devices keep private arrays in registers, and nobody waits there. */
#if CPU_KERNELS
#define LANE              0 /* this item's number in the group */
#define SHARED            private
#define BARRIER()         ((void)0)
#define GLOBAL_BARRIER()  ((void)0)
#else
#define LANE              ((int)get_local_id(0))
#define SHARED            local
#define BARRIER()         barrier(CLK_LOCAL_MEM_FENCE)
#define GLOBAL_BARRIER()  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#endif
#if !CPU_KERNELS && VW != 1
#error "on GPUs an item takes one float"
#endif

/* Kernels over columns: CS neighbouring vectors of columns a group, whose rows TEAMS items share. */
#if LS < 16
#define CS LS
#else
#define CS 16
#endif
#define TEAMS          (LS / CS)
#define TEAM           (LANE / CS)
#define COLUMN_VECTOR  ((int)get_group_id(0) * CS + LANE % CS) /* may lie beyond the last */
#define EACH_TEAM_ROW(r, n) (int r = TEAM; r < (n); r += TEAMS)

/* The sum over a column's items, the same for all of them. parts (LS). */
vec sum_teams(const vec v, SHARED vec *parts) {
    vec sum = (vec)(0.0f);
    BARRIER();
    parts[LANE] = v;
    BARRIER();
    for (int t = 0; t < TEAMS; t++)
        sum += parts[t * CS + LANE % CS];
    return sum;
}

/* Of LANES numbers, in their order: the same bits in every run. */
float sum_of(const SHARED float *lanes) {
    float sum = 0.0f;
    UNROLL(16)
    for (int l = 0; l < LANES; l++)
        sum += lanes[l];
    return sum;
}

float most_of(const SHARED float *lanes) {
    float most = lanes[0];
    UNROLL(16)
    for (int l = 1; l < LANES; l++)
        most = lanes[l] > most ? lanes[l] : most;
    return most;
}

/* For all items of a group together; `lanes` (LANES) may be used again at once. */
void spread(const vec v, SHARED float *lanes) {
    BARRIER();
    VSTORE(v, LANE, lanes);
    BARRIER();
}

/* The sum of all lanes: by halves, always the same. */
float sum_lanes(const vec v, SHARED float *lanes) {
    spread(v, lanes);
#if CPU_KERNELS
    return sum_of(lanes);
#else
    ROLLED
    for (int step = LS / 2; step > 0; step /= 2) {
        if (LANE < step)
            lanes[LANE] += lanes[LANE + step];
        BARRIER();
    }
    return lanes[0];
#endif
}

float most_of_lanes(const vec v, SHARED float *lanes) {
    spread(v, lanes);
#if CPU_KERNELS
    return most_of(lanes);
#else
    ROLLED
    for (int step = LS / 2; step > 0; step /= 2) {
        if (LANE < step)
            lanes[LANE] = lanes[LANE + step] > lanes[LANE] ? lanes[LANE + step] : lanes[LANE];
        BARRIER();
    }
    return lanes[0];
#endif
}

/* The same of one number an item. */
#if CPU_KERNELS
#define sum_items(x, lanes)     ((void)(lanes), (x))
#define most_of_items(x, lanes) ((void)(lanes), (x))
#else
#define sum_items(x, lanes)     sum_lanes(x, lanes)
#define most_of_items(x, lanes) most_of_lanes(x, lanes)
#endif

#endif
