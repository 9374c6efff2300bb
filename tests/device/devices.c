/* Probing and choosing devices, with real drivers and with odd, broken or absent ones. Each set of
 * drivers is looked at in a process of its own: they are loaded once a process. */
#include "device/open.h"
#include "device/probe.h"
#include "folder.h"
#include "harness.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *fake_library; /* its full path */

/* ---- this process: the real devices ---- */

static void fields_make_sense(void **state) {
    clc_device_info *devices = NULL;
    size_t count = 0;
    char *notes = NULL;
    (void)state;
    CHECK(clc_devices_probe(&devices, &count, &notes));
    assert_true(count > 0);
    assert_non_null(notes);
    for (size_t i = 0; i < count; i++) {
        const clc_device_info *d = &devices[i];
        assert_int_equal(d->number, i);
        assert_true(*d->name && *d->vendor && *d->platform && *d->driver);
        assert_int_equal(strncmp(d->opencl, "OpenCL ", 7), 0);
        assert_true(d->compute_units >= 1 && d->float_width >= 1 && d->float_width <= 64);
        assert_true(d->memory >= 1000000 && d->largest_buffer >= 1000000);
        assert_true(d->largest_buffer <= d->memory);
        assert_true(d->local_memory >= 1024 && d->max_group >= 1);
        assert_true(d->max_group_sizes[0] >= 1 && d->max_group_sizes[2] >= 1);
        assert_true(d->alignment >= 4 && (d->alignment & (d->alignment - 1)) == 0);
        assert_int_equal(d->can_train, !*d->reason);
    }
    clc_devices_free(&devices, &count, &notes);
    assert_null(devices);
    assert_null(notes);
    assert_int_equal(count, 0);
    clc_devices_free(&devices, &count, &notes);
    clc_devices_free(NULL, NULL, NULL);
}

static void the_same_numbers_each_time(void **state) {
    clc_device_info *devices[2] = {NULL};
    size_t count[2] = {0};
    (void)state;
    for (int i = 0; i < 2; i++)
        CHECK(clc_devices_probe(&devices[i], &count[i], NULL));
    assert_int_equal(count[0], count[1]);
    assert_memory_equal(devices[0], devices[1], count[0] * sizeof *devices[0]);
    for (int i = 0; i < 2; i++)
        clc_devices_free(&devices[i], &count[i], NULL);
}

static void opens_by_number(void **state) {
    clc_device *device = NULL;
    char number[16];
    (void)state;
    snprintf(number, sizeof number, "%d", test_device()->info.number);
    CHECK(clc_device_open(number, CLC_PROFILE_AUTO, &device));
    assert_int_equal(device->info.number, test_device()->info.number);
    assert_true(device->vector_width == 4 || device->vector_width == 8 ||
                device->vector_width == 16);
    assert_true(device->groups >= 8);
    clc_device_close(&device);
    assert_null(device);
    clc_device_close(&device);
}

static void a_buffer_beyond_the_largest_is_refused(void **state) {
    cl_mem buffer = NULL;
    clc_device *device = test_device();
    const uint64_t before = device->allocated;
    (void)state;
    assert_int_equal(
        clc_buffer_create(device, (size_t)device->info.largest_buffer + 1, "queue", &buffer),
        CLC_MEMORY);
    assert_null(buffer);
    assert_true(device->allocated == before);
    assert_non_null(strstr(clc_error(), "queue"));
    assert_non_null(strstr(clc_error(), "at most"));
}

static void allocations_are_counted(void **state) {
    cl_mem buffers[2] = {NULL};
    clc_device *device = test_device();
    const uint64_t before = device->allocated;
    const unsigned live = device->buffers;
    (void)state;
    CHECK(clc_buffer_create(device, 1000, "a", &buffers[0]));
    CHECK(clc_buffer_create(device, 0, "b", &buffers[1]));
    assert_true(device->allocated == before + 1004);
    assert_int_equal(device->buffers, live + 2);
    assert_true(device->peak >= device->allocated);
    clc_buffer_release(device, &buffers[0]);
    clc_buffer_release(device, &buffers[0]);
    clc_buffer_release(device, &buffers[1]);
    assert_true(device->allocated == before);
    assert_int_equal(device->buffers, live);
}

/* ---- other processes: chosen drivers ---- */

