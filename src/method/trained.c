#include "method/trained.h"

#include "core/log.h"
#include "model/weights.h"

#include <stdlib.h>

static bool equal(const clc_floats *a, const clc_floats *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = a->values[i] == b->values[i];
    return same;
}

/* Which key says that views are others than the teacher's; NULL: they are the same. */
static const char *other_views(const clc_config *config, const clc_config *teacher) {
    if (config->data.as != teacher->data.as)
        return "data.as";
    if (config->data.channels != teacher->data.channels)
        return "data.channels";
    if (config->augmentation.size != teacher->augmentation.size)
        return "augmentation.size";
    if (!equal(&config->augmentation.mean, &teacher->augmentation.mean))
        return "augmentation.mean";
    if (!equal(&config->augmentation.std, &teacher->augmentation.std))
        return "augmentation.std";
    if (config->encoder.context != teacher->encoder.context)
        return "encoder.context";
    return NULL;
}

static clc_status check(const clc_config *config, const clc_config *teacher) {
    const char *path = config->finetune.teacher, *key = other_views(config, teacher);
    if (!clc_method_of(teacher)->classifier || !teacher->method.classes)
        return clc_fail(
            CLC_INVALID,
            "finetune.teacher = %s: it has no classifier; fine-tune it first (clcontrast "
            "finetune)",
            path);
    if (teacher->method.classes != config->method.classes)
        return clc_fail(CLC_INVALID,
                        "finetune.teacher = %s scores %d classes, but these are %d; use its own "
                        "data, or method.classes = %d where there are no labels",
                        path, teacher->method.classes, config->method.classes,
                        teacher->method.classes);
    if (key)
        return clc_fail(CLC_INVALID,
                        "finetune.teacher = %s: both networks see the same views, but %s is not "
                        "what it is of the teacher; clcontrast distill takes it over",
                        path, key);
    return CLC_OK;
}

clc_status clc_trained_config(const clc_config *config, clc_config **teacher) {
    clc_status status = CLC_OK;
    clc_names classes = {0};
    char path[CLC_PATH_BYTES];
    CLC_NEW(*teacher, 1);
    CLC_TRY(clc_weights_path(config->finetune.teacher, path));
    CLC_TRY(clc_encoder_config(path, NULL, 0, *teacher, &classes));
    CLC_TRY(check(config, *teacher));
    (*teacher)->device = config->device;
fail:
    clc_names_free(&classes);
    return status;
}

clc_status clc_trained_load(const clc_config *config, clc_params *params, clc_device *device) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    CLC_TRY(clc_weights_path(config->finetune.teacher, path));
    CLC_TRY(clc_encoder_load(path, params, device));
    clc_log("teacher: weights from %s", path);
fail:
    return status;
}
