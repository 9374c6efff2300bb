/* What the tests of augmentation share. */
#ifndef TESTS_AUGMENT_SUPPORT_H
#define TESTS_AUGMENT_SUPPORT_H

#include "harness.h"
#include "reference.h"

/* Nothing random, mean 0 and std 1: images of height x width to views of size. */
clc_augment plain(int height, int width, int channels, int size);

/* Everything on, each with a probability between 0 and 1. */
clc_augment everything(int height, int width, int channels, int size);

/* `count` images of random bytes (count,H,W,C); freed by the caller. */
uint8_t *random_images(const clc_augment *a, int count);

/* Makes the views of `images` of the `count` images on the device, out of poisoned and guarded
 * buffers: (views * images, size, size, C), freed by the caller. `drawn` gets what was drawn unless
 * NULL. */
float *device_views(clc_device *device, const clc_augment *a, const uint8_t *pixels, int count,
                    const int *samples, int images, int views, uint32_t epoch, augment_view *drawn);

/* The same of `images` images at `places` in `bytes` of pixels. */
float *device_views_at(clc_device *device, const clc_augment *a, const uint8_t *pixels,
                       size_t bytes, const augment_place *places, const int *samples, int images,
                       int views, uint32_t epoch, augment_view *drawn);

/* All fields agree to the last bit; only the sign of a zero may differ: OpenCL compilers don't all
 * keep it. */
void expect_draw(const augment_view *got, const augment_view *want);

/* The tests: see augment.c. */
void draws_are_the_hosts(void **state);
void views_do_not_depend_on_the_batch(void **state);
void views_have_the_same_bits_everywhere(void **state);
void epochs_views_samples_and_seeds_differ(void **state);
void frequencies_are_as_configured(void **state);
void box_without_a_fit_is_the_largest_in_the_middle(void **state);
void each_stage_alone(void **state);
void all_stages_over_odd_sizes(void **state);
void any_group_size_gives_the_same_bits(void **state);
void vectors_of_any_width(void **state);
void evaluation_changes_nothing_but_size_and_scale(void **state);
void crops_beyond_the_border_are_black(void **state);
void definitions_are_torchvisions(void **state);
void impossible_settings_are_refused(void **state);
void ragged_images_in_several_buffers(void **state);
void random_crops_of_images_smaller_than_they_are(void **state);
void any_number_of_channels(void **state);
void preview_writes_a_png(void **state);
void preview_to_nowhere_fails(void **state);

#endif
