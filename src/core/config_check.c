/* What no key alone can tell: values that contradict each other. */
#include "core/config_schema.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CONTRADICTION(first, second, advice)                                                       \
    contradiction(config, keys, offsetof(clc_config, first), offsetof(clc_config, second), advice)

static const clc_config_key *key_at(size_t offset) {
    const clc_config_key *key = clc_config_keys;
    while (key->name && key->offset != offset)
        key++;
    assert(key->name);
    return key;
}

static clc_status contradiction(const clc_config *config, const clc_config_key *keys[2],
                                size_t first, size_t second, const char *advice) {
    char texts[2][CLC_CONFIG_TEXT_BYTES];
    keys[0] = key_at(first);
    keys[1] = key_at(second);
    for (int i = 0; i < 2; i++)
        clc_config_format(keys[i], config, texts[i], sizeof texts[i]);
    return clc_fail(CLC_INVALID, "%s.%s = %s contradicts %s.%s = %s: %s", keys[0]->section,
                    keys[0]->name, texts[0], keys[1]->section, keys[1]->name,
                    texts[1][0] ? texts[1] : "(empty)", advice);
}

static clc_status check_data(const clc_config *config, const clc_config_key *keys[2]) {
    int limit = config->data.limit;
    if (limit != 0 && limit < config->training.batch && !config->finetune.lower_batch)
        return CONTRADICTION(data.limit, training.batch,
                             "there would be no full batch; raise the limit or lower the batch");
    if (config->data.train[0] && config->data.train_images[0])
        return CONTRADICTION(data.train, data.train_images, "give one of them");
    if (config->data.test[0] && config->data.test_images[0])
        return CONTRADICTION(data.test, data.test_images, "give one of them");
    if (config->data.test_labels[0] && !config->data.test_images[0] && !config->data.test[0])
        return CONTRADICTION(data.test_labels, data.test,
                             "labels without images; give both or neither");
    if (config->data.train_labels[0] && !config->data.train_images[0] && !config->data.train[0])
        return CONTRADICTION(data.train_labels, data.train,
                             "labels without images; give both or neither");
    if (config->data.test_fraction > 0 && (config->data.test[0] || config->data.test_images[0]))
        return CONTRADICTION(data.test_fraction, data.test,
                             "the test set is given, or it is a part of data.train");
    if (config->data.range.count == 1)
        return CONTRADICTION(data.range, data.range, "give the values of black and of white");
    if (config->augmentation.mean.count != config->augmentation.std.count)
        return CONTRADICTION(augmentation.mean, augmentation.std,
                             "give as many of one as of the other, or leave both empty");
    return CLC_OK;
}

static clc_status check_tokens(const clc_config *config, const clc_config_key *keys[2]) {
    if (config->tokens.synonym > 0 && !config->tokens.synonyms[0])
        return CONTRADICTION(tokens.synonym, tokens.synonyms, "give the file of synonyms");
    return CLC_OK;
}

/* The named ones have their sizes. */
static clc_status check_vit(const clc_config *config, const clc_config_key *keys[2]) {
    static const char advice[] = "the name sets it; use name = vit, or 0";
    const int name = config->encoder.name;
    if (name != CLC_CONFIG_ENCODER_VIT_TINY && name != CLC_CONFIG_ENCODER_VIT_SMALL &&
        name != CLC_CONFIG_ENCODER_VIT_BASE)
        return CLC_OK;
    if (config->encoder.width)
        return CONTRADICTION(encoder.width, encoder.name, advice);
    if (config->encoder.depth)
        return CONTRADICTION(encoder.depth, encoder.name, advice);
    if (config->encoder.heads)
        return CONTRADICTION(encoder.heads, encoder.name, advice);
    return CLC_OK;
}

static clc_status check_encoder(const clc_config *config, const clc_config_key *keys[2]) {
    bool custom = config->encoder.name == CLC_CONFIG_ENCODER_CUSTOM;
    bool automatic = config->encoder.block == CLC_CONFIG_BLOCK_AUTO;
    if (custom && config->encoder.blocks.count == 0)
        return CONTRADICTION(encoder.name, encoder.blocks,
                             "give the blocks of each stage, such as 2, 2, 2, 2");
    if (custom && automatic)
        return CONTRADICTION(encoder.name, encoder.block, "choose basic or bottleneck");
    if (!custom && config->encoder.blocks.count > 0)
        return CONTRADICTION(encoder.blocks, encoder.name,
                             "the name sets the blocks; use name = custom or leave them empty");
    if (!custom && !automatic)
        return CONTRADICTION(encoder.block, encoder.name,
                             "the name sets the kind; use name = custom or block = auto");
    return check_vit(config, keys);
}

