/* Data sets: what training and evaluation see of samples, which are pictures, texts, series of
 * floats, or several of these: a sample has fields. Pictures lie decoded in host memory or in a
 * mapped pack, or are decoded each time they are needed; texts (as tokens) and series lie in
 * memory. */
#ifndef CLC_DATA_DATASET_H
#define CLC_DATA_DATASET_H

#include "core/file.h"
#include "data/field.h"
#include "data/store.h"
#include "data/texts.h"
#include "text/synonyms.h"

typedef struct clc_dataset {
    char name[64];
    size_t count;                     /* samples */
    clc_field fields[CLC_FIELDS_MAX]; /* pictures are field 0 where there are any */
    int field_count;
    clc_tokenizer *tokenizer;    /* of all fields of tokens; NULL if there is none */
    clc_synonyms synonyms;       /* as tokens; empty unless views need them */
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
    clc_source *source;     /* NULL if made from pixels, or if there are no pictures */
    uint32_t *items;        /* (count): item of the source */
    clc_texts *texts;       /* NULL if there are none */
    clc_names names;        /* (count): of the samples of series; else empty */
    bool divided;           /* of series: the file holds training and test samples, told apart */
    uint32_t *text_samples; /* (count): sample of the texts */
    /* private */
    bool own_tokenizer;
    clc_store *store;
    clc_place *own_places;
    uint8_t *own_pixels;
} clc_dataset;

/* Opens what the configuration names for `split`, with the classes of `train` unless that is NULL.
 * The configuration decides what is decoded now: everything, or with data.residency = stream (or if
 * the pack would be larger than data.pack_limit) a sample, for mean and deviation. Logs counts. */
clc_status clc_dataset_open(const clc_config *config, clc_split split, const clc_dataset *train,
                            clc_dataset **dataset);

/* The same with a tokenizer that is known already, or NULL; the data set borrows it, as it borrows
 * that of `train`. */
clc_status clc_dataset_open_with(const clc_config *config, clc_split split,
                                 const clc_dataset *train, clc_tokenizer *tokenizer,
                                 clc_dataset **dataset);

/* Whether the configuration names a test set, or the training set's file holds one. */
bool clc_dataset_has_test(const clc_config *config, const clc_dataset *train);

/* Whether its samples have pictures. */
static inline bool clc_dataset_has_pictures(const clc_dataset *dataset) {
    return dataset->fields[0].kind == CLC_KIND_IMAGES;
}

/* The same for pictures given by hand, in the order given, decoded when needed and without mean and
 * deviation: the configuration must say data.channels and data.store_side. */
clc_status clc_dataset_open_paths(const clc_config *config, const char *const *paths, size_t n,
                                  clc_dataset **dataset);

/* The same of texts given by hand, in files, with a tokenizer that is borrowed. */
clc_status clc_dataset_open_text_files(const clc_config *config, const clc_names *paths,
                                       clc_tokenizer *tokenizer, clc_dataset **dataset);

/* Whether a file's contents are texts and no list of pictures. */
bool clc_dataset_looks_like_text(const char *path);

/* A data set of pixels (count,height,width,channels) and labels (count) or NULL, which it takes
 * over (malloc'd), also on failure. */
clc_status clc_dataset_make(const char *name, size_t count, int height, int width, int channels,
                            uint8_t *pixels, int32_t *labels, int classes, clc_dataset **dataset);

/* A data set of fields without pictures, of which firsts, extents, ids or values are set, and of
 * labels (count) or NULL: both taken over (malloc'd), also on failure. */
clc_status clc_dataset_make_fields(const char *name, size_t count, const clc_field *fields,
                                   int field_count, int32_t *labels, int classes,
                                   clc_dataset **dataset);

/* How a source's pictures are brought in, where the configuration leaves it open decided by the
 * headers of the first ones: channels (one if all have one, else three; more if there are more) and
 * the side of views (*view; 0: the height that all have; if they differ, or are large, 96), which
 * says what they are scaled down to. */
clc_status clc_dataset_form(const clc_config *config, const clc_source *source,
                            clc_image_options *options, int *view);

/* What its samples are called: images, texts, series or pairs. */
const char *clc_dataset_unit(const clc_dataset *dataset);

/* The name of sample `i`, or "" where samples have none. */
const char *clc_dataset_sample_name(const clc_dataset *dataset, size_t i);

/* A copy of the picture of sample `i`, decoded if need be: clc_image_free. Any thread. */
clc_status clc_dataset_picture(const clc_dataset *dataset, size_t i, clc_image *image);

/* Bytes that any `n` of its pictures take at most. */
size_t clc_dataset_most_bytes(const clc_dataset *dataset, size_t n);

void clc_dataset_free(clc_dataset **dataset);

#endif
