#include "model/rename.h"

#include "core/text.h"
#include "model/weights.h"
#include "net/net.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 160 };

typedef struct names {
    clc_st_tensor *items;
    char (*texts)[NAME_BYTES];
    size_t count;
} names;

/* How a tool calls a tensor; *leave: it has none such. */
typedef clc_status (*renamer)(const char *name, char to[NAME_BYTES], bool *leave);

static clc_status as_torchvision(const char *name, char to[NAME_BYTES], bool *leave) {
    *leave = false;
    return clc_text_format(to, NAME_BYTES, "%s", name);
}

/* What follows `start` in the name, or NULL. */
static const char *behind(const char *name, const char *start) {
    const size_t n = strlen(start);
    return strncmp(name, start, n) ? NULL : name + n;
}

/* Of what stands within a block or the stem: "bn1.weight" is "conv1.norm.weight". */
static clc_status rename_layer(const char *block, const char *layer, char to[NAME_BYTES]) {
    const char *rest;
    if ((rest = behind(layer, "bn")) && *rest)
        return clc_text_format(to, NAME_BYTES, "%s.conv%c.norm%s", block, *rest, rest + 1);
    if ((rest = behind(layer, "downsample.0")))
        return clc_text_format(to, NAME_BYTES, "%s.shortcut%s", block, rest);
    if ((rest = behind(layer, "downsample.1")))
        return clc_text_format(to, NAME_BYTES, "%s.shortcut.norm%s", block, rest);
    return clc_text_format(to, NAME_BYTES, "%s.%s", block, layer);
}

/* As detectron2's tools/convert-torchvision-to-d2.py has them, behind the name of its backbone. */
static clc_status as_detectron2(const char *name, char to[NAME_BYTES], bool *leave) {
    static const char backbone[] = "backbone.bottom_up";
    char block[64];
    int stage, number, length = 0;
    *leave = strstr(name, "num_batches_tracked") || behind(name, "projector.");
    if (sscanf(name, "layer%d.%d.%n", &stage, &number, &length) == 2 && length) {
        snprintf(block, sizeof block, "%s.res%d.%d", backbone, stage + 1, number);
        return rename_layer(block, name + length, to);
    }
    snprintf(block, sizeof block, "%s.stem", backbone);
    return rename_layer(block, name, to);
}

static const struct {
    const char *as;
    renamer to;
    bool resnet_only;
} tools[] = {{"torchvision", as_torchvision, false}, {"detectron2", as_detectron2, true}};
enum { TOOLS = sizeof tools / sizeof *tools };

static clc_status check_network(const char *path, const char *as) {
    clc_status status = CLC_OK;
    clc_names classes = {0};
    clc_config config;
    CLC_TRY(clc_encoder_config(path, NULL, 0, &config, &classes));
    if (clc_net_find(clc_config_choice(&config, "encoder", "name")) != &clc_net_resnet)
        CLC_TRY(clc_fail(CLC_INVALID, "%s: its encoder is no ResNet, which %s names are for", path,
                         as));
    if (config.encoder.stem != CLC_CONFIG_STEM_LARGE)
        status = clc_fail(CLC_INVALID,
                          "%s: its encoder has encoder.stem = small, but %s has the large one of "
                          "7 x 7 pixels and a pooling layer; train with encoder.stem = large",
                          path, as);
fail:
    clc_names_free(&classes);
    return status;
}

static clc_status rename_all(const clc_safetensors *st, renamer to, names *list) {
    clc_status status = CLC_OK;
    CLC_NEW(list->items, st->count);
    CLC_NEW(list->texts, st->count);
    for (size_t i = 0; i < st->count; i++) {
        bool leave;
        CLC_TRY(to(st->tensors[i].name, list->texts[list->count], &leave));
        if (leave)
            continue;
        list->items[list->count] = st->tensors[i];
        list->items[list->count].name = list->texts[list->count];
        list->count++;
    }
fail:
    return status;
}

/* A checkpoint has optimizer states and names of its own. */
static clc_status open_encoder(const char *path, char weights[CLC_PATH_BYTES],
                               clc_safetensors **st) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_weights_path(path, weights));
    CLC_TRY(clc_safetensors_open(weights, st));
    if (strstr(weights, "checkpoint"))
        status = clc_fail(CLC_INVALID,
                          "%s is a checkpoint: only the encoder file of a finished run "
                          "can be renamed",
                          weights);
fail:
    return status;
}

static clc_status output_path(const char *weights, const char *as, const char *output,
                              char written[CLC_PATH_BYTES]) {
    const char *point = strrchr(weights, '.'), *slash = strrchr(weights, '/');
    const size_t n =
        point && (!slash || point > slash) ? (size_t)(point - weights) : strlen(weights);
    return output ? clc_path_format(written, "%s", output)
                  : clc_path_format(written, "%.*s-%s.safetensors", (int)n, weights, as);
}

/* With a checksum of its own. */
static clc_status write_file(const clc_safetensors *st, const names *list, const char *path) {
    clc_status status = CLC_OK;
    const char *(*metadata)[2] = NULL;
    size_t n = 0;
    CLC_NEW(metadata, st->metadata_count);
    for (size_t i = 0; i < st->metadata_count; i++)
        if (strcmp(st->metadata[i][0], "xxh3")) {
            metadata[n][0] = st->metadata[i][0];
            metadata[n++][1] = st->metadata[i][1];
        }
    status = clc_safetensors_write(path, list->items, list->count,
                                   (const char *const(*)[2])metadata, n, true);
fail:
    free(metadata);
    return status;
}

clc_status clc_encoder_rename(const char *path, const char *as, const char *output, char *written) {
    clc_status status = CLC_OK;
    char weights[CLC_PATH_BYTES];
    clc_safetensors *st = NULL;
    names list = {0};
    int tool = 0;
    while (tool < TOOLS && strcmp(tools[tool].as, as))
        tool++;
    if (tool == TOOLS)
        return clc_fail(CLC_INVALID, "--as %s: there are onnx, torchvision and detectron2", as);
    CLC_TRY(open_encoder(path, weights, &st));
    if (tools[tool].resnet_only)
        CLC_TRY(check_network(weights, as));
    CLC_TRY(rename_all(st, tools[tool].to, &list));
    CLC_TRY(output_path(weights, as, output, written));
    CLC_TRY(write_file(st, &list, written));
fail:
    clc_safetensors_close(&st);
    free(list.items);
    free(list.texts);
    return status;
}
