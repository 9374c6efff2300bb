#include "golden/trace.h"

#include "harness.h"
#include "net/blocks.h"

#include <stdio.h>
#include <string.h>

const char *trace_text(const trace *t, const char *key) {
    const char *value = clc_safetensors_metadata(t->file, key);
    return value ? value : "";
}

int trace_dimension(const trace *t, const char *name, int d) {
    return (int)golden_tensor(t->file, name)->shape[d];
}

/* The file's names are without the tower's prefix. */
static void strip(clc_params *params, const char *prefix) {
    const size_t n = strlen(prefix);
    for (size_t i = 0; i < params->count; i++) {
        char *name = params->items[i].name;
        if (!strncmp(name, prefix, n))
            memmove(name, name + n, sizeof params->items[i].name - n);
    }
}

static clc_config_encoder text_settings(const trace *t) {
    const bool quick = !strcmp(trace_text(t, "activation"), "quick_gelu");
    const int width = (int)golden_number(t->file, "text_width");
    int layers = 0;
    char name[64];
    do
        snprintf(name, sizeof name, "param.transformer.resblocks.%d.ln_1.weight", layers);
    while (clc_safetensors_find(t->file, name) && ++layers);
    return (clc_config_encoder){.width = width,
                                .depth = layers,
                                .heads = (int)golden_number(t->file, "heads"),
                                .mlp_ratio = 4,
                                .activation = quick ? CLC_CONFIG_ACTIVATION_QUICK_GELU
                                                    : CLC_CONFIG_ACTIVATION_GELU,
                                .bidirectional = golden_number(t->file, "causal") < 0.5,
                                .output = (int)golden_number(t->file, "output"),
                                .context = (int)golden_number(t->file, "context")};
}

/* The text tower of rows (N,T). */
static void build_text(trace *t, int rows) {
    const clc_config_encoder encoder = text_settings(t);
    clc_net_input in = {.kind = CLC_KIND_TOKENS,
                        .vocabulary = (int)golden_number(t->file, "vocabulary")};
    CHECK(clc_graph_create(test_device(), &t->params, true, &t->text));
    CHECK(clc_graph_input(t->text, "ids", clc_shape_tokens(rows, trace_dimension(t, "ids", 2)),
                          false, &in.values));
    CHECK(clc_graph_input(t->text, "lengths", clc_shape_lengths(rows), false, &in.lengths));
    CHECK(clc_net_build(t->text, "text", "transformer", &encoder, &in, &t->z[1]));
    t->ids = in.values;
    t->lengths = in.lengths;
}

static void build_image(trace *t) {
    clc_config_encoder encoder = {.name = CLC_CONFIG_ENCODER_CUSTOM,
                                  .block = CLC_CONFIG_BLOCK_BASIC,
                                  .width = (int)golden_number(t->file, "width"),
                                  .stem = CLC_CONFIG_STEM_SMALL};
    const clc_linear projection = {.layer = "visual",
                                   .weight = "proj",
                                   .kind = CLC_PARAM_TABLE,
                                   .outputs = trace_dimension(t, "param.visual.proj", 1)};
    clc_tensor *features = NULL;
    encoder.blocks.count =
        (size_t)golden_list(t->file, "blocks", encoder.blocks.values, CLC_CONFIG_LIST_MAX);
    CHECK(clc_graph_create(test_device(), &t->params, true, &t->image));
    t->image->convolution = CLC_CONFIG_CONVOLUTION_DIRECT; /* as in train.c */
    CHECK(clc_graph_input(t->image, "x",
                          clc_shape_images(trace_dimension(t, "x", 1), trace_dimension(t, "x", 3),
                                           trace_dimension(t, "x", 4), trace_dimension(t, "x", 2)),
                          false, &t->x));
    const clc_net_input in = clc_net_images(t->x);
    CHECK(clc_net_build(t->image, "visual", "custom", &encoder, &in, &features));
    CHECK(clc_op_linear_as(t->image, &projection, features, &t->z[0]));
}

/* The bidirectional encoder with a gap behind the embedding, where the file's dropout comes in. */
static void build_simcse(trace *t) {
    const clc_config_encoder encoder = text_settings(t);
    const int rows = 2 * trace_dimension(t, "ids", 1), steps = trace_dimension(t, "ids", 2);
    const clc_positions positions = {
        .name = "positional_embedding", .rank = 2, .rows = encoder.context};
    static const clc_block_names names = {
        "%s.transformer.resblocks.%d", "ln_1", "attn", "ln_2", "mlp.c_fc", "mlp.c_proj"};
    clc_blocks blocks = {.names = &names, .eps = 1e-5f};
    clc_tensor *y = NULL;
    CHECK(clc_graph_create(test_device(), &t->params, true, &t->front));
    CHECK(clc_graph_input(t->front, "ids", clc_shape_tokens(rows, steps), false, &t->ids));
    CHECK(clc_op_embedding(t->front, "text.token_embedding", t->ids,
                           (int)golden_number(t->file, "vocabulary"), encoder.width, &t->embedded));
    CHECK(clc_op_position(t->front, "text", &positions, t->embedded, &t->embedded));
    CHECK(clc_graph_create(test_device(), &t->params, true, &t->text));
    CHECK(clc_graph_input(t->text, "kept", clc_shape_sequences(rows, steps, encoder.width), true,
                          &t->kept));
    CHECK(clc_graph_input(t->text, "lengths", clc_shape_lengths(rows), false, &t->lengths));
    blocks.width = encoder.width;
    blocks.depth = encoder.depth;
    CHECK(clc_blocks_settings("text_encoder", &encoder, &blocks));
    CHECK(clc_blocks_build(t->text, "text", &encoder, &blocks, t->kept, t->lengths, &y));
    CHECK(clc_op_layernorm(t->text, "text.ln_final", y, blocks.eps, &y));
    CHECK(clc_op_pool_tokens(t->text, "text.pool", y, t->lengths, CLC_POOLING_MEAN, &t->z[0]));
}

void trace_build_networks(trace *t) {
    const int one = 1;
    int index;
    if (!strcmp(trace_text(t, "name"), "clip")) {
        build_image(t);
        build_text(t, trace_dimension(t, "ids", 1));
    }
    if (!strcmp(trace_text(t, "name"), "simcse"))
        build_simcse(t);
    else
        CHECK(clc_params_add(&t->params, CLC_LEARNED_SCALE, CLC_PARAM_CONSTANT, 1, &one, &index));
    strip(&t->params, "text.");
    clc_params_layout(&t->params);
    CHECK(clc_params_allocate(&t->params, test_device(), true, 2));
    clc_graph *const graphs[] = {t->image, t->front, t->text};
    for (int i = 0; i < 3; i++)
        if (graphs[i]) {
            CHECK(clc_graph_plan(graphs[i]));
            CHECK(clc_graph_allocate(graphs[i]));
            CHECK(clc_graph_build(graphs[i]));
        }
}
