/* The linear probe as a whole against the same training in double. */
#include "eval/linear.h"

#include "harness.h"
#include "linear_reference.h"
#include "data/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A training and a test set on the device. */
typedef struct problem {
    float *x[2];
    int32_t *labels[2];
    clc_features set[2];
} problem;

static void problem_upload(problem *p) {
    for (int i = 0; i < 2; i++) {
        const size_t bytes = p->set[i].rows * (size_t)p->set[i].dim * sizeof(float);
        p->set[i].labels = p->labels[i];
        CHECK(clc_buffer_create(test_device(), bytes, "features", &p->set[i].data));
        CHECK(clc_buffer_write(test_device(), p->set[i].data, 0, bytes, p->x[i]));
    }
}

static void problem_free(problem *p) {
    for (int i = 0; i < 2; i++) {
        clc_buffer_release(test_device(), &p->set[i].data);
        free(p->x[i]);
        free(p->labels[i]);
    }
}

/* Noisy labels of a random linear rule on features of all scales. */
static problem noisy_problem(size_t train, size_t test, size_t dim, int classes) {
    problem p = {0};
    float *rule = test_random(dim * (size_t)classes, 77);
    const size_t rows[2] = {train, test};
    for (int i = 0; i < 2; i++) {
        p.set[i] = (clc_features){NULL, rows[i], (int)dim, NULL, classes};
        p.x[i] = features_of_all_scales(rows[i], dim, 10 + (uint64_t)i);
        p.labels[i] = random_labels(rows[i], classes, 20 + (uint64_t)i);
        for (size_t r = 0; r < rows[i]; r++) {
            double best = -1e30;
            for (int c = 0; c < classes && r % 5; c++) { /* each fifth label stays random */
                double score = 0;
                for (size_t d = 1; d < dim; d++)
                    score += ((double)p.x[i][r * dim + d] / pow(10, (double)(d % 9) - 4) - 3) *
                             (double)rule[d * (size_t)classes + (size_t)c];
                p.labels[i][r] = score > best ? c : p.labels[i][r];
                best = fmax(best, score);
            }
        }
    }
    free(rule);
    problem_upload(&p);
    return p;
}

static double *standardised(const float *x, size_t rows, size_t dim, const double *s) {
    double *out = doubles(rows * dim);
    for (size_t i = 0; i < rows * dim; i++)
        out[i] = ((double)x[i] - s[i % dim]) * s[dim + i % dim];
    return out;
}

static const double momentum = 0.9;

static clc_config_evaluation probe_of(int epochs, int batch, double rate) {
    return (clc_config_evaluation){
        .linear_epochs = epochs, .linear_batch = batch, .linear_learning_rate = rate};
}

/* One epoch of SGD on standardised rows; returns its mean loss. */
static double reference_epoch(model *m, model *velocity, const double *x, const problem *p,
                              const clc_config_evaluation *o, uint64_t seed, int epoch) {
    const size_t dim = m->dim, batch = (size_t)o->linear_batch, batches = p->set[0].rows / batch;
    const size_t steps = batches * (size_t)o->linear_epochs;
    model grad = model_make(dim, m->classes);
    int32_t *order = malloc(p->set[0].rows * sizeof *order),
            *labels = malloc(batch * sizeof *labels);
    double *rows = doubles(batch * dim), loss = 0;
    assert_true(order && labels);
    clc_epoch_order(seed, epoch, order, p->set[0].rows);
    for (size_t b = 0; b < batches; b++) {
        const double at = (double)((size_t)epoch * batches + b) / (double)steps;
        const double rate =
            o->linear_learning_rate * (double)batch / 256 * (1 + cos(3.14159265358979 * at)) / 2;
        for (size_t r = 0; r < batch; r++) {
            memcpy(rows + r * dim, x + (size_t)order[b * batch + r] * dim, dim * sizeof *rows);
            labels[r] = p->labels[0][order[b * batch + r]];
        }
        loss += reference_loss(m, rows, labels, batch, &grad) / (double)batches;
        for (size_t i = 0; i < dim * m->classes; i++) {
            velocity->w[i] =
                momentum * velocity->w[i] + grad.w[i] + o->linear_weight_decay * m->w[i];
            m->w[i] -= rate * velocity->w[i];
        }
        for (size_t c = 0; c < m->classes; c++) {
            velocity->b[c] = momentum * velocity->b[c] + grad.b[c];
            m->b[c] -= rate * velocity->b[c];
        }
    }
    model_free(&grad);
    free(order);
    free(labels);
    free(rows);
    return loss;
}

/* Counts test rows whose class is certain, and checks these: the two greatest logits differ by more
 * than the roundings of some hundred float steps. */
