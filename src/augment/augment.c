#include "augment/augment.h"

#include "core/math.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_TAPS = 63, OPTIONS = 1536 };

_Static_assert((int)CLC_CONFIG_CROP_NONE == CROP_NONE &&
                   (int)CLC_CONFIG_CROP_RANDOM_RESIZED == CROP_RANDOM_RESIZED &&
                   (int)CLC_CONFIG_CROP_RANDOM == CROP_RANDOM &&
                   (int)CLC_CONFIG_CROP_CENTER == CROP_CENTER &&
                   (int)CLC_CONFIG_CROP_SQUARE == CROP_SQUARE,
               "the kernels' numbers of crops are the configuration's");

/* How a program is shaped: what cl/augment/augment.cl computes from the same constants. */
typedef struct shape {
    unsigned width; /* VW: pixels that an item handles at a time */
    int stages, kernel, taps_x, taps_y;
    size_t group_size, groups;
    size_t offset, slice; /* floats before the scratch, and of each group */
} shape;

static int blur_kernel(const clc_augment *a) {
    if (a->settings.blur_kernel)
        return a->settings.blur_kernel;
    int kernel = a->settings.size / 10 | 1;
    return kernel < 3 ? 3 : kernel;
}

static int largest_taps(const clc_augment *a, int length) {
    return length <= a->settings.size ? 2 : clc_ceil_div_int(2 * length, a->settings.size) + 1;
}

static int stages(const clc_augment *a) {
    const clc_config_augmentation *settings = &a->settings;
    int set = 0;
    bool colour = a->channels == 3;
    if (settings->rotation_probability > 0 && settings->rotation > 0)
        set |= STAGE_ROTATION;
    if (settings->jitter > 0) {
        set |= settings->brightness > 0 ? STAGE_BRIGHTNESS : 0;
        set |= settings->contrast > 0 ? STAGE_CONTRAST : 0;
        set |= settings->saturation > 0 && colour ? STAGE_SATURATION : 0;
        set |= settings->hue > 0 && colour ? STAGE_HUE : 0;
    }
    set |= settings->grey > 0 && colour ? STAGE_GREY : 0;
    set |= settings->blur > 0 ? STAGE_BLUR : 0;
    set |= settings->solarise > 0 ? STAGE_SOLARISE : 0;
    return set;
}

/* The same sums as PLANE, ROOM, TABLE and SLICE of the kernels. */
static shape make_shape(const clc_device *device, const clc_augment *a, int views) {
    enum { SCRATCH_LIMIT = 256 << 20 }; /* more groups than fit in it don't pay */
    const bool cpu = device->profile == CLC_PROFILE_CPU;
    const size_t side = (size_t)a->settings.size, c = (size_t)a->channels,
                 vw = cpu ? device->vector_width : 1;
    shape s = {
        .width = (unsigned)vw, .stages = stages(a), .kernel = 1, .group_size = device->group_size};
    if (s.stages & STAGE_BLUR)
        s.kernel = blur_kernel(a);
    s.taps_x = largest_taps(a, a->width);
    s.taps_y = largest_taps(a, a->height);
    size_t wide = clc_larger((size_t)a->width, side + 2 * (size_t)(s.kernel / 2));
    size_t room = clc_round_up(clc_larger(c * clc_round_up(side * side, vw), c * side * wide), vw);
    size_t table = side * (size_t)(s.taps_x + s.taps_y);
    s.slice = clc_round_up(2 * room + 2 * table, vw);
    s.offset = clc_round_up((size_t)views * sizeof(augment_view) / sizeof(float), 64);
    s.groups = cpu ? (size_t)device->groups * 4 : device->groups;
    size_t most = clc_larger(SCRATCH_LIMIT / (s.slice * sizeof(float)), device->info.compute_units);
    s.groups = s.groups > most ? most : s.groups;
    s.groups = s.groups > (size_t)views ? (size_t)views : s.groups;
    return s;
}

static bool is_probability(double p) {
    return p >= 0 && p <= 1;
}

