/* The nearest neighbours of a block of queries on CPU devices: a group multiplies rows of the bank, which it brings to
 * length 1 in memory of its own, with the queries, and looks at each tile of cosines while it is in registers. So the
 * bank is read once, and no cosine is stored. */
#include "op/registers.h"

#include "eval/unit.h"

#define KC    256               /* columns of a slab of the block of rows */
#define LINE  16                /* floats of a cache line */
#define SIDE  (KC + LINE)       /* of a row of a slab: neighbours in different cache sets */
#define AHEAD 2048              /* floats that are asked for before they are needed */
#define BLOCK (1 << 16)         /* floats: what stays in a core's cache */
#ifndef CHUNK_QUERIES
#define CHUNK_QUERIES 1024
#endif

/* panels (CHUNK(queries,NR),dim,NR) of unit (queries,dim), filled up with zeros. A group packs one panel. */
TILE_KERNEL void nearest_pack(const global float *restrict unit, // (queries,dim)
                              global float *restrict panels, const int queries, const int dim) {
    const int j = (int)get_group_id(0) * NR;
    global float *to = panels + (size_t)j * dim;
    for (int t = 0; t < dim; t++)
        for (int i = 0; i < NR; i++)
            to[t * NR + i] = j + i < queries ? unit[(size_t)(j + i) * dim + t] : 0.0f;
}

/* The sum of a row's squares, of numbers multiplied by `before`. */
INLINE float squares_of(const global float *x, const int dim, const float before) {
    vec squares = (vec)(0.0f);
    float lanes[VW], sum = 0.0f;
    for (int j = 0; j < dim / VW; j++) {
        PREFETCH(x + j * VW + AHEAD);
        squares += (VLOAD(j, x) * before) * (VLOAD(j, x) * before);
    }
    VSTORE(squares, 0, lanes);
    UNROLL(4)
    for (int step = VW / 2; step > 0; step /= 2)
        UNROLL(8)
        for (int l = 0; l < step; l++)
            lanes[l] += lanes[l + step];
    for (int t = dim / VW * VW; t < dim; t++)
        sum += (x[t] * before) * (x[t] * before);
    return sum + lanes[0];
}

/* What row x (dim) is to be multiplied with to have length 1: twice, as the one factor might be out of range. Few rows
 * have squares that overflow or vanish. */
INLINE float2 factors_of(const global float *x, const int dim) {
    const float squares = squares_of(x, dim, 1.0f);
    if (squares > 1e-20f && squares < 1e30f)
        return (float2)(1.0f, 1.0f / sqrt(squares));
    float greatest = 0.0f;
    for (int t = 0; t < dim; t++)
        greatest = fmax(greatest, fabs(x[t]));
    const float before = before_squares(greatest);
    return (float2)(before, to_unit(greatest, squares_of(x, dim, before)));
}

/* Slabs (CHUNK(dim,KC),height,SIDE) of `rows` rows of length 1; rows up to the next multiple of MR are 0. */
INLINE void copy_unit_rows(float *block, const global float *x, const int rows, const int height, const int dim) {
    for (int r = 0; r < CHUNK(rows, MR) * MR; r++, x += dim) {
        const float2 factors = r < rows ? factors_of(x, dim) : (float2)(0.0f);
        for (int k0 = 0; k0 < dim; k0 += KC) {
            float *to = block + (k0 / KC * height + r) * SIDE;
            const int kn = min(KC, dim - k0);
            int t = 0;
            if (r < rows)
                for (; t + VW <= kn; t += VW)
                    VSTORE(VLOAD(0, x + k0 + t) * factors.x * factors.y, 0, to + t);
            for (; t < kn; t++)
                to[t] = r < rows ? x[k0 + t] * factors.x * factors.y : 0.0f;
        }
    }
}

MULTIPLY_ADD(multiply_slab, private, SIDE, 1)

/* Whether neighbour a stands behind b: less similar or, if equal, later. */
#define BEHIND(va, ia, vb, ib) ((va) < (vb) || ((va) == (vb) && (ia) > (ib)))

/* Brings the k foremost of n neighbours to the front (Hoare's selection); returns the last one's value. */
float keep_foremost(global float *value, global int *index, const int n, const int k) {
    for (int low = 0, high = n - 1; low < high;) {
        const float v = value[(low + high) / 2];
        const int row = index[(low + high) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (BEHIND(v, row, value[i], index[i]))
                i++;
            while (BEHIND(value[j], index[j], v, row))
                j--;
            if (i <= j) {
                const float other = value[i];
                const int other_row = index[i];
                value[i] = value[j];
                index[i++] = index[j];
                value[j] = other;
                index[j--] = other_row;
            }
        }
        if (k - 1 <= j)
            high = j;
        else if (k - 1 >= i)
            low = i;
        else
            break;
    }
    return value[k - 1];
}

/* Adds a neighbour to the `room` places of a query, of which *count are taken: when all are, the k foremost stay, and
 * *least is what it takes from then on. */
INLINE void add(global float *value, global int *index, global int *count, float *least, const float v, const int row,
                const int k, const int room) {
    const int at = (*count)++;
    value[at] = v;
    index[at] = row;
    if (at + 1 == room) {
        *least = keep_foremost(value, index, room, k);
        *count = k;
    }
}

#if VW == 16
#define HALVES(m) ((m).lo.lo | (m).lo.hi | (m).hi.lo | (m).hi.hi)
#elif VW == 8
#define HALVES(m) ((m).lo | (m).hi)
#else
#define HALVES(m) (m)
#endif

/* Whether a bit of any is set: any() takes longer. */
INLINE int any_bit(const ivec m) {
    const int4 four = HALVES(m);
    const int2 two = four.lo | four.hi;
    return two.x | two.y;
}

