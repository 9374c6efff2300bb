/* Headers of NumPy's and IDX files. */
#ifndef CLC_DATA_ARRAY_HEADER_H
#define CLC_DATA_ARRAY_HEADER_H

#include "core/status.h"
#include "data/element.h"

/* An array as a header describes it. */
enum { CLC_ARRAY_RANK = 8 };
typedef struct clc_array {
    clc_element element;
    bool swapped; /* the bytes of an element are in the order that this machine does not have */
    int rank;
    uint64_t shape[CLC_ARRAY_RANK];
    uint64_t start; /* of the elements in the file */
} clc_array;

/* Parses the header of IDX (`n` bytes of the file's beginning, which may hold more than that).
 * CLC_FORMAT without the file's name. *needed: the bytes that the whole header has, where `n` are
 * too few to tell what it says (then *array holds nothing). */
clc_status clc_idx_parse(const uint8_t *bytes, size_t n, clc_array *array, size_t *needed);

/* The same for .npy. */
clc_status clc_npy_parse(const uint8_t *bytes, size_t n, clc_array *array, size_t *needed);

/* Parses a header: one of the above. */
typedef clc_status (*clc_array_parse)(const uint8_t *bytes, size_t n, clc_array *array,
                                      size_t *needed);

#endif