static clc_status check_probabilities(const clc_augment *a) {
    const clc_config_augmentation *settings = &a->settings;
    const struct {
        const char *name;
        double value;
    } all[] = {{"crop_probability", settings->crop_probability},
               {"horizontal_flip", settings->horizontal_flip},
               {"vertical_flip", settings->vertical_flip},
               {"rotation_probability", settings->rotation_probability},
               {"jitter", settings->jitter},
               {"grey", settings->grey},
               {"blur", settings->blur},
               {"solarise", settings->solarise}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!is_probability(all[i].value))
            return clc_fail(CLC_INVALID, "augmentation: %s is %g, but a probability is 0 to 1",
                            all[i].name, all[i].value);
    return CLC_OK;
}

static clc_status check_crop(const clc_augment *a) {
    const clc_config_augmentation *settings = &a->settings;
    const double *scale = settings->crop_scale.values, *ratio = settings->crop_ratio.values;
    if (settings->crop == CLC_CONFIG_CROP_RANDOM_RESIZED &&
        !(scale[0] > 0 && scale[0] <= scale[1] && scale[1] <= 1 && ratio[0] > 0 &&
          ratio[0] <= ratio[1] && ratio[1] <= 1000))
        return clc_fail(CLC_INVALID,
                        "augmentation: crop_scale %g, %g and crop_ratio %g, %g must each be a "
                        "range with its low end first, the scale above 0 and at most 1",
                        scale[0], scale[1], ratio[0], ratio[1]);
    int smaller = a->height < a->width ? a->height : a->width;
    if (settings->crop == CLC_CONFIG_CROP_RANDOM &&
        (settings->crop_padding < 0 || smaller + 2 * settings->crop_padding < settings->size))
        return clc_fail(CLC_INVALID,
                        "augmentation: images of %dx%d with a border of %d pixels hold no crop of "
                        "%dx%d; raise crop_padding or take crop = random_resized",
                        a->height, a->width, settings->crop_padding, settings->size,
                        settings->size);
    if (largest_taps(a, a->width) > MOST_TAPS || largest_taps(a, a->height) > MOST_TAPS)
        return clc_fail(
            CLC_INVALID,
            "augmentation: size %d is less than a thirtieth of the images' %dx%d; raise "
            "it or use smaller images",
            settings->size, a->height, a->width);
    return CLC_OK;
}

/* Colours are made of three channels, greys of one. */
static clc_status check_colour(const clc_augment *a) {
    const clc_config_augmentation *settings = &a->settings;
    const bool jitters =
        settings->jitter > 0 && (settings->brightness > 0 || settings->contrast > 0 ||
                                 settings->saturation > 0 || settings->hue > 0);
    if (a->channels != 1 && a->channels != 3 &&
        (jitters || settings->grey > 0 || settings->solarise > 0))
        return clc_fail(CLC_INVALID,
                        "augmentation: images of %d channels have no colour to jitter, take away "
                        "or solarise; set augmentation.jitter, grey, solarise (and "
                        "second_solarise) to 0, or data.channels to 3 or 1",
                        a->channels);
    return CLC_OK;
}

static clc_status check_amounts(const clc_augment *a) {
    const clc_config_augmentation *settings = &a->settings;
    const double strengths[] = {settings->brightness, settings->contrast, settings->saturation};
    for (int i = 0; i < 3; i++)
        if (!(strengths[i] >= 0 && strengths[i] <= 1000))
            return clc_fail(CLC_INVALID,
                            "augmentation: brightness, contrast and saturation must be 0 or more, "
                            "not %g, %g, %g",
                            settings->brightness, settings->contrast, settings->saturation);
    if (!(settings->hue >= 0 && settings->hue <= 0.5))
        return clc_fail(CLC_INVALID, "augmentation: hue is %g, but 0 to 0.5 is possible",
                        settings->hue);
    if (!(settings->rotation >= 0 && settings->rotation <= 360))
        return clc_fail(CLC_INVALID,
                        "augmentation: rotation is %g degrees, but 0 to 360 is possible",
                        settings->rotation);
    int kernel = blur_kernel(a);
    if (settings->blur > 0 &&
        !(settings->blur_sigma.values[0] > 0 &&
          settings->blur_sigma.values[0] <= settings->blur_sigma.values[1] && kernel > 0 &&
          kernel % 2 && kernel <= MOST_TAPS && kernel / 2 < settings->size))
        return clc_fail(
            CLC_INVALID,
            "augmentation: a blur of sigma %g to %g over %d pixels is impossible on "
            "views of %d; the kernel must be odd, at most %d and less than twice the size",
            settings->blur_sigma.values[0], settings->blur_sigma.values[1], kernel, settings->size,
            MOST_TAPS);
    for (int c = 0; c < a->channels; c++)
        if (!(settings->std.values[c] > 0) || !isfinite(settings->mean.values[c]))
            return clc_fail(CLC_INVALID,
                            "augmentation: mean %g and std %g of channel %d; std must be above 0",
                            settings->mean.values[c], settings->std.values[c], c);
    return CLC_OK;
}

