/* SwAV (Caron et al., arXiv 2006.09882): the embeddings are cosines with prototypes; a view
 * predicts the codes of the others, which Sinkhorn's algorithm finds so that all prototypes are
 * used alike. The queue's rows are cosines too. */
#include "loss/codes.h"

static clc_status check(const clc_loss_shape *shape, const clc_config_loss *o) {
    if (!(o->epsilon > 0) || o->iterations < 1)
        return clc_fail(CLC_INVALID, "swav: epsilon %g and %d iterations; both must be above 0",
                        o->epsilon, o->iterations);
    return clc_codes_check("swav", shape);
}

static size_t workspace(const clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *options) {
    (void)device;
    (void)options;
    return clc_codes_workspace(shape);
}

static clc_status iterate(clc_sequence *sequence, clc_device *device, const clc_loss_shape *s,
                          const clc_loss_buffers *b) {
    clc_status status = CLC_OK;
    const size_t large = (size_t)s->large, rows = (size_t)(s->images + s->queue);
    const size_t columns = clc_column_groups(device, (size_t)s->dim);
    char options[48];
    clc_launch_spec spec = clc_codes_spec(device, s, "sinkhorn_columns", columns, large, options);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_CODES_SHAPE(s)));
    spec = clc_codes_spec(device, s, "sinkhorn_rows", rows, large, options);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_CODES_SHAPE(s)));
fail:
    return status;
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_loss_shape *s,
                        const clc_config_loss *o, const clc_loss_buffers *b) {
    clc_status status = CLC_OK;
    const size_t images = (size_t)s->images, large = (size_t)s->large;
    char options[48];
    clc_launch_spec spec =
        clc_codes_spec(device, s, "sinkhorn_begin", large * images + (size_t)s->queue, 1, options);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->z), CLC_MEM(b->queue),
                       CLC_MEM(b->workspace), CLC_CODES_SHAPE(s), CLC_FLOAT(1 / o->epsilon)));
    for (int i = 0; i < o->iterations; i++)
        CLC_TRY(iterate(sequence, device, s, b));
    spec = clc_codes_spec(device, s, "sinkhorn_finish", images, large, options);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_CODES_SHAPE(s)));
    CLC_TRY(clc_codes_finish(sequence, device, s, o, b));
fail:
    return status;
}

const clc_loss clc_loss_swav = {
    .name = "swav", .needs_scores = true, .check = check, .workspace = workspace, .build = build};
