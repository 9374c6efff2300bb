/* Programs and their disk cache: what is loaded is what would be built, and failures explain
 * themselves. */
#include "core/signals.h"
#include "device/disk_cache.h"
#include "device/open.h"
#include "device/program.h"
#include "device/source.h"
#include "folder.h"
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char tiny[] = "kernel void tiny(global int *out) { out[0] = VALUE * VERSION; }\n";

static void put_source(const char *name, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "cl/%s", name);
    put_file(in_folder(path), text, strlen(text));
}

/* An empty cache, and tiny.cl as the kernel source. */
static int fresh(void **state) {
    char command[600];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s' '%s' && mkdir '%s' '%s'", in_folder("cache"),
             in_folder("cl"), in_folder("cache"), in_folder("cl"));
    if (system(command) != 0)
        return -1;
    setenv("XDG_CACHE_HOME", in_folder("cache"), 1);
    setenv("CLCONTRAST_CL_DIR", in_folder("cl"), 1);
    put_source("tiny.cl", tiny);
    return 0;
}

static const char *entries(void) {
    return in_folder("cache/clcontrast");
}

/* What the kernel writes. */
static int run_kernel(clc_device *device, cl_kernel kernel) {
    int result = -1;
    cl_mem out = NULL;
    const size_t one = 1;
    CHECK(clc_buffer_create(device, sizeof result, "result", &out));
    assert_int_equal(clSetKernelArg(kernel, 0, sizeof out, &out), CL_SUCCESS);
    assert_int_equal(
        clEnqueueNDRangeKernel(device->queue, kernel, 1, NULL, &one, &one, 0, NULL, NULL),
        CL_SUCCESS);
    CHECK(clc_buffer_read(device, out, 0, sizeof result, &result));
    clc_buffer_release(device, &out);
    return result;
}

/* Opens the device anew, makes the kernel and runs it. */
static clc_program_counts run_tiny(const char *options, int expected) {
    clc_device *device = NULL;
    cl_kernel kernel = NULL;
    CHECK(clc_device_open(getenv("CLC_TEST_DEVICE"), CLC_PROFILE_AUTO, &device));
    device->keep_binaries = true; /* also where the driver has a cache of its own */
    CHECK(clc_kernel_create(device, "tiny.cl", "tiny", options, &kernel));
    assert_int_equal(run_kernel(device, kernel), expected);
    clc_program_counts counts = clc_program_counts_get(device);
    clReleaseKernel(kernel);
    clc_device_close(&device);
    return counts;
}

static const char options[] = "-DVALUE=7 -DVERSION=1";

static void assert_built(void) {
    const clc_program_counts counts = run_tiny(options, 7);
    assert_int_equal(counts.built, 1);
    assert_int_equal(counts.loaded, 0);
}

static void assert_loaded(void) {
    const clc_program_counts counts = run_tiny(options, 7);
    assert_int_equal(counts.built, 0);
    assert_int_equal(counts.loaded, 1);
}

static void the_second_start_loads(void **state) {
    (void)state;
    assert_built();
    assert_int_equal(list_folder(entries(), NULL), 1);
    assert_loaded();
    assert_loaded();
    assert_int_equal(list_folder(entries(), NULL), 1);
}

static void one_program_serves_a_device_many_times(void **state) {
    (void)state;
    clc_device *device = NULL;
    cl_kernel kernels[3] = {NULL};
    CHECK(clc_device_open(getenv("CLC_TEST_DEVICE"), CLC_PROFILE_AUTO, &device));
    CHECK(clc_kernel_create(device, "tiny.cl", "tiny", options, &kernels[0]));
    CHECK(clc_kernel_create(device, "tiny.cl", "tiny", options, &kernels[1]));
    assert_int_equal(clc_program_counts_get(device).built, 1);
    CHECK(clc_kernel_create(device, "tiny.cl", "tiny", "-DVALUE=5 -DVERSION=2", &kernels[2]));
    assert_int_equal(clc_program_counts_get(device).built, 2);
    assert_int_equal(run_kernel(device, kernels[1]), 7);
    assert_int_equal(run_kernel(device, kernels[2]), 10);
    for (int i = 0; i < 3; i++)
        clReleaseKernel(kernels[i]);
    clc_device_close(&device);
}

