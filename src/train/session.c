#include "train/session.h"

#include "core/clock.h"
#include "core/log.h"
#include "data/labelled.h"
#include "device/open.h"
#include "device/program.h"
#include "method/setup.h"
#include "model/run_tokenizer.h"
#include "model/weights.h"
#include "train/memory.h"
#include "train/resume.h"

/* Numbers of words mean what they meant to the weights: of the run that is resumed, that a tower
 * starts from, or that is its teacher. */
static clc_status load_tokenizer(clc_session *session) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    if (session->checkpoint)
        return clc_run_tokenizer_load(session->checkpoint->path, &session->tokenizer);
    for (int i = 0; i < CLC_TOWERS && !session->tokenizer; i++) {
        const char *weights = clc_tower_at(&session->config, i).encoder->weights;
        if (!*weights)
            continue;
        CLC_TRY(clc_weights_path(weights, path));
        CLC_TRY(clc_run_tokenizer_load(path, &session->tokenizer));
    }
    if (*session->config.finetune.teacher && !session->tokenizer) {
        CLC_TRY(clc_weights_path(session->config.finetune.teacher, path));
        CLC_TRY(clc_run_tokenizer_load(path, &session->tokenizer));
    }
fail:
    return status;
}

/* Training samples, and test samples where they are named; each file is read once. */
static clc_status load_data(clc_session *session) {
    clc_config *config = &session->config;
    clc_status status = CLC_OK;
    bool named = false;
    const clc_method *method = clc_method_find(clc_config_choice(config, "method", "name"));
    if (!session->data) {
        CLC_TRY(clc_config_require_data(config));
        if (method->towers == 2 && config->data.as == CLC_CONFIG_AS_AUTO)
            config->data.as = CLC_CONFIG_AS_PAIRS;
        CLC_TRY(load_tokenizer(session));
        CLC_TRY(clc_dataset_open_with(config, CLC_SPLIT_TRAIN, NULL, session->tokenizer,
                                      &session->data));
        CLC_TRY(clc_labels_limit(config, session->data));
        named = clc_dataset_has_test(config, session->data);
    }
    const clc_dataset *data = session->data;
    CLC_TRY(clc_config_settle(config, data));
    if (data->count < (size_t)config->training.batch)
        return clc_fail(
            CLC_INVALID,
            "training.batch is %d but there are only %zu training samples; use a smaller batch",
            config->training.batch, data->count);
    /* Test images are brought to the training images' form. */
    if (named)
        CLC_TRY(clc_dataset_open(config, CLC_SPLIT_TEST, data, &session->test));
fail:
    return status;
}

/* What the run to be resumed was built with, else what was measured on the device. */
static clc_status load_tuning(clc_session *session) {
    if (session->checkpoint && session->checkpoint->tuning)
        return clc_tuning_parse(session->device->tuning, session->checkpoint->tuning);
    if (session->config.device.tuned)
        return clc_tuning_load(session->device->tuning, &session->device->info);
    return CLC_OK;
}

clc_status clc_session_plan(clc_session *session, const clc_train_options *options,
                            clc_dataset *data) {
    clc_status status = CLC_OK;
    clc_step *step = &session->step;
    *session = (clc_session){.started = clc_seconds(), .data = data};
    CLC_TRY(clc_config_load(options->config, options->overrides, options->override_count,
                            &session->config));
    if (options->resume)
        CLC_TRY(clc_resume_open(options, &session->config, &session->checkpoint));
    CLC_TRY(load_data(session));
    CLC_TRY(clc_device_open_as(options->device, &session->config.device, &session->device));
    CLC_TRY(load_tuning(session));
    clc_log("device %d: %s (%s, %u compute units)", session->device->info.number,
            session->device->info.name, session->device->info.opencl,
            session->device->info.compute_units);
    CLC_TRY(clc_step_plan(step, session->device, &session->config, session->data));
    CLC_TRY(clc_memory_check(step, session->data));
    CLC_TRY(clc_step_allocate(step, session->data));
    CLC_TRY(clc_step_build(step));
    const clc_evaluation_sets sets = clc_session_sets(session);
    CLC_TRY(clc_evaluation_request(session->device, &session->config, &sets));
fail:
    return status;
}

clc_status clc_session_open(clc_session *session, const clc_train_options *options,
                            clc_dataset *data) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_session_plan(session, options, data));
    clc_programs_start(session->device);
    CLC_TRY(clc_wiring_initialise(&session->step.wiring, session->config.training.seed,
                                  !options->resume));
    session->prepare_seconds = clc_seconds() - session->started;
    clc_log("ready after %.2f s", session->prepare_seconds);
fail:
    return status;
}

void clc_session_close(clc_session *session) {
    clc_step_release(&session->step);
    clc_device_close(&session->device);
    clc_dataset_free(&session->data);
    clc_checkpoint_close(&session->checkpoint);
    clc_dataset_free(&session->test);
    clc_tokenizer_free(&session->tokenizer);
}
