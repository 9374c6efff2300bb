#include "data/element.h"

#include <math.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "which arrays are swapped is told for machines that are little-endian"
#endif

typedef uint8_t type_uint8;
typedef int8_t type_int8;
typedef uint16_t type_uint16;
typedef int16_t type_int16;
typedef uint32_t type_uint32;
typedef int32_t type_int32;
typedef uint64_t type_uint64;
typedef int64_t type_int64;
typedef float type_float32;
typedef double type_float64;

static const struct {
    const char *name;
    size_t bytes;
} elements[] = {
#define ELEMENT_ROW(name, bytes) {#name, bytes},
    CLC_ELEMENTS(ELEMENT_ROW)
#undef ELEMENT_ROW
};

const char *clc_element_name(clc_element element) {
    return elements[element].name;
}

size_t clc_element_bytes(clc_element element) {
    return elements[element].bytes;
}

bool clc_element_is_float(clc_element element) {
    return element == CLC_ELEMENT_float32 || element == CLC_ELEMENT_float64;
}

bool clc_element_range(clc_element element, double *low, double *high) {
    *low = 0;
    *high = clc_element_is_float(element) ? 1 : element == CLC_ELEMENT_uint16 ? 65535 : 255;
    return clc_element_is_float(element) || element == CLC_ELEMENT_uint16 ||
           element == CLC_ELEMENT_uint8;
}

/* Elements lie at any address. */
static void load(void *value, const uint8_t *from, size_t bytes, bool swapped) {
    uint8_t *to = value;
    if (!swapped)
        memcpy(to, from, bytes);
    else
        for (size_t i = 0; i < bytes; i++)
            to[i] = from[bytes - 1 - i];
}

static uint8_t scaled(double value, double low, double scale) {
    double v = (value - low) * scale;
    return v >= 255 ? 255 : v > 0 ? (uint8_t)(v + 0.5) : 0;
}

void clc_elements_to_bytes(clc_element element, bool swapped, const uint8_t *from, size_t n,
                           double low, double high, uint8_t *to) {
    double scale = 255 / (high - low);
    if (element == CLC_ELEMENT_uint8 && low == 0 && high == 255) {
        memcpy(to, from, n);
        return;
    }
    switch (element) {
#define ELEMENT_CASE(name, bytes)                                                                  \
    case CLC_ELEMENT_##name:                                                                       \
        for (size_t i = 0; i < n; i++) {                                                           \
            type_##name value;                                                                     \
            load(&value, from + i * (bytes), bytes, swapped);                                      \
            to[i] = scaled((double)value, low, scale);                                             \
        }                                                                                          \
        break;
        CLC_ELEMENTS(ELEMENT_CASE)
#undef ELEMENT_CASE
    }
}

void clc_elements_to_floats(clc_element element, bool swapped, const uint8_t *from, size_t n,
                            float *to) {
    switch (element) {
#define ELEMENT_CASE(name, bytes)                                                                  \
    case CLC_ELEMENT_##name:                                                                       \
        for (size_t i = 0; i < n; i++) {                                                           \
            type_##name value;                                                                     \
            load(&value, from + i * (bytes), bytes, swapped);                                      \
            to[i] = (float)value;                                                                  \
        }                                                                                          \
        break;
        CLC_ELEMENTS(ELEMENT_CASE)
#undef ELEMENT_CASE
    }
}

bool clc_elements_to_integers(clc_element element, bool swapped, const uint8_t *from, size_t n,
                              int64_t *to) {
    double limit = 0x1p62;
    switch (element) {
#define ELEMENT_CASE(name, bytes)                                                                  \
    case CLC_ELEMENT_##name:                                                                       \
        for (size_t i = 0; i < n; i++) {                                                           \
            type_##name value;                                                                     \
            load(&value, from + i * (bytes), bytes, swapped);                                      \
            if (!(fabs((double)value) < limit) || (double)(int64_t)value != (double)value)         \
                return false;                                                                      \
            to[i] = (int64_t)value;                                                                \
        }                                                                                          \
        break;
        CLC_ELEMENTS(ELEMENT_CASE)
#undef ELEMENT_CASE
    }
    return true;
}

void clc_elements_extent(clc_element element, bool swapped, const uint8_t *from, size_t n,
                         double *least, double *greatest) {
    *least = INFINITY;
    *greatest = -INFINITY;
    switch (element) {
#define ELEMENT_CASE(name, bytes)                                                                  \
    case CLC_ELEMENT_##name:                                                                       \
        for (size_t i = 0; i < n; i++) {                                                           \
            type_##name value;                                                                     \
            load(&value, from + i * (bytes), bytes, swapped);                                      \
            *least = fmin(*least, (double)value);                                                  \
            *greatest = fmax(*greatest, (double)value);                                            \
        }                                                                                          \
        break;
        CLC_ELEMENTS(ELEMENT_CASE)
#undef ELEMENT_CASE
    }
}
