#include "eval/embed_parts.h"

#include "core/log.h"
#include "core/signals.h"
#include "eval/classifier.h"
#include "model/heads.h"

#include <string.h>

/* Batches of the loader that are in use while the next one is taken. */
enum { HELD = 1 };

static bool reads_images(const clc_embedder *e) {
    return e->in.like->kind == CLC_KIND_IMAGES;
}

static clc_status add_input(clc_embedder *e) {
    clc_status status = CLC_OK;
    const clc_field *like = e->in.like;
    const int size = e->augment.settings.size;
    const clc_shape lengths = {CLC_TYPE_INT32, 1, {e->batch}};
    const clc_shape shapes[CLC_KINDS] = {
        [CLC_KIND_IMAGES] = clc_shape_images(e->batch, size, size, e->augment.channels),
        [CLC_KIND_TOKENS] = {CLC_TYPE_INT32, 2, {e->batch, e->context}},
        [CLC_KIND_SERIES] = {CLC_TYPE_FLOAT32, 3, {e->batch, e->context, like->channels}}};
    e->input = (clc_net_input){.kind = like->kind, .vocabulary = like->vocabulary};
    CLC_TRY(clc_graph_input(e->graph, "input", shapes[like->kind], false, &e->input.values));
    if (!reads_images(e))
        CLC_TRY(clc_graph_input(e->graph, "lengths", lengths, false, &e->input.lengths));
fail:
    return status;
}

/* A classifier's parameters are among the encoder's, for clc_classifier_predict. */
static clc_status add_classifier(clc_embedder *e) {
    clc_tensor *scores;
    if (e->in.tower || e->in.stage || !clc_classifier_there(e->config))
        return CLC_OK;
    clc_graph_expose(e->features, false);
    return clc_classifier_build(e->graph, e->config, e->features, &scores);
}

static clc_status add_network(clc_embedder *e) {
    const clc_embedder_input *in = &e->in;
    return in->stage
               ? clc_stage_build(e->graph, e->config, in->tower, in->stage, &e->input, &e->features)
               : clc_kept_build(e->graph, e->config, in->tower, &e->input, &e->features);
}

static clc_status build_graph(clc_embedder *e, clc_params *params) {
    clc_status status = CLC_OK;
    const bool fresh = params->value == NULL;
    CLC_TRY(clc_graph_create(e->device, params, false, &e->graph));
    e->graph->convolution = e->config->device.convolution;
    e->graph->gemm = (clc_gemm_kind)e->config->device.gemm;
    CLC_TRY(add_input(e));
    CLC_TRY(add_network(e));
    CLC_TRY(add_classifier(e));
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

static int raw_features(const clc_embedder *e) {
    if (e->in.histogram)
        return clc_embedder_histogram_size(e);
    return reads_images(e) ? (int)clc_augment_floats(&e->augment) : clc_embedder_raw_field(e);
}

static clc_status allocate_raw(clc_embedder *e) {
    clc_status status = CLC_OK;
    const size_t row = (size_t)e->batch * sizeof(float);
    const size_t pixels = reads_images(e) ? clc_augment_floats(&e->augment) : 0;
    const size_t features = (size_t)raw_features(e);
    CLC_TRY(clc_buffer_create(e->device, row * (e->in.histogram ? pixels : features), "features",
                              &e->raw));
    if (e->in.histogram)
        CLC_TRY(clc_buffer_create(e->device, row * features, "features", &e->histogram));
fail:
    return status;
}

clc_status clc_embedder_create(clc_embedder *embedder, clc_device *device, const clc_config *config,
                               clc_params *params, const clc_embedder_input *input) {
    clc_status status = CLC_OK;
    clc_embedder *e = embedder;
    *e = (clc_embedder){.device = device,
                        .config = config,
                        .in = *input,
                        .batch = config->evaluation.batch,
                        .corrupts = -1};
    CLC_TRY(reads_images(e) ? clc_embedder_plan_images(e, !params)
                            : clc_embedder_plan_field(e, !params));
    if (params)
        CLC_TRY(build_graph(e, params));
    else
        CLC_TRY(allocate_raw(e));
    if (reads_images(e))
        CLC_TRY(clc_embedder_build_images(e));
    clc_live("%s", "");
    return CLC_OK;
fail:
    clc_embedder_release(e);
    return status;
}

int clc_embedder_features(const clc_embedder *e) {
    return e->graph ? clc_tensor_channels(e->features) : raw_features(e);
}

static cl_mem features_of(const clc_embedder *e) {
    return e->graph ? e->features->value : e->histogram ? e->histogram : e->raw;
}

static clc_status go_on(size_t done, size_t count, const char *unit) {
    return clc_signals_stop()
               ? clc_fail(CLC_INTERRUPTED, "interrupted after %zu of %zu %s", done, count, unit)
               : CLC_OK;
}

/* ---- texts and series ---- */

/* The batch of these texts or series. */
static clc_status run_numbers(clc_embedder *e, const clc_field *field, const int32_t *numbers,
                              size_t count) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_embedder_write_field(e, field, numbers, count));
    if (e->graph)
        CLC_TRY(clc_sequence_run(&e->graph->forward, e->device));
fail:
    return status;
}

