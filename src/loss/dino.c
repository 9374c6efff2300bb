/* DINO (Caron et al., arXiv 2104.14294): the student's scores of each view predict the teacher's of
 * the others, centred and sharpened. Afterwards the centre follows the teacher's mean. */
#include "loss/codes.h"

static clc_status check(const clc_loss_shape *shape, const clc_config_loss *o) {
    if (!(o->temperature > 0) || !(o->teacher_temperature > 0))
        return clc_fail(CLC_INVALID, "dino: temperatures %g and %g (teacher) must be above 0",
                        o->temperature, o->teacher_temperature);
    return clc_codes_check("dino", shape);
}

static size_t workspace(const clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *options) {
    (void)device;
    (void)options;
    return clc_codes_workspace(shape);
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_loss_shape *s,
                        const clc_config_loss *o, const clc_loss_buffers *b) {
    clc_status status = CLC_OK;
    const size_t rows = (size_t)s->large * (size_t)s->images;
    const size_t columns = clc_column_groups(device, (size_t)s->dim);
    char options[48];
    clc_launch_spec spec = clc_codes_spec(device, s, "teacher_codes", rows, 1, options);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->target), CLC_MEM(b->center),
                       CLC_MEM(b->workspace), CLC_FLOAT(1 / o->teacher_temperature)));
    CLC_TRY(clc_codes_finish(sequence, device, s, o, b));
    if (!(o->center_momentum < 1))
        return CLC_OK;
    spec = clc_codes_spec(device, s, "center_update", columns, 1, options);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->target), CLC_MEM(b->center),
                       CLC_INT(rows), CLC_FLOAT(o->center_momentum),
                       CLC_FLOAT((1 - o->center_momentum) / (double)rows)));
fail:
    return status;
}

const clc_loss clc_loss_dino = {.name = "dino",
                                .needs_targets = true,
                                .needs_scores = true,
                                .keeps_center = true,
                                .check = check,
                                .workspace = workspace,
                                .build = build};
