/* The memory plan: what is alive at once lies apart, results are those of separate buffers bit for
 * bit, and the bytes announced are the bytes taken. */
#include "graph/graph.h"
#include "harness.h"
#include "net/net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An encoder with projector: forks, joins, pooling, every kind of node. */
typedef struct plan_case {
    clc_params params;
    clc_graph *graph;
    clc_tensor *x, *y;
} plan_case;

typedef struct plan_shape {
    bool training, wants_grad, bottleneck, small_stem, projector_relu;
    int n, side;
} plan_shape;

static void begin(plan_case *c, const plan_shape *s) {
    const clc_config_encoder encoder = {
        .name = CLC_CONFIG_ENCODER_CUSTOM,
        .block = s->bottleneck ? CLC_CONFIG_BLOCK_BOTTLENECK : CLC_CONFIG_BLOCK_BASIC,
        .blocks = {4, {1, 2, 1, 1}},
        .width = 4,
        .stem = s->small_stem ? CLC_CONFIG_STEM_SMALL : CLC_CONFIG_STEM_LARGE};
    const clc_ints hidden = {2, {24, 16}};
    const clc_mlp mlp = {.hidden = &hidden,
                         .output = 8,
                         .batchnorm = !s->projector_relu,
                         .last_batchnorm = !s->projector_relu};
    clc_tensor *features = NULL;
    *c = (plan_case){0};
    CHECK(clc_graph_create(test_device(), &c->params, s->training, &c->graph));
    CHECK(clc_graph_input(c->graph, "x", clc_shape_images(s->n, s->side, s->side, 3), s->wants_grad,
                          &c->x));
    const clc_net_input in = clc_net_images(c->x);
    CHECK(clc_net_resnet.build(c->graph, "encoder", &encoder, &in, &features));
    CHECK(clc_mlp_build(c->graph, "projector", &mlp, features, &c->y));
    clc_params_layout(&c->params);
    CHECK(clc_graph_plan(c->graph));
}

static void end(plan_case *c) {
    clc_graph_free(&c->graph);
    clc_params_release(&c->params, test_device());
}

