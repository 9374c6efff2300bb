/* The loader: batches of a data set, one step after the other, made by threads ahead of whoever
 * takes them. A sample of a batch is two things: its index in the data set, which decides what is
 * drawn for it, and the place where its pixels are. Residency, the number of threads and the batch
 * size change places only. */
#ifndef CLC_DATA_LOADER_H
#define CLC_DATA_LOADER_H

#include "data/dataset.h"

enum { CLC_LOADER_SLOTS_MAX = 16 };

typedef struct clc_loader_options {
    int batch;
    bool shuffle; /* each epoch in its own order (data/order.h's); else once, in the order of
                     `samples`, the last batch filled up with its last sample */
    const int32_t *samples; /* (sample_count), which stay the caller's: those that are taken;
                               NULL: all, without shuffle the first sample_count */
    size_t sample_count;
    uint64_t seed;
    int64_t first_step;
    bool resident; /* pixels stay where they are: batches hold places in the data set, or of
                      samples without pictures nothing but indices */
    int slots;     /* batches that can be there at a time... */
    int held;      /* ...of which so many may be in use still when the next one is taken */
    uint8_t *memory[CLC_LOADER_SLOTS_MAX]; /* (slots): room for the pixels of a batch each, of
                                              clc_dataset_most_bytes; the caller's */
    size_t room;                           /* its bytes: more are refused */
} clc_loader_options;

typedef struct clc_batch {
    int64_t step;
    int epoch;
    size_t count;            /* of samples that are not for filling up */
    const int32_t *indices;  /* (batch) */
    const clc_place *places; /* (batch): in `pixels`, or in the data set's */
    const uint8_t *pixels;   /* of slot step % slots, or NULL */
    size_t bytes;            /* of pixels that are used */
    const bool *bad;         /* (batch): without shuffle, samples that can't be read: their places
                                hold one black pixel. Those that fill up are as the last one */
} clc_batch;

typedef struct clc_loader clc_loader;

/* Starts data->threads threads. With `shuffle` there must be a batch of samples; a picture that
 * can't be read (any more) is a failure or, where bad files are skipped, replaced by another one,
 * which the batch has not got yet: the same for the same files. */
clc_status clc_loader_open(const clc_dataset *data, const clc_loader_options *options,
                           clc_loader **loader);

/* The next batch: waits for it. Valid until `slots` - `held` more have been taken. Fails where a
 * thread failed. */
clc_status clc_loader_next(clc_loader *loader, clc_batch *batch);

/* Steps of an epoch. */
int64_t clc_loader_steps(const clc_loader *loader);

/* Seconds that clc_loader_next has waited in all. */
double clc_loader_waited(const clc_loader *loader);

/* How many files have turned out bad while batches were made, the data set's own not counted; and
 * which, added to *bad. */
size_t clc_loader_bad_count(clc_loader *loader);
clc_status clc_loader_bad(clc_loader *loader, clc_bad_files *bad);

void clc_loader_close(clc_loader **loader);

#endif
