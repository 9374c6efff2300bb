/* Data sets: what training and evaluation see of a source. Its pictures lie decoded in host memory
 * or in a mapped pack, or are decoded each time they are needed. */
#ifndef CLC_DATA_DATASET_H
#define CLC_DATA_DATASET_H

#include "core/file.h"
#include "data/store.h"

typedef struct clc_dataset {
    char name[64];
    size_t count;
    int height, width, channels; /* the greatest of any picture, known or bounded */
    bool uniform;                /* all pictures have this size */
    int view;                    /* side of views of them; 0: their height */
    const clc_place *places;     /* (count); NULL if decoded when needed */
    const uint8_t *pixels;       /* NULL likewise */
    uint64_t bytes;              /* of pixels */
    int32_t *labels;             /* (count): in [0,classes), -1: none; NULL if no picture has one */
    int classes;
    clc_names class_names; /* (classes); empty if classes have numbers only */
    double mean[CLC_CHANNELS_MAX], deviation[CLC_CHANNELS_MAX]; /* of all pixels, white being 1 */
    clc_bad_files bad;
    clc_image_options image; /* how items are decoded */
    int threads;
    bool stop_at_bad;
    double bad_limit;
    clc_source *source; /* NULL if made from pixels */
    uint32_t *items;    /* (count): item of the source */
    /* private */
    clc_store *store;
    clc_place *own_places;
    uint8_t *own_pixels;
} clc_dataset;

/* Opens what the configuration names for `split`, with the classes of `train` unless that is NULL.
 * The configuration decides what is decoded now: everything, or with data.residency = stream (or if
 * the pack would be larger than data.pack_limit) a sample, for mean and deviation. Logs counts. */
clc_status clc_dataset_open(const clc_config *config, clc_split split, const clc_dataset *train,
                            clc_dataset **dataset);

/* The same for pictures given by hand, in the order given, decoded when needed and without mean and
 * deviation: the configuration must say data.channels and data.store_side. */
clc_status clc_dataset_open_paths(const clc_config *config, const char *const *paths, size_t n,
                                  clc_dataset **dataset);

/* A data set of pixels (count,height,width,channels) and labels (count) or NULL, which it takes
 * over (malloc'd), also on failure. */
clc_status clc_dataset_make(const char *name, size_t count, int height, int width, int channels,
                            uint8_t *pixels, int32_t *labels, int classes, clc_dataset **dataset);

/* How a source's pictures are brought in, where the configuration leaves it open decided by the
 * headers of the first ones: channels (one if all have one, else three; more if there are more) and
 * the side of views (*view; 0: the height that all have; if they differ, or are large, 96), which
 * says what they are scaled down to. */
clc_status clc_dataset_form(const clc_config *config, const clc_source *source,
                            clc_image_options *options, int *view);

/* The name of sample `i`, or "" where samples have none. */
const char *clc_dataset_sample_name(const clc_dataset *dataset, size_t i);

/* Bytes that any `n` of its pictures take at most. */
size_t clc_dataset_most_bytes(const clc_dataset *dataset, size_t n);

void clc_dataset_free(clc_dataset **dataset);

#endif
