#include "onnx/inputs.h"

#include "model/weights.h"
#include "onnx/parts.h"

#include <stdio.h>
#include <string.h>

enum { NUMBER_BYTES = 32 };

static clc_status put_int(clc_onnx *model, const char *key, int value) {
    char text[NUMBER_BYTES];
    snprintf(text, sizeof text, "%d", value);
    return clc_onnx_metadata(model, key, text);
}

static clc_status put_number(clc_onnx *model, const char *key, double value) {
    char text[NUMBER_BYTES];
    snprintf(text, sizeof text, "%.9g", value);
    return clc_onnx_metadata(model, key, text);
}

static clc_status put_list(clc_onnx *model, const char *key, int n, const float *values) {
    clc_status status = CLC_OK;
    char *text = NULL;
    CLC_NEW(text, n * NUMBER_BYTES);
    for (int i = 0; i < n; i++)
        snprintf(text + strlen(text), NUMBER_BYTES, "%s%.9g", i ? ", " : "", (double)values[i]);
    CLC_TRY(clc_onnx_metadata(model, key, text));
fail:
    free(text);
    return status;
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

/* Mean and deviation of each of the channels. */
static void normalisation(const clc_embedder *e, float mean[CLC_AUGMENT_CHANNELS],
                          float deviation[CLC_AUGMENT_CHANNELS]) {
    const clc_config_augmentation *a = &e->augment.settings;
    for (int c = 0; c < e->augment.channels; c++) {
        mean[c] = (float)a->mean.values[a->mean.count > 1 ? c : 0];
        deviation[c] = (float)a->std.values[a->std.count > 1 ? c : 0];
    }
}

static clc_status describe_images(clc_onnx *model, const clc_embedder *e,
                                  clc_onnx_preparation preparation) {
    static const char *const said[] = {
        [CLC_ONNX_PREPARED] = "(value / 255 - mean) / std",
        [CLC_ONNX_NORMALISE] = "values from 0 to 255; the graph normalises them",
        [CLC_ONNX_PICTURES] = ("bytes (batch,height,width,channels) of pictures of one size; the "
                               "graph scales, cuts and normalises them")};
    clc_status status = CLC_OK;
    const int channels = e->augment.channels;
    float mean[CLC_AUGMENT_CHANNELS], deviation[CLC_AUGMENT_CHANNELS];
    normalisation(e, mean, deviation);
    CLC_TRY(put_int(model, "clcontrast.size", e->augment.settings.size));
    CLC_TRY(put_int(model, "clcontrast.channels", channels));
    CLC_TRY(put_list(model, "clcontrast.mean", channels, mean));
    CLC_TRY(put_list(model, "clcontrast.std", channels, deviation));
    CLC_TRY(clc_onnx_metadata(model, "clcontrast.resize", resize_rule(e)));
    CLC_TRY(put_int(model, "clcontrast.store_side", clc_embedder_side(e->config)));
    CLC_TRY(clc_onnx_metadata(model, "clcontrast.input", said[preparation]));
fail:
    return status;
}

/* (x - mean) / deviation, before numbers become halves; `rank` dimensions, `axis` the channels'. */
static clc_status add_normalisation(clc_onnx *model, int channels, const float *mean,
                                    const float *deviation, int rank, int axis, const char *from,
                                    const char *out) {
    clc_status status = CLC_OK;
    int64_t dims[] = {1, 1, 1, 1};
    clc_onnx_node nodes[] = {{"Sub", {NULL, "input.mean"}, "centred", NULL},
                             {"Div", {NULL, "input.deviation"}, NULL, NULL}};
    dims[axis] = channels;
    CLC_TRY(clc_onnx_exact(model, "input.mean", rank, dims, mean));
    CLC_TRY(clc_onnx_exact(model, "input.deviation", rank, dims, deviation));
    CLC_TRY(clc_onnx_chain(model, from, nodes, 2, out));
fail:
    return status;
}

/* What the network reads is the value `from` as the network's numbers. */
static clc_status set_value(clc_onnx_tape *tape, const clc_tensor *tensor, const char *from) {
    static const char halves[] = "input.halves";
    clc_status status = CLC_OK;
    const clc_onnx_attr to[] = {clc_onnx_int("to", CLC_ONNX_FLOAT16), {0}};
    const bool casts = clc_onnx_numbers(tape->model) == CLC_ONNX_FLOAT16;
    if (casts)
        CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Cast", {from}, halves, to}));
    strcpy(clc_onnx_value(tape, tensor), casts ? halves : from);
fail:
    return status;
}

static clc_status add_images(clc_onnx_tape *tape, const clc_embedder *e,
                             clc_onnx_preparation preparation) {
    clc_status status = CLC_OK;
    const int size = e->augment.settings.size, channels = e->augment.channels;
    const bool prepared = preparation == CLC_ONNX_PREPARED;
    const clc_onnx_dim dims[] = {{0, "batch"}, {channels, NULL}, {size, NULL}, {size, NULL}};
    float mean[CLC_AUGMENT_CHANNELS], deviation[CLC_AUGMENT_CHANNELS];
    normalisation(e, mean, deviation);
    for (int c = 0; c < channels; c++) {
        mean[c] *= 255;
        deviation[c] *= 255;
    }
    if (preparation == CLC_ONNX_PICTURES)
        CLC_TRY(clc_onnx_add_pictures(tape, e, "pixels"));
    else
        CLC_TRY(
            clc_onnx_input(tape->model, prepared ? "images" : "pixels", CLC_ONNX_FLOAT32, 4, dims));
    if (!prepared)
        CLC_TRY(
            add_normalisation(tape->model, channels, mean, deviation, 4, 1, "pixels", "images"));
    CLC_TRY(set_value(tape, e->input.values, "images"));
    CLC_TRY(describe_images(tape->model, e, preparation));
fail:
    return status;
}

static clc_status add_series(clc_onnx_tape *tape, const clc_embedder *e,
                             clc_onnx_preparation preparation) {
    clc_status status = CLC_OK;
    const clc_field *like = e->in.like;
    const bool prepared = preparation == CLC_ONNX_PREPARED;
    const clc_onnx_dim dims[] = {{0, "batch"}, {0, "steps"}, {like->channels, NULL}};
    CLC_TRY(clc_onnx_input(tape->model, prepared ? "series" : "values", CLC_ONNX_FLOAT32, 3, dims));
    if (!prepared)
        CLC_TRY(add_normalisation(tape->model, like->channels, like->mean, like->deviation, 3, 2,
                                  "values", "series"));
    CLC_TRY(set_value(tape, e->input.values, "series"));
    CLC_TRY(put_int(tape->model, "clcontrast.channels", like->channels));
    CLC_TRY(put_list(tape->model, "clcontrast.mean", like->channels, like->mean));
    CLC_TRY(put_list(tape->model, "clcontrast.std", like->channels, like->deviation));
    CLC_TRY(clc_onnx_metadata(tape->model, "clcontrast.input",
                              prepared ? "(value - mean) / std, of longer series the "
                                         "context steps in the middle"
                                       : "values as measured, of longer series the context steps "
                                         "in the middle; the graph normalises them"));
fail:
    return status;
}

static clc_status add_tokens(clc_onnx_tape *tape, const clc_embedder *e, clc_tokenizer *tokenizer,
                             clc_onnx_preparation preparation) {
    clc_status status = CLC_OK;
    const clc_onnx_dim dims[] = {{0, "batch"}, {0, "steps"}};
    char *json = NULL;
    if (preparation != CLC_ONNX_PREPARED)
        return clc_fail(CLC_INVALID, "texts become tokens outside the graph, by the tokenizer in "
                                     "its metadata; leave --pixels and --preprocess out");
    CLC_TRY(clc_onnx_input(tape->model, "tokens", CLC_ONNX_INT64, 2, dims));
    strcpy(clc_onnx_value(tape, e->input.values), "tokens");
    CLC_TRY(clc_tokenizer_to_json(tokenizer, &json));
    CLC_TRY(clc_onnx_metadata(tape->model, "clcontrast.tokenizer", json));
    CLC_TRY(clc_onnx_metadata(tape->model, "clcontrast.input",
                              "tokens from start to end, of longer texts the first ones of the "
                              "context and the end, 0 behind"));
fail:
    free(json);
    return status;
}

/* Of texts and series, at least 1 each. */
static clc_status add_lengths(clc_onnx_tape *tape, const clc_embedder *e) {
    clc_status status = CLC_OK;
    const clc_onnx_dim dims[] = {{0, "batch"}};
    tape->steps = e->context;
    CLC_TRY(clc_onnx_input(tape->model, "lengths", CLC_ONNX_INT64, 1, dims));
    strcpy(clc_onnx_value(tape, e->input.lengths), "lengths");
    CLC_TRY(put_int(tape->model, "clcontrast.context", e->context));
fail:
    return status;
}

clc_status clc_onnx_add_inputs(clc_onnx_tape *tape, const clc_encoder *encoder,
                               const clc_tower_encoder *tower, clc_onnx_preparation preparation) {
    clc_status status = CLC_OK;
    const clc_embedder *e = &tower->embedder;
    const bool images = tower->like.kind == CLC_KIND_IMAGES;
    if (images)
        CLC_TRY(add_images(tape, e, preparation));
    else if (tower->like.kind == CLC_KIND_SERIES)
        CLC_TRY(add_series(tape, e, preparation));
    else
        CLC_TRY(add_tokens(tape, e, encoder->tokenizer, preparation));
    if (!images)
        CLC_TRY(add_lengths(tape, e));
    if (encoder->tower_count > 1) {
        CLC_TRY(clc_onnx_metadata(tape->model, "clcontrast.tower", images ? "image" : "text"));
        CLC_TRY(put_number(tape->model, "clcontrast.scale", encoder->scale));
    }
fail:
    return status;
}
