#include "eval/embed.h"

#include "core/log.h"
#include "core/signals.h"
#include "method/setup.h"
#include "model/heads.h"

#include <string.h>

/* Batches that threads make ahead; what they take at most, in bytes a batch. */
enum { SLOTS = 4, HELD = 1 };
static const double most_staging = 256e6;

static clc_status build_graph(clc_embedder *e, clc_params *params) {
    clc_status status = CLC_OK;
    const bool fresh = params->value == NULL;
    CLC_TRY(clc_graph_create(e->device, params, false, &e->graph));
    e->graph->convolution = e->config->device.convolution;
    e->graph->gemm = (clc_gemm_kind)e->config->device.gemm;
    CLC_TRY(clc_graph_input(e->graph, "images",
                            clc_shape_images(e->batch, e->augment.settings.size,
                                             e->augment.settings.size, e->augment.channels),
                            false, &e->images));
    const clc_net_input in = clc_net_images(e->images);
    CLC_TRY(clc_kept_build(e->graph, e->config, 0, &in, &e->features));
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
    const size_t bytes = clc_augment_workspace(device, &e->augment, e->batch);
    CLC_TRY(clc_residence_allocate(&e->residence));
    CLC_TRY(clc_buffer_create(device, 4 * sizeof(cl_uint), "images", &e->state));
    CLC_TRY(clc_buffer_create(device, bytes, "images", &e->workspace));
    CLC_TRY(clc_buffer_zero(device, e->state, 0, 4 * sizeof(cl_uint)));
    if (!e->graph)
        CLC_TRY(clc_buffer_create(
            device, (size_t)e->batch * clc_augment_floats(&e->augment) * sizeof(float), "images",
            &e->views));
    const clc_augment_batch views = {.images = e->batch, .views = 1};
    CLC_TRY(clc_augment_build(&e->prepare, device, &e->augment, &views,
                              &e->residence.samples.images, e->state,
                              e->graph ? e->images->value : e->views, e->workspace));
fail:
    return status;
}

int clc_embedder_side(const clc_config *config) {
    /* A view can be made of 31 times its side, and the long side may be twice the short one. */
    enum { MOST_VIEWS = 15, MOST = 2048 };
    const int side = config->data.store_side, views = MOST_VIEWS * config->augmentation.size;
    const int most = views < MOST ? views : MOST;
    return side && side < most ? side : most;
}

static int larger(int a, int b) {
    return a > b ? a : b;
}

static clc_status plan_augment(clc_embedder *e, int height, int width, int pixels_side) {
    clc_status status = CLC_OK;
    const int side = clc_embedder_side(e->config), long_side = 2 * side;
    clc_augment training;
    const clc_dataset bounds = {.height = larger(height, long_side),
                                .width = larger(width, long_side),
                                .channels = e->config->data.channels};
    CLC_TRY(clc_augment_from_config(e->config, &bounds, &training));
    if (pixels_side) {
        /* No less than a view of the largest image can have. */
        training.settings.size =
            larger(pixels_side, (larger(bounds.height, bounds.width) + 29) / 30);
        for (int c = 0; c < CLC_AUGMENT_CHANNELS; c++) {
            training.settings.mean.values[c] = 0;
            training.settings.std.values[c] = 1;
        }
    }
    e->augment =
        clc_augment_evaluation(&training, e->config->evaluation.resize == CLC_CONFIG_RESIZE_WHOLE);
    const double stored = larger(side, e->config->data.store_side);
    const double image = 2 * stored * stored * bounds.channels;
    while (e->batch > 1 && e->batch * image > most_staging)
        e->batch /= 2;
    clc_residence_stage(&e->residence, e->device, e->batch, SLOTS, (size_t)(e->batch * image));
fail:
    return status;
}

clc_status clc_embedder_create(clc_embedder *embedder, clc_device *device, const clc_config *config,
                               clc_params *params, int height, int width, int pixels_side) {
    clc_status status = CLC_OK;
    *embedder =
        (clc_embedder){.device = device, .config = config, .batch = config->evaluation.batch};
    CLC_TRY(plan_augment(embedder, height, width, params ? 0 : pixels_side));
    if (params)
        CLC_TRY(build_graph(embedder, params));
    CLC_TRY(build_prepare(embedder));
    clc_live("%s", "");
    return CLC_OK;
fail:
    clc_embedder_release(embedder);
    return status;
}

