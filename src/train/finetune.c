/* Fine-tuning is training by the method supervised that begins with a run's encoder and takes over
 * what belongs to it. */
#include "clcontrast/train.h"
#include "core/log.h"
#include "core/path.h"
#include "core/text.h"
#include "model/finetuned.h"
#include "model/run_folder.h"
#include "method/setup.h"
#include "train/derive.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* SimCLR's (arXiv 2002.05709, appendix B.5): crops and flips alone, SGD with Nesterov's momentum,
 * no warm-up; here with weight decay, which training from scratch needs. */
static const char *const recipe[] = {
    "method.name=supervised",    "augmentation.jitter=0",     "augmentation.grey=0",
    "augmentation.blur=0",       "augmentation.solarise=0",   "encoder.frozen=false",
    "encoder.frozen_layers=0",   "finetune.lower_batch=true", "optimizer.nesterov=true",
    "optimizer.warmup_epochs=0", "training.epochs=60",        "training.batch=64",
    "training.watch_every=0",    "evaluation.every=5",        "evaluation.tasks=classifier"};
enum { RECIPE = sizeof recipe / sizeof *recipe };

/* The rate that suits weights that are good already. */
static const char sgd_rate[] = "optimizer.learning_rate=0.1";

/* A network that AdamW trained is fine-tuned by it, at a tenth of its rate. */
static clc_status take_optimizer(const clc_config *run, clc_config *config) {
    const char *const sgd[] = {sgd_rate};
    if (run->optimizer.name != CLC_CONFIG_OPTIMIZER_ADAMW)
        return clc_config_override(sgd, 1, config);
    config->optimizer = run->optimizer;
    config->optimizer.learning_rate /= 10;
    config->optimizer.warmup_epochs = 0;
    return clc_config_validate(config);
}

/* "<run>/finetune-1-percent", on other data "<run>/<their name>/finetune-1-percent": the folder of
 * a file is where it lies. */
static clc_status choose_folder(const char *run, const char *data, clc_config *config) {
    clc_status status = CLC_OK;
    struct stat info;
    char parent[CLC_PATH_BYTES], below[CLC_PATH_BYTES], name[CLC_FINETUNED_NAME];
    const char *slash = strrchr(run, '/');
    clc_finetuned f = {.scratch = config->finetune.from == CLC_CONFIG_START_SCRATCH};
    double share;
    int each;
    clc_config_labels(&config->finetune, &share, &each);
    f.per_class = each > 0;
    f.labels = each ? each : 100 * share;
    clc_finetuned_name(&f, name);
    if (stat(run, &info) == 0 && S_ISDIR(info.st_mode))
        CLC_TRY(clc_path_format(parent, "%s", run));
    else
        CLC_TRY(clc_path_format(parent, "%.*s", slash ? (int)(slash - run) : 1, slash ? run : "."));
    if (data)
        CLC_TRY(clc_run_data_path(parent, data, below));
    status = clc_text_format(config->output.folder, sizeof config->output.folder, "%s/%s",
                             data ? below : parent, name);
fail:
    return status;
}

static clc_status make_config(const char *run, const char *data, const clc_train_options *options,
                              clc_config *config) {
    clc_status status = CLC_OK;
    clc_config was;
    CLC_TRY(clc_config_derive(run, &was, config));
    CLC_TRY(clc_config_override(recipe, RECIPE, config));
    CLC_TRY(take_optimizer(&was, config));
    config->evaluation.baselines = false;
    if (data)
        CLC_TRY(clc_config_transfer(config, data));
    CLC_TRY(clc_text_format(config->encoder.weights, sizeof config->encoder.weights, "%s", run));
    *config->output.folder = '\0';
    CLC_TRY(clc_config_add(options->config, options->overrides, options->override_count, config));
    if (!*config->output.folder)
        CLC_TRY(choose_folder(run, data, config));
    if (config->finetune.from == CLC_CONFIG_START_SCRATCH)
        *config->encoder.weights = '\0';
    clc_log("%s %s, labels %s, into %s",
            *config->encoder.weights ? "fine-tuning" : "from scratch, as", run,
            config->finetune.labels, config->output.folder);
fail:
    return status;
}

clc_status clc_finetune(const char *run, const char *data, const clc_train_options *options) {
    return clc_train_derived(make_config, run, data, options);
}
