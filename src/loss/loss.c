#include "loss/loss.h"

#include <string.h>

const clc_loss *clc_loss_find(const char *name) {
#define ENTRY(unused, word) &clc_loss_##word,
    static const clc_loss *const all[] = {CLC_LOSSES(ENTRY, )};
#undef ENTRY
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i]->name, name))
            return all[i];
    return NULL;
}

size_t clc_loss_groups(const clc_device *device, const clc_loss_shape *shape) {
    const size_t rows = (size_t)shape->views * (size_t)shape->images;
    return rows < device->groups ? rows : device->groups;
}

size_t clc_loss_parts(const clc_device *device, const clc_loss_shape *shape,
                      const clc_config_loss *options) {
    (void)options;
    return clc_loss_groups(device, shape) * sizeof(float);
}

clc_status clc_loss_check(const clc_loss *loss, const clc_loss_shape *shape,
                          const clc_config_loss *options) {
    if (loss->needs_scores && !shape->large)
        return clc_fail(CLC_INVALID, "%s: needs scores of prototypes; use method swav or dino",
                        loss->name);
    if (loss->needs_targets && !shape->targets)
        return clc_fail(CLC_INVALID, "%s: needs targets to predict; use method %s", loss->name,
                        loss->needs_scores ? "dino" : "byol or simsiam");
    if (options->learned_scale == CLC_CONFIG_LEARN_TRUE && !loss->learns_scale)
        return clc_fail(CLC_INVALID,
                        "loss.learned_scale: only clip and logistic learn their scale, not %s",
                        loss->name);
    return loss->check(shape, options);
}

clc_status clc_loss_build(const clc_loss *loss, clc_sequence *sequence, clc_device *device,
                          const clc_loss_shape *shape, const clc_config_loss *options,
                          const clc_loss_buffers *buffers) {
    clc_status status = clc_loss_check(loss, shape, options);
    return status == CLC_OK ? loss->build(sequence, device, shape, options, buffers) : status;
}
