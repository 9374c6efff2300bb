/* InfoNCE (van den Oord et al., arXiv 1807.03748): the columns of a view are the other view's
 * vectors, or the targets' (MoCo's keys, arXiv 1911.05722), and the queue's. */
#include "loss/pairs.h"

#include <stdio.h>

static clc_pairs infonce(const clc_loss_shape *shape, const clc_config_loss *options) {
    clc_pairs p = clc_pairs_softmax("infonce", options);
    clc_pairs_cross(&p, shape);
    if (options->symmetric)
        p.anchors = p.segments;
    if (options->negatives == CLC_CONFIG_NEGATIVES_QUEUE)
        snprintf(p.rule, sizeof p.rule, "-DONLY_POSITIVES=1");
    if (options->negatives == CLC_CONFIG_NEGATIVES_AUTO ||
        options->negatives == CLC_CONFIG_NEGATIVES_BATCH)
        p.queue = 0;
    else if (!shape->queue)
        p.refusal = "negatives from the queue, but there is none; choose a method with a queue or "
                    "loss.negatives = batch";
    return p;
}

CLC_PAIRS_FUNCTIONS(infonce)

const clc_loss clc_loss_infonce = {
    .name = "infonce", .check = check, .workspace = workspace, .build = build};
