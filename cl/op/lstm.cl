/* Long short-term memory (Hochreiter and Schmidhuber, 1997) as in PyTorch's nn.LSTM, rows of the weights in gate order
 * i, f, g, o; each gate's sum is x W_i + b_i + h W_h + b_h:
 *     c' = f c + i g, h' = o tanh(c') with i, f, o = s(..), g = tanh(..).
 * The cell's own is c'. Backward, with d of h', e of c' from the step behind, t = tanh(c'):
 *     do = d t o (1 - o), dc = e + d o (1 - t^2), di = dc g i (1 - i), df = dc c f (1 - f), dg = dc i (1 - g^2),
 *     e of c = dc f, d of h = (di df dg do) W_hh^T. */
#define GATES 4
#include "op/recurrent.h"

GROUP_KERNEL void lstm_forward(global float *restrict saved,        // a block a direction: see recurrent.h
                               const global float *restrict packed, // likewise
                               const global int *restrict lengths,  // (n)
                               global float *restrict out,          // (n,steps,DIRECTIONS,H)
                               const int n, const int steps, const int has_lengths, const int keep) {
    SHARED float state[2][ROWS][SIDE];
    group_rows rows;
    begin_rows(&rows, lengths, n, steps, has_lengths);
    const size_t places = (size_t)n * steps;
    global float *gates = saved + rows.reverse * places * SAVED * H;
    global float *cell = gates + places * GATES * H, *before = cell + places * H;
    const global float *bias = packed + (rows.reverse + 1) * PACKED - SUMS * H;
    packed += rows.reverse * PACKED;
    out += rows.reverse * H;
    clear_beyond(&rows, out, H, DIRECTIONS * H);
    if (keep)
        clear_beyond(&rows, before, H, H);
    clear_shared(state[0][0], ROWS * SIDE);
    for (int s = 0; s < rows.most; s++) {
        const SHARED float(*h)[SIDE] = state[s % 2];
        SHARED float(*next)[SIDE] = state[(s + 1) % 2];
        BARRIER();
        for EACH(j, HV) {
            vec acc[ROWS][GATES];
            multiply_gates(acc, h, packed, j);
            UNROLL(ROWS)
            for (int i = 0; i < ROWS; i++) {
                if (s >= rows.length[i])
                    continue;
                const size_t at = place(&rows, i, s);
                global float *gate = gates + at * GATES * H;
                const vec in = sigmoid(VLOAD(j, gate) + VLOAD(j, bias) + acc[i][0]);
                const vec f = sigmoid(VLOAD(j, gate + H) + VLOAD(j, bias + H) + acc[i][1]);
                const vec g = tanh(VLOAD(j, gate + 2 * H) + VLOAD(j, bias + 2 * H) + acc[i][2]);
                const vec o = sigmoid(VLOAD(j, gate + 3 * H) + VLOAD(j, bias + 3 * H) + acc[i][3]);
                const vec old = s ? VLOAD(j, cell + place(&rows, i, s - 1) * H) : (vec)(0.0f);
                const vec c = f * old + in * g, new = o * tanh(c);
                VSTORE(c, j, cell + at * H);
                VSTORE(new, j, next[i]);
                VSTORE(new, j, out + at * DIRECTIONS * H);
                if (keep) {
                    VSTORE(in, j, gate);
                    VSTORE(f, j, gate + H);
                    VSTORE(g, j, gate + 2 * H);
                    VSTORE(o, j, gate + 3 * H);
                    VSTORE(VLOAD(j, h[i]), j, before + at * H);
                }
            }
        }
    }
}

/* Leaves (di df dg do) in the gates and their sums in `sums`. */
GROUP_KERNEL void lstm_backward(global float *restrict saved,        // as above
                                const global float *restrict packed, // W_hh^T, a block a direction
                                const global int *restrict lengths,  // (n)
                                const global float *restrict dout,   // (n,steps,DIRECTIONS,H)
                                global float *restrict scratch,      // sums (DIRECTIONS,groups,SUMS,H) at sums_at
                                const int hidden_at,                 // GRU's
                                const int sums_at, const int n, const int steps, const int has_lengths) {
    SHARED float carry[ROWS][SIDE], carry_cell[ROWS][SIDE], d[ROWS][SIDES];
    group_rows rows;
    begin_rows(&rows, lengths, n, steps, has_lengths);
    const size_t places = (size_t)n * steps;
    global float *gates = saved + rows.reverse * places * SAVED * H;
    const global float *cell = gates + places * GATES * H;
    global float *sums = scratch + sums_at
                         + ((size_t)rows.reverse * get_num_groups(0) + get_group_id(0)) * SUMS * H;
    packed += rows.reverse * (PACKED - SUMS * H);
    dout += rows.reverse * H;
    clear_beyond(&rows, gates, GATES * H, GATES * H);
    clear_sums(sums);
    clear_shared(carry[0], ROWS * SIDE);
    clear_shared(carry_cell[0], ROWS * SIDE);
    clear_shared(d[0], ROWS * SIDES);
    for (int s = rows.most - 1; s >= 0; s--) {
        BARRIER();
        for EACH(j, HV) {
            vec sum[SUMS];
            UNROLL(SUMS)
            for (int k = 0; k < SUMS; k++)
                sum[k] = (vec)(0.0f);
            UNROLL_ROWS
            for (int i = 0; i < ROWS; i++) {
                if (s >= rows.length[i])
                    continue;
                const size_t at = place(&rows, i, s);
                global float *gate = gates + at * GATES * H;
                const vec in = VLOAD(j, gate), f = VLOAD(j, gate + H), g = VLOAD(j, gate + 2 * H),
                          o = VLOAD(j, gate + 3 * H), t = tanh(VLOAD(j, cell + at * H));
                const vec old = s ? VLOAD(j, cell + place(&rows, i, s - 1) * H) : (vec)(0.0f);
                const vec dh = VLOAD(j, dout + at * DIRECTIONS * H) + VLOAD(j, carry[i]);
                const vec dc = VLOAD(j, carry_cell[i]) + dh * o * (1.0f - t * t);
                const vec all[SUMS] = {dc * g * in * (1.0f - in), dc * old * f * (1.0f - f), dc * in * (1.0f - g * g),
                                       dh * t * o * (1.0f - o)};
                VSTORE((vec)(0.0f), j, carry[i]);
                VSTORE(dc * f, j, carry_cell[i]);
                UNROLL(SUMS)
                for (int k = 0; k < SUMS; k++) {
                    VSTORE(all[k], j, gate + k * H);
                    VSTORE(all[k], j, d[i] + k * H);
                    sum[k] += all[k];
                }
            }
            UNROLL(SUMS)
            for (int k = 0; k < SUMS; k++)
                add_sum(sums, k, j, sum[k]);
        }
        BARRIER();
        carry_back(carry, d, packed);
    }
}
