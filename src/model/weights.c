#include "model/weights.h"

#include "core/file.h"
#include "core/log.h"
#include "data/safetensors_format.h"
#include "model/heads.h"
#include "model/run_folder.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

clc_status clc_fail_version(const clc_safetensors *st, clc_status status) {
    const char *by = clc_safetensors_metadata(st, CLC_WEIGHTS_VERSION);
    if (by && !strcmp(by, clc_version()))
        return status;
    return clc_fail_context(status, "a file of version %s, read by version %s",
                            by ? by : "0.2 or before", clc_version());
}

void clc_tensor_list_free(clc_tensor_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free((void *)list->items[i].data);
    free(list->items);
    free(list->names);
}

clc_status clc_tensor_list_make(clc_tensor_list *list, size_t capacity) {
    clc_status status = CLC_OK;
    CLC_NEW(list->items, capacity);
    CLC_NEW(list->names, capacity);
    list->capacity = capacity;
fail:
    return status;
}

clc_status clc_tensor_list_add(clc_tensor_list *list, clc_device *device, const clc_param *param,
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

clc_status clc_tensor_load(const clc_safetensors *st, const char *path, const clc_param *param,
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

/* Appends num_batches_tracked behind every running variance, as PyTorch counts. */
static clc_status list_count(clc_tensor_list *list, const char *name, int64_t steps) {
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

/* Whether the byte can't stand as it is in a line of text that may have to be ASCII. */
static bool is_odd(unsigned char byte, bool ascii) {
    return byte < 32 || byte == 127 || (ascii && byte > 127);
}

/* Class names, a line each; the caller frees them. */
static clc_status class_lines(const clc_names *classes, char **lines) {
    clc_status status = CLC_OK;
    size_t size = 0;
    *lines = NULL;
    FILE *file = open_memstream(lines, &size);
    if (!file)
        return clc_fail_alloc(4096);
    for (size_t i = 0; i < classes->count; i++) {
        const char *name = clc_names_at(classes, i);
        json_t *text = json_string(name); /* NULL if it isn't UTF-8 */
        for (const char *c = name; *c; c++)
            fprintf(file, is_odd((unsigned char)*c, !text) ? "\\x%02x" : "%c", (unsigned char)*c);
        fputc('\n', file);
        json_decref(text);
    }
    if (fclose(file) != 0)
        CLC_TRY(clc_fail_alloc(size));
fail:
    return status;
}

/* Appends an entry of `text` unless that is empty; metadata has room for it. */
static void note(const char *(*metadata)[2], size_t *n, const char *key, const char *text) {
    if (!text || !*text)
        return;
    metadata[*n][0] = key;
    metadata[*n][1] = text;
    ++*n;
}

/* The tokenizer's JSON, NULL where there is none for the file; the caller frees it. */
static clc_status tokenizer_text(const clc_tokenizer *tokenizer, char **text) {
    /* As text within the header it takes up to twice as many bytes. */
    const size_t most = CLC_ST_HEADER_MAX / 4;
    clc_status status = CLC_OK;
    if (!tokenizer)
        return CLC_OK;
    CLC_TRY(clc_tokenizer_to_json(tokenizer, text));
    if (strlen(*text) > most) {
        clc_warn("a tokenizer of %.0f MB stays outside of the file of the weights: "
                 "keep " CLC_RUN_TOKENIZER " beside it",
                 (double)strlen(*text) / 1e6);
        free(*text);
        *text = NULL;
    }
fail:
    return status;
}

/* The name of a kept parameter in a file, where a classifier's layer is called `classifier`. */
static void name_in_file(const char *classifier, const char *name, char *outside) {
    const size_t n = strlen(CLC_CLASSIFIER);
    clc_param_outside(name, outside);
    if (!strncmp(name, CLC_CLASSIFIER ".", n + 1))
        snprintf(outside, sizeof(clc_param){0}.name, "%s%s", classifier, name + n);
}

static clc_status list_kept(clc_tensor_list *list, const clc_params *params, clc_device *device,
                            const clc_config *config, int64_t steps) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_tensor_list_make(list, params->count * 2));
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        char name[sizeof param->name];
        name_in_file(clc_classifier_outside(config), param->name, name);
        if (!clc_param_is_kept(config, param->name))
            continue;
        CLC_TRY(clc_tensor_list_add(list, device, param, param->value, 0, "", name));
        if (param->kind == CLC_PARAM_NORM_VARIANCE)
            CLC_TRY(list_count(list, name, steps));
    }
fail:
    return status;
}

clc_status clc_encoder_save(const char *path, const clc_params *params, clc_device *device,
                            const clc_config *config, const clc_encoder_notes *notes) {
    clc_status status = CLC_OK;
    clc_tensor_list list = {0};
    char *text = NULL, *names = NULL, *tokenizer = NULL, *series = NULL;
    const char *metadata[6][2];
    size_t n = 0;
    CLC_TRY(list_kept(&list, params, device, config, notes->steps));
    CLC_TRY(clc_config_text(config, &text, NULL));
    CLC_TRY(class_lines(notes->classes, &names));
    CLC_TRY(tokenizer_text(notes->tokenizer, &tokenizer));
    if (notes->series)
        CLC_TRY(clc_field_norm_text(notes->series, &series));
    note(metadata, &n, "format", "pt");
    note(metadata, &n, CLC_WEIGHTS_VERSION, clc_version());
    note(metadata, &n, "config", text);
    note(metadata, &n, "classes", names);
    note(metadata, &n, CLC_WEIGHTS_TOKENIZER, tokenizer);
    note(metadata, &n, CLC_WEIGHTS_SERIES, series);
    CLC_TRY(clc_safetensors_write(path, list.items, list.count, metadata, n, true));
fail:
    clc_tensor_list_free(&list);
    free(text);
    free(names);
    free(tokenizer);
    free(series);
    return status;
}

