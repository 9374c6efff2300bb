#include "onnx/export.h"

#include "core/log.h"
#include "core/path.h"
#include "model/weights.h"
#include "onnx/inputs.h"

#include <string.h>

static clc_status check_opset(int opset) {
    return opset >= CLC_ONNX_OPSET && opset <= CLC_ONNX_OPSET_MOST
               ? CLC_OK
               : clc_fail(CLC_INVALID,
                          "--opset %d: networks are written for %d, which LayerNormalization came "
                          "with, to %d",
                          opset, CLC_ONNX_OPSET, CLC_ONNX_OPSET_MOST);
}

/* Features come out as floats. */
static clc_status add_features(clc_onnx_tape *tape, const clc_embedder *e) {
    static const char halves[] = "features.halves";
    clc_status status = CLC_OK;
    const bool casts = clc_onnx_numbers(tape->model) == CLC_ONNX_FLOAT16;
    const clc_onnx_dim dims[] = {{0, "batch"}, {clc_embedder_features(e), NULL}};
    const clc_onnx_attr to[] = {clc_onnx_int("to", CLC_ONNX_FLOAT32), {0}};
    CLC_TRY(clc_onnx_translate(tape, e->features, casts ? halves : "features"));
    if (casts)
        CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Cast", {halves}, "features", to}));
    CLC_TRY(clc_onnx_output(tape->model, "features", 2, dims));
fail:
    return status;
}

static clc_status write_model(const clc_onnx_options *o, const clc_encoder *encoder,
                              const clc_tower_encoder *tower, const char *path) {
    clc_status status = CLC_OK;
    const clc_embedder *e = &tower->embedder;
    clc_onnx_tape tape = {.graph = e->graph};
    const int opset = o->opset ? o->opset : CLC_ONNX_OPSET;
    CLC_NEW(tape.values, e->graph->tensor_count);
    CLC_TRY(
        clc_onnx_new("encoder", opset, o->half ? CLC_ONNX_FLOAT16 : CLC_ONNX_FLOAT32, &tape.model));
    CLC_TRY(clc_onnx_add_inputs(&tape, encoder, tower, o->preparation));
    CLC_TRY(add_features(&tape, e));
    CLC_TRY(clc_onnx_write(tape.model, path));
fail:
    clc_onnx_free(&tape.model);
    free(tape.values);
    return status;
}

static clc_status find_tower(clc_encoder *encoder, const char *word, clc_tower_encoder **tower) {
    *tower = &encoder->towers[0];
    if (!word && encoder->tower_count > 1)
        clc_log("this is the network of the images; --tower text writes that of the texts");
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
    if (o->opset)
        CLC_TRY(check_opset(o->opset));
    CLC_TRY(output_path(o, written));
    CLC_TRY(
        clc_encoder_open_with(o->encoder, o->device, o->overrides, o->override_count, &encoder));
    CLC_TRY(find_tower(encoder, o->tower, &tower));
    CLC_TRY(write_model(o, encoder, tower, written));
fail:
    clc_encoder_close(&encoder);
    return status;
}
