/* What losses at every place of a map share. Include it behind group.h. */
#ifndef DENSE_ROWS_H
#define DENSE_ROWS_H

/* Declares begin and end, between which the group's rows lie. */
#define OWN_ROWS(begin, end, rows)                                                                 \
    const int per = CHUNK(rows, (int)get_num_groups(0));                                           \
    const int begin = min((int)get_group_id(0) * per, rows), end = min(begin + per, rows)

/* The group's part of the loss, from those of its items. */
void keep_part(const float loss, const float scale, global float *restrict parts,
               SHARED float *lanes) {
    const float sum = sum_items(loss, lanes);
    if (LANE == 0)
        parts[get_group_id(0)] = sum * scale;
}

#endif
