/* Series of floats: samples of so many steps, each of the same channels, perhaps with classes. What
 * a file is, is found out from its contents:
 *
 *   .npy    (N,T,C), or (N,T) of one channel, of any type; with a file of lengths (N), steps from
 *           there on are none; without, steps at the end that are NaN throughout are none
 *   tables  a row a step: columns of the series' name (id), of the time by which the steps are
 *           sorted (numbers, or else text in the order of bytes), of values (all others, unless
 *           named), perhaps of the class and the split; quoted as RFC 4180 says
 *
 * A series with a value that is no finite number is left out. */
#ifndef CLC_DATA_SERIES_H
#define CLC_DATA_SERIES_H

#include "data/field.h"
#include "data/source.h"

typedef struct clc_series_options {
    const clc_config_data *config; /* columns */
    const char *lengths;           /* .npy file, or empty; of several arrays as many, with commas */
    const char *labels;            /* .npy or IDX file of classes, the same; of arrays only */
    clc_split split;               /* which rows of a table are wanted */
    const clc_names *known;        /* classes that keep their numbers; NULL: none */
} clc_series_options;

typedef struct clc_series {
    size_t count;
    int channels;
    clc_names names;     /* (count): "file#17", or the id */
    clc_extent *extents; /* (count): steps */
    float *values;       /* (steps,channels) */
    size_t steps;
    int32_t *labels; /* (count): class or -1; NULL if none has one */
    clc_names classes;
    bool divided; /* a column says which rows are of which split */
    clc_bad_files bad;
} clc_series;

/* Whether the file is an array or a table of series; anything else may be pictures. */
bool clc_series_recognise(const clc_config_data *config, const char *path);

/* CLC_IO, or CLC_FORMAT with the file: of another form, or no such column (and which there are). */
clc_status clc_series_open(const char *path, const clc_series_options *options,
                           clc_series **series);

/* The same of several files of equally many channels, one after the other; an id that two tables
 * have is a series in each. */
clc_status clc_series_open_all(const clc_names *paths, const clc_series_options *options,
                               clc_series **series);

void clc_series_close(clc_series **series);

/* For the formats: leaves series i out while the others are brought together. `reason` NULL: keeps
 * it. Called for each in turn, then finished. */
typedef struct clc_series_sieve {
    clc_series *series;
    clc_names names;
    size_t to;
} clc_series_sieve;
clc_status clc_series_keep(clc_series_sieve *sieve, size_t i, const char *reason);
void clc_series_kept(clc_series_sieve *sieve);

clc_status clc_series_read_array(const char *path, const clc_series_options *options,
                                 clc_series *series);
clc_status clc_series_read_table(const char *path, const clc_series_options *options,
                                 clc_series *series);

#endif