static void announced_programs_are_built_together_in_the_background(void **state) {
    (void)state;
    clc_device *device = NULL;
    cl_kernel kernel = NULL;
    CHECK(clc_device_open(getenv("CLC_TEST_DEVICE"), CLC_PROFILE_AUTO, &device));
    device->keep_binaries = true;
    size_t numbers[3];
    CHECK(clc_program_request(device, "tiny.cl", "-DVALUE=1 -DVERSION=1", &numbers[0]));
    CHECK(clc_program_request(device, "tiny.cl", "-DVALUE=2 -DVERSION=1", &numbers[1]));
    CHECK(clc_program_request(device, "tiny.cl", "-DVALUE=1 -DVERSION=1", &numbers[2]));
    assert_int_equal(numbers[0], numbers[2]);
    clc_programs_start(device);
    CHECK(clc_program_kernel(device, numbers[0], "tiny", &kernel));
    assert_int_equal(run_kernel(device, kernel), 1);
    clReleaseKernel(kernel);
    CHECK(clc_program_kernel(device, numbers[1], "tiny", &kernel));
    assert_int_equal(run_kernel(device, kernel), 2);
    assert_int_equal(clc_program_counts_get(device).built, 2);
    clReleaseKernel(kernel);
    clc_device_close(&device);
}

/* A kernel waits for its own program only. */
static void programs_before_a_failing_one_are_there(void **state) {
    (void)state;
    clc_device *device = NULL;
    cl_kernel kernel = NULL;
    CHECK(clc_device_open(getenv("CLC_TEST_DEVICE"), CLC_PROFILE_AUTO, &device));
    size_t good, bad, after;
    CHECK(clc_program_request(device, "tiny.cl", "-DVALUE=6 -DVERSION=1", &good));
    CHECK(clc_program_request(device, "tiny.cl", "-DVALUE=no_such_name", &bad));
    CHECK(clc_program_request(device, "tiny.cl", "-DVALUE=7 -DVERSION=1", &after));
    clc_programs_start(device);
    CHECK(clc_program_kernel(device, good, "tiny", &kernel));
    assert_int_equal(run_kernel(device, kernel), 6);
    clReleaseKernel(kernel);
    assert_int_equal(clc_program_kernel(device, after, "tiny", &kernel), CLC_BUILD);
    assert_non_null(strstr(clc_error(), "no_such_name"));
    assert_int_equal(clc_program_kernel(device, bad, "tiny", &kernel), CLC_BUILD);
    clc_device_close(&device);
}

static void a_background_failure_shows_when_a_kernel_is_needed(void **state) {
    (void)state;
    clc_device *device = NULL;
    cl_kernel kernel = NULL;
    CHECK(clc_device_open(getenv("CLC_TEST_DEVICE"), CLC_PROFILE_AUTO, &device));
    size_t number;
    CHECK(clc_program_request(device, "tiny.cl", "-DVALUE=no_such_name", &number));
    clc_programs_start(device);
    assert_int_equal(clc_kernel_create(device, "tiny.cl", "tiny", "-DVALUE=1 -DVERSION=1", &kernel),
                     CLC_BUILD);
    assert_non_null(strstr(clc_error(), "no_such_name"));
    clc_device_close(&device);
}

/* Also where training leaves that to the driver. */
static void kept_programs_are_loaded_by_the_next_start(void **state) {
    (void)state;
    clc_device *device = NULL;
    cl_kernel kernel = NULL;
    size_t number, count;
    for (int start = 0; start < 3; start++) {
        CHECK(clc_device_open(getenv("CLC_TEST_DEVICE"), CLC_PROFILE_AUTO, &device));
        device->keep_binaries = false;
        CHECK(clc_program_request(device, "tiny.cl", "-DVALUE=3 -DVERSION=1", &number));
        CHECK(clc_program_request(device, "tiny.cl", "-DVALUE=4 -DVERSION=1", &number));
        if (start == 1) {
            assert_int_equal(clc_programs_keep(device, &count), 2);
            assert_int_equal(count, 2);
        }
        CHECK(clc_program_kernel(device, number, "tiny", &kernel));
        assert_int_equal(run_kernel(device, kernel), 4);
        assert_int_equal(clc_program_counts_get(device).loaded, start == 0 ? 0 : 2);
        assert_int_equal(list_folder(entries(), NULL), start == 0 ? 0 : 2);
        clReleaseKernel(kernel);
        clc_device_close(&device);
    }
}

