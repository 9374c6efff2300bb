#include "model/import_network.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STAGES_MOST = 8, HEAD_WIDTH = 64 };

void clc_import_set(clc_import_settings *s, const char *format, ...) {
    va_list arguments;
    assert(s->count < CLC_IMPORT_SETTINGS);
    va_start(arguments, format);
    vsnprintf(s->text[s->count++], sizeof *s->text, format, arguments);
    va_end(arguments);
}

/* How many of a series of tensors are there, the first of number `from`. */
static int count_of(const clc_import_part *part, const char *format, int a, int from) {
    int n = 0;
    char name[CLC_IMPORT_NAME_BYTES];
    for (;; n++) {
        if (a >= 0)
            snprintf(name, sizeof name, format, a, from + n);
        else
            snprintf(name, sizeof name, format, from + n);
        if (!clc_import_find(part, name))
            return n;
    }
}

/* ---- resnet ---- */

/* The name of a depth, or "custom". */
static const char *depth_name(bool bottleneck, int stages, const int blocks[STAGES_MOST]) {
    static const struct {
        const char *name;
        bool bottleneck;
        int blocks[4];
    } depths[] = {{"resnet10", false, {1, 1, 1, 1}},
                  {"resnet18", false, {2, 2, 2, 2}},
                  {"resnet34", false, {3, 4, 6, 3}},
                  {"resnet50", true, {3, 4, 6, 3}}};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
        if (stages == 4 && depths[i].bottleneck == bottleneck &&
            !memcmp(depths[i].blocks, blocks, sizeof depths[i].blocks))
            return depths[i].name;
    return "custom";
}

static void set_depth(const clc_import_part *part, const char *section,
                      clc_import_settings *settings) {
    const bool bottleneck = clc_import_find(part, "layer1.0.conv3.weight") != NULL;
    const int stages = count_of(part, "layer%d.0.conv1.weight", -1, 1);
    int blocks[STAGES_MOST] = {0};
    char list[64] = "";
    for (int s = 0; s < stages && s < STAGES_MOST; s++) {
        blocks[s] = count_of(part, "layer%d.%d.conv1.weight", s + 1, 0);
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%d", s ? ", " : "", blocks[s]);
    }
    const char *name = depth_name(bottleneck, stages, blocks);
    clc_import_set(settings, "%s.name=%s", section, name);
    if (strcmp(name, "custom"))
        return;
    clc_import_set(settings, "%s.block=%s", section, bottleneck ? "bottleneck" : "basic");
    clc_import_set(settings, "%s.blocks=%s", section, list);
}

static clc_status look_at_resnet(const clc_import_part *part, const char *section,
                                 clc_import_settings *settings) {
    static const char stem[] = "conv1.weight";
    const size_t kernel = clc_import_size(part, stem, 2);
    if (kernel != 7 && kernel != 3)
        return clc_fail(CLC_FORMAT,
                        "its stem is no convolution of 7 x 7 (encoder.stem = large) or 3 x 3 "
                        "(small): '%s' %s",
                        stem, clc_import_find(part, stem) ? "has another shape" : "is not there");
    set_depth(part, section, settings);
    clc_import_set(settings, "%s.width=%zu", section, clc_import_size(part, stem, 0));
    clc_import_set(settings, "%s.stem=%s", section, kernel == 7 ? "large" : "small");
    clc_import_set(settings, "data.channels=%zu", clc_import_size(part, stem, 1));
    clc_import_set(settings, "augmentation.size=%d", kernel == 7 ? 224 : 32);
    return CLC_OK;
}

/* ---- transformers ---- */

