/* Supervised training: one view of each image, a linear layer behind the encoder and such layers of
 * the projector as are kept, cross-entropy with the labels. From saved weights it is fine-tuning,
 * with projector.keep that of SimCLR v2 (Chen et al., arXiv 2006.10029), whose third part is
 * distillation: a network learns the scores that a trained one gives, of all samples. */
#include "method/method.h"

const clc_method clc_method_supervised = {
    .name = "supervised", .loss = "crossentropy", .views = 1, .classifier = true, .labels = true};

const clc_method clc_method_distilled = {.name = "supervised",
                                         .loss = "distillation",
                                         .target = CLC_TARGET_TRAINED,
                                         .views = 1,
                                         .classifier = true};
