/* The gradient's block of a group: du, BI rows. Private on CPU devices, unless the loss says no. Elsewhere it is where the
 * result goes, in global memory, of which each item touches the columns MINE(j) alone. */
#ifndef DU_PRIVATE
#define DU_PRIVATE CPU_KERNELS
#endif
#if DU_PRIVATE
#define DU_SPACE                private
#define DU_STRIDE(outside)      DP
#define DU_BLOCK(name, outside) float name[BI * DP]
#else
#define DU_SPACE                global
#define DU_STRIDE(outside)      (outside)
#define DU_BLOCK(name, outside) global float *name = (outside)
#endif

/* Weights: element of row i and column k of w (BI,BJ). On GPUs a column's rows are neighbours, to be loaded at once. */
#if CPU_KERNELS
#define WEIGHT(i, k) ((i)*BJ + (k))
#else
#define WEIGHT(i, k) ((k)*MR + (i))
#endif

/* An item's tile of w at row r and column n: on CPU devices a part of w, else registers, which share_tile() copies. */
#if CPU_KERNELS
#define TILE_STRIDE         BJ
#define TILE(name, w, r, n) float *name = (w) + WEIGHT(r, n)
#define share_tile(s, w, n) ((void)0)
#else
#define TILE_STRIDE         NT
#define TILE(name, w, r, n) float name[MR * NT]
void share_tile(const float *s, SHARED float *w, const int n) {
    UNROLL(NV)
    for (int j = 0; j < NV; j++)
        UNROLL(MR)
        for (int i = 0; i < MR; i++)
            w[WEIGHT(i, n + MINE(j))] = s[i * NT + j];
}
#endif

void clear(DU_SPACE float *du, const int stride, const int rows) {
    for (int r = 0; r < rows; r++)
        for EACH(k, stride)
            du[r * stride + k] = 0.0f;
}

/* du (MR,stride) += w (MR,columns) times the `columns` rows u (columns,DP); w's rows and columns are row_step and
 * column_step apart. Where du is not private, `rows` may be fewer than MR, and stride than DP.
 * (restrict in an inlined function becomes what Oclgrind doesn't know; the functions below have it.) */
INLINE void accumulate_steps(const SHARED float *w, const int row_step, const int column_step,
                             const global float *u, DU_SPACE float *du, const int stride,
                             const int rows, const int columns) {
    for (int c = 0; c < DP; c += NU * LANES) {
        vec acc[MR][NU];
        UNROLL(MR)
        for (int i = 0; i < MR; i++)
            UNROLL(NU)
            for (int j = 0; j < NU; j++)
                acc[i][j] = (vec)(0.0f);
        for (int k = 0; k < columns; k++) {
            vec b[NU];
            UNROLL(NU)
            for (int j = 0; j < NU; j++)
                b[j] = VLOAD(MINE(j), u + k * DP + c);
            UNROLL(MR)
            for (int i = 0; i < MR; i++)
                UNROLL(NU)
                for (int j = 0; j < NU; j++)
                    acc[i][j] += w[i * row_step + k * column_step] * b[j];
        }
        UNROLL(MR)
        for (int i = 0; i < MR; i++)
            UNROLL(NU)
            for (int j = 0; j < NU; j++) {
                const int column = c + MINE(j) * VW;
                if (DU_PRIVATE || (i < rows && column < stride))
                    VSTORE(VLOAD(0, du + i * stride + column) + acc[i][j], 0,
                           du + i * stride + column);
            }
    }
}

/* The weights of MR rows, and those of MR columns: w transposed. */
void accumulate(const SHARED float *w, const global float *restrict u, DU_SPACE float *du,
                const int stride, const int rows, const int columns) {
    accumulate_steps(w, WEIGHT(1, 0), WEIGHT(0, 1), u, du, stride, rows, columns);
}

void accumulate_columns(const SHARED float *w, const global float *restrict u, DU_SPACE float *du,
                        const int stride, const int rows, const int columns) {
    accumulate_steps(w, WEIGHT(0, 1), WEIGHT(1, 0), u, du, stride, rows, columns);
}

/* dz of one row from du / factor, through the normalisation. */
void denormalize(const DU_SPACE float *du, const global float *u, const float inverse,
                 const float factor, global float *dz, SHARED float *lanes) {
    float sum = 0.0f;
    for EACH(k, D)
        sum += u[k] * du[k];
    const float along = inverse < 0.0f ? 0.0f : sum_items(sum, lanes);
    for EACH(k, D)
        dz[k] = (du[k] - u[k] * along) * factor * fabs(inverse);
}
