#include "train/checkpoint.h"

#include "model/run_folder.h"
#include "model/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char file_kind[] = "clcontrast checkpoint 1";

static clc_status list_params(clc_tensor_list *list, clc_device *device, const clc_params *params,
                              const char *prefix) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        CLC_TRY(clc_tensor_list_add(list, device, param, param->value, 0, prefix, param->name));
        for (int s = 0; s < params->states && clc_param_trainable(param); s++) {
            char state[32];
            snprintf(state, sizeof state, "optimizer.%d.", s);
            size_t offset = ((size_t)s * params->trainable + param->offset) * sizeof(float);
            CLC_TRY(clc_tensor_list_add(list, device, param, params->state, offset, state,
                                        param->name));
        }
    }
fail:
    return status;
}

/* A method's own tensor, such as a queue, as a parameter whose layout stays. */
static clc_param as_param(const clc_wiring_state *state) {
    clc_param param = {.kind = CLC_PARAM_CONSTANT,
                       .rank = 2,
                       .shape = {state->rows, state->dim},
                       .count = (size_t)state->rows * (size_t)state->dim};
    snprintf(param.name, sizeof param.name, "method.%s", state->name);
    return param;
}

static const char teacher_prefix[] = "teacher.";

static clc_status list_state(clc_tensor_list *list, clc_step *step) {
    clc_status status = CLC_OK;
    clc_wiring_state states[CLC_WIRING_STATES];
    const int n = clc_wiring_states(&step->wiring, states);
    CLC_TRY(list_params(list, step->device, &step->wiring.params, ""));
    CLC_TRY(list_params(list, step->device, &step->wiring.teacher, teacher_prefix));
    for (int i = 0; i < n; i++) {
        const clc_param param = as_param(&states[i]);
        CLC_TRY(clc_tensor_list_add(list, step->device, &param, states[i].data, 0, "", param.name));
    }
fail:
    return status;
}

/* The most tensors that list_state makes. */
static size_t count_state(const clc_step *step) {
    const clc_wiring *w = &step->wiring;
    return w->params.count * (size_t)(1 + w->params.states) + w->teacher.count + CLC_WIRING_STATES;
}

static clc_status save(const char *path, clc_step *step, const clc_position *position) {
    clc_status status = CLC_OK;
    clc_tensor_list list = {0};
    char *text = NULL, *tuning = NULL, done[32], best[40], loss[40];
    CLC_TRY(clc_tensor_list_make(&list, count_state(step)));
    CLC_TRY(list_state(&list, step));
    CLC_TRY(clc_config_text(step->config, &text, NULL));
    CLC_TRY(clc_tuning_text(step->device->tuning, true, &tuning));
    snprintf(done, sizeof done, "%" PRId64, position->step);
    snprintf(best, sizeof best, "%.17g", position->best);
    snprintf(loss, sizeof loss, "%.17g", position->epoch_loss);
    const char *const metadata[][2] = {{"kind", file_kind},  {"step", done},   {"best", best},
                                       {"epoch_loss", loss}, {"config", text}, {"tuning", tuning}};
    CLC_TRY(clc_safetensors_write(path, list.items, list.count, metadata,
                                  sizeof metadata / sizeof *metadata, true));
fail:
    clc_tensor_list_free(&list);
    free(text);
    free(tuning);
    return status;
}

clc_status clc_checkpoint_save(const char *folder, clc_step *step, const clc_position *position,
                               int keep) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    CLC_TRY(clc_checkpoint_path(folder, position->step, path));
    CLC_TRY(save(path, step, position));
    int64_t kept = INT64_MAX;
    for (int i = 0; i < keep && kept >= 0; i++)
        kept = clc_checkpoint_step(folder, kept);
    for (int64_t old; kept >= 0 && (old = clc_checkpoint_step(folder, kept)) >= 0;) {
        CLC_TRY(clc_checkpoint_path(folder, old, path));
        if (unlink(path) != 0)
            break;
    }
fail:
    return status;
}

clc_status clc_checkpoint_save_best(const char *folder, clc_step *step,
                                    const clc_position *position) {
    char path[CLC_PATH_BYTES];
    const clc_status status = clc_run_path(folder, CLC_RUN_BEST, path);
    return status == CLC_OK ? save(path, step, position) : status;
}

clc_status clc_checkpoint_tuning(const char *folder, const char *path, char **text) {
    clc_safetensors *st = NULL;
    char newest[CLC_PATH_BYTES];
    *text = NULL;
    if (!path && clc_checkpoint_find(folder, -1, newest) != CLC_OK)
        return CLC_OK;
    /* A damaged file is the affair of clc_checkpoint_load. */
    if (clc_safetensors_open_verified(path ? path : newest, &st) != CLC_OK)
        return CLC_OK;
    const char *recorded = clc_safetensors_metadata(st, "tuning");
    *text = recorded ? strdup(recorded) : NULL;
    const bool copied = !recorded || *text;
    clc_safetensors_close(&st);
    return copied ? CLC_OK : clc_fail_alloc(4096);
}

static clc_status load_params(const clc_safetensors *st, const char *path, clc_device *device,
                              const clc_params *params, const char *prefix) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        char name[160];
        snprintf(name, sizeof name, "%s%s", prefix, param->name);
        CLC_TRY(clc_tensor_load(st, path, param, device, param->value, 0, name));
        for (int s = 0; s < params->states && clc_param_trainable(param); s++) {
            snprintf(name, sizeof name, "optimizer.%d.%s", s, param->name);
            size_t offset = ((size_t)s * params->trainable + param->offset) * sizeof(float);
            CLC_TRY(clc_tensor_load(st, path, param, device, params->state, offset, name));
        }
    }
fail:
    return status;
}

static clc_status load_state(const clc_safetensors *st, const char *path, clc_step *step) {
    clc_status status = CLC_OK;
    clc_wiring_state states[CLC_WIRING_STATES];
    const int n = clc_wiring_states(&step->wiring, states);
    CLC_TRY(load_params(st, path, step->device, &step->wiring.params, ""));
    CLC_TRY(load_params(st, path, step->device, &step->wiring.teacher, teacher_prefix));
    for (int i = 0; i < n; i++) {
        const clc_param param = as_param(&states[i]);
        CLC_TRY(clc_tensor_load(st, path, &param, step->device, states[i].data, 0, param.name));
    }
fail:
    return status;
}

static double number_of(const clc_safetensors *st, const char *key) {
    const char *text = clc_safetensors_metadata(st, key);
    return text ? strtod(text, NULL) : NAN;
}

clc_status clc_checkpoint_load(const char *path, clc_step *step, clc_position *position) {
    clc_status status = CLC_OK;
    clc_safetensors *st = NULL;
    CLC_TRY(clc_safetensors_open_verified(path, &st));
    const char *kind = clc_safetensors_metadata(st, "kind");
    if (!kind || strcmp(kind, file_kind) != 0) {
        status = clc_fail(CLC_FORMAT, "%s: not a checkpoint of this program (%s)", path,
                          kind ? kind : "no kind");
        goto fail;
    }
    CLC_TRY(load_state(st, path, step));
    position->step = (int64_t)number_of(st, "step");
    position->best = number_of(st, "best");
    position->epoch_loss = number_of(st, "epoch_loss");
fail:
    clc_safetensors_close(&st);
    return status;
}