static void changed_source_is_built(void **state) {
    (void)state;
    assert_built();
    put_source("tiny.cl", "kernel void tiny(global int *out) { out[0] = VALUE + 100; }\n");
    assert_int_equal(run_tiny(options, 107).built, 1);
    put_source("part.h", "#define PART 30\n");
    put_source("tiny.cl",
               "#include \"part.h\"\nkernel void tiny(global int *out) { *out = PART; }\n");
    assert_int_equal(run_tiny(options, 30).built, 1);
    put_source("part.h", "#define PART 31\n");
    assert_int_equal(run_tiny(options, 31).built, 1);
}

static void a_torn_entry_is_built_again(void **state) {
    char path[512];
    size_t size = 0;
    (void)state;
    assert_built();
    assert_int_equal(list_folder(entries(), path), 1);
    unsigned char *whole = get_file(path, &size);
    const size_t lengths[] = {0, 1, 8, 39, 40, 41, size / 2, size - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        put_file(path, whole, lengths[i]);
        assert_built();
    }
    whole[size] = 'x';
    put_file(path, whole, size + 1);
    assert_built();
    assert_loaded();
    free(whole);
}

/* A changed byte anywhere: magic, key, size, hash, binary. */
static void a_changed_entry_is_built_again(void **state) {
    char path[512];
    size_t size = 0;
    (void)state;
    assert_built();
    assert_int_equal(list_folder(entries(), path), 1);
    unsigned char *whole = get_file(path, &size);
    const size_t places[] = {0, 7, 8, 23, 24, 31, 32, 39, 40, 41, size / 2, size - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        whole[places[i]] ^= 0x20;
        put_file(path, whole, size);
        assert_built();
        whole[places[i]] ^= 0x20;
    }
    put_file(path, whole, size);
    assert_loaded();
    free(whole);
}

/* The entry of another program under this one's name. */
static void a_foreign_entry_is_built_again(void **state) {
    char path[512], foreign[512];
    size_t size = 0;
    (void)state;
    run_tiny("-DVALUE=3 -DVERSION=1", 3);
    assert_int_equal(list_folder(entries(), foreign), 1);
    unsigned char *other = get_file(foreign, &size);
    assert_int_equal(unlink(foreign), 0);
    assert_built();
    assert_int_equal(list_folder(entries(), path), 1);
    put_file(path, other, size);
    assert_built();
    assert_loaded();
    free(other);
}

/* A driver that does not take its own binary any more: the hash is right, the contents are not. */
static void a_binary_that_the_driver_refuses_is_built_again(void **state) {
    char path[512];
    unsigned char garbage[500] = {1, 2, 3};
    (void)state;
    assert_built();
    assert_int_equal(list_folder(entries(), path), 1);
    clc_cache_key key = {0, 0};
    const char *name = strrchr(path, '/') + 1;
    unsigned long long high = 0, low = 0;
    assert_int_equal(sscanf(name, "%16llx%16llx", &high, &low), 2);
    key.high = high;
    key.low = low;
    clc_disk_cache_save(&key, garbage, sizeof garbage);
    assert_built();
    assert_loaded();
}

static void processes_at_once_are_safe(void **state) {
    enum { CHILDREN = 4 };
    FILE *children[CHILDREN];
    char path[512], line[256];
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CHILDREN; i++)
            children[i] = start_child("build");
        for (int i = 0; i < CHILDREN; i++) {
            assert_non_null(fgets(line, sizeof line, children[i]));
            assert_string_equal(line, "7\n");
            assert_int_equal(pclose(children[i]), 0);
        }
    }
    assert_int_equal(list_folder(entries(), path), 1); /* and no temporary file is left */
    assert_loaded();
}

