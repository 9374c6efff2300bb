/* What the recurrent layers share. Sequences don't depend on each other: a group runs all steps of ROWS of them in
 * one launch, with their state in memory of its own, and one direction each. On CPU devices its item multiplies tiles
 * of ROWS rows in registers by weights that are packed into panels; on GPUs items take a column each.
 *
 * Step s of sequence i is place s of it forwards, and counted from its last valid step backwards: all begin at s = 0,
 * and what lies beyond a sequence's length is never looked at. What forward keeps for backward (and the product of all
 * inputs with their weights, which is where gates come from) is a block a direction:
 *     gates (n,steps,GATES,H): in front of the cell the inputs' products, behind it the gates, behind backward the
 *                              gradients of what was in front of the gates
 *     cell (n,steps,H):        the cell's own
 *     before (n,steps,H):      the hidden state that each step began with */
#ifndef RECURRENT_H
#define RECURRENT_H
#include "group.h"

#ifndef GATES
#define GATES 3
#endif
#ifndef H
#define H 16 /* hidden channels, a multiple of NV * VW */
#endif
#ifndef ROWS
#define ROWS 4
#define NV 1 /* vectors of columns of a tile of backward's product */
#define DIRECTIONS 1
#endif
#define HV    (H / VW)
#define SUMS  4         /* vectors of bias: a gate each; of GRU's last gate the hidden state's apart */
#define SIDE  (H + 16)  /* of a row of shared memory: neighbours in different cache sets */
#define SIDES (GATES * H + 16)
#define SAVED  (GATES + 2)                    /* channels of a place, times H */
#define PACKED ((size_t)GATES * H * H + SUMS * H) /* floats a direction */

/* Gates of a tile of forward's product: what of four gates fits the registers beside more rows is two. */
#if CPU_KERNELS && GATES == 4
#define TILE_GATES 2
#else
#define TILE_GATES GATES
#endif

/* Vector (k, gate g, j) of W_hh (H,GATES,H), and the float (k,j) of its transpose (GATES*H,H). */
#if CPU_KERNELS
#define FORWARD_AT(k, g, j)                                                                                            \
    ((((size_t)(j) * (GATES / TILE_GATES) + (g) / TILE_GATES) * H + (k)) * TILE_GATES + (g) % TILE_GATES)
#define BACKWARD_AT(k, j)                                                                                              \
    (((size_t)((j) / (NV * VW)) * GATES * H + (k)) * (NV * VW) + (j) % (NV * VW))
#else
#define FORWARD_AT(k, g, j) (((size_t)(k)*GATES + (g)) * H + (j))
#define BACKWARD_AT(k, j) ((size_t)(k)*H + (j))
#endif

/* Loops over rows that CPU compilers may leave rolled; on GPUs an index that varies would put `length` in memory. */
#if CPU_KERNELS
#define UNROLL_ROWS
#else
#define UNROLL_ROWS UNROLL(ROWS)
#endif

/* Bias number `sum` is that of the inputs' gate, of the hidden state's, or their sum. */
#if GATES == 4
#define INPUT_BIAS(sum)  (sum)
#define HIDDEN_BIAS(sum) (sum)
#else
#define INPUT_BIAS(sum)  ((sum) == 3 ? -1 : (sum))
#define HIDDEN_BIAS(sum) ((sum) == 2 ? -1 : (sum) == 3 ? 2 : (sum))
#endif

/* The biases, and W_hh as forward reads it. Groups share its rows. */
GROUP_KERNEL void recurrent_pack(const global float *restrict w,        // (H,GATES,H)
                                 const global float *restrict bias_ih,  // (GATES,H)
                                 const global float *restrict bias_hh,  // (GATES,H)
                                 global float *restrict to, const int offset) {
    to += offset;
    for (int k = (int)get_group_id(0); k < H; k += (int)get_num_groups(0))
        for (int g = 0; g < GATES; g++)
            for EACH(j, HV)
                VSTORE(VLOAD(j, w + ((size_t)k * GATES + g) * H), FORWARD_AT(k, g, j), to);
    if (get_group_id(0) != 0)
        return;
    for (int sum = 0; sum < SUMS; sum++)
        for EACH(j, HV) {
            vec b = (vec)(0.0f);
            if (INPUT_BIAS(sum) >= 0)
                b += VLOAD(j, bias_ih + INPUT_BIAS(sum) * H);
            if (HIDDEN_BIAS(sum) >= 0)
                b += VLOAD(j, bias_hh + HIDDEN_BIAS(sum) * H);
            VSTORE(b, j, to + PACKED - SUMS * H + sum * H);
        }
}

/* W_hh as backward reads it. Groups share its rows. */
GROUP_KERNEL void recurrent_pack_transposed(const global float *restrict w, // (H,GATES*H)
                                            global float *restrict to, const int offset) {
    to += offset;
    for (int j = (int)get_group_id(0); j < H; j += (int)get_num_groups(0))
        for EACH(k, GATES * H)
            to[BACKWARD_AT(k, j)] = w[(size_t)j * GATES * H + k];
}

