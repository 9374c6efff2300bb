/* Gated recurrent units (Cho et al., arXiv 1406.1078) as in PyTorch's nn.GRU, rows of the weights in gate order r, z, n:
 *     r = s(x W_ir + b_ir + h W_hr + b_hr), z = s(x W_iz + b_iz + h W_hz + b_hz),
 *     n = tanh(x W_in + b_in + r m), m = h W_hn + b_hn, h' = (1 - z) n + z h.
 * The cell's own is m. Backward, with d of h':
 *     dn = d (1 - z) (1 - n^2), dz = d (h - n) z (1 - z), dr = dn m r (1 - r), dm = dn r, dh = d z + (dr dz dm) W_hh^T. */
#define GATES 3
#include "op/recurrent.h"

GROUP_KERNEL void gru_forward(global float *restrict saved,        // a block a direction: see recurrent.h
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
            const vec br = VLOAD(j, bias), bz = VLOAD(j, bias + H), bn = VLOAD(j, bias + 2 * H),
                      bm = VLOAD(j, bias + 3 * H);
            UNROLL(ROWS)
            for (int i = 0; i < ROWS; i++) {
                if (s >= rows.length[i])
                    continue;
                const size_t at = place(&rows, i, s);
                global float *gate = gates + at * GATES * H;
                const vec r = sigmoid(VLOAD(j, gate) + br + acc[i][0]);
                const vec z = sigmoid(VLOAD(j, gate + H) + bz + acc[i][1]);
                const vec m = acc[i][2] + bm, old = VLOAD(j, h[i]);
                const vec v = tanh(VLOAD(j, gate + 2 * H) + bn + r * m);
                const vec new = v + z * (old - v);
                VSTORE(new, j, next[i]);
                VSTORE(new, j, out + at * DIRECTIONS * H);
                if (keep) {
                    VSTORE(r, j, gate);
                    VSTORE(z, j, gate + H);
                    VSTORE(v, j, gate + 2 * H);
                    VSTORE(m, j, cell + at * H);
                    VSTORE(old, j, before + at * H);
                }
            }
        }
    }
}

/* Leaves (dr dz dn) in the gates, (dr dz dm) in `hidden`, sums of dr, dz, dn and dm in `sums`. */
GROUP_KERNEL void gru_backward(global float *restrict saved,        // as above
                               const global float *restrict packed, // W_hh^T, a block a direction
                               const global int *restrict lengths,  // (n)
                               const global float *restrict dout,   // (n,steps,DIRECTIONS,H)
                               global float *restrict scratch,      // hidden (DIRECTIONS,n,steps,GATES,H) at hidden_at,
                               const int hidden_at,                 // sums (DIRECTIONS,groups,SUMS,H) at sums_at
                               const int sums_at, const int n, const int steps, const int has_lengths) {
    SHARED float carry[ROWS][SIDE], d[ROWS][SIDES];
    group_rows rows;
    begin_rows(&rows, lengths, n, steps, has_lengths);
    const size_t places = (size_t)n * steps;
    global float *gates = saved + rows.reverse * places * SAVED * H;
    const global float *cell = gates + places * GATES * H, *before = cell + places * H;
    global float *hidden = scratch + hidden_at + rows.reverse * places * GATES * H;
    global float *sums = scratch + sums_at
                         + ((size_t)rows.reverse * get_num_groups(0) + get_group_id(0)) * SUMS * H;
    packed += rows.reverse * (PACKED - SUMS * H);
    dout += rows.reverse * H;
    clear_beyond(&rows, gates, GATES * H, GATES * H);
    clear_beyond(&rows, hidden, GATES * H, GATES * H);
    clear_sums(sums);
    clear_shared(carry[0], ROWS * SIDE);
    clear_shared(d[0], ROWS * SIDES);
    for (int s = rows.most - 1; s >= 0; s--) {
        BARRIER();
        for EACH(j, HV) {
            vec sum_r = (vec)(0.0f), sum_z = (vec)(0.0f), sum_n = (vec)(0.0f), sum_m = (vec)(0.0f);
            UNROLL_ROWS
            for (int i = 0; i < ROWS; i++) {
                if (s >= rows.length[i])
                    continue;
                const size_t at = place(&rows, i, s);
                global float *gate = gates + at * GATES * H, *to = hidden + at * GATES * H;
                const vec r = VLOAD(j, gate), z = VLOAD(j, gate + H), v = VLOAD(j, gate + 2 * H);
                const vec dh = VLOAD(j, dout + at * DIRECTIONS * H) + VLOAD(j, carry[i]);
                const vec dn = dh * (1.0f - z) * (1.0f - v * v), dm = dn * r;
                const vec dz = dh * (VLOAD(j, before + at * H) - v) * z * (1.0f - z);
                const vec dr = dm * VLOAD(j, cell + at * H) * (1.0f - r);
                VSTORE(dh * z, j, carry[i]);
                VSTORE(dr, j, gate);
                VSTORE(dz, j, gate + H);
                VSTORE(dn, j, gate + 2 * H);
                VSTORE(dr, j, to);
                VSTORE(dz, j, to + H);
                VSTORE(dm, j, to + 2 * H);
                VSTORE(dr, j, d[i]);
                VSTORE(dz, j, d[i] + H);
                VSTORE(dm, j, d[i] + 2 * H);
                sum_r += dr;
                sum_z += dz;
                sum_n += dn;
                sum_m += dm;
            }
            add_sum(sums, 0, j, sum_r);
            add_sum(sums, 1, j, sum_z);
            add_sum(sums, 2, j, sum_n);
            add_sum(sums, 3, j, sum_m);
        }
        BARRIER();
        carry_back(carry, d, packed);
    }
}