/* Adds those of a tile's cosines (MR,VW), bit r of nearer[l] says of which row r, that may be among the nearest of these
 * VW queries. */
INLINE void enter(const float *tile, const int *nearer, const int first, float *least, global float *values,
                  global int *indices, global int *counts, const int k, const int room) {
    for (int l = 0; l < VW; l++)
        for (int rows = nearer[l]; rows; rows &= rows - 1) {
            const int r = 31 - clz(rows & -rows);
            const float v = tile[r * VW + l];
            if (v > least[l])
                add(values + (size_t)l * room, indices + (size_t)l * room, counts + l, least + l, v, first + r, k, room);
        }
}

/* The same of a tile in registers, of which `rows` rows exist: most often there is nothing to add. */
INLINE void look_at(vec acc[MR][NV], const int rows, const int first, float *least, global float *values,
                    global int *indices, global int *counts, const int k, const int room) {
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        const vec last = VLOAD(j, least);
        ivec nearer = (ivec)(0);
        UNROLL(MR)
        for (int r = 0; r < MR; r++)
            nearer |= (acc[r][j] > last) & (1 << r);
        nearer &= (1 << rows) - 1;
        if (!any_bit(nearer))
            continue;
        float tile[MR * VW];
        int rows_of[VW];
        UNROLL(MR)
        for (int r = 0; r < MR; r++)
            VSTORE(acc[r][j], r, tile);
        VSTORE(nearer, 0, rows_of);
        const int q = j * VW;
        enter(tile, rows_of, first, least + q, values + (size_t)q * room, indices + (size_t)q * room, counts + q, k,
              room);
    }
}

/* Brings what may be the k nearest neighbours of queries, which begin as none with limits -infinity, up to date with
 * rows [first, first + rows) of the bank, of which each part takes its share. Rows come in order, so an equal one is
 * later and stays out; NaN never enters. Groups: (chunks of `panels_each` panels, parts). */
TILE_KERNEL void nearest_find(const global float *restrict bank,   // (.,dim)
                              const global float *restrict panels, // (CHUNK(queries,NR),dim,NR)
                              global float *restrict values,       // (parts,queries,room)
                              global int *restrict indices,        // (parts,queries,room)
                              global int *restrict counts,         // (parts,queries)
                              global float *restrict limits,       // (parts,queries)
                              const int first, const int rows, const int queries, const int dim, const int k,
                              const int room, const int panels_each) {
    const int part = (int)get_group_id(1), per = CHUNK(CHUNK(rows, (int)get_num_groups(1)), MR) * MR;
    const int end = min(first + (part + 1) * per, first + rows);
    const int p0 = (int)get_group_id(0) * panels_each, p1 = min(p0 + panels_each, CHUNK(queries, NR));
    const int slabs = CHUNK(dim, KC), height = BLOCK / (slabs * SIDE) / MR * MR;
    float block[BLOCK] __attribute__((aligned(64)));
    float least[CHUNK_QUERIES] __attribute__((aligned(64)));
    values += (size_t)part * queries * room;
    indices += (size_t)part * queries * room;
    counts += (size_t)part * queries;
    limits += (size_t)part * queries;
    for (int q = p0 * NR; q < p1 * NR; q++)
        least[q - p0 * NR] = q < queries ? limits[q] : INFINITY;
    for (int b = first + part * per; b < end; b += height) {
        const int here = min(height, end - b);
        copy_unit_rows(block, bank + (size_t)b * dim, here, height, dim);
        for (int p = p0; p < p1; p++)
            for (int i = 0; i < here; i += MR) {
                vec acc[MR][NV];
                clear_tile(acc);
                for (int s = 0; s < slabs; s++)
                    multiply_slab(acc, block + (s * height + i) * SIDE, panels + ((size_t)p * dim + s * KC) * NR,
                                  min(KC, dim - s * KC));
                const size_t q = (size_t)p * NR;
                look_at(acc, min(MR, here - i), b + i, least + (p - p0) * NR, values + q * room, indices + q * room,
                        counts + q, k, room);
            }
    }
    for (int q = p0 * NR; q < min(p1 * NR, queries); q++)
        limits[q] = least[q - p0 * NR];
}

/* The k nearest of all parts, in any order; what is missing is (-infinity, INT_MAX). What the first part has room for
 * is overwritten. Groups handle chunks of queries. */
TILE_KERNEL void nearest_collect(global float *restrict values,       // (parts,queries,room)
                                 global int *restrict indices,        // (parts,queries,room)
                                 global int *restrict counts,         // (parts,queries)
                                 global float *restrict nearest,      // (queries,k)
                                 global int *restrict nearest_row,    // (queries,k)
                                 const int queries, const int k, const int room, const int parts) {
    const int per = CHUNK(queries, (int)get_num_groups(0)), start = (int)get_group_id(0) * per;
    for (int q = start; q < min(start + per, queries); q++) {
        global float *value = values + (size_t)q * room;
        global int *index = indices + (size_t)q * room;
        float least = -INFINITY;
        for (int p = 1; p < parts; p++)
            for (int i = 0; i < counts[p * queries + q]; i++) {
                const size_t from = ((size_t)p * queries + q) * room + i;
                if (values[from] >= least)
                    add(value, index, counts + q, &least, values[from], indices[from], k, room);
            }
        const int n = counts[q];
        if (n > k)
            keep_foremost(value, index, n, k);
        for (int i = 0; i < k; i++) {
            nearest[(size_t)q * k + i] = i < n ? value[i] : -INFINITY;
            nearest_row[(size_t)q * k + i] = i < n ? index[i] : INT_MAX;
        }
    }
}
