/* What a file of weights holds, and the configuration that an encoder of it has. */
#include "core/log.h"
#include "model/import_state.h"
#include "model/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which networks ---- */

static clc_status unknown(const clc_import_state *m) {
    if (clc_safetensors_find(m->file, "visual.attnpool.c_proj.weight"))
        return clc_fail(CLC_INVALID,
                        "%s: this is CLIP's ResNet, which has three convolutions as its stem and "
                        "attention for pooling: there is no such network here; its vision "
                        "transformers can be imported",
                        m->weights);
    return clc_fail(CLC_INVALID,
                    "%s: its %zu tensors ('%s' ...) have no names that are known: there are those "
                    "of torchvision's ResNets and vision transformers, timm's, and CLIP's by "
                    "OpenAI and Hugging Face",
                    m->weights, m->file->count, m->file->count ? m->file->tensors[0].name : "");
}

static bool add_part(clc_import_state *m, bool text) {
    clc_import_part *part = &m->parts[m->part_count];
    const char *tower = m->options->tower;
    if (tower && strcmp(tower, text ? "text" : "image"))
        return false;
    *part = (clc_import_part){.file = m->file, .used = m->used};
    part->dialect = clc_dialect_find(m->file, text, part->prefix);
    if (!part->dialect)
        return false;
    clc_log("%s: %s", m->weights, part->dialect->what);
    m->part_count++;
    return true;
}

/* A text network is of use only where texts become the same numbers. */
static clc_status find_parts(clc_import_state *m) {
    const clc_import_options *o = m->options;
    char prefix[CLC_IMPORT_PREFIX_BYTES];
    if (o->tower && strcmp(o->tower, "image") && strcmp(o->tower, "text"))
        return clc_fail(CLC_INVALID, "--tower %s: it is image or text", o->tower);
    const bool image = add_part(m, false);
    const bool text = clc_dialect_find(m->file, true, prefix) != NULL;
    if (text && o->tokenizer)
        add_part(m, true);
    else if (text && !image)
        return clc_fail(CLC_INVALID,
                        "%s: its text network knows words by numbers, which CLIP's own tokenizer "
                        "gives and none here does: name a tokenizer.json of clcontrast that gives "
                        "the same ones by --tokenizer",
                        m->weights);
    else if (text && !o->tower)
        clc_log("the text network is left out: it needs --tokenizer, one that numbers words alike");
    return m->part_count ? CLC_OK : unknown(m);
}

/* ---- configuration ---- */

/* What the overrides say of images, to see what they leave open. */
static clc_status read_wishes(const clc_import_state *m, clc_config *wishes) {
    clc_status status = CLC_OK;
    const char **chosen = NULL;
    size_t n = 0;
    CLC_NEW(chosen, m->options->override_count);
    for (size_t i = 0; i < m->options->override_count; i++) {
        const char *text = m->options->overrides[i];
        if (!strncmp(text, "data.", 5) || !strncmp(text, "augmentation.", 13))
            chosen[n++] = text;
    }
    status = clc_config_load(NULL, chosen, n, wishes);
fail:
    free(chosen);
    return status;
}

static clc_status apply(clc_import_state *m, const clc_import_settings *s) {
    clc_status status = CLC_OK;
    const size_t n = s->count + m->options->override_count;
    const char **all = NULL;
    CLC_NEW(all, n);
    for (size_t i = 0; i < n; i++)
        all[i] = i < s->count ? s->text[i] : m->options->overrides[i - s->count];
    status = m->own ? clc_config_override(all, n, &m->config)
                    : clc_config_load(NULL, all, n, &m->config);
fail:
    free(all);
    return status;
}

static void set_kind(const clc_import_state *m, clc_import_settings *s) {
    const bool images = m->parts[0].dialect->network != CLC_IMPORT_TEXT;
    const bool pairs = m->part_count > 1;
    clc_import_set(s, "data.as=%s", pairs ? "pairs" : images ? "images" : "tokens");
    if (!pairs)
        return;
    clc_import_set(s, "method.name=clip");
    clc_import_set(s, "projector.enabled=false");
    clc_import_set(s, "text_projector.enabled=false");
    const clc_st_tensor *scale = clc_safetensors_find(m->file, CLC_LEARNED_SCALE);
    if (scale && scale->dtype == CLC_F32 && scale->count == 1)
        clc_import_set(s, "loss.temperature=%.9g", exp(-(double)*(const float *)scale->data));
}