/* The biases' gradients: sums of what the groups left behind, in their order. An item takes VW columns. */
GROUP_KERNEL void recurrent_bias(const global float *restrict parts, // (parts,SUMS,H)
                                 global float *restrict dbias_ih,    // (GATES,H)
                                 global float *restrict dbias_hh,    // (GATES,H)
                                 const int offset, const int count) {
    const int j = (int)get_global_id(0);
    if (j >= HV)
        return;
    for (int sum = 0; sum < SUMS; sum++) {
        vec d = (vec)(0.0f);
        for (int p = 0; p < count; p++)
            d += VLOAD(j, parts + offset + ((size_t)p * SUMS + sum) * H);
        if (INPUT_BIAS(sum) >= 0)
            VSTORE(d, j, dbias_ih + INPUT_BIAS(sum) * H);
        if (HIDDEN_BIAS(sum) >= 0)
            VSTORE(d, j, dbias_hh + HIDDEN_BIAS(sum) * H);
    }
}

/* A group's sequences. */
typedef struct group_rows {
    int first, n, steps, reverse, most; /* most: steps of the longest */
    int length[ROWS];                   /* 0 behind the last sequence */
} group_rows;

INLINE void begin_rows(group_rows *rows, const global int *lengths, const int n, const int steps,
                       const int has_lengths) {
    rows->first = (int)get_group_id(0) * ROWS;
    rows->n = n;
    rows->steps = steps;
    rows->reverse = (int)get_group_id(1);
    rows->most = 0;
    UNROLL(ROWS)
    for (int i = 0; i < ROWS; i++) {
        const int there = rows->first + i < n;
        const int length = has_lengths && there ? clamp(lengths[rows->first + i], 0, steps) : steps;
        rows->length[i] = there ? length : 0;
        rows->most = max(rows->most, rows->length[i]);
    }
}

/* Where step s of row i lies. */
INLINE size_t place(const group_rows *rows, const int i, const int s) {
    return (size_t)(rows->first + i) * rows->steps + (rows->reverse ? rows->length[i] - 1 - s : s);
}

/* Zeros `channels` of each place beyond the lengths; places lie `stride` apart. */
INLINE void clear_beyond(const group_rows *rows, global float *to, const int channels,
                         const int stride) {
    UNROLL_ROWS
    for (int i = 0; i < ROWS; i++)
        for (int t = rows->length[i]; rows->first + i < rows->n && t < rows->steps; t++)
            for EACH(j, channels / VW)
                VSTORE((vec)(0.0f), j, to + ((size_t)(rows->first + i) * rows->steps + t) * stride);
}

INLINE void clear_shared(SHARED float *to, const int count) {
    for EACH(k, count)
        to[k] = 0.0f;
}

/* acc = x W for vector j of the columns of each gate. */
INLINE void multiply_gates(vec all[ROWS][GATES], const SHARED float x[ROWS][SIDE],
                           const global float *packed, const int j) {
    UNROLL(GATES)
    for (int first = 0; first < GATES; first += TILE_GATES) {
        vec acc[ROWS][TILE_GATES];
        UNROLL(ROWS)
        for (int i = 0; i < ROWS; i++)
            UNROLL(TILE_GATES)
            for (int g = 0; g < TILE_GATES; g++)
                acc[i][g] = (vec)(0.0f);
        for (int k = 0; k < H; k++) {
            vec w[TILE_GATES];
            UNROLL(TILE_GATES)
            for (int g = 0; g < TILE_GATES; g++)
                w[g] = VLOAD(FORWARD_AT(k, first + g, j), packed);
            UNROLL(ROWS)
            for (int i = 0; i < ROWS; i++)
                UNROLL(TILE_GATES)
                for (int g = 0; g < TILE_GATES; g++)
                    acc[i][g] += x[i][k] * w[g];
        }
        UNROLL(ROWS)
        for (int i = 0; i < ROWS; i++)
            UNROLL(TILE_GATES)
            for (int g = 0; g < TILE_GATES; g++)
                all[i][first + g] = acc[i][g];
    }
}

/* carry += d W^T: the gradient that reaches the hidden state through all gates. */
INLINE void carry_back(SHARED float carry[ROWS][SIDE], const SHARED float d[ROWS][SIDES],
                       const global float *packed) {
    for EACH(j, HV / NV) {
        vec acc[ROWS][NV];
        UNROLL(ROWS)
        for (int i = 0; i < ROWS; i++)
            UNROLL(NV)
            for (int v = 0; v < NV; v++)
                acc[i][v] = (vec)(0.0f);
        for (int k = 0; k < GATES * H; k++) {
            const global float *from = packed + BACKWARD_AT(k, j * NV * VW);
            vec w[NV];
            UNROLL(NV)
            for (int v = 0; v < NV; v++)
                w[v] = VLOAD(v, from);
            UNROLL(ROWS)
            for (int i = 0; i < ROWS; i++)
                UNROLL(NV)
                for (int v = 0; v < NV; v++)
                    acc[i][v] += d[i][k] * w[v];
        }
        UNROLL(ROWS)
        for (int i = 0; i < ROWS; i++)
            UNROLL(NV)
            for (int v = 0; v < NV; v++)
                VSTORE(acc[i][v] + VLOAD(j * NV + v, carry[i]), j * NV + v, carry[i]);
    }
}

INLINE vec sigmoid(const vec x) {
    return 1.0f / (1.0f + exp(-x));
}

/* sums[..] += d, over the steps in their order: one item only comes to vector j. */
INLINE void add_sum(global float *sums, const int sum, const int j, const vec d) {
    VSTORE(VLOAD(j, sums + sum * H) + d, j, sums + sum * H);
}

INLINE void clear_sums(global float *sums) {
    for (int sum = 0; sum < SUMS; sum++)
        for EACH(j, HV)
            VSTORE((vec)(0.0f), j, sums + sum * H);
}

#endif