static void put_icd(const char *name, const char *library) {
    char path[128];
    snprintf(path, sizeof path, "vendors/%s.icd", name);
    put_file(in_folder(path), library, strlen(library));
}

/* An empty folder of drivers, which children use. */
static int fresh(void **state) {
    char command[600];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir '%s'", in_folder("vendors"),
             in_folder("vendors"));
    setenv("OCL_ICD_VENDORS", in_folder("vendors"), 1);
    unsetenv("FAKE_ICD");
    return system(command);
}

static void use_fake(const char *mode) {
    put_icd("fake", fake_library);
    setenv("FAKE_ICD", mode, 1);
}

/* PoCL as well; false if it isn't in the system's folder of drivers. Others may not live with
 * sanitizers. */
static bool use_real(void) {
    char command[600];
    if (access("/etc/OpenCL/vendors/pocl.icd", R_OK) != 0)
        return false;
    snprintf(command, sizeof command, "cp /etc/OpenCL/vendors/pocl.icd '%s'", in_folder("vendors"));
    return system(command) == 0;
}

/* What a child prints for "probe" or a selector contains the part. */
static void expect_output(const char *argument, const char *part) {
    char output[8192];
    run_child(argument, output, sizeof output);
    if (!strstr(output, part))
        fail_msg("'%s' printed '%s', without '%s'", argument, output, part);
}

static void no_driver_at_all(void **state) {
    (void)state;
    expect_output("probe", "NO_DEVICE: no OpenCL platform was found; install");
    expect_output("open:", "NO_DEVICE: no OpenCL platform was found; install");
    setenv("OCL_ICD_VENDORS", "/nonexistent/", 1);
    expect_output("probe", "NO_DEVICE: no OpenCL platform was found; install");
}

static void broken_drivers(void **state) {
    (void)state;
    put_icd("gone", "/nonexistent/libdriver.so\n");
    put_icd("text", in_folder("vendors/text.icd"));
    put_icd("empty", "");
    expect_output("probe", "NO_DEVICE: no OpenCL platform was found; install");
    use_fake("devices");
    expect_output("probe", "OK: 7 devices");
}

static void a_platform_without_devices(void **state) {
    (void)state;
    use_fake("empty");
    expect_output("probe", "OK: 0 devices");
    expect_output("probe", "platform 'Fake Platform': no devices");
    expect_output("open:", "NO_DEVICE: no platform has an OpenCL device");
    if (!use_real())
        skip();
    expect_output("probe", "platform 'Fake Platform': no devices");
    expect_output("open:", "OK: ");
}

static void a_driver_that_fails(void **state) {
    (void)state;
    use_fake("failing");
    expect_output("probe", "OK: 0 devices");
    expect_output("probe", "platform 'Fake Platform': CL_OUT_OF_HOST_MEMORY");
    if (!use_real())
        skip();
    expect_output("open:", "OK: ");
}

static void odd_devices_are_judged(void **state) {
    (void)state;
    use_fake("devices");
    expect_output("probe", "0 gpu|Fake Old|no: OpenCL 1.2 is needed\n");
    expect_output("probe", "1 gpu|Fake Card|yes: \n");
    expect_output("probe", "3 cpu|Fake Blind|no: its driver has no compiler\n");
    expect_output("probe", "4 gpu|Fake Absent|no: the device is not available\n");
    expect_output("probe", "5 accelerator|Fake Small|no: 16 KB of local memory are needed\n");
    expect_output("probe", "6 other|?|no: the device is not available\n");
    expect_output("probe", "Fake Platform|fake|fake|1|512|cl_khr_fp64 cl_khr_fp16\n");
}

static void devices_are_chosen(void **state) {
    (void)state;
    use_fake("devices");
    expect_output("select:", "OK: 2"); /* of those that can train the one with most units */
    expect_output("select:gpu", "OK: 2");
    expect_output("select:1", "OK: 1");
    expect_output("select:card", "OK: 2");
    expect_output("select:FAKE plat", "OK: 2");
    expect_output("select:0", "NO_DEVICE: device 0 (Fake Old) can't train: OpenCL 1.2 is needed");
    expect_output("select:old", "NO_DEVICE: device 0 (Fake Old) can't train");
    expect_output("select:cpu", "NO_DEVICE: device 3 (Fake Blind) can't train");
    expect_output("select:7", "NO_DEVICE: no device matches '7'; 'clcontrast devices' lists the 7");
    expect_output("select:-1", "NO_DEVICE: no device matches '-1'");
    expect_output("select:4294967296", "NO_DEVICE: no device matches '4294967296'");
    expect_output("select:radeon", "NO_DEVICE: no device matches 'radeon'");
    expect_output("open:1", "OPENCL: OpenCL: CL_OUT_OF_RESOURCES");
}

