#include "golden/golden.h"

#include "harness.h"
#include "loss/loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One file's inputs. */
typedef struct loss_case {
    const clc_safetensors *file;
    clc_loss_shape shape;
    clc_config_loss options;
    size_t half; /* floats of one view */
} loss_case;

static double option(const clc_safetensors *file, const char *key, double fallback) {
    return clc_safetensors_metadata(file, key) ? golden_number(file, key) : fallback;
}

/* The place of the metadata's word in a list that NULL ends; 0 if the key is missing. */
static int word(const clc_safetensors *file, const char *key, const char *const *words) {
    const char *text = clc_safetensors_metadata(file, key);
    for (int i = 0; text && words[i]; i++)
        if (!strcmp(text, words[i]))
            return i;
    if (text)
        fail_msg("%s = %s is unknown", key, text);
    return 0;
}

static clc_config_loss read_options(const clc_safetensors *file) {
    static const char *const negatives[] = {"auto", "batch", "queue", "both", NULL};
    static const char *const minings[] = {"all", "semihard", "hard", NULL};
    static const char *const distances[] = {"euclidean", "squared", "cosine", NULL};
    return (clc_config_loss){
        .temperature = option(file, "temperature", option(file, "student_temperature", 1)),
        .teacher_temperature = option(file, "teacher_temperature", 1),
        .center_momentum = 1,
        .weight = option(file, "scale", 1),
        .normalize = option(file, "normalize", 1) > 0.5,
        .negatives = word(file, "negatives", negatives),
        .bias = option(file, "bias", 0),
        .distance = word(file, "distance", distances),
        .margin = option(file, "margin", 1),
        .positive_margin = option(file, "positive_margin", 0),
        .linear = option(file, "linear", 0) > 0.5,
        .mining = word(file, "mining", minings),
        .soft = option(file, "soft", 0) > 0.5,
        .l2 = option(file, "l2", 0),
        .lambda = option(file, "lam", 0.0051),
        .variance_epsilon = option(file, "eps", 1e-5),
        .invariance = option(file, "invariance", 25),
        .variance = option(file, "variance", 25),
        .covariance = option(file, "covariance", 1),
    };
}

static bool is_zero(const clc_safetensors *file, const char *name) {
    const clc_st_tensor *tensor = clc_safetensors_find(file, name);
    double *values = tensor ? golden_doubles(tensor) : NULL, largest = 0;
    for (size_t i = 0; values && i < tensor->count; i++)
        largest = fmax(largest, fabs(values[i]));
    free(values);
    return !(largest > 0);
}

static loss_case read_case(const clc_safetensors *file) {
    const clc_st_tensor *z = golden_tensor(file, "z1");
    const clc_st_tensor *queue = clc_safetensors_find(file, "queue");
    loss_case c = {.file = file, .options = read_options(file), .half = z->count};
    c.shape = (clc_loss_shape){.images = (int)z->shape[0], .dim = (int)z->shape[1]};
    /* What gets no gradient is a target. */
    c.shape.targets = is_zero(file, "d_z2");
    c.shape.views = c.shape.targets ? 1 : 2;
    c.shape.large = 2;
    /* A teacher that is the student. */
    c.shape.targets |= clc_safetensors_find(file, "center") != NULL;
    c.shape.queue = queue ? (int)queue->shape[0] : 0;
    c.shape.labels = clc_safetensors_find(file, "labels") != NULL;
    return c;
}

/* Both views' tensors behind each other, or only the first's, as floats; freed by the caller. */
static float *join(const loss_case *c, const char *first, const char *second) {
    const char *const names[2] = {first, second};
    float *joined = malloc(2 * c->half * sizeof *joined);
    for (int i = 0; i < (second ? 2 : 1); i++) {
        double *values = golden_doubles(golden_tensor(c->file, names[i]));
        for (size_t k = 0; k < c->half; k++)
            joined[(size_t)i * c->half + k] = (float)values[k];
        free(values);
    }
    return joined;
}

static test_buffer upload(const loss_case *c, const char *name) {
    const clc_st_tensor *tensor = golden_tensor(c->file, name);
    float *floats = malloc(tensor->count * sizeof *floats);
    for (size_t i = 0; i < tensor->count; i++)
        floats[i] = tensor->dtype == CLC_F32 ? ((const float *)tensor->data)[i]
                                             : (float)((const double *)tensor->data)[i];
    test_buffer buffer = test_buffer_make(name, floats, tensor->count);
    free(floats);
    return buffer;
}

static test_buffer upload_labels(const loss_case *c) {
    const clc_st_tensor *tensor = golden_tensor(c->file, "labels");
    float *bits = malloc(tensor->count * sizeof *bits);
    assert_int_equal(tensor->dtype, CLC_I64);
    for (size_t i = 0; i < tensor->count; i++) {
        const int32_t label = (int32_t)((const int64_t *)tensor->data)[i];
        memcpy(bits + i, &label, sizeof label);
    }
    test_buffer buffer = test_buffer_make("labels", bits, tensor->count);
    free(bits);
    return buffer;
}

