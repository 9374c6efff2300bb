/* Rows of length 1, whose products are cosines. */
#include "group.h"

#include "eval/unit.h"

/* The sum of a row's squares, of numbers multiplied by `before`. */
INLINE float squares_of(const global float *from, const int dim, const float before, SHARED float *lanes) {
    vec squares = (vec)(0.0f);
    for EACH(j, dim / VW) {
        const vec v = VLOAD(j, from) * before;
        squares += v * v;
    }
    float sum = sum_lanes(squares, lanes);
    for (int i = dim / VW * VW; i < dim; i++)
        sum += (from[i] * before) * (from[i] * before);
    return sum;
}

/* Row r of y is x[first + r], or where there is an order x[order[first + r]], divided by its length; 0 for a
 * zero row and for rows from `rows` on. Groups handle chunks of rows. */
GROUP_KERNEL void cosines_normalise(const global float *restrict x, // (.,dim)
                                    const global int *restrict order, // NULL: as they are
                                    global float *restrict y,         // (block,dim)
                                    const int first, const int rows, const int block, const int dim) {
    const int per = CHUNK(block, (int)get_num_groups(0)), start = (int)get_group_id(0) * per;
    const int whole = dim / VW;
    SHARED float lanes[LANES];
    for (int r = start; r < min(start + per, block); r++) {
        const int place = first + min(r, rows - 1);
        const global float *from = x + (size_t)(order ? order[place] : place) * dim;
        global float *to = y + (size_t)r * dim;
        vec most = (vec)(0.0f);
        for EACH(j, whole)
            most = fmax(most, fabs(VLOAD(j, from)));
        spread(most, lanes);
        float greatest = most_of(lanes);
        for (int i = whole * VW; i < dim; i++)
            greatest = fmax(greatest, fabs(from[i]));
        const float before = before_squares(greatest);
        const float unit = to_unit(greatest, squares_of(from, dim, before, lanes));
        const float scale = r < rows ? unit : 0.0f;
        for EACH(j, whole)
            VSTORE(VLOAD(j, from) * before * scale, j, to);
        for (int i = whole * VW; i < dim; i++)
            to[i] = from[i] * before * scale;
    }
}
