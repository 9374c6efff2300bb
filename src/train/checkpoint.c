#include "train/checkpoint.h"

#include "core/file.h"
#include "data/safetensors.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char file_kind[] = "clcontrast checkpoint 1";

/* A growing list of host copies of tensors. */
typedef struct tensor_list {
    clc_st_tensor *items;
    char (*names)[128];
    size_t count, capacity;
} tensor_list;

static void list_free(tensor_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free((void *)list->items[i].data);
    free(list->items);
    free(list->names);
}

static clc_status list_make(tensor_list *list, size_t capacity) {
    clc_status status = CLC_OK;
    CLC_NEW(list->items, capacity);
    CLC_NEW(list->names, capacity);
    list->capacity = capacity;
fail:
    return status;
}

/* Appends the tensor of `param` that lies in `buffer`, as `prefix` + name. */
static clc_status list_add(tensor_list *list, clc_device *device, const clc_param *param,
                           cl_mem buffer, size_t offset, const char *prefix, const char *name) {
    clc_status status = CLC_OK;
    float *data = NULL;
    clc_st_tensor *item = &list->items[list->count];
    CLC_NEW(data, param->count);
    CLC_TRY(clc_param_read(param, device, buffer, offset, data));
    snprintf(list->names[list->count], sizeof *list->names, "%s%s", prefix, name);
    *item = (clc_st_tensor){
        .name = list->names[list->count], .dtype = CLC_F32, .rank = param->rank, .data = data};
    clc_param_outer_shape(param, item->shape);
    list->count++;
    return CLC_OK;
fail:
    free(data);
    return status;
}

