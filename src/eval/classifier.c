#include "eval/classifier.h"

#include "graph/graph.h"
#include "method/method.h"
#include "model/heads.h"

#include <stdlib.h>

bool clc_classifier_there(const clc_config *config) {
    return config->method.classes &&
           clc_method_find(clc_config_choice(config, "method", "name"))->classifier;
}

/* Of one sample: `classes` scores become `wanted` logits and the prediction. */
static void take_scores(const float *scores, int classes, int wanted, int32_t *prediction,
                        float *logits) {
    static const float far_below = -1e30f;
    int best = 0;
    for (int k = 0; k < wanted; k++) {
        logits[k] = k < classes ? scores[k] : far_below;
        best = logits[k] > logits[best] ? k : best;
    }
    *prediction = best;
}

static clc_status make_graph(clc_device *device, const clc_config *config, clc_params *params,
                             clc_shape shape, clc_graph **graph, clc_tensor **in,
                             clc_tensor **scores) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_graph_create(device, params, false, graph));
    (*graph)->gemm = (clc_gemm_kind)config->device.gemm;
    CLC_TRY(clc_graph_input(*graph, "features", shape, false, in));
    CLC_TRY(clc_classifier_build(*graph, config, *in, scores));
    CLC_TRY(clc_graph_plan(*graph));
    CLC_TRY(clc_graph_allocate(*graph));
    CLC_TRY(clc_graph_build(*graph));
fail:
    return status;
}

clc_status clc_classifier_predict(clc_device *device, const clc_config *config, clc_params *params,
                                  const clc_features *features, int32_t *predictions,
                                  float *logits) {
    enum { BATCH = 256 };
    clc_status status = CLC_OK;
    const size_t row = (size_t)features->dim * sizeof(float);
    const int classes = config->method.classes, wanted = features->classes;
    clc_graph *graph = NULL;
    clc_tensor *in, *out;
    float *scores = NULL;
    CLC_NEW(scores, BATCH * (size_t)classes);
    CLC_TRY(make_graph(device, config, params, clc_shape_rows(BATCH, features->dim), &graph, &in,
                       &out));
    CLC_TRY(clc_buffer_zero(device, in->value, 0, BATCH * row));
    for (size_t first = 0, n; first < features->rows; first += n) {
        n = features->rows - first < BATCH ? features->rows - first : BATCH;
        CLC_CL(clEnqueueCopyBuffer(device->queue, features->data, in->value, first * row, 0,
                                   n * row, 0, NULL, NULL));
        CLC_TRY(clc_sequence_run(&graph->forward, device));
        CLC_TRY(
            clc_buffer_read(device, out->value, 0, n * (size_t)classes * sizeof *scores, scores));
        for (size_t i = 0; i < n; i++)
            take_scores(scores + i * (size_t)classes, classes, wanted, predictions + first + i,
                        logits + (first + i) * (size_t)wanted);
    }
fail:
    clFinish(device->queue);
    clc_graph_free(&graph);
    free(scores);
    return status;
}