/* LLVM's own handler deletes the files of the compilation that a signal meets. */
static void a_signal_while_programs_are_compiled_does_not_fail_them(void **state) {
    (void)state;
    char milliseconds[8], line[256];
    for (int i = 0; i < 12; i++) {
        snprintf(milliseconds, sizeof milliseconds, "%d", 5 + 9 * i);
        FILE *process = start_child(milliseconds);
        assert_non_null(fgets(line, sizeof line, process));
        assert_string_equal(line, "interrupted\n");
        assert_int_equal(pclose(process), 0);
    }
}

static void no_cache_folder_is_no_error(void **state) {
    (void)state;
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    setenv("XDG_CACHE_HOME", "/dev/null/nowhere", 1);
    assert_built();
    setenv("XDG_CACHE_HOME", "relative", 1); /* to be ignored, says the XDG specification */
    setenv("HOME", in_folder("cache"), 1);
    assert_built();
    assert_loaded();
    unsetenv("XDG_CACHE_HOME");
    assert_loaded();
    unsetenv("HOME");
    assert_built();
    if (home)
        setenv("HOME", home, 1);
    free(home);
}

/* Writing fails half-way: nothing stays, neither entry nor temporary file. */
static void a_full_disk_leaves_nothing(void **state) {
    const clc_cache_key key = {1, 2};
    const struct rlimit small = {4096, RLIM_INFINITY};
    struct rlimit old;
    unsigned char *data = calloc(100000, 1), *loaded = NULL;
    size_t size = 0;
    (void)state;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_false(clc_disk_cache_save(&key, data, 100000));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(list_folder(entries(), NULL), 0);
    assert_false(clc_disk_cache_load(&key, &loaded, &size));
    assert_true(clc_disk_cache_save(&key, data, 100000));
    assert_true(clc_disk_cache_load(&key, &loaded, &size));
    assert_int_equal(size, 100000);
    assert_memory_equal(loaded, data, size);
    free(data);
    free(loaded);
}

static void assert_message(const char *part) {
    if (!strstr(clc_error(), part))
        fail_msg("'%s' does not contain '%s'", clc_error(), part);
}

static clc_status create(const char *source, const char *name, const char *defines) {
    cl_kernel kernel = NULL;
    clc_status status = clc_kernel_create(test_device(), source, name, defines, &kernel);
    if (kernel)
        clReleaseKernel(kernel);
    return status;
}

static void a_build_failure_explains_itself(void **state) {
    (void)state;
    put_source("broken.cl", "kernel void broken(global int *out) { out[0] = no_such_thing; }\n");
    assert_int_equal(create("broken.cl", "broken", "-DVALUE=42"), CLC_BUILD);
    assert_message("cl/broken.cl");
    assert_message("-DVALUE=42");
    assert_message(test_device()->info.name);
    assert_message("no_such_thing"); /* the compiler's log */
    assert_message("error");
    assert_int_equal(list_folder(entries(), NULL), 0);
}

/* Long logs lose their end, not everything. */
static void a_long_log_is_shown(void **state) {
    char text[20000] = "kernel void broken(global int *out) {\n";
    (void)state;
    for (int i = 0; i < 15; i++) {
        strcat(text, "out[0] = no_such_thing_");
        for (int k = 0; k < 800; k++)
            strcat(text, "x");
        strcat(text, ";\n");
    }
    strcat(text, "}\n");
    put_source("broken.cl", text);
    assert_int_equal(create("broken.cl", "broken", ""), CLC_BUILD);
    assert_message("no_such_thing_x");
}

static void other_failures_explain_themselves(void **state) {
    (void)state;
    assert_int_equal(create("tiny.cl", "no_such_kernel", options), CLC_OPENCL);
    assert_message("no_such_kernel");
    assert_message("tiny.cl");
    assert_message("CL_INVALID_KERNEL_NAME");
    assert_int_equal(create("absent.cl", "tiny", ""), CLC_IO);
    assert_message("absent.cl");
    assert_message("CLCONTRAST_CL_DIR");
    put_source("loop.cl", "#include \"loop.cl\"\n");
    assert_int_equal(create("loop.cl", "tiny", ""), CLC_BUILD);
    assert_message("loop.cl");
    unsetenv("CLCONTRAST_CL_DIR");
    assert_int_equal(create("absent.cl", "tiny", ""), CLC_BUILD);
    assert_message("absent.cl");
}

