#include "golden/golden.h"

#include "harness.h"
#include "loss/loss.h"

#include <stdlib.h>
#include <string.h>

/* Sums of up to D + 2N terms in single precision, and exponentials of s / t: an error of the similarity (D terms
 * of 6e-8) is multiplied by 1 / t. */
static double tolerance_of(const clc_loss_options *options) {
    return 2e-6 + 2e-6 / options->temperature;
}

void golden_loss(const clc_safetensors *file) {
    const clc_st_tensor *z[2] = {golden_tensor(file, "z1"), golden_tensor(file, "z2")};
    const clc_loss *loss = clc_loss_find(clc_safetensors_metadata(file, "name"));
    const clc_loss_shape shape = {.views = 2 * (int)z[0]->shape[0], .dim = (int)z[0]->shape[1]};
    const clc_loss_options options = {.temperature = golden_number(file, "temperature")};
    const size_t half = z[0]->count;
    float *joined = malloc(2 * half * sizeof *joined);
    double *gradient = malloc(2 * half * sizeof *gradient);
    double *value = golden_doubles(golden_tensor(file, "loss"));
    for (size_t i = 0; i < 2; i++) {
        double *d = golden_doubles(golden_tensor(file, i ? "d_z2" : "d_z1"));
        memcpy(joined + i * half, z[i]->data, half * sizeof *joined);
        memcpy(gradient + i * half, d, half * sizeof *d);
        free(d);
    }
    clc_sequence sequence = {0};
    test_buffer in = test_buffer_make("z", joined, 2 * half);
    test_buffer out = test_buffer_make("dz", NULL, 2 * half);
    test_buffer result = test_buffer_make("loss", NULL, 1);
    test_buffer workspace = test_buffer_make(
        "workspace", NULL, loss->workspace(test_device(), &shape, &options) / sizeof(float) + 1);
    CHECK(loss->build(&sequence, test_device(), &shape, &options, in.mem, out.mem, result.mem,
                      workspace.mem));
    test_run(&sequence);
    test_expect(&result, value, tolerance_of(&options));
    test_expect(&out, gradient, tolerance_of(&options));
    assert_true(test_buffer_intact(&workspace));
    test_buffer_release(&in);
    test_buffer_release(&out);
    test_buffer_release(&result);
    test_buffer_release(&workspace);
    free(joined);
    free(gradient);
    free(value);
}
