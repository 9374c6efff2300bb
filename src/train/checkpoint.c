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
    char *text = NULL, *tuning = NULL, done[32], renumbered[32], images[32], best[40], loss[40];
    CLC_TRY(clc_tensor_list_make(&list, count_state(step)));
    CLC_TRY(list_state(&list, step));
    CLC_TRY(clc_config_text(step->config, &text, NULL));
    CLC_TRY(clc_tuning_text(step->device->tuning, true, &tuning));
    snprintf(done, sizeof done, "%" PRId64, position->step);
    snprintf(renumbered, sizeof renumbered, "%" PRId64, position->renumbered);
    snprintf(images, sizeof images, "%" PRId64, position->images);
    snprintf(best, sizeof best, "%.17g", position->best);
    snprintf(loss, sizeof loss, "%.17g", position->epoch_loss);
    const char *const metadata[][2] = {
        {CLC_WEIGHTS_VERSION, clc_version()},
        {"kind", file_kind},
        {"step", done},
        {"renumbered", renumbered},
        {"images", images},
        {"best", best},
        {"epoch_loss", loss},
        {"config", text},
        {"tuning", tuning},
        {"device", step->device->info.name},
    };
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
    CLC_TRY(clc_checkpoint_path(folder, position->step + position->renumbered, path));
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

/* Whole numbers that older files lack are `fallback`. */
static int64_t integer_of(const clc_safetensors *st, const char *key, int64_t fallback) {
    const char *text = clc_safetensors_metadata(st, key);
    return text ? strtoll(text, NULL, 10) : fallback;
}

clc_status clc_checkpoint_open(const char *path, clc_checkpoint **checkpoint) {
    clc_status status = CLC_OK;
    clc_checkpoint *c = NULL;
    CLC_NEW(c, 1);
    CLC_TRY(clc_path_format(c->path, "%s", path));
    CLC_TRY(clc_safetensors_open_verified(path, &c->file));
    const char *kind = clc_safetensors_metadata(c->file, "kind");
    const char *config = clc_safetensors_metadata(c->file, "config");
    c->tuning = clc_safetensors_metadata(c->file, "tuning");
    c->device = clc_safetensors_metadata(c->file, "device");
    c->position = (clc_position){.step = integer_of(c->file, "step", -1),
                                 .renumbered = integer_of(c->file, "renumbered", 0),
                                 .images = integer_of(c->file, "images", 0),
                                 .best = number_of(c->file, "best"),
                                 .epoch_loss = number_of(c->file, "epoch_loss")};
    if (!kind || strcmp(kind, file_kind) != 0 || !config || c->position.step < 0) {
        status = clc_fail(CLC_FORMAT, "%s: not a checkpoint of this program (%s)", path,
                          kind ? kind : "no kind");
        CLC_TRY(kind ? clc_fail_version(c->file, status) : status);
    }
    status = clc_config_load_text(config, path, &c->config);
    if (status != CLC_OK)
        CLC_TRY(clc_fail_version(c->file, status));
    *checkpoint = c;
    c = NULL;
fail:
    clc_checkpoint_close(&c);
    return status;
}

void clc_checkpoint_close(clc_checkpoint **checkpoint) {
    if (!*checkpoint)
        return;
    clc_safetensors_close(&(*checkpoint)->file);
    free(*checkpoint);
    *checkpoint = NULL;
}

clc_status clc_checkpoint_restore(const clc_checkpoint *checkpoint, clc_step *step) {
    const clc_status status = load_state(checkpoint->file, checkpoint->path, step);
    return status == CLC_FORMAT ? CLC_INVALID : status; /* the file is as it was written */
}