/* How far off single precision may be. */
typedef struct precision {
    double relative; /* of everything */
    double absolute; /* of the gradient */
} precision;

/* A similarity of D terms of 6e-8, a random walk of their roundings, is divided by t; sums of up to
 * 2N exponentials of those follow. Similarities of raw vectors are as large as |z|^2, scores as
 * large as their largest. Where an embedding has all but found its positive, the gradient is a
 * small difference of 2N weights of 1 / N, whose exponents are rounded. */
static precision precision_of(const loss_case *c, const float *z) {
    const size_t dim = (size_t)c->shape.dim;
    const double t = fmin(c->options.temperature, c->options.teacher_temperature);
    const bool scores = clc_safetensors_find(c->file, "center") != NULL;
    const double walk = fmax(1, sqrt((double)dim / 16)), images = c->shape.images;
    double longest = 0, shortest = HUGE_VAL;
    for (size_t i = 0; i < (size_t)c->shape.views * c->half; i += dim) {
        double squares = 0;
        for (size_t k = 0; k < dim; k++)
            squares += (double)z[i + k] * (double)z[i + k];
        longest = fmax(longest, sqrt(squares));
        shortest = fmin(shortest, sqrt(squares));
    }
    const double size = !c->options.normalize ? longest * longest : scores ? longest : 1;
    const double slope = !c->options.normalize ? longest : scores ? 1 : 1 / shortest;
    const double similarity = (2e-6 + (size > 1 ? 4e-7 * size : 0)) * walk / t;
    return (precision){.relative = 2e-6 + similarity,
                       .absolute =
                           ldexp(2 + size / t, -24) * sqrt(2 * images) * slope / (images * t)};
}

static void hold_gradient(const loss_case *c, const test_buffer *dz, const precision *p) {
    const char *const names[2] = {"d_z1", "d_z2"};
    double *gradient = malloc(2 * c->half * sizeof *gradient), largest = 0;
    for (int i = 0; i < c->shape.views; i++) {
        double *d = golden_doubles(golden_tensor(c->file, names[i]));
        memcpy(gradient + (size_t)i * c->half, d, c->half * sizeof *d);
        for (size_t k = 0; k < c->half; k++)
            largest = fmax(largest, fabs(d[k]));
        free(d);
    }
    test_expect(dz, gradient, p->relative + (largest > 0 ? p->absolute / largest : 0));
    free(gradient);
}

/* The value is a mean of terms of size 1 or more, however small it is itself: its error is one of
 * those. */
static void hold_value(const loss_case *c, const test_buffer *value, const precision *p) {
    double *loss = golden_doubles(golden_tensor(c->file, "loss"));
    test_expect(value, loss, *loss > 0 ? p->relative * fmax(1, 1 / *loss) : p->relative);
    free(loss);
}

void golden_loss(const clc_safetensors *file) {
    const loss_case c = read_case(file);
    const clc_loss *loss = clc_loss_find(clc_safetensors_metadata(file, "name"));
    const size_t count = (size_t)c.shape.views * c.half;
    float *z = join(&c, "z1", c.shape.views > 1 ? "z2" : NULL);
    const size_t bytes = loss->workspace(test_device(), &c.shape, &c.options);
    test_buffer in = test_buffer_make("z", z, count), dz = test_buffer_make("dz", NULL, count);
    test_buffer value = test_buffer_make("loss", NULL, 1);
    test_buffer work = test_buffer_make("workspace", NULL, bytes / sizeof(float));
    test_buffer target = {0}, queue = {0}, labels = {0}, center = {0};
    if (clc_safetensors_find(file, "center")) {
        center = upload(&c, "center");
        target = test_buffer_make("target", z, count);
    } else if (c.shape.targets) {
        target = upload(&c, "z2");
    }
    if (c.shape.queue)
        queue = upload(&c, "queue");
    if (c.shape.labels)
        labels = upload_labels(&c);
    const clc_loss_buffers buffers = {.z = in.mem,
                                      .dz = dz.mem,
                                      .target = target.mem,
                                      .queue = queue.mem,
                                      .labels = labels.mem,
                                      .center = center.mem,
                                      .value = value.mem,
                                      .workspace = work.mem};
    clc_sequence sequence = {0};
    CHECK(clc_loss_build(loss, &sequence, test_device(), &c.shape, &c.options, &buffers));
    test_run(&sequence);
    const precision p = precision_of(&c, z);
    hold_value(&c, &value, &p);
    hold_gradient(&c, &dz, &p);
    assert_true(test_buffer_intact(&work));
    test_buffer *all[] = {&in, &dz, &value, &work, &target, &queue, &labels, &center};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        test_buffer_release(all[i]);
    free(z);
}
