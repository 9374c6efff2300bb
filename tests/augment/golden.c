#include "support.h"

#include "data/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* torchvision computes in float: 5e-6 in a few steps, 5e-5 for coordinates of a rotation. */
enum { LARGEST = 32 * 32 * 3 };

typedef struct golden {
    const clc_safetensors *file;
    const char *name;
    double image[LARGEST];
    int size, channels;
} golden;

static const clc_st_tensor *find(const golden *g, const char *name) {
    const clc_st_tensor *tensor = clc_safetensors_find(g->file, name);
    if (!tensor)
        fail_msg("no tensor '%s'", name);
    return tensor;
}

/* Starts from the colour image, or the left part of the grey one. */
static void start(golden *g, const char *name) {
    const clc_st_tensor *tensor = find(g, name);
    const uint8_t *bytes = tensor->data;
    const size_t h = tensor->shape[0], w = tensor->shape[1], c = tensor->shape[2];
    g->size = (int)h;
    g->channels = (int)c;
    for (size_t i = 0; i < h * h * c; i++)
        g->image[i] = bytes[i / c / h * w * c + i / c % h * c + i % c] / 255.0;
}

/* Runs the operation that the tensor's name tells; false if it names none. */
static bool apply(golden *g) {
    double x = 0, y = 0;
    char source[16];
    augment_view v = {0};
    int kernel = 0, size = 0;
    start(g, "colour");
    if (sscanf(g->name, "crop %15s %d %d %d %d %d", source, &v.top, &v.left, &v.height, &v.width,
               &size) == 6) {
        const clc_st_tensor *from = find(g, source);
        const clc_augment a =
            plain((int)from->shape[0], (int)from->shape[1], (int)from->shape[2], size);
        reference_crop(&a, &v, from->data, g->image);
        g->size = size;
        g->channels = a.channels;
    } else if (sscanf(g->name, "brightness %lf", &x) == 1) {
        reference_brightness(g->image, g->size, 3, x);
    } else if (sscanf(g->name, "contrast of grey %lf", &x) == 1) {
        start(g, "grey");
        reference_contrast(g->image, g->size, 1, x);
    } else if (sscanf(g->name, "contrast %lf", &x) == 1) {
        reference_contrast(g->image, g->size, 3, x);
    } else if (sscanf(g->name, "saturation %lf", &x) == 1) {
        reference_saturation(g->image, g->size, x);
    } else if (sscanf(g->name, "hue %lf", &x) == 1) {
        reference_hue(g->image, g->size, x);
    } else if (!strcmp(g->name, "grey of colour")) {
        reference_grey(g->image, g->size);
    } else if (sscanf(g->name, "blur %d %lf", &kernel, &x) == 2) {
        reference_blur(g->image, g->size, 3, kernel, x);
    } else if (sscanf(g->name, "solarise %lf", &x) == 1) {
        reference_solarise(g->image, g->size, 3, x);
    } else if (sscanf(g->name, "rotate %lf", &y) == 1) {
        const double radians = y * acos(-1.0) / 180;
        reference_rotate(g->image, g->size, 3, cos(radians), sin(radians));
    } else {
        return false;
    }
    return true;
}

void definitions_are_torchvisions(void **state) {
    (void)state;
    clc_safetensors *file = NULL;
    int compared = 0;
    if (!*AUGMENT_GOLDEN)
        skip(); /* an installed program has no such file, and it's the reference that is checked */
    CHECK(clc_safetensors_open(AUGMENT_GOLDEN, &file));
    for (size_t t = 0; t < file->count; t++) {
        const clc_st_tensor *want = &file->tensors[t];
        golden g = {.file = file, .name = want->name};
        if (want->dtype != CLC_F32)
            continue;
        if (!apply(&g))
            fail_msg("tensor '%s' names no operation", want->name);
        assert_int_equal(want->count, g.size * g.size * g.channels);
        const double tolerance = !strncmp(want->name, "rotate", 6) ? 5e-5 : 5e-6;
        for (size_t i = 0; i < want->count; i++) {
            const double expected = (double)((const float *)want->data)[i];
            if (!(fabs(g.image[i] - expected) <= tolerance))
                fail_msg("%s: element %zu is %g, torchvision's %g", want->name, i, g.image[i],
                         expected);
        }
        compared++;
    }
    assert_int_equal(compared, 22);
    clc_safetensors_close(&file);
}
