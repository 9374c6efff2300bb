#include "method/views.h"

#include "method/setup.h"

static void add_set(clc_views *v, const clc_augment *augment, int crop, int views) {
    clc_crop_views *c = &v->crops[crop];
    v->sets[v->set_count++] = (clc_view_set){*augment, crop, c->views, views, v->count};
    c->size = augment->settings.size;
    c->views += views;
    v->count += views;
}

/* Two large views; the second may be blurred or solarised with another probability. */
static void add_large_views(clc_views *v, const clc_config *config, bool split,
                            const clc_augment *first) {
    const double blur = config->augmentation.second_blur;
    const double solarise = config->augmentation.second_solarise;
    clc_augment second = *first;
    v->crop_count = split ? 2 : 1;
    v->teacher_crop = v->crop_count - 1;
    if (!split && blur < 0 && solarise < 0) {
        add_set(v, first, 0, 2);
        return;
    }
    second.settings.blur = blur < 0 ? second.settings.blur : blur;
    second.settings.solarise = solarise < 0 ? second.settings.solarise : solarise;
    add_set(v, first, 0, 1);
    add_set(v, &second, v->teacher_crop, 1);
}

static clc_status add_small_views(clc_views *v, const clc_config *config, clc_augment augment) {
    clc_status status = CLC_OK;
    const clc_ints *crops = &config->method.crops;
    for (size_t i = 0; i < crops->count; i++) {
        augment.settings.size = config->method.crop_sizes.values[i];
        augment.settings.crop_scale = config->method.crop_scale;
        add_set(v, &augment, v->crop_count++, crops->values[i]);
        CLC_TRY(clc_augment_check(&augment));
    }
fail:
    return status;
}

clc_status clc_views_plan(clc_views *v, const clc_device *device, const clc_config *config,
                          const clc_method *method, const clc_dataset *data, int images) {
    clc_status status = CLC_OK;
    clc_augment augment;
    v->images = images;
    v->channels = data->channels;
    CLC_TRY(clc_augment_from_config(config, data, &augment));
    add_large_views(v, config, method->split, &augment);
    if (config->method.crops.count && !method->multicrop)
        return clc_fail(CLC_INVALID,
                        "method.crops: %s has no small views; leave it empty, or use swav "
                        "or dino",
                        method->name);
    CLC_TRY(add_small_views(v, config, augment));
    for (int i = 0; i < v->set_count; i++) {
        const size_t bytes =
            clc_augment_workspace(device, &v->sets[i].augment, v->sets[i].views * images);
        v->workspace_bytes = bytes > v->workspace_bytes ? bytes : v->workspace_bytes;
    }
fail:
    return status;
}

size_t clc_views_bytes(const clc_views *v, int crop) {
    const clc_crop_views *c = &v->crops[crop];
    return (size_t)c->views * (size_t)v->images * (size_t)c->size * (size_t)c->size *
           (size_t)v->channels * sizeof(float);
}

clc_status clc_views_build(const clc_views *v, clc_sequence *sequence, clc_device *device,
                           int micro, const clc_augment_images *images, cl_mem step_state) {
    clc_status status = CLC_OK;
    for (int i = 0; i < v->set_count; i++) {
        const clc_view_set *set = &v->sets[i];
        const clc_augment_batch batch = {.images = v->images,
                                         .views = set->views,
                                         .first_image = micro * v->images,
                                         .first_view = set->first_view,
                                         .first_row = set->first * v->images};
        CLC_TRY(clc_augment_build(sequence, device, &set->augment, &batch, images, step_state,
                                  v->crops[set->crop].images, v->workspace));
    }
fail:
    return status;
}