static void set_blocks(const clc_import_part *part, const char *section, size_t width,
                       const char *block, const char *hidden, clc_import_settings *settings) {
    char name[CLC_IMPORT_NAME_BYTES];
    snprintf(name, sizeof name, block, 0);
    clc_import_set(settings, "%s.width=%zu", section, width);
    clc_import_set(settings, "%s.depth=%d", section, count_of(part, block, -1, 0));
    clc_import_set(settings, "%s.mlp_ratio=%.17g", section,
                   (double)clc_import_size(part, hidden, 0) / (double)width);
    if (width % HEAD_WIDTH == 0)
        clc_import_set(settings, "%s.heads=%zu", section, width / HEAD_WIDTH);
    if (part->dialect->clip)
        clc_import_set(settings, "%s.activation=quick_gelu", section);
}

static clc_status look_at_vit(const clc_import_part *part, const char *section,
                              clc_import_settings *settings) {
    const size_t width = clc_import_size(part, "conv_proj.weight", 0);
    const size_t patch = clc_import_size(part, "conv_proj.weight", 2);
    const clc_st_tensor *positions = clc_import_find(part, "encoder.pos_embedding");
    const size_t rows = positions && width ? positions->count / width : 0;
    const int side = rows > 1 ? (int)lround(sqrt((double)(rows - 1))) : 0;
    if (!patch || !side || (size_t)side * (size_t)side + 1 != rows)
        return clc_fail(CLC_FORMAT,
                        "its %zu positions are no square of patches behind one class token, as "
                        "encoder.name = vit has them",
                        rows);
    clc_import_set(settings, "%s.name=vit", section);
    set_blocks(part, section, width, "encoder.layers.encoder_layer_%d.ln_1.weight",
               "encoder.layers.encoder_layer_0.mlp.0.weight", settings);
    clc_import_set(settings, "%s.patch=%zu", section, patch);
    if (part->dialect->clip) {
        clc_import_set(settings, "%s.pre_norm=true", section);
        clc_import_set(settings, "%s.output=%zu", section, clc_import_size(part, "proj", 1));
    }
    clc_import_set(settings, "data.channels=%zu", clc_import_size(part, "conv_proj.weight", 1));
    clc_import_set(settings, "augmentation.size=%zu", (size_t)side * patch);
    return CLC_OK;
}

static clc_status look_at_text(const clc_import_part *part, const char *section,
                               clc_import_settings *settings) {
    const size_t width = clc_import_size(part, "token_embedding.weight", 1);
    const size_t context = clc_import_size(part, "positional_embedding", 0);
    if (!width || !context)
        return clc_fail(CLC_FORMAT, "its text transformer has no embeddings of tokens or places");
    clc_import_set(settings, "%s.name=transformer", section);
    set_blocks(part, section, width, "transformer.resblocks.%d.ln_1.weight",
               "transformer.resblocks.0.mlp.c_fc.weight", settings);
    clc_import_set(settings, "%s.context=%zu", section, context);
    clc_import_set(settings, "%s.output=%zu", section, clc_import_size(part, "text_projection", 1));
    return CLC_OK;
}

clc_status clc_import_look(const clc_import_part *part, const char *section,
                           clc_import_settings *settings) {
    switch (part->dialect->network) {
    case CLC_IMPORT_RESNET:
        return look_at_resnet(part, section, settings);
    case CLC_IMPORT_VIT:
        return look_at_vit(part, section, settings);
    default:
        return look_at_text(part, section, settings);
    }
}

/* ---- preprocessing ---- */

static void set_list(clc_import_settings *settings, const char *key, const clc_floats *list,
                     int channels) {
    char text[200] = "";
    double sum = 0;
    const bool same = list->count == (size_t)channels;
    for (size_t i = 0; i < list->count; i++)
        sum += list->values[i];
    for (int c = 0; c < channels; c++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%.9g", c ? ", " : "",
                 same ? list->values[c] : sum / (double)list->count);
    }
    clc_import_set(settings, "augmentation.%s=%s", key, text);
}

void clc_import_normalise(const clc_floats *mean, const clc_floats *std, int channels,
                          clc_import_settings *settings) {
    set_list(settings, "mean", mean, channels);
    set_list(settings, "std", std, channels);
}