static const plan_shape shapes[] = {
    {.training = true, .n = 6, .side = 12, .small_stem = true},
    {.training = true, .n = 5, .side = 33, .wants_grad = true},
    {.training = true,
     .n = 3,
     .side = 17,
     .bottleneck = true,
     .small_stem = true,
     .projector_relu = true},
    {.training = false, .n = 6, .side = 12, .small_stem = true},
    {.training = false, .n = 5, .side = 33, .bottleneck = true},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* ---- lifetimes, worked out anew from what each node reads and writes ---- */

typedef struct lifetime {
    const char *name;
    int slot, born, dies;
    size_t bytes;
} lifetime;

static bool reads(const clc_node *node, const clc_tensor *t) {
    bool found = false;
    for (int i = 0; i < node->in_count; i++)
        found = found || node->in[i] == t;
    return found;
}

/* Backward of node i runs at 2L - i, L being the number of nodes and the time of the loss. */
static lifetime value_lifetime(const clc_graph *g, const clc_tensor *t) {
    const int loss = (int)g->node_count;
    lifetime l = {t->name, t->slot, -1, -1, t->count * sizeof(float)};
    bool used = false;
    for (int i = 0; i < loss; i++) {
        const clc_node *node = &g->nodes[i];
        const bool in = reads(node, t), out = node->out == t, saved = node->saved == t;
        if (out || saved)
            l.born = i;
        used = used || in || saved;
        if (in || out || saved)
            l.dies = i > l.dies ? i : l.dies;
    }
    for (int i = loss - 1; i >= 0 && g->training; i--) {
        const clc_node *node = &g->nodes[i];
        bool read = (node->out == t && node->needs.keeps_out) || node->saved == t;
        for (int k = 0; k < node->in_count; k++)
            read = read || (node->in[k] == t && node->needs.keeps_in[k]);
        l.dies = read && 2 * loss - i > l.dies ? 2 * loss - i : l.dies;
    }
    if (!used && l.dies < loss)
        l.dies = loss; /* a result: the loss reads it */
    return l;
}

static lifetime grad_lifetime(const clc_graph *g, const clc_tensor *t) {
    const int loss = (int)g->node_count;
    lifetime l = {t->name, t->grad_slot, loss, 2 * loss + 1, t->count * sizeof(float)};
    for (int i = 0; i < loss; i++) { /* the last reader in forward is the first writer */
        if (reads(&g->nodes[i], t))
            l.born = 2 * loss - i;
        if (g->nodes[i].out == t)
            l.dies = 2 * loss - i;
    }
    return l;
}

static lifetime *find_lifetimes(const clc_graph *g, size_t *count) {
    lifetime *all = calloc(2 * g->tensor_count, sizeof *all);
    assert_non_null(all);
    *count = 0;
    for (size_t i = 0; i < g->tensor_count; i++) {
        const clc_tensor *t = g->tensors[i];
        all[(*count)++] = value_lifetime(g, t);
        if (g->training && t->wants_grad)
            all[(*count)++] = grad_lifetime(g, t);
        else
            assert_int_equal(t->grad_slot, -1);
    }
    return all;
}

static void what_lives_at_once_lies_apart(void **state) {
    (void)state;
    for (int s = 0; s < SHAPES; s++) {
        plan_case c;
        size_t count = 0;
        begin(&c, &shapes[s]);
        lifetime *all = find_lifetimes(c.graph, &count);
        for (size_t i = 0; i < count; i++) {
            assert_in_range(all[i].slot, 0, c.graph->slot_count - 1);
            assert_true(c.graph->slots[all[i].slot].bytes >= all[i].bytes);
            for (size_t k = 0; k < i; k++)
                if (all[i].slot == all[k].slot && all[i].born <= all[k].dies &&
                    all[k].born <= all[i].dies)
                    fail_msg("%s (%d to %d) and %s (%d to %d) share slot %d", all[i].name,
                             all[i].born, all[i].dies, all[k].name, all[k].born, all[k].dies,
                             all[i].slot);
        }
        free(all);
        end(&c);
    }
}

static void bytes_are_as_announced(void **state) {
    (void)state;
    for (int s = 0; s < SHAPES; s++) {
        plan_case c;
        clc_device *device = test_device();
        begin(&c, &shapes[s]);
        const uint64_t before = device->allocated;
        CHECK(clc_graph_allocate(c.graph));
        assert_true(device->allocated - before ==
                    clc_graph_activation_bytes(c.graph) + c.graph->workspace_bytes);
        assert_true(clc_graph_largest_buffer(c.graph) >= c.graph->workspace_bytes);
        for (size_t i = 0; i < c.graph->slot_count; i++)
            assert_true(clc_graph_largest_buffer(c.graph) >= c.graph->slots[i].bytes);
        end(&c);
        assert_true(device->allocated == before);
    }
}

static void inference_needs_little(void **state) {
    (void)state;
    size_t bytes[2];
    for (int training = 0; training < 2; training++) {
        const plan_shape s = {.training = training, .n = 8, .side = 32, .small_stem = true};
        plan_case c;
        begin(&c, &s);
        bytes[training] = clc_graph_activation_bytes(c.graph);
        end(&c);
    }
    if (!(bytes[0] * 4 < bytes[1]))
        fail_msg("inference takes %zu bytes, training %zu", bytes[0], bytes[1]);
}

/* ---- the same results as with separate buffers ---- */

/* Gives every value and gradient a slot of its own. */
static void separate(clc_graph *g) {
    size_t count = 0;
    clc_slot *slots = calloc(2 * g->tensor_count, sizeof *slots);
    assert_non_null(slots);
    for (size_t i = 0; i < g->tensor_count; i++) {
        clc_tensor *t = g->tensors[i];
        slots[count].bytes = t->count * sizeof(float);
        t->slot = (int)count++;
        if (t->grad_slot < 0)
            continue;
        slots[count].bytes = t->count * sizeof(float);
        t->grad_slot = (int)count++;
    }
    free(g->slots);
    g->slots = slots;
    g->slot_count = count;
}

static void fill_nan(cl_mem buffer, size_t bytes) {
    const float nan = NAN;
    assert_int_equal(clEnqueueFillBuffer(test_device()->queue, buffer, &nan, sizeof nan, 0,
                                         bytes / sizeof nan * sizeof nan, 0, NULL, NULL),
                     CL_SUCCESS);
}

/* One step on poisoned memory; outputs and all gradients are returned, `count` of them. */
static float *run(plan_case *c, uint64_t seed, size_t *count) {
    const size_t inputs = c->x->count, outputs = c->y->count;
    float *x = test_random(inputs, seed), *dy = test_random(outputs, seed + 1);
    clc_device *device = test_device();
    const bool training = c->graph->training;
    const size_t grads = training ? c->params.trainable : 0;
    const size_t dx = c->x->grad ? inputs : 0;
    *count = outputs + grads + dx;
    float *result = malloc(*count * sizeof *result);
    for (size_t i = 0; i < c->graph->slot_count; i++)
        fill_nan(c->graph->slots[i].mem, c->graph->slots[i].bytes);
    fill_nan(c->graph->workspace, c->graph->workspace_bytes);
    CHECK(clc_buffer_write(device, c->x->value, 0, inputs * sizeof *x, x));
    CHECK(clc_sequence_run(&c->graph->forward, device));
    CHECK(clc_buffer_read(device, c->y->value, 0, outputs * sizeof *x, result));
    if (training) {
        CHECK(clc_buffer_write(device, c->y->grad, 0, outputs * sizeof *x, dy));
        CHECK(clc_sequence_run(&c->graph->backward, device));
        CHECK(clc_buffer_read(device, c->params.grad, 0, grads * sizeof *x, result + outputs));
    }
    if (dx)
        CHECK(clc_buffer_read(device, c->x->grad, 0, dx * sizeof *x, result + outputs + grads));
    free(x);
    free(dy);
    return result;
}

static float *output_of(const plan_case *c) {
    float *y = malloc(c->y->count * sizeof *y);
    CHECK(clc_buffer_read(test_device(), c->y->value, 0, c->y->count * sizeof *y, y));
    return y;
}

static void build(plan_case *c) {
    CHECK(clc_params_allocate(&c->params, test_device(), c->graph->training, 0));
    CHECK(clc_params_initialise(&c->params, test_device(), 3));
    CHECK(clc_graph_allocate(c->graph));
    CHECK(clc_graph_build(c->graph));
}

static void sharing_changes_no_bit(void **state) {
    (void)state;
    for (int s = 0; s < SHAPES; s++) {
        plan_case planned, apart;
        size_t count = 0;
        begin(&planned, &shapes[s]);
        begin(&apart, &shapes[s]);
        separate(apart.graph);
        assert_true(clc_graph_activation_bytes(planned.graph) <
                    clc_graph_activation_bytes(apart.graph));
        build(&planned);
        build(&apart);
        for (uint64_t round = 0; round < 2; round++) {
            float *a = run(&planned, 10 * round, &count), *b = run(&apart, 10 * round, &count);
            for (size_t i = 0; i < count; i++)
                if (isnan(a[i]) || a[i] != b[i])
                    fail_msg("shape %d: number %zu of %zu is %g, apart %g", s, i, count,
                             (double)a[i], (double)b[i]);
            free(a);
            free(b);
        }
        end(&planned);
        end(&apart);
    }
}

/* A pass without gradients in front of a training step on the lender's memory: its result stands
 * after it. */
static void a_borrower_needs_memory_for_its_results_only(void **state) {
    (void)state;
    for (int s = 0; s < SHAPES; s++) {
        plan_shape inference = shapes[s];
        plan_case lender, borrower, alone;
        size_t count = 0, unused = 0;
        inference.training = false;
        begin(&lender, &shapes[s]);
        begin(&borrower, &inference);
        begin(&alone, &inference);
        clc_graph_borrow(borrower.graph, lender.graph, true);
        if (shapes[s].training) {
            assert_true(clc_graph_activation_bytes(borrower.graph) <=
                        2 * borrower.y->count * sizeof(float) + borrower.x->count * sizeof(float));
            assert_int_equal(clc_graph_workspace_bytes(borrower.graph), 0);
        }
        build(&lender);
        build(&borrower);
        build(&alone);
        float *a = run(&borrower, 5, &count), *b = run(&alone, 5, &count);
        free(run(&lender, 7, &unused));
        float *after = output_of(&borrower);
        for (size_t i = 0; i < borrower.y->count; i++)
            if (!(a[i] == b[i] && after[i] == b[i]))
                fail_msg("shape %d: number %zu is %g, then %g, alone %g", s, i, (double)a[i],
                         (double)after[i], (double)b[i]);
        free(a);
        free(b);
        free(after);
        end(&lender);
        end(&borrower);
        end(&alone);
    }
}

static void an_impossible_shape_is_refused(void **state) {
    clc_params params = {0};
    clc_graph *graph = NULL;
    clc_tensor *x = NULL, *y = NULL;
    (void)state;
    CHECK(clc_graph_create(test_device(), &params, true, &graph));
    CHECK(clc_graph_input(graph, "x", clc_shape_images(1, 2, 2, 3), false, &x));
    assert_int_equal(clc_op_conv2d(graph, "conv", x, 4, 5, 1, 0, &y), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "conv"));
    assert_non_null(strstr(clc_error(), "1 x 0 x 0 x 4"));
    assert_non_null(strstr(clc_error(), "larger images"));
    assert_int_equal(clc_op_maxpool(graph, "pool", x, 3, 2, 0, &y), CLC_INVALID);
    clc_graph_free(&graph);
    assert_null(graph);
    clc_graph_free(&graph);
    clc_params_release(&params, test_device());
}

