#include "dense/losses.h"

#include "device/program.h"
#include "op/reduce.h"

#include <stdio.h>

typedef struct build {
    char options[48];
    clc_launch_spec spec;
} build;

static void begin(build *b, const clc_device *device, const clc_dense_loss *loss,
                  const char *source, const char *kernel) {
    snprintf(b->options, sizeof b->options, "-DVW=1 -DCLASSES=%d", loss->classes);
    b->spec = (clc_launch_spec){.source = source,
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {device->groups},
                                .local = {device->group_size},
                                .op = kernel,
                                .layer = "loss",
                                .flops = 10.0 * loss->rows * loss->classes,
                                .bytes = 8.0 * loss->rows * loss->classes};
}

clc_status clc_dense_request(clc_device *device) {
    static const char *const programs[][2] = {
        {"dense/pixels.cl", "-DVW=1 -DCLASSES=20"},
        {"dense/centres.cl", "-DVW=1 -DCLASSES=20"},
        {"op/upsample.cl", "-DC=64 -DVW=1 -DH=4 -DW=4 -DOH=8 -DOW=8"}};
    clc_status status = CLC_OK;
    size_t number;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        CLC_TRY(clc_program_request(device, programs[i][0], programs[i][1], &number));
fail:
    return status;
}

static clc_status build_sum(clc_sequence *sequence, clc_device *device,
                            const clc_dense_loss *loss) {
    const clc_parts parts = {loss->parts, 0, 1, device->groups};
    return clc_reduce_parts(sequence, device, &parts, loss->value, "dense_loss_sum", "loss");
}

clc_status clc_pixels_build(clc_sequence *sequence, clc_device *device,
                            const clc_dense_loss *loss) {
    clc_status status = CLC_OK;
    build b;
    begin(&b, device, loss, "dense/pixels.cl", "pixels_loss");
    CLC_TRY(CLC_LAUNCH(sequence, device, &b.spec, CLC_MEM(loss->x), CLC_MEM(loss->labels),
                       CLC_MEM(loss->scale), CLC_MEM(loss->gradient), CLC_MEM(loss->parts),
                       CLC_INT(loss->rows)));
    CLC_TRY(build_sum(sequence, device, loss));
fail:
    return status;
}

clc_status clc_centres_build(clc_sequence *sequence, clc_device *device,
                             const clc_dense_loss *loss) {
    clc_status status = CLC_OK;
    build b;
    begin(&b, device, loss, "dense/centres.cl", "centres_loss");
    CLC_TRY(CLC_LAUNCH(sequence, device, &b.spec, CLC_MEM(loss->x), CLC_MEM(loss->heat),
                       CLC_MEM(loss->sides), CLC_MEM(loss->scale), CLC_MEM(loss->gradient),
                       CLC_MEM(loss->parts), CLC_INT(loss->rows)));
    CLC_TRY(build_sum(sequence, device, loss));
fail:
    return status;
}

clc_status clc_pixels_predict(clc_sequence *sequence, clc_device *device,
                              const clc_dense_loss *loss) {
    build b;
    begin(&b, device, loss, "dense/pixels.cl", "pixels_predict");
    return CLC_LAUNCH(sequence, device, &b.spec, CLC_MEM(loss->x), CLC_MEM(loss->labels),
                      CLC_INT(loss->rows));
}
