/* Training from a layer of the encoder on: encoder.frozen_layers. */
#include "harness.h"
#include "method/fixture.h"
#include "model/weights.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char weights_path[] = "test_frozen.safetensors";

/* A network, and what the names of its frozen parameters begin with. */
typedef struct network {
    const char *method;
    bool texts;
    const char *frozen[4];
    const char *overrides[8];
} network;

#define TEXT_ENCODER "encoder.block=auto", "encoder.blocks=", "encoder.width=8"

static const network networks[] = {
    {"simclr",
     false,
     {"encoder.conv1.", "encoder.bn1.", "encoder.layer1."},
     {"encoder.frozen_layers=1"}},
    {"supervised",
     false,
     {"encoder.conv1.", "encoder.bn1.", "encoder.layer"},
     {"encoder.frozen_layers=2", "encoder.stem=large", "optimizer.name=lars",
      "augmentation.size=16"}},
    {"simclr",
     false,
     {"encoder.conv_proj.", "encoder.class_token", "encoder.encoder.pos_embedding",
      "encoder.encoder.layers.encoder_layer_0."},
     {"encoder.name=vit", TEXT_ENCODER, "encoder.depth=2", "encoder.patch=4", "encoder.dropout=0.2",
      "encoder.frozen_layers=1"}},
    {"simcse",
     true,
     {"encoder.token_embedding.", "encoder.positional_embedding",
      "encoder.transformer.resblocks.0."},
     {"encoder.name=transformer", TEXT_ENCODER, "encoder.depth=2", "encoder.dropout=0.2",
      "encoder.frozen_layers=1"}},
    {"simcse",
     true,
     {"encoder.embedding.", "encoder.rnn.weight_ih_l0", "encoder.rnn.weight_hh_l0",
      "encoder.rnn.bias"},
     {"encoder.name=gru", TEXT_ENCODER, "encoder.dropout=0.2", "encoder.frozen_layers=1"}},
    {"simcse",
     true,
     {"encoder.embedding.", "encoder.blocks.0."},
     {"encoder.name=conv1d", TEXT_ENCODER, "encoder.depth=2", "encoder.dropout=0.2",
      "training.micro_batch=4", "encoder.frozen_layers=1"}},
};

static bool is_frozen(const network *n, const char *name) {
    for (int i = 0; i < 4 && n->frozen[i]; i++)
        if (!strncmp(name, n->frozen[i], strlen(n->frozen[i])))
            return true;
    return false;
}

static void open(fixture *f, const network *n) {
    const char *all[9] = {"optimizer.weight_decay=0.1"};
    size_t count = 1;
    for (int i = 0; i < 8 && n->overrides[i]; i++)
        all[count++] = n->overrides[i];
    CHECK(fixture_try(f, n->texts ? fixture_texts(1) : fixture_noise(), n->method, all, count));
}

static clc_params *params_of(fixture *f) {
    return &f->session.step.wiring.params;
}

/* Weights and statistics stay to the bit; every other tensor changes. */
static void only_what_is_behind_is_trained(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        const network *n = &networks[i];
        fixture f;
        int frozen = 0;
        open(&f, n);
        clc_params *params = params_of(&f);
        float *before = fixture_read(&f, params->value, params->total);
        for (int step = 0; step < 3; step++)
            fixture_step(&f, step, 0.1f);
        float *after = fixture_read(&f, params->value, params->total);
        for (size_t p = 0; p < params->count; p++) {
            const clc_param *param = &params->items[p];
            const bool stays = is_frozen(n, param->name);
            const size_t bytes = param->count * sizeof *before;
            frozen += stays;
            if (!memcmp(before + param->offset, after + param->offset, bytes) != stays)
                fail_msg("%s: %s %s", n->overrides[0], param->name, stays ? "changed" : "stayed");
        }
        assert_true(frozen > 0);
        free(before);
        free(after);
        fixture_close(&f);
    }
}

static void save(fixture *f) {
    const clc_names classes = {0};
    const clc_encoder_notes notes = {.classes = &classes, .steps = 1};
    CHECK(clc_encoder_save(weights_path, params_of(f), f->session.device, &f->session.config,
                           &notes));
}