static void expect_shape(const clc_tensor *tensor, clc_shape want) {
    size_t count = 1;
    assert_int_equal(tensor->shape.type, want.type);
    assert_int_equal(tensor->shape.rank, want.rank);
    for (int i = 0; i < want.rank; i++) {
        assert_int_equal(tensor->shape.dims[i], want.dims[i]);
        count *= (size_t)want.dims[i];
    }
    assert_int_equal(tensor->count, count);
}

/* Rank and type go along; whole numbers have no gradient. */
static void shapes_of_every_rank(void **state) {
    clc_params params = {0};
    clc_graph *graph = NULL;
    clc_tensor *images = NULL, *words = NULL, *tokens = NULL, *y = NULL;
    const clc_shape sentences = {CLC_TYPE_INT32, 2, {3, 7}},
                    sequences = {CLC_TYPE_FLOAT32, 3, {3, 7, 5}};
    (void)state;
    CHECK(clc_graph_create(test_device(), &params, true, &graph));
    CHECK(clc_graph_input(graph, "images", clc_shape_images(2, 8, 6, 3), true, &images));
    CHECK(clc_graph_input(graph, "words", sentences, true, &words));
    CHECK(clc_graph_input(graph, "tokens", sequences, true, &tokens));
    assert_true(images->wants_grad && tokens->wants_grad && !words->wants_grad);
    CHECK(clc_op_maxpool(graph, "pool", images, 2, 2, 0, &y));
    expect_shape(y, (clc_shape){CLC_TYPE_FLOAT32, 4, {2, 4, 3, 3}});
    assert_int_equal(graph->nodes[0].saved->shape.type, CLC_TYPE_INT32);
    CHECK(clc_op_avgpool(graph, "mean", y, &y));
    expect_shape(y, (clc_shape){CLC_TYPE_FLOAT32, 2, {2, 3}});
    CHECK(clc_op_batchnorm(graph, "norm", tokens, NULL, false, &y));
    expect_shape(y, sequences);
    CHECK(clc_op_linear(graph, "linear", y, 4, true, false, &y)); /* every token by itself */
    expect_shape(y, (clc_shape){CLC_TYPE_FLOAT32, 3, {3, 7, 4}});
    clc_graph_free(&graph);
    clc_params_release(&params, test_device());
}