/* Mean and deviation for the channels that there will be, and what longer sides are scaled down
 * to, unless given. */
static void set_images(const clc_import_state *m, const clc_config *wishes, int size,
                       clc_import_settings *s) {
    const clc_dialect *dialect = m->parts[0].dialect;
    const clc_config_augmentation *was = &m->config.augmentation;
    const int channels = wishes->data.channels ? wishes->data.channels : m->config.data.channels;
    if (!wishes->augmentation.mean.count)
        clc_import_normalise(m->own ? &was->mean : &dialect->mean,
                             m->own ? &was->std : &dialect->std, channels, s);
    if (!wishes->data.store_side)
        clc_import_set(s, "data.store_side=%d", size + size / 2);
}

static clc_status look_at_parts(clc_import_state *m, clc_import_settings *s) {
    clc_status status = CLC_OK;
    set_kind(m, s);
    for (int i = 0; i < m->part_count; i++)
        CLC_TRY(clc_import_look(&m->parts[i], i ? "text_encoder" : "encoder", s));
fail:
    return status == CLC_OK ? status : clc_fail_context(status, "%s", m->weights);
}

/* Shapes don't tell how many heads attention has. */
static clc_status check_heads(const clc_import_state *m) {
    for (int i = 0; i < m->part_count && !m->own; i++) {
        const clc_tower t = clc_tower_at(&m->config, i);
        if (m->parts[i].dialect->network != CLC_IMPORT_RESNET && !t.encoder->heads)
            return clc_fail(CLC_INVALID,
                            "%s: with a width of %d, not a multiple of 64, nothing tells how many "
                            "heads its attention has: --set %s.heads=N",
                            m->weights, t.encoder->width, t.section);
    }
    return CLC_OK;
}

/* In two rounds: channels and size are known after the first. */
clc_status clc_import_configure(clc_import_state *m) {
    clc_status status = CLC_OK;
    clc_import_settings settings = {.count = 0};
    clc_config wishes;
    CLC_TRY(read_wishes(m, &wishes));
    if (!m->own) {
        CLC_TRY(look_at_parts(m, &settings));
        CLC_TRY(apply(m, &settings));
    }
    const int size =
        wishes.augmentation.size ? wishes.augmentation.size : m->config.augmentation.size;
    if (m->config.method.name == CLC_CONFIG_METHOD_supervised)
        clc_import_set(&settings, "method.name=simclr");
    if (m->own || m->parts[0].dialect->network != CLC_IMPORT_TEXT)
        set_images(m, &wishes, size, &settings);
    CLC_TRY(apply(m, &settings));
    CLC_TRY(check_heads(m));
fail:
    return status;
}

static clc_status open_own(clc_import_state *m) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_encoder_config(m->weights, NULL, 0, &m->config, &m->classes));
    if (m->config.data.as != CLC_CONFIG_AS_IMAGES && m->config.data.as != CLC_CONFIG_AS_AUTO)
        return clc_fail(CLC_INVALID,
                        "%s: an encoder of %s: only those of images can be changed; it can be used "
                        "as it is, and for training as encoder.weights",
                        m->weights, clc_config_choice(&m->config, "data", "as"));
    m->parts[m->part_count++] =
        (clc_import_part){.file = m->file, .used = m->used, .dialect = &clc_dialect_own};
fail:
    return status;
}

clc_status clc_import_open(clc_import_state *m) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_weights_path(m->options->weights, m->weights));
    CLC_TRY(clc_safetensors_open(m->weights, &m->file));
    CLC_NEW(m->used, m->file->count);
    m->own = clc_safetensors_metadata(m->file, "config") != NULL;
    CLC_TRY(m->own ? open_own(m) : find_parts(m));
    if (m->options->tokenizer)
        CLC_TRY(clc_tokenizer_load(m->options->tokenizer, &m->tokenizer));
fail:
    return status;
}