static double *widen(const float *values, size_t count) {
    double *wide = malloc(count * sizeof *wide);
    assert_non_null(wide);
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)values[i];
    return wide;
}

/* Of a trained parameter in both; of a frozen one it is never written. */
static void compare_gradients(fixture *part, fixture *full) {
    const clc_params *params = params_of(part);
    for (size_t p = 0; p < params->count; p++) {
        const clc_param *param = &params->items[p];
        if (!clc_param_trainable(param))
            continue;
        const clc_param *other = clc_params_find(params_of(full), param->name);
        float *got = fixture_read(part, param->grad, param->count);
        float *want = fixture_read(full, other->grad, param->count);
        double *wanted = widen(want, param->count);
        const bool frozen = is_frozen(&networks[0], param->name);
        for (size_t k = 0; frozen && k < param->count; k++)
            assert_true(got[k] == 0);
        /* Batch-norm scales by the same numbers, rounded in another order. */
        if (!frozen)
            assert_true(test_close(param->name, got, wanted, param->count, 1e-4));
        free(got);
        free(want);
        free(wanted);
    }
}

/* Where batch-norm goes by running statistics everywhere, the frozen part is no different. */
static void gradients_of_the_rest_are_those_of_the_whole(void **state) {
    (void)state;
    const char *const overrides[] = {"encoder.weights=test_frozen.safetensors",
                                     "encoder.norm=fixed", "encoder.frozen_layers=1"};
    fixture trained, full, part;
    fixture_open(&trained, "simclr", NULL, 0);
    for (int step = 0; step < 3; step++)
        fixture_step(&trained, step, 0.1f);
    save(&trained);
    fixture_open(&full, "simclr", overrides, 2);
    fixture_open(&part, "simclr", overrides, 3);
    fixture_run_to_update(&full, 1);
    fixture_run_to_update(&part, 1);
    compare_gradients(&part, &full);
    fixture_close(&trained);
    fixture_close(&full);
    fixture_close(&part);
    unlink(weights_path);
}

/* The backward pass ends behind the frozen part, and nothing is kept for it. */
static void a_frozen_part_has_no_backward_pass(void **state) {
    (void)state;
    const char *const overrides[] = {"augmentation.size=32", "encoder.frozen_layers=1"};
    size_t bytes[2], launches[2];
    for (int frozen = 0; frozen < 2; frozen++) {
        fixture f;
        fixture_open(&f, "simclr", overrides, 1 + (size_t)frozen);
        const clc_graph *graph = f.session.step.wiring.branches.students[0].graph;
        bytes[frozen] = clc_graph_activation_bytes(graph);
        launches[frozen] = graph->backward.count;
        for (size_t i = 0; i < graph->node_count; i++) {
            const clc_node *node = &graph->nodes[i];
            const bool stays = is_frozen(&networks[0], params_of(&f)->items[node->params[0]].name);
            if (frozen && node->param_count && stays)
                assert_true(!node->out->grad && !node->saved &&
                            graph->backward_end[i] == graph->backward.count);
        }
        fixture_close(&f);
    }
    assert_true(launches[1] < launches[0]);
    if (!(3 * bytes[1] < 2 * bytes[0]))
        fail_msg("activations take %zu bytes, of the whole network %zu", bytes[1], bytes[0]);
}

static void what_cannot_work_is_refused(void **state) {
    (void)state;
    const struct {
        const char *method, *word, *overrides[2];
    } all[] = {
        {"simclr", "the network has 2", {"encoder.frozen_layers=3"}},
        {"byol", "teacher", {"encoder.frozen_layers=1"}},
        {"supervised", "scratch", {"encoder.frozen_layers=1", "finetune.from=scratch"}},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        fixture f;
        const size_t n = all[i].overrides[1] ? 2 : 1;
        assert_int_not_equal(fixture_try(&f, fixture_noise(), all[i].method, all[i].overrides, n),
                             CLC_OK);
        print_message("# %s\n", clc_error());
        assert_non_null(strstr(clc_error(), all[i].word));
        fixture_close(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_behind_is_trained),
        cmocka_unit_test(gradients_of_the_rest_are_those_of_the_whole),
        cmocka_unit_test(a_frozen_part_has_no_backward_pass),
        cmocka_unit_test(what_cannot_work_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
