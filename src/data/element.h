/* Numbers of all types as they lie in NumPy's and IDX files. */
#ifndef CLC_DATA_ELEMENT_H
#define CLC_DATA_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Name, bytes. */
#define CLC_ELEMENTS(X)                                                                            \
    X(uint8, 1)                                                                                    \
    X(int8, 1)                                                                                     \
    X(uint16, 2)                                                                                   \
    X(int16, 2)                                                                                    \
    X(uint32, 4)                                                                                   \
    X(int32, 4)                                                                                    \
    X(uint64, 8)                                                                                   \
    X(int64, 8)                                                                                    \
    X(float32, 4)                                                                                  \
    X(float64, 8)

typedef enum clc_element {
#define CLC_ELEMENT_ENUM(name, bytes) CLC_ELEMENT_##name,
    CLC_ELEMENTS(CLC_ELEMENT_ENUM)
#undef CLC_ELEMENT_ENUM
} clc_element;

const char *clc_element_name(clc_element element);
size_t clc_element_bytes(clc_element element);
bool clc_element_is_float(clc_element element);

/* Elements as bytes, `low` becoming 0 and `high` 255, rounded and cut; not a number is 0. */
void clc_elements_to_bytes(clc_element element, bool swapped, const uint8_t *from, size_t n,
                           double low, double high, uint8_t *to);

/* Elements as floats. */
void clc_elements_to_floats(clc_element element, bool swapped, const uint8_t *from, size_t n,
                            float *to);

/* Elements as whole numbers; false if one is none. */
bool clc_elements_to_integers(clc_element element, bool swapped, const uint8_t *from, size_t n,
                              int64_t *to);

/* The least and the greatest of them, but for what is not a number. */
void clc_elements_extent(clc_element element, bool swapped, const uint8_t *from, size_t n,
                         double *least, double *greatest);

/* What black and white are of a type, where nobody says; false if that can't be told: signed and
 * 32-bit integers. */
bool clc_element_range(clc_element element, double *low, double *high);

#endif