/* Without any -D, so that each can be looked at with any OpenCL compiler. */
static void every_kernel_source_builds_alone(void **state) {
    (void)state;
    unsetenv("CLCONTRAST_CL_DIR");
    assert_true(clc_source_count > 0);
    for (size_t i = 0; i < clc_source_count; i++) {
        const char *dot = strrchr(clc_sources[i].name, '.');
        char *text = NULL;
        if (!dot || strcmp(dot, ".cl"))
            continue;
        CHECK(clc_source_assemble(clc_sources[i].name, &text));
        cl_program program =
            clCreateProgramWithSource(test_device()->context, 1, (const char **)&text, NULL, NULL);
        assert_non_null(program);
        if (clBuildProgram(program, 1, &test_device()->id, "-cl-std=CL1.2", NULL, NULL) !=
            CL_SUCCESS)
            fail_msg("cl/%s does not build alone", clc_sources[i].name);
        clReleaseProgram(program);
        free(text);
    }
}

/* Of `start_child`: a signal comes after so many milliseconds of compiling. */
static int interrupted_child(int milliseconds) {
    const struct timespec time = {.tv_nsec = milliseconds * 1000000L};
    clc_device *device = NULL;
    size_t numbers[5];
    clc_signals_install();
    CHECK(clc_device_open(getenv("CLC_TEST_DEVICE"), CLC_PROFILE_AUTO, &device));
    device->keep_binaries = false;
    for (int i = 0; i < 5; i++) {
        char defines[64];
        snprintf(defines, sizeof defines, "-DVALUE=%d -DVERSION=1", i);
        CHECK(clc_program_request(device, "tiny.cl", defines, &numbers[i]));
    }
    clc_programs_start(device);
    nanosleep(&time, NULL);
    raise(SIGINT);
    for (int i = 0; i < 5; i++) {
        cl_kernel kernel = NULL;
        CHECK(clc_program_kernel(device, numbers[i], "tiny", &kernel));
        clReleaseKernel(kernel);
    }
    puts(clc_signals_stop() ? "interrupted" : "not interrupted");
    clc_device_close(&device);
    clc_signals_restore();
    return 0;
}

static int child(void) {
    run_tiny(options, 7);
    puts("7");
    return 0;
}

/* PoCL's own cache stays where it is while ours comes and goes. */
static int begin(void **state) {
    return make_folder(state) | setenv("POCL_CACHE_DIR", in_folder("pocl"), 1);
}

static int end(void **state) {
    return remove_folder(state) | test_close_device(state);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return atoi(argv[1]) ? interrupted_child(atoi(argv[1])) : child();
#define FRESH(test) cmocka_unit_test_setup(test, fresh)
    const struct CMUnitTest tests[] = {
        FRESH(the_second_start_loads),
        FRESH(one_program_serves_a_device_many_times),
        FRESH(changed_source_is_built),
        FRESH(kept_programs_are_loaded_by_the_next_start),
        FRESH(announced_programs_are_built_together_in_the_background),
        FRESH(programs_before_a_failing_one_are_there),
        FRESH(a_background_failure_shows_when_a_kernel_is_needed),
        FRESH(a_torn_entry_is_built_again),
        FRESH(a_changed_entry_is_built_again),
        FRESH(a_foreign_entry_is_built_again),
        FRESH(a_binary_that_the_driver_refuses_is_built_again),
        FRESH(processes_at_once_are_safe),
        FRESH(a_signal_while_programs_are_compiled_does_not_fail_them),
        FRESH(no_cache_folder_is_no_error),
        FRESH(a_full_disk_leaves_nothing),
        FRESH(a_build_failure_explains_itself),
        FRESH(a_long_log_is_shown),
        FRESH(other_failures_explain_themselves),
        FRESH(every_kernel_source_builds_alone),
    };
    return cmocka_run_group_tests_name("programs", tests, begin, end);
}
