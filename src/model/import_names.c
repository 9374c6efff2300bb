#include "model/import_names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define BLOCK "encoder.layers.encoder_layer_#."
#define LAYER "transformer.resblocks.#."

static const clc_import_rule same[] = {{"", "", false, NULL}, {NULL, NULL, false, NULL}};

static const clc_import_rule timm_vit[] = {
    {"class_token", "cls_token", false, NULL},
    {"conv_proj.", "patch_embed.proj.", false, NULL},
    {"encoder.pos_embedding", "pos_embed", false, NULL},
    {BLOCK "ln_1.", "blocks.#.norm1.", false, NULL},
    {BLOCK "self_attention.in_proj_", "blocks.#.attn.qkv.", false, NULL},
    {BLOCK "self_attention.out_proj.", "blocks.#.attn.proj.", false, "blocks.#.ls1.gamma"},
    {BLOCK "ln_2.", "blocks.#.norm2.", false, NULL},
    {BLOCK "mlp.0.", "blocks.#.mlp.fc1.", false, NULL},
    {BLOCK "mlp.3.", "blocks.#.mlp.fc2.", false, "blocks.#.ls2.gamma"},
    {"encoder.ln.", "norm.", false, NULL},
    {NULL, NULL, false, NULL},
};

static const clc_import_rule openai_vit[] = {
    {"class_token", "visual.class_embedding", false, NULL},
    {"conv_proj.weight", "visual.conv1.weight", false, NULL},
    {"conv_proj.bias", NULL, false, NULL},
    {"encoder.pos_embedding", "visual.positional_embedding", false, NULL},
    {"encoder.ln_pre.", "visual.ln_pre.", false, NULL},
    {BLOCK "ln_1.", "visual." LAYER "ln_1.", false, NULL},
    {BLOCK "self_attention.in_proj_", "visual." LAYER "attn.in_proj_", false, NULL},
    {BLOCK "self_attention.out_proj.", "visual." LAYER "attn.out_proj.", false, NULL},
    {BLOCK "ln_2.", "visual." LAYER "ln_2.", false, NULL},
    {BLOCK "mlp.0.", "visual." LAYER "mlp.c_fc.", false, NULL},
    {BLOCK "mlp.3.", "visual." LAYER "mlp.c_proj.", false, NULL},
    {"encoder.ln.", "visual.ln_post.", false, NULL},
    {"proj", "visual.proj", false, NULL},
    {NULL, NULL, false, NULL},
};

#define VISION "vision_model."
static const clc_import_rule hugging_face_vit[] = {
    {"class_token", VISION "embeddings.class_embedding", false, NULL},
    {"conv_proj.weight", VISION "embeddings.patch_embedding.weight", false, NULL},
    {"conv_proj.bias", NULL, false, NULL},
    {"encoder.pos_embedding", VISION "embeddings.position_embedding.weight", false, NULL},
    {"encoder.ln_pre.", VISION "pre_layrnorm.", false, NULL},
    {BLOCK "ln_1.", VISION "encoder.layers.#.layer_norm1.", false, NULL},
    {BLOCK "self_attention.in_proj_", VISION "encoder.layers.#.self_attn.@_proj.", false, NULL},
    {BLOCK "self_attention.out_proj.", VISION "encoder.layers.#.self_attn.out_proj.", false, NULL},
    {BLOCK "ln_2.", VISION "encoder.layers.#.layer_norm2.", false, NULL},
    {BLOCK "mlp.0.", VISION "encoder.layers.#.mlp.fc1.", false, NULL},
    {BLOCK "mlp.3.", VISION "encoder.layers.#.mlp.fc2.", false, NULL},
    {"encoder.ln.", VISION "post_layernorm.", false, NULL},
    {"proj", "visual_projection.weight", true, NULL},
    {NULL, NULL, false, NULL},
};

#define TEXTS "text_model."
static const clc_import_rule hugging_face_text[] = {
    {"token_embedding.weight", TEXTS "embeddings.token_embedding.weight", false, NULL},
    {"positional_embedding", TEXTS "embeddings.position_embedding.weight", false, NULL},
    {LAYER "ln_1.", TEXTS "encoder.layers.#.layer_norm1.", false, NULL},
    {LAYER "attn.in_proj_", TEXTS "encoder.layers.#.self_attn.@_proj.", false, NULL},
    {LAYER "attn.out_proj.", TEXTS "encoder.layers.#.self_attn.out_proj.", false, NULL},
    {LAYER "ln_2.", TEXTS "encoder.layers.#.layer_norm2.", false, NULL},
    {LAYER "mlp.c_fc.", TEXTS "encoder.layers.#.mlp.fc1.", false, NULL},
    {LAYER "mlp.c_proj.", TEXTS "encoder.layers.#.mlp.fc2.", false, NULL},
    {"ln_final.", TEXTS "final_layer_norm.", false, NULL},
    {"text_projection", "text_projection.weight", true, NULL},
    {NULL, NULL, false, NULL},
};