static void numbers_run_over_all_platforms(void **state) {
    (void)state;
    use_fake("devices");
    if (!use_real())
        skip();
    char output[8192], number[8], *line = output;
    run_child("probe", output, sizeof output);
    assert_non_null(strstr(output, "Fake Card"));
    line = strchr(output, '\n') + 1;
    for (int i = 0; i < 8; i++) {
        snprintf(number, sizeof number, "%d ", i);
        assert_int_equal(strncmp(line, number, strlen(number)), 0);
        line = strchr(line, '\n') + 1;
    }
    expect_output("select:", "OK: ");
}

/* ---- the child ---- */

static int print_probe(void) {
    clc_device_info *devices = NULL;
    size_t count = 0;
    char *notes = NULL;
    clc_status status = clc_devices_probe(&devices, &count, &notes);
    if (status != CLC_OK) {
        printf("%s: %s\n", clc_status_name(status), clc_error());
        return 0;
    }
    printf("OK: %zu devices\n", count);
    for (size_t i = 0; i < count; i++)
        printf("%d %s|%s|%s: %s\n", devices[i].number, devices[i].type, devices[i].name,
               devices[i].can_train ? "yes" : "no", devices[i].reason);
    for (size_t i = 0; i < count; i++)
        printf("%s|%s|%s|%u|%u|%s\n", devices[i].platform, devices[i].vendor, devices[i].driver,
               devices[i].float_width, devices[i].alignment, devices[i].extensions);
    printf("%s", notes);
    clc_devices_free(&devices, &count, &notes);
    return 0;
}

static clc_status select_device(const char *selector, int *number) {
    clc_status status = CLC_OK;
    clc_device_info *devices = NULL;
    size_t count = 0, chosen = 0;
    CLC_TRY(clc_devices_probe(&devices, &count, NULL));
    CLC_TRY(clc_probe_select(devices, count, selector, &chosen));
    *number = (int)chosen;
fail:
    clc_devices_free(&devices, &count, NULL);
    return status;
}

static clc_status open_device(const char *selector, int *number) {
    clc_device *device = NULL;
    clc_status status = clc_device_open(selector, CLC_PROFILE_AUTO, &device);
    if (status == CLC_OK)
        *number = device->info.number;
    clc_device_close(&device);
    return status;
}

static int child(const char *argument) {
    int number = -1;
    if (!strcmp(argument, "probe"))
        return print_probe();
    const char *selector = strchr(argument, ':') + 1;
    clc_status status =
        *argument == 's' ? select_device(selector, &number) : open_device(selector, &number);
    if (status == CLC_OK)
        printf("OK: %d\n", number);
    else
        printf("%s: %s\n", clc_status_name(status), clc_error());
    return 0;
}

static int end(void **state) {
    return remove_folder(state) | test_close_device(state);
}

int main(int argc, char **argv) {
    if (argc == 2)
        return child(argv[1]);
    tap_begin();
    fake_library = argc == 3 ? argv[2] : NULL;
    if (!fake_library) {
        fprintf(stderr, "usage: %s --fake-icd LIBRARY\n", argv[0]);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_make_sense),
        cmocka_unit_test(the_same_numbers_each_time),
        cmocka_unit_test(opens_by_number),
        cmocka_unit_test(a_buffer_beyond_the_largest_is_refused),
        cmocka_unit_test(allocations_are_counted),
        cmocka_unit_test_setup(no_driver_at_all, fresh),
        cmocka_unit_test_setup(broken_drivers, fresh),
        cmocka_unit_test_setup(a_platform_without_devices, fresh),
        cmocka_unit_test_setup(a_driver_that_fails, fresh),
        cmocka_unit_test_setup(odd_devices_are_judged, fresh),
        cmocka_unit_test_setup(devices_are_chosen, fresh),
        cmocka_unit_test_setup(numbers_run_over_all_platforms, fresh),
    };
    return cmocka_run_group_tests_name("devices", tests, make_folder, end);
}
