/* The gradient of a loss on pairs: du_i = sum_j w_ij u_j; for distances minus u_i sum_j w_ij, since then
 * d|u_i - u_j|^2 / du_i = 2 (u_i - u_j). Before it is included, the loss defines
 *   RULE, RULE_ARGS   its two parameters (float), and their names to pass on
 *   vec weigh(vec s, int row, int column, int id, bool queued, const global float *work, int padded, RULE)
 *                     the weights w of VW columns from `column` with similarities s; s_ij counts for
 *                     anchor i and for anchor j
 *   void correct(float *du, const global float *u, RULE)    adds whatever does not come from pairs. */

/* Similarities of one row and panel become weights. sums (2): of w, and of w s. */
void weigh_row(float *s, const int row, const int n0, const int end, const bool queued,
               const global float *work, const int padded, float *sums, RULE) {
    const int id = ID(work)[row];
#if DISTANCE || LEARNED
    float products[NR];
    vec sum = (vec)(0.0f), product = (vec)(0.0f);
    UNROLL(NV)
    for (int j = 0; j < NV; j++)
        VSTORE(VLOAD(j, s), j, products);
#endif
    UNROLL(NV)
    for (int j = 0; j < NV; j++)
        VSTORE(weigh(VLOAD(j, s), row, n0 + j * VW, id, queued, work, padded, RULE_ARGS), j, s);
    mask(s, row, n0, end, 0.0f);
#if DISTANCE || LEARNED
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        sum += VLOAD(j, s);
        product += VLOAD(j, s) * VLOAD(j, products);
    }
    sums[0] += sum_lanes(sum);
    sums[1] += sum_lanes(product);
#endif
}

TILE_KERNEL void pairs_backward(global float *restrict work,
                                global float *restrict dz, // (students*rows,D)
                                SHAPE, RULE) {
    const place p = find_place((int)get_group_id(0), SHAPE_ARGS);
    const int stride = (padded - PANELS_OF(queue)) / segments;
    const float rate = FACTOR(work)[OF_SIMILARITY], factor = FACTOR(work)[OF_LOSS] * rate;
    float du[BI * DP], w[BI * BJ], sums[BI][2], all[2] = {0.0f, 0.0f};
    for (int k = 0; k < BI * DP; k++)
        du[k] = 0.0f;
    for (int r = 0; r < BI; r++)
        sums[r][0] = sums[r][1] = 0.0f;
    for (int k = 0; k < 2; k++)
        for (int n0 = p.first[k]; n0 < p.end[k]; n0 += BJ) {
            const int columns = min(BJ, PANELS_OF(p.end[k] - n0));
            for (int n = 0; n < columns; n += NR)
                for (int r = 0; r < p.rows; r += MR) {
                    similarity(U(work) + (size_t)(p.row0 + r) * DP,
                               PANEL(work) + (size_t)(n0 + n) * D, rate * UNIT, w + r * BJ + n, BJ);
                    for (int i = 0; i < MR; i++)
                        weigh_row(w + (r + i) * BJ + n, p.row0 + r + i, n0 + n, p.end[k], k == 1,
                                  work, padded, sums[r + i], RULE_ARGS);
                }
            for (int r = 0; r < p.rows; r += MR)
                accumulate(w + r * BJ, U(work) + (size_t)n0 * DP, du + r * DP, columns);
        }
    for (int r = 0; r < p.rows; r++) {
        const global float *u = U(work) + (size_t)(p.row0 + r) * DP;
        const size_t row = (size_t)p.segment * rows + (p.row0 - p.segment * stride) + r;
        for (int k = 0; k < D && DISTANCE; k++)
            du[r * DP + k] -= u[k] * sums[r][0];
        correct(du + r * DP, u, RULE_ARGS);
        denormalize(du + r * DP, u, INVERSE(work)[p.row0 + r], factor, dz + row * D);
        all[0] += sums[r][0];
        all[1] += sums[r][1];
    }
    PART(work)[get_group_id(0) * PARTS] = all[0];
    PART(work)[get_group_id(0) * PARTS + 1] = all[1];
}

/* Gradients of a learned scale exp(log_scale) and bias. Every pair was met from both of its ends. At its
 * upper limit the scale may only fall. */
TILE_KERNEL void pairs_learned(const global float *restrict work,
                               const global float *restrict log_scale, // (1)
                               global float *restrict dlog_scale,      // (1)
                               global float *restrict dbias,           // (1), or NULL
                               const int padded, const int groups) {
    float sums[2] = {0.0f, 0.0f};
    for (int g = 0; g < groups; g++)
        for (int k = 0; k < 2; k++)
            sums[k] += PART(work)[g * PARTS + k];
    const float each = 0.5f * FACTOR(work)[OF_LOSS], d = each * sums[1] / UNIT;
    dlog_scale[0] = log_scale[0] >= MOST_LOG_SCALE && d < 0.0f ? 0.0f : d;
    if (dbias)
        dbias[0] = each * sums[0];
}
