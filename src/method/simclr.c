/* SimCLR (Chen et al., arXiv 2002.05709): two views of each image through one encoder and projector, NT-Xent
 * on all of them. Batch-norm sees both views together, as in the paper. */
#include "loss/loss.h"
#include "method/method.h"

static clc_loss_options options_of(const clc_wiring *wiring) {
    return (clc_loss_options){.temperature = wiring->config->loss.temperature};
}

static clc_loss_shape shape_of(const clc_wiring *wiring) {
    return (clc_loss_shape){.views = wiring->embeddings->n, .dim = wiring->embeddings->c};
}

static clc_status wire(clc_wiring *w) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_graph_create(w->device, w->params, true, &w->graph));
    w->graph->convolution = (clc_conv2d_kind)w->config->device.convolution;
    w->graph->gemm = (clc_gemm_kind)w->config->device.gemm;
    CLC_TRY(clc_graph_input(w->graph, "images", 2 * w->batch, w->size, w->size, w->channels, false,
                            &w->images));
    CLC_TRY(clc_branch_build(w->graph, w->config, w->images, &w->features, &w->embeddings));
    const clc_loss_options options = options_of(w);
    const clc_loss_shape shape = shape_of(w);
    w->loss_workspace_bytes =
        clc_loss_find(clc_config_choice(w->config, "loss", "name"))->workspace(w->device, &shape, &options);
fail:
    return status;
}

static clc_status build_loss(clc_wiring *w) {
    const clc_loss_options options = options_of(w);
    const clc_loss_shape shape = shape_of(w);
    return clc_loss_find(clc_config_choice(w->config, "loss", "name"))
        ->build(&w->loss_sequence, w->device, &shape, &options, w->embeddings->value,
                w->embeddings->grad, w->loss, w->loss_workspace);
}

const clc_method clc_method_simclr = {"simclr", 2, wire, build_loss};
