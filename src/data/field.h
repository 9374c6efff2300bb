/* Fields of samples: a picture, texts as tokens, series of floats. Texts and series lie in host
 * memory as numbers; a picture's pixels are the data set's own affair. */
#ifndef CLC_DATA_FIELD_H
#define CLC_DATA_FIELD_H

#include "core/kind.h"
#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { CLC_FIELDS_MAX = 4 };

/* A text's tokens or a series' steps: `length` of them from number `offset` on, as kernels read
 * it (field_place, cl/augment/field.h). */
typedef struct clc_extent {
    uint64_t offset;
    int32_t length;
    int32_t unused;
} clc_extent;

typedef struct clc_field {
    clc_kind kind;
    char name[64];
    /* All below is of tokens and series. */
    size_t count;            /* texts or series */
    int32_t *firsts;         /* (samples + 1): those of sample i are firsts[i] to firsts[i + 1] - 1;
                                each sample has one at least */
    clc_extent *extents;     /* (count) */
    size_t total;            /* tokens or steps of all */
    int longest;             /* of them in one */
    int32_t *ids;            /* tokens: (total), each text between start and end */
    int vocabulary;          /* tokens: ids are less */
    float *values;           /* series: (total,channels) */
    int channels;            /* series */
    float *mean, *deviation; /* series: (channels), of all steps */
} clc_field;

/* Whether its texts or series are to lie on the device: it is no picture. */
static inline bool clc_field_resident(const clc_field *field) {
    return field->kind != CLC_KIND_IMAGES;
}

/* Bytes of `total` tokens or steps. */
size_t clc_field_data_bytes(const clc_field *field);

/* Sets longest and, of series, mean and deviation. */
clc_status clc_field_measure(clc_field *field);

/* How many tokens or steps hold `share` of the texts or series whole. */
clc_status clc_field_holding(const clc_field *field, double share, int *length);

/* Mean and deviation of series as text, a channel a line, which the caller frees; and back, into a
 * field that holds nothing else (CLC_FORMAT: it is no such text). */
clc_status clc_field_norm_text(const clc_field *field, char **text);
clc_status clc_field_norm_parse(const char *text, clc_field *norm);

/* What evaluation sees of a series: (context,channels) by the mean and deviation of `norm`, of one
 * that is longer the steps in the middle; 0 behind. Returns how many steps there are. */
int clc_series_fit(const clc_field *field, size_t series, const clc_field *norm, int context,
                   float *out);

void clc_field_free(clc_field *field);

#endif