clc_status clc_augment_check(const clc_augment *a) {
    clc_status status = CLC_OK;
    if (a->channels < 1 || a->channels > CLC_AUGMENT_CHANNELS)
        return clc_fail(CLC_INVALID, "augmentation: images of %d channels; 1 to %d are possible",
                        a->channels, CLC_AUGMENT_CHANNELS);
    CLC_TRY(check_colour(a));
    if (a->height < 1 || a->width < 1 || a->settings.size < 1 || a->height > 4096 ||
        a->width > 4096 || a->settings.size > 4096)
        return clc_fail(CLC_INVALID,
                        "augmentation: views of side %d from images of %dx%d; sides of 1 to 4096 "
                        "are possible",
                        a->settings.size, a->height, a->width);
    CLC_TRY(check_probabilities(a));
    CLC_TRY(check_crop(a));
    CLC_TRY(check_amounts(a));
fail:
    return status;
}

clc_augment clc_augment_evaluation(const clc_augment *train, bool whole) {
    const clc_config_augmentation *from = &train->settings;
    const bool cuts = from->crop == CLC_CONFIG_CROP_RANDOM || from->crop == CLC_CONFIG_CROP_CENTER;
    clc_augment a = *train;
    a.settings = (clc_config_augmentation){.size = from->size,
                                           .crop = cuts    ? CLC_CONFIG_CROP_CENTER
                                                   : whole ? CLC_CONFIG_CROP_NONE
                                                           : CLC_CONFIG_CROP_SQUARE,
                                           .crop_probability = 1,
                                           .mean = from->mean,
                                           .std = from->std};
    return a;
}

size_t clc_augment_workspace(const clc_device *device, const clc_augment *augment, int views) {
    const shape s = make_shape(device, augment, views);
    return (s.offset + s.groups * s.slice) * sizeof(float);
}