static size_t compare_predictions(const model *m, const double *x, size_t rows,
                                  const int32_t *got) {
    double *logits = doubles(m->classes);
    size_t certain = 0;
    for (size_t r = 0; r < rows; r++) {
        size_t best = 0;
        double second = -1e30;
        logits_of(m, x + r * m->dim, logits);
        for (size_t c = 1; c < m->classes; c++)
            best = logits[c] > logits[best] ? c : best;
        for (size_t c = 0; c < m->classes; c++)
            second = c != best ? fmax(second, logits[c]) : second;
        if (logits[best] - second < 1e-3)
            continue;
        certain++;
        assert_int_equal(got[r], best);
    }
    free(logits);
    return certain;
}

/* Within what compare_predictions takes for certain. */
static void compare_logits(const model *m, const double *x, size_t rows, const float *got) {
    double *want = doubles(m->classes);
    for (size_t r = 0; r < rows; r++) {
        logits_of(m, x + r * m->dim, want);
        for (size_t c = 0; c < m->classes; c++)
            assert_true(fabs((double)got[r * m->classes + c] - want[c]) <= 5e-4);
    }
    free(want);
}

static void training_follows_the_reference(void **state) {
    (void)state;
    static const struct {
        size_t train, test, dim;
        int classes, batch;
        double decay;
    } cases[] = {{300, 211, 13, 4, 37, 0},
                 {257, 64, 33, 10, 64, 0.05},
                 {40, 31, 5, 2, 100, 0},
                 {150, 64, 150, 3, 50, 0}};
    for (size_t t = 0; t < sizeof cases / sizeof *cases; t++) {
        const size_t dim = cases[t].dim, train = cases[t].train, test = cases[t].test;
        problem p = noisy_problem(train, test, dim, cases[t].classes);
        clc_config_evaluation o = probe_of(4, cases[t].batch, 0.5);
        o.linear_weight_decay = cases[t].decay;
        model m = model_make(dim, (size_t)cases[t].classes);
        model velocity = model_make(dim, (size_t)cases[t].classes);
        int32_t *got = malloc(test * sizeof *got);
        assert_non_null(got);
        float *logits = malloc(test * m.classes * sizeof *logits);
        assert_non_null(logits);
        CHECK(clc_linear_probe(test_device(), &p.set[0], &p.set[1], &o, 3, got, logits));
        o.linear_batch = (size_t)o.linear_batch > train ? (int)train : o.linear_batch;
        double *s = reference_standard(p.x[0], train, dim), loss[4];
        double *x = standardised(p.x[0], train, dim, s), *y = standardised(p.x[1], test, dim, s);
        for (int epoch = 0; epoch < o.linear_epochs; epoch++)
            loss[epoch] = reference_epoch(&m, &velocity, x, &p, &o, 3, epoch);
        assert_true(loss[3] < 0.95 * loss[0]);
        assert_true(compare_predictions(&m, y, test, got) > test * 9 / 10);
        compare_logits(&m, y, test, logits);
        free(logits);
        problem_free(&p);
        model_free(&m);
        model_free(&velocity);
        free(got);
        free(s);
        free(x);
        free(y);
    }
}

/* Clusters around random centres, far apart compared with their size. */
static problem separable_problem(size_t per_class, size_t dim, int classes) {
    problem p = {0};
    float *centres = test_random((size_t)classes * dim, 6);
    for (int i = 0; i < 2; i++) {
        const size_t rows = per_class * (size_t)classes;
        p.set[i] = (clc_features){NULL, rows, (int)dim, NULL, classes};
        p.x[i] = test_random(rows * dim, 30 + (uint64_t)i);
        p.labels[i] = malloc(rows * sizeof *p.labels[i]);
        assert_non_null(p.labels[i]);
        for (size_t r = 0; r < rows; r++) {
            const size_t c = r % (size_t)classes;
            p.labels[i][r] = (int32_t)c;
            for (size_t d = 0; d < dim; d++)
                p.x[i][r * dim + d] = 0.05f * p.x[i][r * dim + d] + centres[c * dim + d];
        }
    }
    free(centres);
    problem_upload(&p);
    return p;
}

static void separable_classes_are_learned_completely(void **state) {
    (void)state;
    static const struct {
        size_t per_class, dim;
        int classes, batch, epochs;
    } cases[] = {{50, 2, 2, 16, 10}, {20, 16, 10, 32, 20}, {6, 64, 150, 100, 30}, {9, 3, 1, 4, 1}};
    for (size_t t = 0; t < sizeof cases / sizeof *cases; t++) {
        problem p = separable_problem(cases[t].per_class, cases[t].dim, cases[t].classes);
        const clc_config_evaluation o = probe_of(cases[t].epochs, cases[t].batch, 0.5);
        const size_t rows = p.set[1].rows;
        int32_t *got = malloc(rows * sizeof *got);
        assert_non_null(got);
        CHECK(clc_linear_probe(test_device(), &p.set[0], &p.set[1], &o, 3, got, NULL));
        assert_memory_equal(got, p.labels[1], rows * sizeof *got);
        problem_free(&p);
        free(got);
    }
}

