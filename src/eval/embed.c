#include "eval/embed.h"

#include "core/log.h"
#include "method/setup.h"
#include "model/heads.h"

#include <string.h>

static clc_status build_graph(clc_embedder *e, const clc_config *config, clc_params *params,
                              int channels) {
    clc_status status = CLC_OK;
    const bool fresh = params->value == NULL;
    CLC_TRY(clc_graph_create(e->device, params, false, &e->graph));
    e->graph->convolution = config->device.convolution;
    e->graph->gemm = (clc_gemm_kind)config->device.gemm;
    CLC_TRY(clc_graph_input(e->graph, "images",
                            clc_shape_images(e->batch, e->augment.size, e->augment.size, channels),
                            false, &e->images));
    CLC_TRY(clc_kept_build(e->graph, config, e->images, &e->features));
    if (fresh) {
        clc_params_layout(params);
        CLC_TRY(clc_params_allocate(params, e->device, false, 0));
    }
    CLC_TRY(clc_graph_plan(e->graph));
    CLC_TRY(clc_graph_allocate(e->graph));
    CLC_TRY(clc_graph_build(e->graph));
fail:
    return status;
}

static clc_status build_prepare(clc_embedder *e) {
    clc_status status = CLC_OK;
    clc_device *device = e->device;
    const size_t batch = (size_t)e->batch;
    size_t bytes = clc_augment_workspace(device, &e->augment, e->batch);
    int32_t *order = NULL;
    CLC_NEW(order, batch);
    for (int i = 0; i < e->batch; i++)
        order[i] = i;
    CLC_TRY(clc_buffer_create(device, batch * e->image_bytes, "images", &e->pixels));
    CLC_TRY(clc_buffer_create(device, batch * sizeof *order, "images", &e->indices));
    CLC_TRY(clc_buffer_create(device, 4 * sizeof(cl_uint), "images", &e->state));
    CLC_TRY(clc_buffer_create(device, bytes, "images", &e->workspace));
    CLC_TRY(clc_buffer_write(device, e->indices, 0, batch * sizeof *order, order));
    CLC_TRY(clc_buffer_zero(device, e->state, 0, 4 * sizeof(cl_uint)));
    CLC_TRY(clc_buffer_zero(device, e->pixels, 0, batch * e->image_bytes));
    const clc_augment_batch views = {.images = e->batch, .views = 1};
    CLC_TRY(clc_augment_build(&e->prepare, device, &e->augment, &views, e->pixels, e->indices,
                              e->state, e->images->value, e->workspace));
fail:
    free(order);
    return status;
}

clc_status clc_embedder_create(clc_embedder *embedder, clc_device *device, const clc_config *config,
                               clc_params *params, const clc_dataset *data) {
    clc_status status = CLC_OK;
    clc_augment training;
    *embedder = (clc_embedder){.device = device, .batch = config->evaluation.batch};
    CLC_TRY(clc_augment_from_config(config, data, &training));
    embedder->augment = clc_augment_evaluation(&training);
    embedder->image_bytes = (size_t)data->height * (size_t)data->width * (size_t)data->channels;
    CLC_TRY(build_graph(embedder, config, params, data->channels));
    CLC_TRY(build_prepare(embedder));
    clc_live("%s", "");
    return CLC_OK;
fail:
    clc_embedder_release(embedder);
    return status;
}

int clc_embedder_features(const clc_embedder *embedder) {
    return clc_tensor_channels(embedder->features);
}

clc_status clc_embedder_run(clc_embedder *e, const clc_dataset *data, cl_mem features) {
    clc_status status = CLC_OK;
    const size_t row = (size_t)clc_embedder_features(e) * sizeof(float);
    if ((size_t)data->height * (size_t)data->width * (size_t)data->channels != e->image_bytes)
        return clc_fail(CLC_INVALID,
                        "%s: its images are %d x %d x %d, unlike those the encoder was made for",
                        data->name, data->height, data->width, data->channels);
    for (size_t first = 0; first < data->count; first += (size_t)e->batch) {
        size_t n = data->count - first < (size_t)e->batch ? data->count - first : (size_t)e->batch;
        CLC_TRY(clc_buffer_write(e->device, e->pixels, 0, n * e->image_bytes,
                                 data->pixels + first * e->image_bytes));
        CLC_TRY(clc_sequence_run(&e->prepare, e->device));
        CLC_TRY(clc_sequence_run(&e->graph->forward, e->device));
        CLC_CL(clEnqueueCopyBuffer(e->device->queue, e->features->value, features, 0, first * row,
                                   n * row, 0, NULL, NULL));
        clc_live("embedding %s: %zu of %zu", data->name, first + n, data->count);
    }
    clc_live("%s", "");
    CLC_TRY(clc_device_finish(e->device));
fail:
    return status;
}

void clc_embedder_release(clc_embedder *e) {
    if (!e->device)
        return;
    clFinish(e->device->queue);
    clc_sequence_free(&e->prepare);
    clc_graph_free(&e->graph);
    clc_buffer_release(e->device, &e->pixels);
    clc_buffer_release(e->device, &e->indices);
    clc_buffer_release(e->device, &e->state);
    clc_buffer_release(e->device, &e->workspace);
    *e = (clc_embedder){0};
}
