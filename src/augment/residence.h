/* Where a data set is while views are made of it. Pictures: all on the device, in a few buffers, or
 * a batch at a time, which the loader's threads put into pinned memory ahead. Texts and series: all
 * on the device. */
#ifndef CLC_AUGMENT_RESIDENCE_H
#define CLC_AUGMENT_RESIDENCE_H

#include "augment/augment.h"
#include "augment/tokens.h"
#include "data/loader.h"

/* A field of tokens or series on the device; all NULL of pictures. */
typedef struct clc_field_buffers {
    cl_mem data, places, firsts; /* ids or values; field_place; int: as in clc_field */
    cl_mem norm;                 /* series: (2,C) mean, 1 / deviation */
} clc_field_buffers;

/* What views are made of. */
typedef struct clc_samples {
    clc_augment_images images; /* its indices are those of all fields; no pixels without pictures */
    clc_field_buffers fields[CLC_FIELDS_MAX];
    cl_mem synonym_starts, synonyms; /* NULL: none */
} clc_samples;

typedef struct clc_residence {
    clc_device *device;
    const clc_dataset *data;
    int batch;
    bool resident;
    int buffers;                        /* resident: how many */
    uint64_t cuts[AUGMENT_BUFFERS + 1]; /* buffer b holds the data set's bytes from cuts[b] on */
    size_t staging;                     /* not resident: bytes of a batch's pixels at most */
    int slots;                          /* batches that the host holds at a time */
    float *norms[CLC_FIELDS_MAX];       /* series: (2,C) */
    clc_samples samples;
    augment_place *places[CLC_LOADER_SLOTS_MAX]; /* (batch): stays until a write has ended */
    cl_mem pinned[CLC_LOADER_SLOTS_MAX];
    uint8_t *memory[CLC_LOADER_SLOTS_MAX];
} clc_residence;

/* Plans for batches of `batch`, of which `slots` are under way. `resident` asks for all of it on
 * the device: false is returned where its buffers don't suffice, or pictures aren't decoded. */
bool clc_residence_plan(clc_residence *residence, clc_device *device, const clc_dataset *data,
                        int batch, int slots, bool resident);

/* Plans for batches of up to `bytes` of pixels, of any data set. */
void clc_residence_stage(clc_residence *residence, clc_device *device, int batch, int slots,
                         size_t bytes);

/* Bytes that clc_residence_allocate takes on the device for pictures and the batch, and for texts
 * and series, which are always there as a whole; and the largest buffer of them. */
size_t clc_residence_bytes(const clc_residence *residence, size_t *largest);
size_t clc_residence_field_bytes(const clc_residence *residence, size_t *largest);

/* Takes the memory and uploads the data set if it is to be resident. */
clc_status clc_residence_allocate(clc_residence *residence);

/* Tells a loader where its memory is. */
void clc_residence_serve(const clc_residence *residence, clc_loader_options *options);

/* Enqueues the copies of a batch to the device: indices, places and, unless resident, pixels. The
 * batch must stay as it is until they are done. */
clc_status clc_residence_write(clc_residence *residence, const clc_batch *batch);

void clc_residence_release(clc_residence *residence);

#endif
