/* An encoder that stands alone: opened from its file, it needs neither the data nor the folder that
 * it was trained with. */
#ifndef CLC_EVAL_ENCODER_H
#define CLC_EVAL_ENCODER_H

#include "clcontrast/encoder.h"
#include "eval/embed.h"
#include "model/heads.h"

#include <pthread.h>

/* A network of it. */
typedef struct clc_tower_encoder {
    clc_field like; /* what it reads, without any */
    clc_params params;
    clc_embedder embedder;
} clc_tower_encoder;

struct clc_encoder {
    clc_config config;  /* the effective one of training, with the overrides */
    clc_config by_hand; /* the same for images or texts given by hand */
    clc_names classes;  /* of the training images */
    clc_device *device;
    bool borrows;             /* the device */
    clc_tokenizer *tokenizer; /* NULL unless a tower reads texts */
    int tower_count;
    clc_tower_encoder towers[CLC_TOWERS];
    pthread_mutex_t lock; /* of towers and device, in the functions of clcontrast/encoder.h */
    double scale;         /* that the loss multiplies cosines with */
};

/* clc_encoder_open with overrides of the configuration. */
clc_status clc_encoder_open_with(const char *path, const char *device, const char *const *overrides,
                                 size_t override_count, clc_encoder **encoder);

/* The same on a device that is open, which must outlive it; how products are made there stays. */
clc_status clc_encoder_open_on(const char *path, clc_device *device, clc_encoder **encoder);

/* The tower that reads data of that kind, or NULL with the error CLC_INVALID. */
clc_tower_encoder *clc_encoder_tower(clc_encoder *encoder, clc_kind kind);

/* clc_encoder_embed_texts of names. */
clc_status clc_encoder_embed_names(clc_encoder *encoder, const clc_names *texts, float *features);

/* Opens images given by hand, in the order given, for clc_embedder_each. How they are decoded is
 * the encoder's affair; the columns of lists and what bad files lead to are what the overrides say.
 * However many are bad, the others are embedded. */
clc_status clc_encoder_open_paths(const clc_encoder *encoder, const char *const *paths, size_t n,
                                  clc_dataset **data);

#endif
