/* SimCSE (Gao et al., arXiv 2104.08821): each first view finds its second among all second views
 * (eq. 1) and, if there is a third, all of those, which are hard negatives (eq. 5). */
#include "loss/pairs.h"

#include <stdio.h>

static clc_pairs simcse(const clc_loss_shape *shape, const clc_config_loss *options) {
    clc_pairs p = clc_pairs_softmax("simcse", options);
    clc_pairs_cross(&p, shape);
    p.queue = 0;
    if (shape->targets)
        p.refusal = "it compares views of the networks alone; choose a method without targets";
    else if (shape->views == 3) {
        p.hard_negatives = true;
        snprintf(p.rule, sizeof p.rule, "-DHARD_NEGATIVES=1");
    } else if (shape->views > 3)
        p.refusal = "it takes two views, or three with hard negatives; give less";
    return p;
}

CLC_PAIRS_FUNCTIONS(simcse)

const clc_loss clc_loss_simcse = {
    .name = "simcse", .check = check, .workspace = workspace, .build = build};
