/* Rows of a table, chosen by numbers. A group handles consecutive tokens, or consecutive rows of the table. */
#include "common.h"

#ifndef C
#define C 16
#endif
#define CV (C / VW)

/* An id beyond the table reads its last row. */
GROUP_KERNEL void embedding_forward(const global int *restrict ids,     // (tokens)
                                    const global float *restrict table, // (vocabulary,C)
                                    global float *restrict y,           // (tokens,C)
                                    const int tokens, const int vocabulary) {
    const int per = CHUNK(tokens, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int t = first; t < min(first + per, tokens); t++) {
        const global float *row = table + (size_t)clamp(ids[t], 0, vocabulary - 1) * C;
        for EACH(j, CV)
            VSTORE(VLOAD(j, row), j, y + (size_t)t * C);
    }
}

/* A row's gradient is the sum over the tokens that it stands for, in their order: its group looks through all of them,
 * so that nothing is added by two items. */
GROUP_KERNEL void embedding_backward(const global int *restrict ids,   // (tokens)
                                     const global float *restrict dy,  // (tokens,C)
                                     global float *restrict dtable,    // (vocabulary,C)
                                     const int tokens, const int vocabulary) {
    const int per = CHUNK(vocabulary, (int)get_num_groups(0));
    const int first = (int)get_group_id(0) * per, last = min(first + per, vocabulary);
    for (int row = first; row < last; row++)
        for EACH(j, CV)
            VSTORE((vec)(0.0f), j, dtable + (size_t)row * C);
    for (int t = 0; t < tokens; t++) {
        const int row = clamp(ids[t], 0, vocabulary - 1);
        if (row < first || row >= last)
            continue;
        global float *sum = dtable + (size_t)row * C;
        for EACH(j, CV)
            VSTORE(VLOAD(j, sum) + VLOAD(j, dy + (size_t)t * C), j, sum);
    }
}