int clc_embedder_features(const clc_embedder *e) {
    return e->graph ? clc_tensor_channels(e->features) : (int)clc_augment_floats(&e->augment);
}

static cl_mem features_of(const clc_embedder *e) {
    return e->graph ? e->features->value : e->views;
}

/* Makes the features of the loader's next batch. */
static clc_status run_batch(clc_embedder *e, clc_loader *loader, clc_batch *batch) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_loader_next(loader, batch));
    CLC_TRY(clc_residence_write(&e->residence, batch));
    CLC_TRY(clc_sequence_run(&e->prepare, e->device));
    if (e->graph)
        CLC_TRY(clc_sequence_run(&e->graph->forward, e->device));
fail:
    return status;
}

static clc_status open_loader(const clc_embedder *e, const clc_dataset *data,
                              const int32_t *samples, size_t count, clc_loader **loader) {
    clc_loader_options options = {.samples = samples, .sample_count = count, .held = HELD};
    clc_residence_serve(&e->residence, &options);
    return clc_loader_open(data, &options, loader);
}

/* Copies the rows of samples that could be read behind the `rows` that are in `features`. */
static clc_status copy_good(clc_embedder *e, const clc_batch *batch, cl_mem features,
                            size_t *rows) {
    clc_status status = CLC_OK;
    const size_t row = (size_t)clc_embedder_features(e) * sizeof(float);
    for (size_t first = 0, end; first < batch->count; first = end + 1) {
        for (end = first; end < batch->count && !batch->bad[end];)
            end++;
        if (end > first)
            CLC_CL(clEnqueueCopyBuffer(e->device->queue, features_of(e), features, first * row,
                                       *rows * row, (end - first) * row, 0, NULL, NULL));
        *rows += end - first;
    }
    CLC_TRY(clc_device_finish(e->device));
fail:
    return status;
}

clc_status clc_embedder_run(clc_embedder *e, const clc_dataset *data, const int32_t *samples,
                            size_t count, cl_mem features, bool *bad, size_t *rows) {
    clc_status status = CLC_OK;
    clc_loader *loader = NULL;
    clc_batch batch;
    *rows = 0;
    CLC_TRY(open_loader(e, data, samples, count, &loader));
    for (size_t first = 0; first < count; first += batch.count) {
        CLC_TRY(run_batch(e, loader, &batch));
        CLC_TRY(copy_good(e, &batch, features, rows));
        memcpy(bad + first, batch.bad, batch.count * sizeof *bad);
        clc_live("embedding %s: %zu of %zu", data->name, first + batch.count, count);
    }
fail:
    clc_live("%s", "");
    if (status != CLC_OK)
        clFinish(e->device->queue);
    clc_loader_close(&loader);
    return status;
}

clc_status clc_embedder_each(clc_embedder *e, const clc_dataset *data, clc_embedder_take take,
                             void *context, clc_bad_files *bad) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)clc_embedder_features(e);
    clc_loader *loader = NULL;
    float *features = NULL;
    clc_batch batch;
    CLC_NEW(features, (size_t)e->batch * dim);
    CLC_TRY(open_loader(e, data, NULL, data->count, &loader));
    for (size_t first = 0; first < data->count; first += batch.count) {
        if (clc_signals_stop())
            CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted after %zu of %zu images", first,
                             data->count));
        CLC_TRY(run_batch(e, loader, &batch));
        CLC_TRY(clc_buffer_read(e->device, features_of(e), 0, batch.count * dim * sizeof *features,
                                features));
        CLC_TRY(take(context, &batch, features));
    }
    if (bad)
        CLC_TRY(clc_loader_bad(loader, bad));
fail:
    if (status != CLC_OK)
        clFinish(e->device->queue);
    clc_loader_close(&loader);
    free(features);
    return status;
}

void clc_embedder_release(clc_embedder *e) {
    if (!e->device)
        return;
    clFinish(e->device->queue);
    clc_sequence_free(&e->prepare);
    clc_graph_free(&e->graph);
    clc_residence_release(&e->residence);
    clc_buffer_release(e->device, &e->views);
    clc_buffer_release(e->device, &e->state);
    clc_buffer_release(e->device, &e->workspace);
    *e = (clc_embedder){0};
}