static void add_options(char *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_options(char *options, const char *format, ...) {
    size_t used = strlen(options);
    va_list args;
    va_start(args, format);
    vsnprintf(options + used, OPTIONS - used, format, args);
    va_end(args);
}

static void add_float(char *options, const char *name, double value) {
    add_options(options, " -D%s=%af", name, (double)(float)value);
}

static void add_range(char *options, const char *name, float low, float high) {
    add_options(options, " -D%s_LOW=%af -D%s_SPAN=%af", name, (double)low, name,
                (double)(high - low));
}

static void add_span(char *options, const char *name, const clc_floats *span) {
    add_range(options, name, (float)span->values[0], (float)span->values[1]);
}

static void add_factor(char *options, const char *name, float strength) {
    add_range(options, name, strength < 1 ? 1 - strength : 0, 1 + strength);
}

static void make_options(const clc_augment *a, const shape *s, char *options) {
    const clc_config_augmentation *settings = &a->settings;
    const bool resized = settings->crop == CLC_CONFIG_CROP_RANDOM_RESIZED;
    bool random = resized || settings->crop == CLC_CONFIG_CROP_RANDOM;
    options[0] = '\0';
    add_options(options, "-DVW=%u -DC=%d -DS=%d -DLWS=%zu -DSTAGES=%d -DKERNEL=%d", s->width,
                a->channels, settings->size, s->group_size, s->stages, s->kernel);
    add_options(options, " -DMOST_WIDTH=%d -DTAPS_X=%d -DTAPS_Y=%d -DCROP=%d -DPADDING=%d",
                a->width, s->taps_x, s->taps_y, settings->crop, settings->crop_padding);
    add_float(options, "RATIO_LOW", resized ? settings->crop_ratio.values[0] : 1);
    add_float(options, "RATIO_HIGH", resized ? settings->crop_ratio.values[1] : 1);
    add_span(options, "SCALE", &settings->crop_scale);
    add_range(options, "LOG_RATIO", resized ? logf((float)settings->crop_ratio.values[0]) : 0,
              resized ? logf((float)settings->crop_ratio.values[1]) : 0);
    add_float(options, "P_CROP", random ? settings->crop_probability : 1);
    add_float(options, "P_HORIZONTAL", settings->horizontal_flip);
    add_float(options, "P_VERTICAL", settings->vertical_flip);
    add_float(options, "P_ROTATION",
              s->stages & STAGE_ROTATION ? settings->rotation_probability : 0);
    add_float(options, "P_JITTER", s->stages & STAGE_JITTER ? settings->jitter : 0);
    add_float(options, "P_GREY", s->stages & STAGE_GREY ? settings->grey : 0);
    add_float(options, "P_BLUR", settings->blur);
    add_float(options, "P_SOLARISE", settings->solarise);
    add_float(options, "ANGLE", settings->rotation);
    add_factor(options, "BRIGHTNESS", (float)settings->brightness);
    add_factor(options, "CONTRAST", (float)settings->contrast);
    add_factor(options, "SATURATION", (float)settings->saturation);
    add_float(options, "HUE", settings->hue);
    add_span(options, "SIGMA", &settings->blur_sigma);
}

static clc_status add_draw(clc_sequence *sequence, clc_device *device, const clc_augment *a,
                           const clc_augment_batch *b, const char *options,
                           const clc_augment_images *images, cl_mem step_state, cl_mem workspace) {
    const size_t views = (size_t)b->images * (size_t)b->views, local = device->group_size;
    const size_t groups = clc_ceil_div(views, local);
    const clc_launch_spec spec = {.source = "augment/augment.cl",
                                  .kernel = "augment_draw",
                                  .options = options,
                                  .groups = {groups < device->groups ? groups : device->groups},
                                  .local = {local},
                                  .op = "augment_draw",
                                  .bytes = (double)(views * sizeof(augment_view))};
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(images->indices), CLC_MEM(images->places),
                      CLC_MEM(step_state), CLC_MEM(workspace), CLC_INT(b->images),
                      CLC_INT(b->views), CLC_INT(b->first_image), CLC_INT(b->first_view),
                      CLC_UINT(a->seed & 0xFFFFFFFFu), CLC_UINT(a->seed >> 32));
}

clc_status clc_augment_build(clc_sequence *sequence, clc_device *device, const clc_augment *a,
                             const clc_augment_batch *b, const clc_augment_images *images,
                             cl_mem step_state, cl_mem out, cl_mem workspace) {
    clc_status status = CLC_OK;
    char options[OPTIONS];
    const int views = b->images * b->views;
    CLC_TRY(clc_augment_check(a));
    const shape s = make_shape(device, a, views);
    make_options(a, &s, options);
    CLC_TRY(add_draw(sequence, device, a, b, options, images, step_state, workspace));
    const double source = (double)a->height * a->width * a->channels;
    const double view = (double)a->settings.size * a->settings.size * a->channels;
    const clc_launch_spec spec = {.source = "augment/augment.cl",
                                  .kernel = "augment_render",
                                  .options = options,
                                  .groups = {s.groups},
                                  .local = {s.group_size},
                                  .op = "augment_render",
                                  .flops = views * view * 8,
                                  .bytes = views * (source + view * sizeof(float))};
    cl_float16 mean = {0}, scale = {0};
    for (int c = 0; c < a->channels; c++) {
        mean.s[c] = (float)a->settings.mean.values[c];
        scale.s[c] = 1.0f / (float)a->settings.std.values[c];
    }
    const cl_mem *from = images->pixels;
    CLC_TRY(CLC_LAUNCH(
        sequence, device, &spec, CLC_MEM(from[0]), CLC_MEM(from[1] ? from[1] : from[0]),
        CLC_MEM(from[2] ? from[2] : from[0]), CLC_MEM(from[3] ? from[3] : from[0]),
        CLC_MEM(images->places), CLC_MEM(workspace), CLC_MEM(out), CLC_MEM(workspace),
        CLC_UINT(s.offset), CLC_INT(views), CLC_INT(b->first_row),
        CLC_FLOAT((float)a->settings.solarise_threshold), CLC_FLOAT16(mean), CLC_FLOAT16(scale)));
fail:
    return status;
}
