/* Augmentation: the device's views against the host's, and the host's against torchvision. */
#include "support.h"

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_the_hosts),
        cmocka_unit_test(views_do_not_depend_on_the_batch),
        cmocka_unit_test(views_have_the_same_bits_everywhere),
        cmocka_unit_test(epochs_views_samples_and_seeds_differ),
        cmocka_unit_test(frequencies_are_as_configured),
        cmocka_unit_test(box_without_a_fit_is_the_largest_in_the_middle),
        cmocka_unit_test(each_stage_alone),
        cmocka_unit_test(all_stages_over_odd_sizes),
        cmocka_unit_test(any_group_size_gives_the_same_bits),
        cmocka_unit_test(vectors_of_any_width),
        cmocka_unit_test(evaluation_changes_nothing_but_size_and_scale),
        cmocka_unit_test(crops_beyond_the_border_are_black),
        cmocka_unit_test(definitions_are_torchvisions),
        cmocka_unit_test(impossible_settings_are_refused),
        cmocka_unit_test(ragged_images_in_several_buffers),
        cmocka_unit_test(random_crops_of_images_smaller_than_they_are),
        cmocka_unit_test(any_number_of_channels),
        cmocka_unit_test(preview_writes_a_png),
        cmocka_unit_test(preview_to_nowhere_fails),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
