/* Fine-tuning is training by the method supervised that begins with a run's encoder and takes over
 * what belongs to it. */
#include "clcontrast/train.h"
#include "core/config_schema.h"
#include "core/log.h"
#include "core/path.h"
#include "core/text.h"
#include "method/setup.h"
#include "model/weights.h"
#include "train/callbacks.h"

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

/* What belongs to the encoder and its data; the rest begins as by default. */
static void take_over(const clc_config *run, clc_config *config) {
    config->data = run->data;
    config->augmentation = run->augmentation;
    config->tokens.tokenizer = run->tokens.tokenizer;
    config->tokens.vocabulary = run->tokens.vocabulary;
    config->tokens.lowercase = run->tokens.lowercase;
    config->encoder = run->encoder;
    config->projector = run->projector;
    config->training.seed = run->training.seed;
    config->evaluation = run->evaluation;
    config->device = run->device;
}

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

/* "<run>/finetune-1-percent", "<run>/scratch-10-per-class": the folder of a file is where it lies.
 */
static clc_status choose_folder(const char *run, const clc_config *config, char *folder,
                                size_t size) {
    struct stat info;
    const char *slash = strrchr(run, '/');
    const bool inside = stat(run, &info) == 0 && S_ISDIR(info.st_mode);
    const bool scratch = config->finetune.from == CLC_CONFIG_START_SCRATCH;
    double share;
    int each;
    clc_config_labels(&config->finetune, &share, &each);
    return clc_text_format(folder, size, "%.*s/%s-%.6g-%s",
                           inside  ? (int)strlen(run)
                           : slash ? (int)(slash - run)
                                   : 1,
                           inside || slash ? run : ".", scratch ? "scratch" : "finetune",
                           each ? each : 100 * share, each ? "per-class" : "percent");
}

static clc_status make_config(const char *run, const char *data, const clc_train_options *options,
                              clc_config *config) {
    clc_status status = CLC_OK;
    clc_config was;
    clc_names classes = {0};
    char weights[CLC_PATH_BYTES];
    CLC_TRY(clc_weights_path(run, weights));
    CLC_TRY(clc_encoder_config(weights, NULL, 0, &was, &classes));
    CLC_TRY(clc_config_load(NULL, NULL, 0, config));
    take_over(&was, config);
    CLC_TRY(clc_config_override(recipe, RECIPE, config));
    CLC_TRY(take_optimizer(&was, config));
    config->evaluation.baselines = false;
    if (data)
        CLC_TRY(clc_config_transfer(config, data));
    CLC_TRY(clc_text_format(config->encoder.weights, sizeof config->encoder.weights, "%s", run));
    *config->output.folder = '\0';
    CLC_TRY(clc_config_add(options->config, options->overrides, options->override_count, config));
    if (!*config->output.folder)
        CLC_TRY(choose_folder(run, config, config->output.folder, sizeof config->output.folder));
    if (config->finetune.from == CLC_CONFIG_START_SCRATCH)
        *config->encoder.weights = '\0';
fail:
    clc_names_free(&classes);
    return status;
}

/* Every key as an override. */
static clc_status train_as(const clc_config *config, const clc_train_options *given) {
    enum { OVERRIDE = CLC_CONFIG_TEXT_BYTES + 128 };
    clc_status status = CLC_OK;
    clc_train_options options = *given;
    char(*texts)[OVERRIDE] = NULL;
    const char **overrides = NULL;
    size_t n = 0;
    CLC_NEW(texts, CLC_CONFIG_KEYS_MAX);
    CLC_NEW(overrides, CLC_CONFIG_KEYS_MAX);
    for (const clc_config_key *key = clc_config_keys; key->name; key++) {
        char value[CLC_CONFIG_TEXT_BYTES];
        clc_config_format(key, config, value, sizeof value);
        CLC_TRY(clc_text_format(texts[n], OVERRIDE, "%s.%s=%s", key->section, key->name, value));
        overrides[n] = texts[n];
        n++;
    }
    options.config = NULL;
    options.overrides = overrides;
    options.override_count = n;
    status = clc_train(&options);
fail:
    free(texts);
    free(overrides);
    return status;
}

static clc_status finetune(const char *run, const char *data, const clc_train_options *options) {
    clc_status status = CLC_OK;
    clc_config config;
    CLC_TRY(make_config(run, data, options, &config));
    clc_log("%s %s, labels %s, into %s",
            *config.encoder.weights ? "fine-tuning" : "from scratch, as", run,
            config.finetune.labels, config.output.folder);
    status = train_as(&config, options);
fail:
    return status;
}

clc_status clc_finetune(const char *run, const char *data, const clc_train_options *options) {
    const clc_callbacks callbacks = clc_callbacks_of_training(options);
    clc_status status = clc_callbacks_enter(&callbacks);
    if (status != CLC_OK)
        return status;
    status = finetune(run, data, options);
    clc_callbacks_leave(&callbacks);
    return status;
}
