/* SimCLR (Chen et al., arXiv 2002.05709): two views of each image through one encoder and projector, NT-Xent
 * on all of them. Batch-norm sees both views together, as in the paper. */
#include "loss/loss.h"
#include "method/method.h"

static const clc_loss *loss_of(const clc_wiring *wiring) {
    return clc_loss_find(clc_config_choice(wiring->config, "loss", "name"));
}

static clc_loss_options options_of(const clc_wiring *wiring) {
    return (clc_loss_options){.temperature = wiring->config->loss.temperature};
}

static clc_loss_shape shape_of(const clc_wiring *wiring) {
    return (clc_loss_shape){.images = wiring->batch, .views = 2, .dim = wiring->embeddings->c};
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
    CLC_TRY(loss_of(w)->check(&shape, &options));
    w->loss_workspace_bytes = loss_of(w)->workspace(w->device, &shape, &options);
fail:
    return status;
}

static clc_status build_loss(clc_wiring *w) {
    const clc_loss_options options = options_of(w);
    const clc_loss_shape shape = shape_of(w);
    const clc_loss_buffers buffers = {.z = w->embeddings->value,
                                      .dz = w->embeddings->grad,
                                      .value = w->loss,
                                      .workspace = w->loss_workspace};
    return clc_loss_build(loss_of(w), &w->loss_sequence, w->device, &shape, &options, &buffers);
}

const clc_method clc_method_simclr = {"simclr", 2, wire, build_loss};
