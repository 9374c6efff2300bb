#include "eval/layers.h"

#include "model/heads.h"

#include <stdio.h>
#include <stdlib.h>

static clc_status embed(clc_embedder *embedder, const clc_dataset *data, const int32_t *samples,
                        size_t n, clc_space *space) {
    clc_status status = CLC_OK;
    cl_mem buffer = NULL;
    bool *bad = NULL;
    float *values = NULL;
    size_t rows;
    space->dim = (size_t)clc_embedder_features(embedder);
    const size_t bytes = n * space->dim * sizeof *values;
    CLC_NEW(bad, n);
    CLC_NEW(values, n * space->dim);
    CLC_TRY(clc_buffer_create(embedder->device, bytes, "features", &buffer));
    CLC_TRY(clc_embedder_run(embedder, data, samples, n, buffer, bad, &rows));
    if (rows < n)
        CLC_TRY(clc_fail(CLC_IO, "%zu of %zu samples of %s can't be read any more", n - rows, n,
                         data->name));
    CLC_TRY(clc_buffer_read(embedder->device, buffer, 0, bytes, values));
    space->values = values;
    values = NULL;
fail:
    clc_buffer_release(embedder->device, &buffer);
    free(bad);
    free(values);
    return status;
}

clc_status clc_layers_make(clc_device *device, const clc_config *config, clc_params *params,
                           const clc_embedder_input *in, const clc_dataset *data,
                           const int32_t *samples, size_t n, clc_layers *layers) {
    clc_status status = CLC_OK;
    const int stages = clc_stages(config, in->tower);
    clc_embedder embedder = {0};
    *layers = (clc_layers){.rows = n};
    for (int i = 1; i <= stages + 1; i++) {
        const size_t last = layers->count++;
        clc_embedder_input input = *in;
        input.stage = i <= stages ? i : 0;
        if (input.stage)
            snprintf(layers->names[last], sizeof layers->names[last], "stage_%d", i);
        else
            snprintf(layers->names[last], sizeof layers->names[last], "features");
        CLC_TRY(clc_embedder_create(&embedder, device, config, params, &input));
        CLC_TRY(embed(&embedder, data, samples, n, &layers->spaces[last]));
        clc_embedder_release(&embedder);
    }
fail:
    clc_embedder_release(&embedder);
    return status;
}

void clc_layers_free(clc_layers *layers) {
    for (size_t i = 0; i < layers->count; i++)
        free((float *)layers->spaces[i].values);
    *layers = (clc_layers){0};
}
