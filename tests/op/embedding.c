/* Token embedding: repeated ids add up in the order of their tokens, unused rows get 0, ids beyond
 * the table count as its last row. */
#include "differences.h"
#include "harness.h"
#include "node_case.h"

#include <stdlib.h>

typedef struct embedding_case {
    int n, steps, vocabulary, width;
    int different; /* ids are below this */
} embedding_case;

static int row_of(const embedding_case *e, int id) {
    return id < e->vocabulary ? id : e->vocabulary - 1;
}

/* Gradients by loops: the forward pass is linear in the table. */
static void reference(const embedding_case *e, const int *ids, const float *table, const float *dy,
                      double *y, double *dtable) {
    for (int t = 0; t < e->n * e->steps; t++)
        for (int j = 0; j < e->width; j++) {
            const int at = row_of(e, ids[t]) * e->width + j;
            y[t * e->width + j] = (double)table[at];
            dtable[at] += (double)dy[t * e->width + j];
        }
}

static int *make_ids(const embedding_case *e) {
    const size_t tokens = (size_t)(e->n * e->steps);
    int *ids = malloc(tokens * sizeof *ids);
    clc_rng rng = clc_rng_make(3, 0);
    assert_non_null(ids);
    for (size_t t = 0; t < tokens; t++)
        ids[t] = (int)clc_rng_below(&rng, (uint32_t)e->different);
    return ids;
}

static void check(const embedding_case *e) {
    node_case c;
    clc_tensor *in = NULL, *out = NULL;
    const size_t tokens = (size_t)(e->n * e->steps), width = (size_t)e->width;
    const size_t rows = (size_t)e->vocabulary;
    int *ids = make_ids(e);
    float *table = test_random(rows * width, 1), *dy = test_random(tokens * width, 2);
    double *y = zeros(tokens * width), *dtable = zeros(rows * width);
    reference(e, ids, table, dy, y, dtable);
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "ids", clc_shape_tokens(e->n, e->steps), false, &in));
    CHECK(clc_op_embedding(c.graph, "tokens", in, e->vocabulary, e->width, &out));
    node_case_build(&c);
    node_case_set(in, (const float *)ids);
    node_case_set_param(&c, "tokens.weight", table);
    node_case_forward(&c);
    node_case_expect(&c, out, y, 0);
    node_case_set_grad(out, dy);
    node_case_backward(&c);
    /* Sums of at most `tokens` terms below 1. */
    node_case_expect_param(&c, "tokens.weight", dtable, 1e-7 * (double)tokens);
    node_case_end(&c);
    free(ids);
    free(table);
    free(dy);
    free(y);
    free(dtable);
}

static void all_sizes(void **state) {
    static const embedding_case cases[] = {{1, 1, 1, 1, 1},       {2, 3, 5, 7, 5},
                                           {3, 5, 64, 16, 64},    {4, 17, 13, 33, 13},
                                           {8, 13, 257, 24, 257}, {2, 65, 31, 65, 31}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void few_ids_repeat(void **state) {
    (void)state;
    check(&(embedding_case){16, 33, 100, 16, 3});
    check(&(embedding_case){16, 33, 100, 5, 1});
}

static void ids_beyond_the_table(void **state) {
    (void)state;
    check(&(embedding_case){4, 9, 7, 8, 10});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sizes),
        cmocka_unit_test(few_ids_repeat),
        cmocka_unit_test(ids_beyond_the_table),
    };
    return cmocka_run_group_tests_name("embedding", tests, NULL, test_close_device);
}
