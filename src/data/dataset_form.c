/* What pictures are brought to, where the configuration leaves it open. */
#include "core/math.h"
#include "data/dataset.h"

enum { PROBED = 64, DEFAULT_VIEW = 96, LARGEST_OWN_VIEW = 128 };

/* What the headers of the first pictures say. */
typedef struct first_pictures {
    int known, channels; /* how many are pictures; the most channels of one */
    int height, width;   /* of all of them; 0 if they differ */
} first_pictures;

static first_pictures look_at_first(const clc_source *source, const clc_image_options *options) {
    first_pictures f = {0};
    for (size_t i = 0; i < source->count && f.known < PROBED; i++) {
        clc_image_info info;
        if (clc_source_probe(source, i, options, &info) != CLC_OK)
            continue;
        const bool same = info.height == f.height && info.width == f.width;
        f.height = !f.known || same ? info.height : 0;
        f.width = !f.known || same ? info.width : 0;
        f.channels = clc_larger_int(f.channels, info.channels);
        f.known++;
    }
    return f;
}

/* The side of the largest views; 0: the height that all pictures have. */
static int largest_view(const clc_config *config, int view) {
    const clc_ints *crops = &config->method.crop_sizes;
    for (size_t i = 0; i < crops->count; i++)
        view = clc_larger_int(view, crops->values[i]);
    return view;
}

/* The side that pictures are kept at: half as much again as a view has, so that most crops are not
 * enlarged. Crops that aren't resized need the pixels as they are. */
static int store_side(const clc_config *config, int view) {
    const int crop = config->augmentation.crop;
    const bool resized = crop != CLC_CONFIG_CROP_RANDOM && crop != CLC_CONFIG_CROP_CENTER;
    if (config->data.store_side)
        return config->data.store_side;
    return resized && view ? 3 * largest_view(config, view) / 2 : 0;
}

clc_status clc_dataset_form(const clc_config *config, const clc_source *source,
                            clc_image_options *options, int *view) {
    int channels = config->data.channels;
    *view = config->augmentation.size;
    *options = clc_image_options_from_config(&config->data, 0, channels);
    if (!channels || (!*view && !source->bare)) {
        const first_pictures f = look_at_first(source, options);
        if (!f.known)
            return clc_fail(CLC_FORMAT,
                            "%s: none of the first %zu files is a picture; the last says: %s",
                            source->name, source->count, clc_error());
        channels = channels ? channels : f.channels;
        if (!*view && !source->bare && !(f.height && f.height <= LARGEST_OWN_VIEW))
            *view = DEFAULT_VIEW;
    }
    if (channels > CLC_CHANNELS_MAX)
        return clc_fail(CLC_FORMAT, "%s: pictures of %d channels; at most %d are supported",
                        source->name, channels, CLC_CHANNELS_MAX);
    options->channels = channels;
    options->side = store_side(config, *view);
    return CLC_OK;
}
