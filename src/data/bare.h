/* Bare pixels and numbers: elements of NumPy's and IDX files, pictures of one size behind each
 * other. */
#ifndef CLC_DATA_BARE_H
#define CLC_DATA_BARE_H

#include "data/format.h"

#include <sys/types.h>

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

/* Elements as bytes, `low` becoming 0 and `high` 255, rounded and cut; not a number is 0. */
void clc_elements_to_bytes(clc_element element, bool swapped, const uint8_t *from, size_t n,
                           double low, double high, uint8_t *to);

/* Elements as whole numbers; false if one is none. */
bool clc_elements_to_integers(clc_element element, bool swapped, const uint8_t *from, size_t n,
                              int64_t *to);

/* The least and the greatest of them, but for what is not a number. */
void clc_elements_extent(clc_element element, bool swapped, const uint8_t *from, size_t n,
                         double *least, double *greatest);

/* What black and white are of a type, where nobody says; false if that can't be told: signed and
 * 32-bit integers. */
bool clc_element_range(clc_element element, double *low, double *high);

/* Parses a header: one of the above. */
typedef clc_status (*clc_array_parse)(const uint8_t *bytes, size_t n, clc_array *array,
                                      size_t *needed);

/* An array in a file, plain or gzip; unpacked it lies in memory, plain it stays in the file. */
typedef struct clc_array_file {
    const char *path; /* not owned */
    clc_array array;
    uint64_t item;   /* bytes of an item: all sizes but the first */
    int file;        /* or -1 */
    uint8_t *memory; /* or NULL */
    uint64_t stamp;  /* of the file */
} clc_array_file;

/* Fails with CLC_FORMAT, naming the file, unless it has exactly the elements that it promises. */
clc_status clc_array_open(const char *path, clc_array_parse parse, clc_array_file *file);

/* Reads `count` items from `first` on into `to`. CLC_IO without the name if the file has changed.
 */
clc_status clc_array_read(const clc_array_file *file, uint64_t first, size_t count, uint8_t *to);
void clc_array_close(clc_array_file *file);

/* Lists the pictures in the array file at `path` with the classes in the file `labels` (NULL: none)
 * and sets part->state. */
clc_status clc_bare_open(const clc_config_data *config, const char *path, clc_array_parse parse,
                         const char *labels, clc_listing *listing, clc_source_part *part);
clc_status clc_bare_read(const clc_source *source, size_t item, const clc_image_options *options,
                         clc_image *image);
clc_status clc_bare_probe(const clc_source *source, size_t item, const clc_image_options *options,
                          clc_image_info *info);
void clc_bare_close(clc_source_part *part);

/* Reads a file of classes, IDX or .npy, for the `count` pictures of the file `pictures`. */
clc_status clc_labels_read(const char *path, const char *pictures, uint64_t count,
                           int64_t **labels);

/* The classes of these numbers, -1 for negative ones: class k has the number k, so that what is
 * missing from one file of several changes nothing. */
clc_status clc_labels_classes(clc_listing *listing, const int64_t *values, size_t n,
                              int32_t **labels);

/* Brings pixels of a source of one size to what options ask for; takes them over. Exchanges rows
 * and columns first if `transpose`. */
clc_status clc_bare_finish(clc_image *image, bool transpose, const clc_image_options *options);

#endif
