/* The gradient of a loss on pairs: du_i = sum_j w_ij u_j; for distances minus u_i sum_j w_ij, since then
 * d|u_i - u_j|^2 / du_i = 2 (u_i - u_j). Before it is included, the loss defines
 *   RULE, RULE_ARGS   its two parameters (float), and their names to pass on
 *   vec weigh(vec s, int row, int column, int id, bool queued, const global float *work, int padded, RULE)
 *                     the weights w of VW columns from `column` with similarities s; s_ij counts for
 *                     anchor i and for anchor j
 *   void correct(DU_SPACE float *du, const global float *u, RULE)    adds whatever does not come from pairs. */

/* Similarities of one row and panel become weights. sums (2): of w, and of w s. */
void weigh_row(float *s, const int row, const int n0, const int end, const bool queued,
               const global float *work, const int padded, vec *sums, RULE) {
    const int id = ID(work)[row];
#if DISTANCE || LEARNED
    float products[NT];
    UNROLL(NV)
    for (int j = 0; j < NV; j++)
        VSTORE(VLOAD(j, s), j, products);
#endif
    UNROLL(NV)
    for (int j = 0; j < NV; j++)
        VSTORE(weigh(VLOAD(j, s), row, COLUMN(n0, j), id, queued, work, padded, RULE_ARGS), j, s);
    mask(s, row, n0, end, 0.0f);
#if DISTANCE || LEARNED
    vec sum = (vec)(0.0f), product = (vec)(0.0f);
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        sum += VLOAD(j, s);
        product += VLOAD(j, s) * VLOAD(j, products);
    }
    sums[0] += sum;
    sums[1] += product;
#endif
}

/* Groups: the students' blocks of rows. */
GROUP_KERNEL void pairs_backward(global float *restrict work,
                                 global float *restrict dz, // (students*rows,D)
                                 SHAPE, RULE) {
    SHARED float w[BI * BJ] __attribute__((aligned(64))), lanes[LANES];
#if DISTANCE || LEARNED
    SHARED float of_weights[BI * ROW_LANES], of_products[BI * ROW_LANES];
#endif
    const place p = find_place((int)get_group_id(0), SHAPE_ARGS);
    const int row0 = p.segment * rows + (p.row0 - first_of(p.segment, SHAPE_ARGS));
    const float rate = FACTOR(work)[OF_SIMILARITY], factor = FACTOR(work)[OF_LOSS] * rate;
    float all[2] = {0.0f, 0.0f};
    vec sums[BI][2];
    DU_BLOCK(du, dz + (size_t)row0 * D);
    clear(du, DU_STRIDE(D), p.rows);
    EACH_ROW(r, BI)
        sums[r][0] = sums[r][1] = (vec)(0.0f);
    for (int k = 0; k < 2; k++)
        for (int n0 = FIRST(p, k); n0 < END(p, k); n0 += BJ) {
            const int columns = min(BJ, END(p, k) - n0);
            BARRIER();
            for (int n = 0; n < columns; n += NR)
                EACH_TILE(r, p.rows) {
                    TILE(s, w, r, n);
                    similarity(U(work) + (size_t)(p.row0 + r) * DP,
                               PANEL(work) + (size_t)(n0 + n) * DP, rate * UNIT, s, TILE_STRIDE);
                    EACH_OF_TILE(i)
                        weigh_row(s + i * TILE_STRIDE, p.row0 + r + i, n0 + n, END(p, k), k == 1,
                                  work, padded, sums[r + i], RULE_ARGS);
                    share_tile(s, w, n);
                }
            BARRIER();
            EACH_TILE(r, p.rows)
                accumulate(w + WEIGHT(r, 0), U(work) + (size_t)n0 * DP, du + r * DU_STRIDE(D),
                           DU_STRIDE(D), p.rows, columns);
        }
#if DISTANCE || LEARNED
    EACH_ROW(r, p.rows) {
        PUT(sums[r][0], r, of_weights);
        PUT(sums[r][1], r, of_products);
    }
    BARRIER();
#endif
    for (int r = 0; r < p.rows; r++) {
        const global float *u = U(work) + (size_t)(p.row0 + r) * DP;
#if DISTANCE || LEARNED
        const float sum = sum_of(OF_ROW(of_weights, r));
        all[0] += sum;
        all[1] += sum_of(OF_ROW(of_products, r));
        for EACH(k, DISTANCE ? D : 0)
            du[r * DU_STRIDE(D) + k] -= u[k] * sum;
#endif
        correct(du + r * DU_STRIDE(D), u, RULE_ARGS);
        denormalize(du + r * DU_STRIDE(D), u, INVERSE(work)[p.row0 + r], factor,
                    dz + (size_t)(row0 + r) * D, lanes);
    }
    if (LANE == 0) {
        PART(work)[get_group_id(0) * PARTS] = all[0];
        PART(work)[get_group_id(0) * PARTS + 1] = all[1];
    }
}

/* Gradients of a learned scale exp(log_scale) and bias. Every pair was met from both of its ends. One group. */
GROUP_KERNEL void pairs_learned(const global float *restrict work,
                                global float *restrict dlog_scale,      // (1)
                                global float *restrict dbias,           // (1), or NULL
                                const int padded, const int groups) {
    SHARED float lanes[LANES];
    const float weights = sum_shares(work, padded, groups, 0, lanes);
    const float products = sum_shares(work, padded, groups, 1, lanes);
    const float each = 0.5f * FACTOR(work)[OF_LOSS];
    if (LANE == 0) {
        dlog_scale[0] = each * products / UNIT;
        if (dbias)
            dbias[0] = each * weights;
    }
}
