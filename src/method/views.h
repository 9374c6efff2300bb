/* Which views are made of a sample: how many of which field, size and by which transforms. */
#ifndef CLC_METHOD_VIEWS_H
#define CLC_METHOD_VIEWS_H

#include "augment/residence.h"
#include "augment/series.h"
#include "method/method.h"

enum {
    CLC_CROP_SIZES = 5, /* the large one and small ones, or one a field */
    CLC_VIEW_SETS = 6   /* of different transforms */
};

/* Views of one size, or of one field. */
typedef struct clc_crop_views {
    int field; /* of the data set */
    clc_kind kind;
    int views;
    int size;       /* of images: their side */
    int context;    /* T: of tokens and series, the most of them in a view */
    int channels;   /* C: of images and series */
    int vocabulary; /* of tokens */
    cl_mem values;  /* images (N,size,size,C), tokens int (N,T), series (N,T,C); N being views *
                       images, those of a micro-batch */
    cl_mem lengths; /* int (N); NULL of images */
} clc_crop_views;

/* Views of one transform: made together. */
typedef struct clc_view_set {
    clc_augment augment;       /* of images */
    clc_token_augment tokens;  /* of tokens */
    clc_series_augment series; /* of series */
    int crop;                  /* index of their clc_crop_views */
    int first, views;          /* among those */
    int first_view;            /* number of the first view of all */
} clc_view_set;

typedef struct clc_views {
    int count;  /* of each sample, in all */
    int images; /* samples of a micro-batch */
    clc_crop_views crops[CLC_CROP_SIZES];
    int crop_count;
    int teacher_crop; /* index of that which a teacher sees */
    clc_view_set sets[CLC_VIEW_SETS];
    int set_count;
    size_t workspace_bytes;
    cl_mem workspace;
} clc_views;

/* `images` in a micro-batch; `views` must be zeroed. */
clc_status clc_views_plan(clc_views *views, const clc_device *device, const clc_config *config,
                          const clc_method *method, const clc_dataset *data, int images);

/* N of crop number `crop`, and the bytes of its values. */
size_t clc_views_rows(const clc_views *views, int crop);
size_t clc_views_bytes(const clc_views *views, int crop);

/* Appends the making of the views of micro-batch number `micro`. */
clc_status clc_views_build(const clc_views *views, clc_sequence *sequence, clc_device *device,
                           int micro, const clc_samples *samples, cl_mem step_state);

#endif
