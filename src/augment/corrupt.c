#include "augment/corrupt.h"

#include "device/program.h"

static const char source[] = "augment/corrupt.cl";

const char *const clc_corruption_names[] = {[CORRUPTION_NOISE] = "noise",
                                            [CORRUPTION_BLUR] = "blur",
                                            [CORRUPTION_BRIGHTNESS] = "brightness",
                                            [CORRUPTION_CONTRAST] = "contrast",
                                            [CORRUPTION_OCCLUSION] = "occlusion",
                                            [CORRUPTION_ROTATION] = "rotation",
                                            [CORRUPTION_JPEG] = "jpeg"};

double clc_corruption_amount(int kind, int strength, int side) {
    static const double amounts[CORRUPTIONS][CLC_CORRUPTION_STRENGTHS] = {
        [CORRUPTION_NOISE] = {0.04, 0.08, 0.12, 0.18, 0.26},
        [CORRUPTION_BLUR] = {0.5, 0.8, 1.1, 1.5, 2}, /* of 32 pixels */
        [CORRUPTION_BRIGHTNESS] = {0.1, 0.2, 0.3, 0.4, 0.5},
        [CORRUPTION_CONTRAST] = {0.75, 0.5, 0.4, 0.3, 0.15},
        [CORRUPTION_OCCLUSION] = {0.1, 0.2, 0.3, 0.4, 0.5},
        [CORRUPTION_ROTATION] = {10, 20, 30, 45, 60},
        [CORRUPTION_JPEG] = {25, 18, 15, 10, 7}};
    const double amount = amounts[kind][strength - 1];
    return kind == CORRUPTION_BLUR ? amount * side / 32 : amount;
}

/* Launches of all kinds begin with the same one, and end with the same one. */
typedef struct builder {
    const clc_corruption *c;
    clc_sequence *to;
    size_t count; /* values */
} builder;

static clc_launch_spec spec(const builder *b, const char *kernel, size_t items) {
    const clc_device *device = b->c->device;
    const size_t groups = clc_ceil_div(items, device->group_size);
    const size_t most = device->groups * 4;
    return (clc_launch_spec){.source = source,
                             .kernel = kernel,
                             .groups = {groups < most ? groups : most},
                             .local = {device->group_size},
                             .op = kernel};
}

clc_status clc_corruption_request(clc_device *device) {
    size_t number;
    return clc_program_request(device, source, "", &number);
}

static clc_status add_open(const builder *b) {
    const clc_launch_spec s = spec(b, "corrupt_open", b->count);
    return CLC_LAUNCH(b->to, b->c->device, &s, CLC_MEM(b->c->values), CLC_MEM(b->c->norm),
                      CLC_MEM(b->c->clean), CLC_INT(b->count), CLC_INT(b->c->channels));
}

static clc_status add_close(const builder *b, cl_mem from) {
    const clc_launch_spec s = spec(b, "corrupt_close", b->count);
    return CLC_LAUNCH(b->to, b->c->device, &s, CLC_MEM(from), CLC_MEM(b->c->norm),
                      CLC_MEM(b->c->values), CLC_INT(b->count), CLC_INT(b->c->channels));
}

/* Where a launch's amount stands among its arguments, and a step's number among its sequence. */
enum { PIXELS_AMOUNT = 8, BLUR_AMOUNT = 6, JPEG_AMOUNT = 5 };

static clc_status add_pixels(const builder *b, int kind) {
    clc_status status = CLC_OK;
    const clc_corruption *c = b->c;
    const clc_launch_spec mean = spec(b, "corrupt_mean", (size_t)c->images * (size_t)c->channels);
    const clc_launch_spec pixels = spec(b, "corrupt_pixels", b->count);
    if (kind == CORRUPTION_CONTRAST)
        CLC_TRY(CLC_LAUNCH(b->to, c->device, &mean, CLC_MEM(c->clean), CLC_MEM(c->means),
                           CLC_INT(c->images), CLC_INT(c->side), CLC_INT(c->channels)));
    CLC_TRY(CLC_LAUNCH(b->to, c->device, &pixels, CLC_MEM(c->clean), CLC_MEM(c->identities),
                       CLC_MEM(c->means), CLC_MEM(c->other), CLC_INT(c->images), CLC_INT(c->side),
                       CLC_INT(c->channels), CLC_INT(kind), CLC_FLOAT(0),
                       CLC_UINT(c->seed & 0xFFFFFFFFu), CLC_UINT(c->seed >> 32)));
    CLC_TRY(add_close(b, c->other));
fail:
    return status;
}

