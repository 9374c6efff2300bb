#include "onnx/export.h"

#include "core/path.h"
#include "core/text.h"
#include "eval/encoder.h"
#include "model/weights.h"
#include "onnx/layers.h"

#include <stdio.h>
#include <string.h>

enum { LIST_BYTES = 32 * CLC_AUGMENT_CHANNELS };

static clc_status put_int(clc_onnx *model, const char *key, int value) {
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    return clc_onnx_metadata(model, key, text);
}

static clc_status put_list(clc_onnx *model, const char *key, const clc_floats *list) {
    char text[LIST_BYTES] = "";
    for (size_t i = 0; i < list->count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.9g", i ? ", " : "",
                 (double)list->values[i]);
    return clc_onnx_metadata(model, key, text);
}

/* The same words as evaluation.resize and augmentation.crop have. */
static const char *resize_rule(const clc_embedder *e) {
    switch (e->augment.settings.crop) {
    case CLC_CONFIG_CROP_CENTER:
        return "center: as many pixels in the middle, not resized";
    case CLC_CONFIG_CROP_NONE:
        return "whole: all of the image, bilinear with antialiasing";
    default:
        return "square: the largest square in the middle, bilinear with antialiasing";
    }
}

static clc_status describe(clc_onnx *model, const clc_embedder *e, bool pixels) {
    clc_status status = CLC_OK;
    const clc_config_augmentation *a = &e->augment.settings;
    CLC_TRY(put_int(model, "clcontrast.size", a->size));
    CLC_TRY(put_int(model, "clcontrast.channels", e->augment.channels));
    CLC_TRY(put_list(model, "clcontrast.mean", &a->mean));
    CLC_TRY(put_list(model, "clcontrast.std", &a->std));
    CLC_TRY(clc_onnx_metadata(model, "clcontrast.resize", resize_rule(e)));
    CLC_TRY(put_int(model, "clcontrast.store_side", clc_embedder_side(e->config)));
    CLC_TRY(clc_onnx_metadata(model, "clcontrast.input",
                              pixels ? "values from 0 to 255; the graph normalises them"
                                     : "(value / 255 - mean) / std"));
fail:
    return status;
}

/* A constant (1,C,1,1). */
static clc_status put_channels(clc_onnx *model, const char *name, const clc_floats *list,
                               int channels) {
    const int64_t dims[] = {1, channels, 1, 1};
    float values[CLC_AUGMENT_CHANNELS];
    for (int c = 0; c < channels; c++)
        values[c] = 255 * (float)list->values[list->count > 1 ? c : 0];
    return clc_onnx_floats(model, name, 4, dims, values);
}

/* Values 0 to 255 to what the network reads: (x - 255 mean) / (255 std). */
static clc_status add_normalisation(clc_onnx *model, const clc_embedder *e) {
    clc_status status = CLC_OK;
    const clc_config_augmentation *a = &e->augment.settings;
    clc_onnx_node nodes[] = {{"Sub", {NULL, "mean255"}, "centred", NULL},
                             {"Div", {NULL, "std255"}, NULL, NULL}};
    CLC_TRY(put_channels(model, "mean255", &a->mean, e->augment.channels));
    CLC_TRY(put_channels(model, "std255", &a->std, e->augment.channels));
    CLC_TRY(clc_onnx_chain(model, "pixels", nodes, 2, "images"));
fail:
    return status;
}

static clc_status add_images(clc_onnx_tape *tape, const clc_embedder *e, bool pixels) {
    clc_status status = CLC_OK;
    const int size = e->augment.settings.size;
    const int dims[] = {0, e->augment.channels, size, size};
    CLC_TRY(clc_onnx_input(tape->model, pixels ? "pixels" : "images", CLC_ONNX_FLOAT32, 4, dims));
    if (pixels)
        CLC_TRY(add_normalisation(tape->model, e));
    strcpy(clc_onnx_value(tape, e->input.values), "images");
    CLC_TRY(describe(tape->model, e, pixels));
fail:
    return status;
}

static clc_status add_inputs(clc_onnx_tape *tape, const clc_embedder *e, bool pixels) {
    if (e->in.like->kind == CLC_KIND_IMAGES)
        return add_images(tape, e, pixels);
    return clc_fail(CLC_INVALID, "networks that read texts or series can't be written as ONNX yet; "
                                 "their weights are in the encoder file");
}

static clc_status write_model(const clc_tower_encoder *tower, bool pixels, const char *path) {
    clc_status status = CLC_OK;
    const clc_embedder *e = &tower->embedder;
    const int dims[] = {0, clc_embedder_features(e)};
    clc_onnx_tape tape = {.graph = e->graph};
    CLC_NEW(tape.values, e->graph->tensor_count);
    CLC_TRY(clc_onnx_new("encoder", &tape.model));
    CLC_TRY(add_inputs(&tape, e, pixels));
    CLC_TRY(clc_onnx_translate(&tape, e->features));
    CLC_TRY(clc_onnx_output(tape.model, "features", 2, dims));
    CLC_TRY(clc_onnx_write(tape.model, path));
fail:
    clc_onnx_free(&tape.model);
    free(tape.values);
    return status;
}

static clc_status find_tower(clc_encoder *encoder, const char *word, clc_tower_encoder **tower) {
    *tower = &encoder->towers[0];
    if (!word)
        return CLC_OK;
    if (strcmp(word, "image") && strcmp(word, "text"))
        return clc_fail(CLC_INVALID, "--tower %s: it is image or text", word);
    *tower = clc_encoder_tower(encoder, strcmp(word, "text") ? CLC_KIND_IMAGES : CLC_KIND_TOKENS);
    return *tower ? CLC_OK : CLC_INVALID;
}

static clc_status output_path(const clc_onnx_options *o, char *written) {
    clc_status status = CLC_OK;
    char weights[CLC_PATH_BYTES];
    if (o->output)
        return clc_path_format(written, "%s", o->output);
    CLC_TRY(clc_weights_path(o->encoder, weights));
    const char *point = strrchr(weights, '.'), *slash = strrchr(weights, '/');
    const size_t n =
        point && (!slash || point > slash) ? (size_t)(point - weights) : strlen(weights);
    CLC_TRY(clc_path_format(written, "%.*s.onnx", (int)n, weights));
fail:
    return status;
}

clc_status clc_onnx_export(const clc_onnx_options *o, char *written) {
    clc_status status = CLC_OK;
    clc_encoder *encoder = NULL;
    clc_tower_encoder *tower;
    CLC_TRY(output_path(o, written));
    CLC_TRY(
        clc_encoder_open_with(o->encoder, o->device, o->overrides, o->override_count, &encoder));
    CLC_TRY(find_tower(encoder, o->tower, &tower));
    CLC_TRY(write_model(tower, o->pixels, written));
fail:
    clc_encoder_close(&encoder);
    return status;
}