static clc_status check_optimizer(const clc_config *config, const clc_config_key *keys[2]) {
    bool step = config->optimizer.schedule == CLC_CONFIG_SCHEDULE_STEP;
    const clc_ints *epochs = &config->optimizer.step_epochs;
    if (config->optimizer.warmup_epochs > config->training.epochs)
        return CONTRADICTION(optimizer.warmup_epochs, training.epochs,
                             "warm-up would not end; lower it or train for longer");
    if (config->optimizer.nesterov && config->optimizer.name != CLC_CONFIG_OPTIMIZER_SGD)
        return CONTRADICTION(optimizer.nesterov, optimizer.name, "only sgd can look ahead");
    if (config->optimizer.nesterov && !(config->optimizer.momentum > 0))
        return CONTRADICTION(optimizer.nesterov, optimizer.momentum,
                             "there is no momentum to look ahead by");
    if (step && epochs->count == 0)
        return CONTRADICTION(optimizer.schedule, optimizer.step_epochs,
                             "give the epochs after which the rate falls");
    if (!step && epochs->count > 0)
        return CONTRADICTION(optimizer.step_epochs, optimizer.schedule,
                             "only schedule = step uses them; leave them empty");
    for (size_t i = 1; i < epochs->count; i++)
        if (epochs->values[i] <= epochs->values[i - 1])
            return CONTRADICTION(optimizer.step_epochs, optimizer.schedule,
                                 "each epoch must be greater than the one before");
    if (step && epochs->values[0] < config->optimizer.warmup_epochs)
        return CONTRADICTION(optimizer.step_epochs, optimizer.warmup_epochs,
                             "the rate would fall before it has grown; lower warm-up");
    return CLC_OK;
}

static clc_status check_method(const clc_config *config, const clc_config_key *keys[2]) {
    const int micro = config->training.micro_batch;
    if (micro && (micro > config->training.batch || config->training.batch % micro))
        return CONTRADICTION(training.micro_batch, training.batch,
                             "the batch must be a multiple of the micro-batch");
    if (config->method.crops.count != config->method.crop_sizes.count)
        return CONTRADICTION(method.crops, method.crop_sizes,
                             "give a number of views for each crop size");
    if (config->projector.keep > 0 &&
        (!config->projector.enabled ||
         (size_t)config->projector.keep > config->projector.hidden.count))
        return CONTRADICTION(projector.keep, projector.hidden,
                             "there are not so many hidden layers to keep");
    if (config->projector.last_batchnorm == false && !config->projector.last_affine)
        return CONTRADICTION(projector.last_affine, projector.last_batchnorm,
                             "there is no batch-norm to leave without scale and shift");
    return CLC_OK;
}

bool clc_config_labels(const clc_config_finetune *finetune, double *share, int *each) {
    char *end;
    const double value = strtod(finetune->labels, &end);
    const bool percent = *end == '%';
    *share = percent ? value / 100 : 1;
    *each = 0;
    if (end == finetune->labels || end[percent] || !(value > 0) || value > (percent ? 100 : 1e9))
        return false;
    if (!percent)
        *each = (int)value;
    return percent || (double)*each == value;
}

static clc_status check_finetune(const clc_config *config, const clc_config_key *keys[2]) {
    double share;
    int each;
    if (!clc_config_labels(&config->finetune, &share, &each))
        return CONTRADICTION(finetune.labels, finetune.labels,
                             "give a share above 0 up to 100, such as 1%, or how many samples of "
                             "each class, such as 10");
    if (config->finetune.teacher[0] && config->method.name != CLC_CONFIG_METHOD_supervised)
        return CONTRADICTION(finetune.teacher, method.name,
                             "only supervised learns from a teacher");
    if (config->finetune.teacher[0] && config->loss.name != CLC_CONFIG_LOSS_auto &&
        config->loss.name != CLC_CONFIG_LOSS_distillation)
        return CONTRADICTION(finetune.teacher, loss.name, "use loss.name = auto");
    if (config->finetune.from == CLC_CONFIG_START_SCRATCH && config->encoder.frozen_layers > 0)
        return CONTRADICTION(encoder.frozen_layers, finetune.from,
                             "frozen layers would stay random; use 0, or from = run");
    return CLC_OK;
}

clc_status clc_config_check(const clc_config *config, const clc_config_key *keys[2]) {
    clc_status status = CLC_OK;
    keys[0] = keys[1] = NULL;
    CLC_TRY(check_data(config, keys));
    CLC_TRY(check_tokens(config, keys));
    CLC_TRY(check_encoder(config, keys));
    CLC_TRY(check_optimizer(config, keys));
    CLC_TRY(check_method(config, keys));
    CLC_TRY(check_finetune(config, keys));
fail:
    return status;
}

clc_status clc_config_validate(const clc_config *config) {
    const clc_config_key *keys[2];
    return clc_config_check(config, keys);
}

clc_status clc_config_require_data(const clc_config *config) {
    if (!config->data.train[0] && !config->data.train_images[0])
        return clc_fail(CLC_INVALID,
                        "data.train is not given; name a folder, list, archive or file "
                        "of images in section [data] or with --set data.train=PATH");
    return CLC_OK;
}