#define IMAGENET                                                                                   \
    {3, {0.485, 0.456, 0.406}}, {                                                                  \
        3, {                                                                                       \
            0.229, 0.224, 0.225                                                                    \
        }                                                                                          \
    }
#define HALF                                                                                       \
    {3, {0.5, 0.5, 0.5}}, {                                                                        \
        3, {                                                                                       \
            0.5, 0.5, 0.5                                                                          \
        }                                                                                          \
    }
#define OPENAI                                                                                     \
    {3, {0.48145466, 0.4578275, 0.40821073}}, {                                                    \
        3, {                                                                                       \
            0.26862954, 0.26130258, 0.27577711                                                     \
        }                                                                                          \
    }
#define NO_IMAGES                                                                                  \
    {0, {0}}, {                                                                                    \
        0, {                                                                                       \
            0                                                                                      \
        }                                                                                          \
    }

static const clc_dialect dialects[] = {
    {"a ResNet under torchvision's names", CLC_IMPORT_RESNET, false, "layer1.0.conv1.weight",
     IMAGENET, same},
    {"a vision transformer under torchvision's names", CLC_IMPORT_VIT, false,
     "encoder.layers.encoder_layer_0.ln_1.weight", IMAGENET, same},
    {"a vision transformer under timm's names", CLC_IMPORT_VIT, false, "blocks.0.attn.qkv.weight",
     HALF, timm_vit},
    {"CLIP's vision transformer under OpenAI's names", CLC_IMPORT_VIT, true,
     "visual.transformer.resblocks.0.ln_1.weight", OPENAI, openai_vit},
    {"CLIP's vision transformer under Hugging Face's names", CLC_IMPORT_VIT, true,
     "vision_model.encoder.layers.0.layer_norm1.weight", OPENAI, hugging_face_vit},
    {"CLIP's text transformer under OpenAI's names", CLC_IMPORT_TEXT, true,
     "token_embedding.weight", NO_IMAGES, same},
    {"CLIP's text transformer under Hugging Face's names", CLC_IMPORT_TEXT, true,
     "text_model.encoder.layers.0.layer_norm1.weight", NO_IMAGES, hugging_face_text},
};

const clc_dialect clc_dialect_own = {
    "an encoder of this program", CLC_IMPORT_RESNET, false, "", NO_IMAGES, same};

/* What trainers and wrappers put before the names of a whole network. */
static const char *const prefixes[] = {"",
                                       "module.",
                                       "model.",
                                       "backbone.",
                                       "encoder.",
                                       "base_encoder.",
                                       "module.encoder_q.",
                                       "module.base_encoder.",
                                       "module.backbone."};

const clc_dialect *clc_dialect_find(const clc_safetensors *st, bool text,
                                    char prefix[CLC_IMPORT_PREFIX_BYTES]) {
    char name[CLC_IMPORT_NAME_BYTES];
    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++)
        for (size_t d = 0; d < sizeof dialects / sizeof *dialects; d++) {
            if ((dialects[d].network == CLC_IMPORT_TEXT) != text)
                continue;
            snprintf(name, sizeof name, "%s%s", prefixes[p], dialects[d].mark);
            if (!clc_safetensors_find(st, name))
                continue;
            snprintf(prefix, CLC_IMPORT_PREFIX_BYTES, "%s", prefixes[p]);
            return &dialects[d];
        }
    return NULL;
}

/* Whether the pattern fits; *rest is what stands behind it. */
static bool fits(const char *pattern, const char *name, char number[12], const char **rest) {
    const char end = *pattern ? pattern[strlen(pattern) - 1] : '.';
    for (; *pattern; pattern++) {
        size_t n = 0;
        if (*pattern != '#') {
            if (*pattern != *name++)
                return false;
            continue;
        }
        while (isdigit((unsigned char)*name) && n < 10)
            number[n++] = *name++;
        number[n] = '\0';
        if (!n)
            return false;
    }
    *rest = name;
    return end == '.' || end == '_' || !*name;
}

/* The pattern with the number in its place, and the rest. */
static void expand(const char *pattern, const char *number, const char *rest,
                   char name[CLC_IMPORT_NAME_BYTES]) {
    const char *place = strchr(pattern, '#');
    const int before = place ? (int)(place - pattern) : (int)strlen(pattern);
    snprintf(name, CLC_IMPORT_NAME_BYTES, "%.*s%s%s%s", before, pattern, place ? number : "",
             place ? place + 1 : "", rest);
}

bool clc_dialect_name(const clc_dialect *dialect, const char *ours, clc_import_name *theirs) {
    char number[12] = "";
    const char *rest = "";
    const clc_import_rule *rule = dialect->rules;
    *theirs = (clc_import_name){.text = ""};
    while (rule->ours && !fits(rule->ours, ours, number, &rest))
        rule++;
    theirs->transposed = rule->transposed;
    if (rule->theirs)
        expand(rule->theirs, number, rest, theirs->text);
    if (rule->scale)
        expand(rule->scale, number, "", theirs->scale);
    return rule->ours != NULL;
}