/* As they stand in files: cut, two could be the same. */
static void a_name_that_does_not_fit_is_refused(void **state) {
    clc_params params = {0};
    clc_graph *graph = NULL;
    clc_tensor *x = NULL, *y = NULL;
    char layer[100];
    (void)state;
    memset(layer, 'n', sizeof layer - 1);
    layer[sizeof layer - 1] = 0;
    CHECK(clc_graph_create(test_device(), &params, true, &graph));
    CHECK(clc_graph_input(graph, "x", clc_shape_images(1, 4, 4, 3), false, &x));
    assert_int_equal(clc_op_avgpool(graph, layer, x, &y), CLC_INVALID);
    assert_int_equal(clc_op_linear(graph, layer, x, 4, false, false, &y), CLC_INVALID);
    assert_int_equal(graph->node_count, 0);
    clc_graph_free(&graph);
    clc_params_release(&params, test_device());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lives_at_once_lies_apart),
        cmocka_unit_test(bytes_are_as_announced),
        cmocka_unit_test(inference_needs_little),
        cmocka_unit_test(sharing_changes_no_bit),
        cmocka_unit_test(a_borrower_needs_memory_for_its_results_only),
        cmocka_unit_test(an_impossible_shape_is_refused),
        cmocka_unit_test(shapes_of_every_rank),
        cmocka_unit_test(a_name_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, test_close_device);
}