/* Numbers of the batch that begins with number or sample `first`: of samples their first ones. */
static size_t choose_numbers(const clc_embedder *e, const clc_field *field, bool of_samples,
                             const int32_t *chosen, size_t first, size_t count, int32_t *numbers) {
    const size_t n = count - first < (size_t)e->batch ? count - first : (size_t)e->batch;
    for (size_t i = 0; i < n; i++) {
        const int32_t k = chosen ? chosen[first + i] : (int32_t)(first + i);
        numbers[i] = of_samples ? field->firsts[k] : k;
    }
    return n;
}

static clc_status run_field(clc_embedder *e, const clc_field *field, bool of_samples,
                            const int32_t *chosen, size_t count, cl_mem features) {
    clc_status status = CLC_OK;
    const size_t row = (size_t)clc_embedder_features(e) * sizeof(float);
    int32_t *numbers = NULL;
    CLC_NEW(numbers, e->batch);
    for (size_t first = 0, n; first < count; first += n) {
        CLC_TRY(go_on(first, count, "samples"));
        n = choose_numbers(e, field, of_samples, chosen, first, count, numbers);
        CLC_TRY(run_numbers(e, field, numbers, n));
        CLC_CL(clEnqueueCopyBuffer(e->device->queue, features_of(e), features, 0, first * row,
                                   n * row, 0, NULL, NULL));
        clc_live("embedding %s: %zu of %zu", field->name, first + n, count);
    }
    CLC_TRY(clc_device_finish(e->device));
fail:
    clc_live("%s", "");
    if (status != CLC_OK)
        clFinish(e->device->queue);
    free(numbers);
    return status;
}

clc_status clc_embedder_run_field(clc_embedder *e, const clc_field *field, const int32_t *numbers,
                                  size_t count, cl_mem features) {
    return run_field(e, field, false, numbers, count, features);
}

/* The field it reads: of samples given by hand the only one. */
static const clc_field *field_of(const clc_embedder *e, const clc_dataset *data) {
    return &data->fields[data->field_count > 1 ? e->in.field : 0];
}

static clc_status each_of_field(clc_embedder *e, const clc_dataset *data, const int32_t *chosen,
                                size_t count, clc_embedder_take take, void *context) {
    clc_status status = CLC_OK;
    const clc_field *field = field_of(e, data);
    const size_t dim = (size_t)clc_embedder_features(e);
    float *features = NULL;
    int32_t *numbers = NULL, *samples = NULL;
    bool *bad = NULL;
    CLC_NEW(features, (size_t)e->batch * dim);
    CLC_NEW(numbers, e->batch);
    CLC_NEW(samples, e->batch);
    CLC_NEW(bad, e->batch);
    for (size_t first = 0, n; first < count; first += n) {
        CLC_TRY(go_on(first, count, "samples"));
        n = choose_numbers(e, field, true, chosen, first, count, numbers);
        for (size_t i = 0; i < n; i++)
            samples[i] = chosen ? chosen[first + i] : (int32_t)(first + i);
        CLC_TRY(run_numbers(e, field, numbers, n));
        CLC_TRY(
            clc_buffer_read(e->device, features_of(e), 0, n * dim * sizeof *features, features));
        const clc_batch batch = {.count = n, .indices = samples, .bad = bad};
        CLC_TRY(take(context, &batch, features));
    }
fail:
    free(features);
    free(numbers);
    free(samples);
    free(bad);
    return status;
}

/* ---- images ---- */

/* Makes the features of the loader's next batch. */
static clc_status run_batch(clc_embedder *e, clc_loader *loader, clc_batch *batch) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_loader_next(loader, batch));
    CLC_TRY(clc_residence_write(&e->residence, batch));
    CLC_TRY(clc_embedder_prepare_images(e));
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
    if (!reads_images(e)) {
        *rows = count;
        memset(bad, 0, count * sizeof *bad);
        return run_field(e, field_of(e, data), true, samples, count, features);
    }
    *rows = 0;
    CLC_TRY(open_loader(e, data, samples, count, &loader));
    for (size_t first = 0; first < count; first += batch.count) {
        CLC_TRY(go_on(first, count, "images"));
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

clc_status clc_embedder_each(clc_embedder *e, const clc_dataset *data, const int32_t *samples,
                             size_t count, clc_embedder_take take, void *context,
                             clc_bad_files *bad) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)clc_embedder_features(e);
    clc_loader *loader = NULL;
    float *features = NULL;
    clc_batch batch;
    if (!reads_images(e))
        return each_of_field(e, data, samples, count, take, context);
    CLC_NEW(features, (size_t)e->batch * dim);
    CLC_TRY(open_loader(e, data, samples, count, &loader));
    for (size_t first = 0; first < count; first += batch.count) {
        CLC_TRY(go_on(first, count, "images"));
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
    clc_sequence_free(&e->view);
    clc_sequence_free(&e->count);
    clc_corruption_release(&e->corruption);
    clc_graph_free(&e->graph);
    clc_residence_release(&e->residence);
    clc_buffer_release(e->device, &e->raw);
    clc_buffer_release(e->device, &e->histogram);
    clc_buffer_release(e->device, &e->state);
    clc_buffer_release(e->device, &e->workspace);
    clc_buffer_release(e->device, &e->view_workspace);
    free(e->values);
    free(e->lengths);
    free(e->weights);
    *e = (clc_embedder){0};
}
