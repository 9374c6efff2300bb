/* Data sets of 8-bit images, read whole into host memory, with or without labels. */
#ifndef CLC_DATA_DATASET_H
#define CLC_DATA_DATASET_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

/* The formats: a word here, and src/data/<word>.c with its load function. */
#define CLC_DATASET_FORMATS(X) X(idx)

typedef struct clc_dataset {
    char name[64]; /* of the image file, without folder and .gz */
    size_t count;
    int height, width, channels;
    uint8_t *pixels; /* (count,height,width,channels) */
    int32_t *labels; /* (count), each in [0,classes); NULL without */
    int classes;     /* largest label of the whole file + 1; 0 without labels */
} clc_dataset;

/* Reads the first `limit` images (0: all) of the named format. `labels` may be NULL or "": the data
 * set has none then. Refused with a message: an unknown format, a missing, truncated or damaged
 * file, images and labels that differ in number. */
clc_status clc_dataset_load(const char *format, const char *images, const char *labels,
                            size_t limit, clc_dataset **dataset);

void clc_dataset_free(clc_dataset **dataset);

/* The names of the formats, separated by ", ". */
const char *clc_dataset_format_names(void);

/* What a format provides: fills a zeroed data set except for the name; `labels` is NULL if there
 * are none. What it has allocated when it fails, clc_dataset_load frees. */
#define CLC_DATASET_DECLARE(format)                                                                \
    clc_status clc_dataset_load_##format(const char *images, const char *labels, size_t limit,     \
                                         clc_dataset *dataset);
CLC_DATASET_FORMATS(CLC_DATASET_DECLARE)
#undef CLC_DATASET_DECLARE

#endif
