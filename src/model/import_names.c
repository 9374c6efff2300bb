#include "model/import_names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define BLOCK "encoder.layers.encoder_layer_#."
#define LAYER "transformer.resblocks.#."

static const clc_import_rule same[] = {{"", "", false}, {NULL, NULL, false}};

static const clc_import_rule timm_vit[] = {
    {"class_token", "cls_token", false},
    {"conv_proj.", "patch_embed.proj.", false},
    {"encoder.pos_embedding", "pos_embed", false},
    {BLOCK "ln_1.", "blocks.#.norm1.", false},
    {BLOCK "self_attention.in_proj_", "blocks.#.attn.qkv.", false},
    {BLOCK "self_attention.out_proj.", "blocks.#.attn.proj.", false},
    {BLOCK "ln_2.", "blocks.#.norm2.", false},
    {BLOCK "mlp.0.", "blocks.#.mlp.fc1.", false},
    {BLOCK "mlp.3.", "blocks.#.mlp.fc2.", false},
    {"encoder.ln.", "norm.", false},
    {NULL, NULL, false},
};

static const clc_import_rule openai_vit[] = {
    {"class_token", "visual.class_embedding", false},
    {"conv_proj.weight", "visual.conv1.weight", false},
    {"conv_proj.bias", NULL, false},
    {"encoder.pos_embedding", "visual.positional_embedding", false},
    {"encoder.ln_pre.", "visual.ln_pre.", false},
    {BLOCK "ln_1.", "visual." LAYER "ln_1.", false},
    {BLOCK "self_attention.in_proj_", "visual." LAYER "attn.in_proj_", false},
    {BLOCK "self_attention.out_proj.", "visual." LAYER "attn.out_proj.", false},
    {BLOCK "ln_2.", "visual." LAYER "ln_2.", false},
    {BLOCK "mlp.0.", "visual." LAYER "mlp.c_fc.", false},
    {BLOCK "mlp.3.", "visual." LAYER "mlp.c_proj.", false},
    {"encoder.ln.", "visual.ln_post.", false},
    {"proj", "visual.proj", false},
    {NULL, NULL, false},
};

#define VISION "vision_model."
static const clc_import_rule hugging_face_vit[] = {
    {"class_token", VISION "embeddings.class_embedding", false},
    {"conv_proj.weight", VISION "embeddings.patch_embedding.weight", false},
    {"conv_proj.bias", NULL, false},
    {"encoder.pos_embedding", VISION "embeddings.position_embedding.weight", false},
    {"encoder.ln_pre.", VISION "pre_layrnorm.", false},
    {BLOCK "ln_1.", VISION "encoder.layers.#.layer_norm1.", false},
    {BLOCK "self_attention.in_proj_", VISION "encoder.layers.#.self_attn.@_proj.", false},
    {BLOCK "self_attention.out_proj.", VISION "encoder.layers.#.self_attn.out_proj.", false},
    {BLOCK "ln_2.", VISION "encoder.layers.#.layer_norm2.", false},
    {BLOCK "mlp.0.", VISION "encoder.layers.#.mlp.fc1.", false},
    {BLOCK "mlp.3.", VISION "encoder.layers.#.mlp.fc2.", false},
    {"encoder.ln.", VISION "post_layernorm.", false},
    {"proj", "visual_projection.weight", true},
    {NULL, NULL, false},
};

#define TEXTS "text_model."
static const clc_import_rule hugging_face_text[] = {
    {"token_embedding.weight", TEXTS "embeddings.token_embedding.weight", false},
    {"positional_embedding", TEXTS "embeddings.position_embedding.weight", false},
    {LAYER "ln_1.", TEXTS "encoder.layers.#.layer_norm1.", false},
    {LAYER "attn.in_proj_", TEXTS "encoder.layers.#.self_attn.@_proj.", false},
    {LAYER "attn.out_proj.", TEXTS "encoder.layers.#.self_attn.out_proj.", false},
    {LAYER "ln_2.", TEXTS "encoder.layers.#.layer_norm2.", false},
    {LAYER "mlp.c_fc.", TEXTS "encoder.layers.#.mlp.fc1.", false},
    {LAYER "mlp.c_proj.", TEXTS "encoder.layers.#.mlp.fc2.", false},
    {"ln_final.", TEXTS "final_layer_norm.", false},
    {"text_projection", "text_projection.weight", true},
    {NULL, NULL, false},
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

bool clc_dialect_name(const clc_dialect *dialect, const char *ours,
                      char theirs[CLC_IMPORT_NAME_BYTES], bool *transposed) {
    char number[12] = "";
    const char *rest = "";
    const clc_import_rule *rule = dialect->rules;
    while (rule->ours && !fits(rule->ours, ours, number, &rest))
        rule++;
    *theirs = '\0';
    *transposed = rule->transposed;
    if (!rule->ours || !rule->theirs)
        return rule->ours;
    const char *place = strchr(rule->theirs, '#');
    const int before = place ? (int)(place - rule->theirs) : (int)strlen(rule->theirs);
    const int n = snprintf(theirs, CLC_IMPORT_NAME_BYTES, "%.*s%s%s%s", before, rule->theirs,
                           place ? number : "", place ? place + 1 : "", rest);
    return n < CLC_IMPORT_NAME_BYTES;
}