static clc_status add_blur(const builder *b) {
    clc_status status = CLC_OK;
    const clc_corruption *c = b->c;
    const clc_launch_spec s = spec(b, "corrupt_blur", b->count);
    CLC_TRY(CLC_LAUNCH(b->to, c->device, &s, CLC_MEM(c->clean), CLC_MEM(c->other),
                       CLC_INT(c->images), CLC_INT(c->side), CLC_INT(c->channels), CLC_INT(1),
                       CLC_FLOAT(0)));
    CLC_TRY(CLC_LAUNCH(b->to, c->device, &s, CLC_MEM(c->other), CLC_MEM(c->clean),
                       CLC_INT(c->images), CLC_INT(c->side), CLC_INT(c->channels), CLC_INT(c->side),
                       CLC_FLOAT(0)));
    CLC_TRY(add_close(b, c->clean));
fail:
    return status;
}

static clc_status add_jpeg(const builder *b) {
    clc_status status = CLC_OK;
    const clc_corruption *c = b->c;
    const clc_launch_spec s =
        spec(b, "corrupt_jpeg", clc_ceil_div(b->count, 64) * c->device->group_size);
    CLC_TRY(CLC_LAUNCH(b->to, c->device, &s, CLC_MEM(c->clean), CLC_MEM(c->other),
                       CLC_INT(c->images), CLC_INT(c->side), CLC_INT(c->channels), CLC_FLOAT(0)));
    CLC_TRY(add_close(b, c->other));
fail:
    return status;
}

static clc_status allocate(clc_corruption *c, size_t count, const double *mean,
                           const double *deviation) {
    clc_status status = CLC_OK;
    const size_t channels = (size_t)c->channels, bytes = count * sizeof(float);
    float *norm = NULL;
    CLC_NEW(norm, 2 * channels);
    for (size_t i = 0; i < channels; i++) {
        norm[i] = (float)mean[i];
        norm[channels + i] = (float)deviation[i];
    }
    CLC_TRY(clc_buffer_create(c->device, 2 * channels * sizeof *norm, "corruptions", &c->norm));
    CLC_TRY(clc_buffer_write(c->device, c->norm, 0, 2 * channels * sizeof *norm, norm));
    CLC_TRY(clc_buffer_create(c->device, bytes, "corruptions", &c->clean));
    CLC_TRY(clc_buffer_create(c->device, bytes, "corruptions", &c->other));
    CLC_TRY(clc_buffer_create(c->device, (size_t)c->images * channels * sizeof(float),
                              "corruptions", &c->means));
fail:
    free(norm);
    return status;
}

clc_status clc_corruption_make(clc_corruption *c, const double *mean, const double *deviation) {
    clc_status status = CLC_OK;
    const size_t count =
        (size_t)c->images * (size_t)c->side * (size_t)c->side * (size_t)c->channels;
    CLC_TRY(allocate(c, count, mean, deviation));
    for (int kind = 0; kind < CORRUPTIONS; kind++) {
        const builder b = {c, &c->steps[kind], count};
        CLC_TRY(add_open(&b));
        CLC_TRY(kind == CORRUPTION_BLUR   ? add_blur(&b)
                : kind == CORRUPTION_JPEG ? add_jpeg(&b)
                                          : add_pixels(&b, kind));
        CLC_TRY(clc_sequence_prepare(&c->steps[kind], c->device));
    }
fail:
    return status;
}

static clc_status set_amount(const clc_launch *launch, cl_uint argument, double amount) {
    clc_status status = CLC_OK;
    const cl_float value = (cl_float)amount;
    CLC_CL(clSetKernelArg(launch->kernel, argument, sizeof value, &value));
fail:
    return status;
}

clc_status clc_corruption_run(clc_corruption *c, int kind, double amount) {
    clc_status status = CLC_OK;
    const clc_sequence *steps = &c->steps[kind];
    const size_t first = kind == CORRUPTION_CONTRAST ? 2 : 1;
    const cl_uint argument = kind == CORRUPTION_BLUR   ? BLUR_AMOUNT
                             : kind == CORRUPTION_JPEG ? JPEG_AMOUNT
                                                       : PIXELS_AMOUNT;
    for (size_t i = first; i + 1 < steps->count; i++)
        CLC_TRY(set_amount(&steps->items[i], argument, amount));
    CLC_TRY(clc_sequence_run(steps, c->device));
fail:
    return status;
}

void clc_corruption_release(clc_corruption *c) {
    if (!c->device)
        return;
    clFinish(c->device->queue);
    for (int kind = 0; kind < CORRUPTIONS; kind++)
        clc_sequence_free(&c->steps[kind]);
    clc_buffer_release(c->device, &c->norm);
    clc_buffer_release(c->device, &c->clean);
    clc_buffer_release(c->device, &c->other);
    clc_buffer_release(c->device, &c->means);
    *c = (clc_corruption){0};
}