clc_status clc_encoder_load(const char *path, clc_params *params, clc_device *device) {
    clc_status status = CLC_OK;
    clc_safetensors *st = NULL;
    CLC_TRY(clc_safetensors_open(path, &st));
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        char names[3][sizeof param->name];
        int which = 0;
        snprintf(names[0], sizeof names[0], "%s", param->name);
        name_in_file("heads.head", param->name, names[1]);
        clc_param_outside(param->name, names[2]); /* a classifier's is "fc" */
        while (which < 2 && !clc_safetensors_find(st, names[which]))
            which++;
        CLC_TRY(clc_tensor_load(st, path, param, device, param->value, 0, names[which]));
    }
fail:
    clc_safetensors_close(&st);
    return status;
}

/* The tensor of encoder parameter `name`, which networks of several parts have behind the name of
 * one. Returns NULL where there is none. */
static const char *find_outside(const clc_safetensors *st, int tower, const char *name,
                                char found[160]) {
    static const char *const parts[CLC_TOWERS][3] = {{"", "encoder.", "visual."},
                                                     {"text.", "", "text_encoder."}};
    for (int i = 0; i < 3; i++) {
        snprintf(found, 160, "%s%s", parts[tower][i], name);
        if (clc_safetensors_find(st, found))
            return found;
    }
    return NULL;
}

/* Whether `name` is that of a parameter of the section. */
static bool is_of(const char *name, const char *section) {
    const size_t n = strlen(section);
    return !strncmp(name, section, n) && name[n] == '.';
}

/* Layers of the projector that the file has, too. */
static clc_status load_layers(const clc_tower *t, const clc_safetensors *st, const char *path,
                              clc_params *params, clc_device *device) {
    clc_status status = CLC_OK;
    size_t found = 0, missing = 0;
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        if (!is_of(param->name, t->projector_section))
            continue;
        const bool there = clc_safetensors_find(st, param->name);
        found += there;
        missing += !there;
        if (there)
            CLC_TRY(clc_tensor_load(st, path, param, device, param->value, 0, param->name));
    }
    if (found && !missing)
        clc_log("%s: weights from %s", t->projector_section, path);
    else if (missing)
        clc_log("%s: %s has %s of the layers kept; %s begin at random", t->projector_section, path,
                found ? "not all" : "none", found ? "the others" : "they");
fail:
    return status;
}

clc_status clc_tower_load(const clc_config *config, int tower, bool layers, clc_params *params,
                          clc_device *device) {
    clc_status status = CLC_OK;
    const clc_tower t = clc_tower_at(config, tower);
    const size_t skip = strlen(t.section) + 1;
    clc_safetensors *st = NULL;
    char path[CLC_PATH_BYTES], found[160];
    if (!*t.encoder->weights)
        return CLC_OK;
    CLC_TRY(clc_weights_path(t.encoder->weights, path));
    CLC_TRY(clc_safetensors_open(path, &st));
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        if (!is_of(param->name, t.section))
            continue;
        const char *name = find_outside(st, tower, param->name + skip, found);
        CLC_TRY(clc_tensor_load(st, path, param, device, param->value, 0,
                                name ? name : param->name + skip));
    }
    clc_log("%s: weights from %s", t.section, path);
    if (layers)
        CLC_TRY(load_layers(&t, st, path, params, device));
fail:
    clc_safetensors_close(&st);
    return status;
}

clc_status clc_weights_path(const char *path, char weights[CLC_PATH_BYTES]) {
    struct stat info;
    if (stat(path, &info) != 0)
        return clc_fail_file("read", path);
    if (!S_ISDIR(info.st_mode))
        return clc_path_format(weights, "%s", path);
    if (clc_run_has(path, CLC_RUN_ENCODER))
        return clc_run_path(path, CLC_RUN_ENCODER, weights);
    if (clc_checkpoint_find(path, -1, weights) != CLC_OK)
        return clc_fail(CLC_IO,
                        "'%s' has neither " CLC_RUN_ENCODER " nor a checkpoint; train first", path);
    clc_log("%s: training hasn't ended; using %s", path, weights);
    return CLC_OK;
}

clc_status clc_encoder_config(const char *path, const char *const *overrides, size_t override_count,
                              clc_config *config, clc_names *classes) {
    clc_status status = CLC_OK;
    clc_safetensors *st = NULL;
    CLC_TRY(clc_safetensors_open(path, &st));
    const char *text = clc_safetensors_metadata(st, "config");
    const char *names = clc_safetensors_metadata(st, "classes");
    if (!text)
        CLC_TRY(clc_fail(CLC_FORMAT,
                         "%s: it carries no configuration ('config' in its metadata), so it is no "
                         "encoder or checkpoint of this program",
                         path));
    status = clc_config_load_text(text, path, config);
    if (status != CLC_OK)
        CLC_TRY(clc_fail_version(st, status));
    CLC_TRY(clc_config_override(overrides, override_count, config));
    for (const char *line = names; line && *line;) {
        const size_t length = strcspn(line, "\n");
        CLC_TRY(clc_names_add(classes, line, length));
        line += length + (line[length] == '\n');
    }
fail:
    clc_safetensors_close(&st);
    return status;
}
