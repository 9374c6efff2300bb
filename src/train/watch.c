#include "train/watch.h"

#include "core/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double lowest_deviation = 0.1;
static const double lowest_rank = 1.5;

static const char *advice_for(const clc_config *config) {
    const char *method = clc_config_choice(config, "method", "name");
    if (!strcmp(method, "simsiam") && !config->method.stop_gradient)
        return "set method.stop_gradient = true";
    if (!config->projector.batchnorm && config->projector.enabled)
        return "set projector.batchnorm = true, or lower optimizer.learning_rate";
    if (!strcmp(method, "vicreg"))
        return "raise loss.variance, or lower optimizer.learning_rate";
    if (!strcmp(method, "dino"))
        return "lower loss.teacher_temperature, raise loss.center_momentum, or lower "
               "optimizer.learning_rate";
    if (!strcmp(method, "swav"))
        return "lower loss.epsilon, freeze the prototypes for longer, or lower "
               "optimizer.learning_rate";
    return "lower optimizer.learning_rate, lengthen optimizer.warmup_epochs, or weaken weight "
           "decay";
}

clc_status clc_watch_take(clc_watch *watch, const clc_config *config, const clc_spread *spread,
                          int rows, int dim, int64_t step) {
    /* With few images or dimensions a low rank says nothing. */
    const bool flat = spread->rank < lowest_rank && rows >= 8 && dim >= 8;
    watch->low = !(spread->deviation >= lowest_deviation) || flat ? watch->low + 1 : 0;
    if (watch->low < 2)
        return CLC_OK;
    if (config->training.on_collapse == CLC_CONFIG_COLLAPSE_STOP)
        return clc_fail(CLC_COLLAPSED,
                        "step %" PRId64
                        ": the embeddings have collapsed: standard deviation %.3g of 1, "
                        "effective rank %.3g of %d; %s; training.on_collapse = warn goes on",
                        step, spread->deviation, spread->rank, dim, advice_for(config));
    if (!watch->said)
        clc_warn("step %" PRId64
                 ": the embeddings collapse: standard deviation %.3g of 1, effective rank "
                 "%.3g of %d: all images look alike to the loss; %s",
                 step, spread->deviation, spread->rank, dim, advice_for(config));
    watch->said = true;
    return CLC_OK;
}
