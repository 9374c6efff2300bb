/* Distillation is training by the method supervised with a teacher: a fine-tuned run, whose scores
 * a new network learns of all samples (SimCLR v2, arXiv 2006.10029, section 2). */
#include "clcontrast/train.h"
#include "core/log.h"
#include "core/path.h"
#include "core/text.h"
#include "method/setup.h"
#include "train/derive.h"

#include <string.h>
#include <sys/stat.h>

/* The network is the teacher's unless it is said otherwise, but begins anew; views are the
 * teacher's. */
static const char *const recipe[] = {"method.name=supervised",    "loss.temperature=1",
                                     "encoder.weights=",          "encoder.frozen=false",
                                     "encoder.frozen_layers=0",   "optimizer.nesterov=true",
                                     "training.epochs=60",        "training.watch_every=0",
                                     "evaluation.every=5",        "evaluation.tasks=classifier",
                                     "evaluation.baselines=false"};
enum { RECIPE = sizeof recipe / sizeof *recipe };

static clc_status choose_folder(const char *teacher, clc_config *config) {
    struct stat info;
    const bool inside = stat(teacher, &info) == 0 && S_ISDIR(info.st_mode);
    const char *slash = strrchr(teacher, '/');
    const int length = inside ? (int)strlen(teacher) : slash ? (int)(slash - teacher) : 1;
    return clc_text_format(config->output.folder, sizeof config->output.folder, "%.*s/distilled",
                           length, inside || slash ? teacher : ".");
}

static clc_status make_config(const char *teacher, const char *data,
                              const clc_train_options *options, clc_config *config) {
    clc_status status = CLC_OK;
    clc_config was;
    CLC_TRY(clc_config_derive(teacher, &was, config));
    CLC_TRY(clc_text_format(config->finetune.labels, sizeof config->finetune.labels, "%s",
                            was.finetune.labels));
    CLC_TRY(clc_config_override(recipe, RECIPE, config));
    if (was.optimizer.name == CLC_CONFIG_OPTIMIZER_ADAMW)
        config->optimizer = was.optimizer;
    if (data)
        CLC_TRY(clc_config_transfer(config, data));
    config->method.classes = was.method.classes;
    CLC_TRY(
        clc_text_format(config->finetune.teacher, sizeof config->finetune.teacher, "%s", teacher));
    *config->output.folder = '\0';
    CLC_TRY(clc_config_add(options->config, options->overrides, options->override_count, config));
    if (!*config->output.folder)
        CLC_TRY(choose_folder(teacher, config));
    clc_log("distilling %s into %s", config->finetune.teacher, config->output.folder);
fail:
    return status;
}

clc_status clc_distill(const char *teacher, const char *data, const clc_train_options *options) {
    return clc_train_derived(make_config, teacher, data, options);
}
