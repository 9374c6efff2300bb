#include "eval/labelled_scenes.h"

static clc_status check_classes(const clc_evaluation *e, const clc_scenes *train,
                                const clc_scenes *test) {
    if (test->classes <= train->classes)
        return CLC_OK;
    if (train->kind == CLC_SCENES_MASKS)
        return clc_fail(CLC_INVALID,
                        "%s: it has pixels of class %d, but the training masks only of 0 to %d",
                        e->config->data.test_masks, test->classes - 1, train->classes - 1);
    return clc_fail(CLC_INVALID, "%s: there is no class '%s' in %s", e->config->data.test_boxes,
                    clc_names_at(&test->class_names, (size_t)train->classes),
                    e->config->data.train_boxes);
}

static clc_status open_scenes(const clc_evaluation *e, clc_scenes_kind kind, clc_scenes **train,
                              clc_scenes **test) {
    clc_status status = CLC_OK;
    const int side = e->config->dense.size, channels = e->config->data.channels;
    CLC_TRY(clc_scenes_open(e->config, kind, CLC_SPLIT_TRAIN, side, channels, NULL, train));
    CLC_TRY(clc_scenes_open(e->config, kind, CLC_SPLIT_TEST, side, channels, *train, test));
    CLC_TRY(check_classes(e, *train, *test));
fail:
    return status;
}

clc_status clc_labelled_scenes(const clc_evaluation *e, clc_scenes_kind kind,
                               const clc_scenes **train, const clc_scenes **test) {
    clc_status status = CLC_OK;
    clc_scenes **own = e->scenes + 2 * kind;
    if (!own[1])
        CLC_TRY(open_scenes(e, kind, &own[0], &own[1]));
    *train = own[0];
    *test = own[1];
fail:
    if (status != CLC_OK) {
        clc_scenes_close(&own[0]);
        clc_scenes_close(&own[1]);
    }
    return status;
}
