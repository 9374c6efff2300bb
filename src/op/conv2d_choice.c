/* Which implementation computes a convolution, with which vector width: what was measured, else the
 * rule. */
#include "op/conv2d_impls.h"

#include <stdio.h>
#include <string.h>

void clc_conv2d_key(const clc_conv2d_shape *s, clc_conv2d_pass pass, char *key, size_t size) {
    snprintf(key, size, "%s %dx%dx%dx%d %dx%dx%d s%d p%d", clc_conv2d_pass_names[pass], s->n, s->h,
             s->w, s->c, s->kh, s->kw, s->k, s->stride, s->pad);
}

bool clc_conv2d_parse_key(const char *key, clc_conv2d_shape *s, clc_conv2d_pass *pass) {
    char name[32];
    if (sscanf(key, "%31s %dx%dx%dx%d %dx%dx%d s%d p%d", name, &s->n, &s->h, &s->w, &s->c, &s->kh,
               &s->kw, &s->k, &s->stride, &s->pad) != 10)
        return false;
    for (int i = CLC_CONV2D_FORWARD; i <= CLC_CONV2D_BACKWARD_WEIGHTS; i++)
        if (!strcmp(name, clc_conv2d_pass_names[i])) {
            *pass = (clc_conv2d_pass)i;
            return true;
        }
    return false;
}

void clc_conv2d_choice_words(const clc_conv2d_choice *choice, char *words, size_t size) {
    snprintf(words, size, "%s/%u", choice->impl->name, choice->width);
}

/* The device as a choice's kernels see it. */
static clc_device with_width(const clc_device *device, unsigned width) {
    clc_device narrowed = *device;
    narrowed.vector_width = width;
    return narrowed;
}

static bool parse_words(const char *words, clc_conv2d_choice *choice) {
    char name[32];
    size_t count;
    const clc_conv2d_impl *const *impls = clc_conv2d_impls(&count);
    if (sscanf(words, "%31[^/]/%u", name, &choice->width) != 2 || choice->width < 1 ||
        choice->width > 16 || (choice->width & (choice->width - 1)))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!strcmp(impls[i]->name, name)) {
            choice->impl = impls[i];
            return true;
        }
    return false;
}

bool clc_conv2d_choice_supports(const clc_conv2d_choice *choice, const clc_device *device,
                                const clc_conv2d_shape *shape, clc_conv2d_pass pass) {
    const clc_device seen = with_width(device, choice->width);
    return choice->impl->supports(&seen, shape, pass);
}

static bool is_winograd(const clc_conv2d_choice *choice) {
    return choice->impl->kind == CLC_CONV2D_WINOGRAD ||
           choice->impl->kind == CLC_CONV2D_WINOGRAD_STAGED;
}

/* By rule. Where channels would mostly be padding of whole vectors (9 of 16), Winograd on half
 * vectors: nearly four times as fast there as the direct one. */
static clc_conv2d_choice choose(const clc_device *device, const clc_conv2d_shape *shape,
                                clc_conv2d_pass pass, clc_conv2d_kind kind) {
    const clc_device halved =
        with_width(device, device->vector_width > 1 ? device->vector_width / 2 : 1);
    const clc_conv2d_choice whole = {clc_conv2d_choose(device, shape, pass, kind),
                                     device->vector_width};
    const clc_conv2d_choice half = {clc_conv2d_choose(&halved, shape, pass, kind),
                                    halved.vector_width};
    return !is_winograd(&whole) && is_winograd(&half) ? half : whole;
}

clc_conv2d_choice clc_conv2d_select(const clc_device *device, const clc_conv2d_shape *shape,
                                    clc_conv2d_pass pass, clc_conv2d_kind kind) {
    char key[96];
    clc_conv2d_choice tuned;
    clc_conv2d_key(shape, pass, key, sizeof key);
    const char *words = kind == CLC_CONV2D_AUTO ? clc_tuning_choice(device->tuning, key) : NULL;
    if (words && parse_words(words, &tuned) &&
        clc_conv2d_choice_supports(&tuned, device, shape, pass))
        return tuned;
    return choose(device, shape, pass, kind);
}

size_t clc_conv2d_choice_workspace(const clc_conv2d_choice *choice, const clc_device *device,
                                   const clc_conv2d_shape *shape, clc_conv2d_pass pass) {
    const clc_device seen = with_width(device, choice->width);
    return choice->impl->workspace(&seen, shape, pass);
}

clc_status clc_conv2d_choice_build(const clc_conv2d_choice *choice, clc_sequence *sequence,
                                   clc_device *device, const clc_conv2d_shape *shape,
                                   clc_conv2d_pass pass, const clc_conv2d_args *args) {
    char key[96], words[40];
    clc_device seen = with_width(device, choice->width);
    clc_conv2d_key(shape, pass, key, sizeof key);
    clc_conv2d_choice_words(choice, words, sizeof words);
    clc_status status = clc_tuning_note(device->tuning, key, words);
    return status == CLC_OK ? choice->impl->build(sequence, &seen, shape, pass, args) : status;
}
