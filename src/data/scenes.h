/* Pictures with what is where in them: masks of classes, or boxes around objects. They are brought
 * to squares of one size: scaled down, never up, into the upper left corner; the rest is no part of
 * the picture. All lie decoded in host memory. */
#ifndef CLC_DATA_SCENES_H
#define CLC_DATA_SCENES_H

#include "data/box.h"
#include "data/source.h"

enum { CLC_MASK_IGNORED = 255 }; /* a pixel that doesn't count: void, unknown, an edge */

typedef enum clc_scenes_kind { CLC_SCENES_MASKS, CLC_SCENES_BOXES } clc_scenes_kind;

typedef struct clc_scene {
    uint32_t item;                   /* of the source */
    int height, width;               /* of the picture */
    int fitted_height, fitted_width; /* of what stands in the square */
    size_t object, object_count;     /* first of its objects; how many */
} clc_scene;

typedef struct clc_scenes {
    clc_scenes_kind kind;
    int side, channels;
    size_t count;
    clc_scene *items;    /* (count) */
    uint8_t *pixels;     /* (count,side,side,channels); 0 beside the picture */
    uint8_t *labels;     /* masks: (count,side,side); CLC_MASK_IGNORED beside the picture */
    clc_names masks;     /* masks: (count) paths */
    clc_object *objects; /* boxes: in pixels of the whole picture, within it, not empty; `image` is
                            the scene */
    size_t object_count;
    clc_names class_names; /* boxes: by label */
    int classes;           /* masks: those that have pixels, and all below */
    clc_source *source;
    clc_image_options image;
    /* private */
    int threads;
} clc_scenes;

/* Opens the pictures of `split` that data.train or data.test names, of which data.train_masks or
 * data.train_boxes (or those of the test) tell something, scaled to `side` with `channels`.
 * `train`: the training scenes, whose classes are known; or NULL. Others are left out and counted
 * in the log, as are boxes without area and beside their pictures. Fails with CLC_FORMAT or
 * CLC_IO and the file where something can't be read, CLC_INVALID where nothing is left. */
clc_status clc_scenes_open(const clc_config *config, clc_scenes_kind kind, clc_split split,
                           int side, int channels, const clc_scenes *train, clc_scenes **scenes);

/* The mask of scene `i` as large as the picture; the caller frees it. */
clc_status clc_scenes_mask(const clc_scenes *scenes, size_t i, clc_image *mask);

/* The name of the picture. */
const char *clc_scenes_name(const clc_scenes *scenes, size_t i);

void clc_scenes_close(clc_scenes **scenes);

#endif