/* Also when all features are scaled by a power of 2, which rounds nothing. */
static void equal_runs_give_equal_predictions(void **state) {
    (void)state;
    enum { TEST_ROWS = 500 };
    problem p = noisy_problem(600, TEST_ROWS, 20, 6);
    const clc_config_evaluation o = probe_of(3, 50, 0.1);
    static const float scales[3] = {1, 0x1p-24f, 0x1p20f};
    int32_t first[TEST_ROWS], again[TEST_ROWS];
    CHECK(clc_linear_probe(test_device(), &p.set[0], &p.set[1], &o, 8, first, NULL));
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < 2; i++) {
            const size_t count = p.set[i].rows * 20;
            float *scaled = malloc(count * sizeof *scaled);
            assert_non_null(scaled);
            for (size_t j = 0; j < count; j++)
                scaled[j] = scales[t] * p.x[i][j];
            CHECK(
                clc_buffer_write(test_device(), p.set[i].data, 0, count * sizeof *scaled, scaled));
            free(scaled);
        }
        CHECK(clc_linear_probe(test_device(), &p.set[0], &p.set[1], &o, 8, again, NULL));
        assert_memory_equal(first, again, sizeof first);
    }
    CHECK(clc_linear_probe(test_device(), &p.set[0], &p.set[1], &o, 9, again, NULL));
    assert_memory_not_equal(first, again, sizeof first); /* the order matters */
    problem_free(&p);
}

/* At the minimum the gradient is 0: of the reference's loss of all rows, with the decay. Blocks of
 * rows that are not full count once. */
static void lbfgs_ends_at_the_minimum(void **state) {
    (void)state;
    static const size_t rows[] = {150, 4097};
    for (int t = 0; t < 2; t++) {
        const size_t train = rows[t], test = 61, dim = 12;
        const double decay = 0.01;
        problem p = noisy_problem(train, test, dim, 4);
        clc_config_evaluation o = probe_of(400, 1, 0.5);
        o.linear_solver = CLC_CONFIG_SOLVER_LBFGS;
        o.linear_weight_decay = decay;
        float *logits = malloc(test * 4 * sizeof *logits);
        int32_t *got = malloc(test * sizeof *got);
        model m = model_make(dim, 4), grad = model_make(dim, 4);
        assert_true(logits && got);
        CHECK(clc_linear_probe(test_device(), &p.set[0], &p.set[1], &o, 3, got, logits));
        double *s = reference_standard(p.x[0], train, dim);
        double *x = standardised(p.x[0], train, dim, s), *y = standardised(p.x[1], test, dim, s);
        for (int step = 0; step < 4000; step++) { /* plain descent, in double */
            reference_loss(&m, x, p.labels[0], train, &grad);
            for (size_t i = 0; i < dim * 4; i++)
                m.w[i] -= 0.5 * (grad.w[i] + decay * m.w[i]);
            for (size_t c = 0; c < 4; c++)
                m.b[c] -= 0.5 * grad.b[c];
        }
        double *want = doubles(4);
        for (size_t r = 0; r < test; r++) {
            logits_of(&m, y + r * dim, want);
            const float *own = logits + r * 4;
            for (size_t c = 0; c < 4; c++) { /* biases may all be higher by the same */
                const double difference = (double)(own[c] - own[0]) - (want[c] - want[0]);
                assert_true(fabs(difference) <= 5e-3);
                assert_true(own[got[r]] >= own[c]);
            }
        }
        problem_free(&p);
        model_free(&m);
        model_free(&grad);
        free(logits);
        free(got);
        free(s);
        free(x);
        free(y);
        free(want);
    }
}

static void wrong_input_is_refused(void **state) {
    (void)state;
    const int32_t labels[] = {0, 1, -1};
    int32_t got[2] = {7, 7};
    clc_features known = {NULL, 3, 4, labels, 2}, asked = {NULL, 2, 4, NULL, 2};
    clc_config_evaluation o = probe_of(1, 2, 0.1);
    clc_device *device = test_device();
    assert_int_equal(clc_linear_probe(device, &known, &asked, &o, 3, got, NULL), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "label -1 of row 2"));
    known.rows = 2;
    o.linear_batch = 0;
    assert_int_equal(clc_linear_probe(device, &known, &asked, &o, 3, got, NULL), CLC_INVALID);
    o = probe_of(-1, 2, 0.1);
    assert_int_equal(clc_linear_probe(device, &known, &asked, &o, 3, got, NULL), CLC_INVALID);
    o.linear_epochs = 1;
    asked.dim = 3;
    assert_int_equal(clc_linear_probe(device, &known, &asked, &o, 3, got, NULL), CLC_INVALID);
    assert_int_equal(got[0], 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_follows_the_reference),
        cmocka_unit_test(separable_classes_are_learned_completely),
        cmocka_unit_test(equal_runs_give_equal_predictions),
        cmocka_unit_test(lbfgs_ends_at_the_minimum),
        cmocka_unit_test(wrong_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