static clc_status list_params(tensor_list *list, clc_device *device, const clc_params *params,
                              const char *prefix) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        CLC_TRY(list_add(list, device, param, param->value, 0, prefix, param->name));
        for (int s = 0; s < params->states && clc_param_trainable(param); s++) {
            char state[32];
            snprintf(state, sizeof state, "optimizer.%d.", s);
            size_t offset = ((size_t)s * params->trainable + param->offset) * sizeof(float);
            CLC_TRY(list_add(list, device, param, params->state, offset, state, param->name));
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

static clc_status list_state(tensor_list *list, clc_step *step) {
    clc_status status = CLC_OK;
    clc_wiring_state states[CLC_WIRING_STATES];
    const int n = clc_wiring_states(&step->wiring, states);
    CLC_TRY(list_params(list, step->device, &step->wiring.params, ""));
    CLC_TRY(list_params(list, step->device, &step->wiring.teacher, teacher_prefix));
    for (int i = 0; i < n; i++) {
        const clc_param param = as_param(&states[i]);
        CLC_TRY(list_add(list, step->device, &param, states[i].data, 0, "", param.name));
    }
fail:
    return status;
}

/* The most tensors that list_state makes. */
static size_t count_state(const clc_step *step) {
    const clc_wiring *w = &step->wiring;
    return w->params.count * (size_t)(1 + w->params.states) + w->teacher.count + CLC_WIRING_STATES;
}

/* The effective configuration as text; the caller frees it. */
static clc_status config_text(const clc_config *config, char **text) {
    size_t size = 0;
    *text = NULL;
    FILE *file = open_memstream(text, &size);
    if (!file)
        return clc_fail_alloc(4096);
    clc_status status = clc_config_write(config, file);
    fclose(file);
    return status;
}

static clc_status save(const char *path, clc_step *step, const clc_position *position) {
    clc_status status = CLC_OK;
    tensor_list list = {0};
    char *text = NULL, *tuning = NULL, done[32], best[40], loss[40];
    CLC_TRY(list_make(&list, count_state(step)));
    CLC_TRY(list_state(&list, step));
    CLC_TRY(config_text(step->config, &text));
    CLC_TRY(clc_tuning_text(step->device->tuning, true, &tuning));
    snprintf(done, sizeof done, "%" PRId64, position->step);
    snprintf(best, sizeof best, "%.17g", position->best);
    snprintf(loss, sizeof loss, "%.17g", position->epoch_loss);
    const char *const metadata[][2] = {{"kind", file_kind},  {"step", done},   {"best", best},
                                       {"epoch_loss", loss}, {"config", text}, {"tuning", tuning}};
    CLC_TRY(clc_safetensors_write(path, list.items, list.count, metadata,
                                  sizeof metadata / sizeof *metadata, true));
fail:
    list_free(&list);
    free(text);
    free(tuning);
    return status;
}

static int64_t step_of_name(const char *name) {
    int64_t step = -1;
    int length = 0;
    if (sscanf(name, "checkpoint-%" SCNd64 ".safetensors%n", &step, &length) != 1 || !length ||
        name[length])
        return -1;
    return step;
}

/* The newest checkpoint with a step below `before`; -1 if none. */
static int64_t find_step(const char *folder, int64_t before) {
    int64_t newest = -1;
    DIR *directory = opendir(folder);
    if (!directory)
        return -1;
    for (struct dirent *entry; (entry = readdir(directory));) {
        int64_t step = step_of_name(entry->d_name);
        if (step > newest && step < before)
            newest = step;
    }
    closedir(directory);
    return newest;
}

static void path_of(const char *folder, int64_t step, char *path, size_t size) {
    snprintf(path, size, "%s/checkpoint-%08" PRId64 ".safetensors", folder, step);
}

clc_status clc_checkpoint_find(const char *folder, int64_t before, char *path, size_t size) {
    int64_t step = find_step(folder, before < 0 ? INT64_MAX : before);
    if (step < 0)
        return clc_fail(CLC_IO, "no checkpoint in '%s'; start the run without --resume", folder);
    path_of(folder, step, path, size);
    return CLC_OK;
}

clc_status clc_checkpoint_before(const char *folder, const char *path, char *before, size_t size) {
    const char *name = strrchr(path, '/');
    int64_t step = step_of_name(name ? name + 1 : path);
    return clc_checkpoint_find(folder, step > 0 ? step : 0, before, size);
}

clc_status clc_checkpoint_save(const char *folder, clc_step *step, const clc_position *position,
                               int keep) {
    clc_status status = CLC_OK;
    char path[1024];
    path_of(folder, position->step, path, sizeof path);
    CLC_TRY(save(path, step, position));
    int64_t kept = INT64_MAX;
    for (int i = 0; i < keep && kept >= 0; i++)
        kept = find_step(folder, kept);
    for (int64_t old; kept >= 0 && (old = find_step(folder, kept)) >= 0;) {
        path_of(folder, old, path, sizeof path);
        if (unlink(path) != 0)
            break;
    }
fail:
    return status;
}

clc_status clc_checkpoint_save_best(const char *folder, clc_step *step,
                                    const clc_position *position) {
    char path[1024];
    snprintf(path, sizeof path, "%s/best.safetensors", folder);
    return save(path, step, position);
}

clc_status clc_checkpoint_tuning(const char *folder, const char *path, char **text) {
    clc_safetensors *st = NULL;
    char newest[1024];
    *text = NULL;
    if (!path && clc_checkpoint_find(folder, -1, newest, sizeof newest) != CLC_OK)
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

static clc_status load_tensor(const clc_safetensors *st, const char *path, const clc_param *param,
                              clc_device *device, cl_mem buffer, size_t offset, const char *name) {
    const clc_st_tensor *tensor = clc_safetensors_find(st, name);
    size_t shape[4];
    if (!tensor)
        return clc_fail(CLC_FORMAT, "%s: tensor '%s' is missing; the file is of another network",
                        path, name);
    clc_param_outer_shape(param, shape);
    bool same = tensor->dtype == CLC_F32 && tensor->rank == param->rank;
    for (int d = 0; same && d < param->rank; d++)
        same = tensor->shape[d] == shape[d];
    if (!same)
        return clc_fail(CLC_FORMAT,
                        "%s: tensor '%s' has another shape than the configuration's network", path,
                        name);
    return clc_param_write(param, device, buffer, offset, tensor->data);
}

static clc_status load_params(const clc_safetensors *st, const char *path, clc_device *device,
                              const clc_params *params, const char *prefix) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        char name[160];
        snprintf(name, sizeof name, "%s%s", prefix, param->name);
        CLC_TRY(load_tensor(st, path, param, device, param->value, 0, name));
        for (int s = 0; s < params->states && clc_param_trainable(param); s++) {
            snprintf(name, sizeof name, "optimizer.%d.%s", s, param->name);
            size_t offset = ((size_t)s * params->trainable + param->offset) * sizeof(float);
            CLC_TRY(load_tensor(st, path, param, device, params->state, offset, name));
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
        CLC_TRY(load_tensor(st, path, &param, step->device, states[i].data, 0, param.name));
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

/* Appends num_batches_tracked behind every running variance, as PyTorch counts. */
static clc_status list_count(tensor_list *list, const char *name, int64_t steps) {
    clc_status status = CLC_OK;
    int64_t *data = NULL;
    CLC_NEW(data, 1);
    *data = steps;
    const char *suffix = strstr(name, "running_var");
    snprintf(list->names[list->count], sizeof *list->names, "%.*snum_batches_tracked",
             (int)(suffix - name), name);
    list->items[list->count] =
        (clc_st_tensor){.name = list->names[list->count], .dtype = CLC_I64, .data = data};
    list->count++;
fail:
    return status;
}

static const char encoder_prefix[] = "encoder.";

/* The encoder's parameters lose their prefix, the projector's keep it. */
static const char *name_outside(const char *name) {
    const size_t skip = sizeof encoder_prefix - 1;
    return strncmp(name, encoder_prefix, skip) ? name : name + skip;
}

clc_status clc_encoder_save(const char *path, const clc_params *params, clc_device *device,
                            const clc_config *config, int64_t steps) {
    clc_status status = CLC_OK;
    tensor_list list = {0};
    char *text = NULL;
    CLC_TRY(list_make(&list, params->count * 2));
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        const char *name = name_outside(param->name);
        if (!clc_param_is_kept(config, param->name))
            continue;
        CLC_TRY(list_add(&list, device, param, param->value, 0, "", name));
        if (param->kind == CLC_PARAM_NORM_VARIANCE)
            CLC_TRY(list_count(&list, name, steps));
    }
    CLC_TRY(config_text(config, &text));
    const char *const metadata[][2] = {{"format", "pt"}, {"config", text}};
    CLC_TRY(clc_safetensors_write(path, list.items, list.count, metadata, 2, true));
fail:
    list_free(&list);
    free(text);
    return status;
}

clc_status clc_encoder_load(const char *path, clc_params *params, clc_device *device) {
    clc_status status = CLC_OK;
    clc_safetensors *st = NULL;
    CLC_TRY(clc_safetensors_open(path, &st));
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        const char *outside = name_outside(param->name);
        const char *name = clc_safetensors_find(st, param->name) ? param->name : outside;
        CLC_TRY(load_tensor(st, path, param, device, param->value, 0, name));
    }
fail:
    clc_safetensors_close(&st);
    return status;
}
