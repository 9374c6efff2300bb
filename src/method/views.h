/* Which views are made of an image: how many of which size, and by which transforms. */
#ifndef CLC_METHOD_VIEWS_H
#define CLC_METHOD_VIEWS_H

#include "augment/augment.h"
#include "data/dataset.h"
#include "method/method.h"

enum {
    CLC_CROP_SIZES = 5, /* the large one and small ones */
    CLC_VIEW_SETS = 6   /* of different transforms */
};

/* Views of one size. */
typedef struct clc_crop_views {
    int size, views;
    cl_mem images; /* (views*images,size,size,channels), images being those of a micro-batch */
} clc_crop_views;

/* Views of one transform: made together. */
typedef struct clc_view_set {
    clc_augment augment;
    int crop;         /* index of their clc_crop_views */
    int first, views; /* among those */
    int first_view;   /* number of the first view of all */
} clc_view_set;

typedef struct clc_views {
    int count;            /* of each image, in all */
    int images, channels; /* of a micro-batch */
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

/* Bytes of the images of crop size number `crop`. */
size_t clc_views_bytes(const clc_views *views, int crop);

/* Appends the making of the views of micro-batch number `micro`. */
clc_status clc_views_build(const clc_views *views, clc_sequence *sequence, clc_device *device,
                           int micro, const clc_augment_images *images, cl_mem step_state);

#endif
