/* Tiles of similarities: MR rows against a panel of NR columns. A group's items take the panel's vectors in turn:
 * item LANE has NV of them, at MINE(0) .. MINE(NV-1). What an item has of a row is NT numbers, in registers on GPUs. */
#define NT (NV * VW)

#if VW == 1
#define IVLOAD(i, p)  ((p)[i])
#define IVSTORE(v, i, p) ((p)[i] = (v))
#define TO_BITS(v)    as_int(v)
#define FROM_BITS(v)  as_float(v)
#else
#define IVLOAD(i, p)  CAT(vload, VW)(i, p)
#define IVSTORE(v, i, p) CAT(vstore, VW)(v, i, p)
#define TO_BITS(v)    CAT(as_int, VW)(v)
#define FROM_BITS(v)  CAT(as_float, VW)(v)
#endif

/* Loops over a group's rows: `per` or fewer. On GPUs those are one tile, and unrolled: an array of numbers a row is
 * then registers. */
#if CPU_KERNELS
#define EACH_TILE(r, count) for (int r = 0; r < (count); r += MR)
#define EACH_ROW(r, count)  for (int r = 0; r < (count); r++)
#define EACH_OF_TILE(i)     for (int i = 0; i < MR; i++)
#else
#if BI != MR
#error "a group's rows are one tile"
#endif
#define EACH_TILE(r, count) for (int r = 0; r < MR; r += MR)
#define EACH_ROW(r, count)  UNROLL(MR) for (int r = 0; r < MR; r++) if (r < (count))
#define EACH_OF_TILE(i)     UNROLL(MR) for (int i = 0; i < MR; i++)
#endif

/* What the items have of a row, for all of them: ROW_LANES apart, so that items may look at a row each. */
#define ROW_LANES         (CPU_KERNELS ? LANES : LANES + 1)
#define PUT(v, r, rows)   VSTORE(v, LANE, (rows) + (r)*ROW_LANES)
#define OF_ROW(rows, r)   ((rows) + (r)*ROW_LANES)

/* The first column of this item's vector j of the panel at n0. */
#define COLUMN(n0, j) ((n0) + MINE(j) * VW)

/* 1.5 * 2^23 + 127. x + SHIFT rounds x to an integer n, and its low bits are n + 127: rint() and
 * convert_int() take some 30 instructions where a compiler for CPUs writes them out. */
#define SHIFT 12583039.0f

/* 2^x: 2^r for r in [-1/2, 1/2] by its Taylor series to r^7 (next term 6e-9), times a power of two;
 * 0 below 2^-126; NaN stays NaN. For x < 128. */
vec power2(const vec x) {
    const vec shifted = (x < -126.0f ? (vec)(-126.0f) : x) + SHIFT, r = x - (shifted - SHIFT);
    vec p = 1.52527338e-5f * r + 1.54035304e-4f;
    p = p * r + 1.33335581e-3f;
    p = p * r + 9.61812911e-3f;
    p = p * r + 5.55041087e-2f;
    p = p * r + 2.40226507e-1f;
    p = p * r + 6.93147181e-1f;
    p = p * r + 1.0f;
    const vec power = FROM_BITS(TO_BITS(shifted) << 23);
    return x < -126.0f ? (vec)(0.0f) : p * power;
}

constant int lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* The numbers of the columns of a vector from `column`. */
ivec columns_from(const int column) {
    return (ivec)(column) + IVLOAD(0, lane_numbers);
}

/* KU elements of a row at a time: GPUs load four at once, the same for all items. */
#if CPU_KERNELS || LS % 4
#define KU 1
#define LOAD_ELEMENTS(to, from) ((to)[0] = *(from))
#else
#define KU 4
#define LOAD_ELEMENTS(to, from) vstore4(*(const global float4 *)(const global void *)(from), 0, to)
#endif

/* s (MR,stride) = the MR rows a (MR,DP) against one panel (DP,NR): dot products or squared distances. */
void similarity(const global float *restrict a, const global float *restrict panel,
                const float factor, float *s, const int stride) {
    vec acc[MR][NV];
    UNROLL(MR)
    for (int i = 0; i < MR; i++)
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            acc[i][j] = (vec)(0.0f);
    for (int k = 0; k < D; k += KU) {
        float row[MR][KU];
        UNROLL(MR)
        for (int i = 0; i < MR; i++)
            LOAD_ELEMENTS(row[i], a + i * DP + k);
        UNROLL(KU)
        for (int q = 0; q < KU; q++) {
            vec b[NV];
            UNROLL(NV)
            for (int j = 0; j < NV; j++)
                b[j] = VLOAD(MINE(j), panel + (k + q) * NR);
            UNROLL(MR)
            for (int i = 0; i < MR; i++)
                UNROLL(NV)
                for (int j = 0; j < NV; j++)
#if DISTANCE
                    acc[i][j] += (row[i][q] - b[j]) * (row[i][q] - b[j]);
#else
                    acc[i][j] += row[i][q] * b[j];
#endif
        }
    }
    UNROLL(MR)
    for (int i = 0; i < MR; i++)
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            VSTORE(acc[i][j] * factor, j, s + i * stride);
}

/* Which columns of a vector are others than `row` and below `end`. */
ivec are_pairs(const int row, const int column, const int end) {
    const ivec at = columns_from(column);
    return (at != (ivec)(row)) & (at < (ivec)(end));
}

/* Writes `value` where a row's columns are `row` itself or at or beyond `end`. */
void mask(float *s, const int row, const int n0, const int end, const float value) {
#if CPU_KERNELS
    if (row >= n0 && row < n0 + NR)
        s[row - n0] = value;
    for (int c = max(end - n0, 0); c < NR; c++)
        s[c] = value;
#else
    UNROLL(NV)
    for (int j = 0; j < NV; j++)
        VSTORE(are_pairs(row, COLUMN(n0, j), end) ? VLOAD(j, s) : (vec)(value), j, s);
#endif
}

/* Which columns of a vector are positives of a row with id `id`. */
ivec positives(const global float *work, const int padded, const int column, const int id) {
    return IVLOAD(0, ID(work) + column) == (ivec)(id);
}
