/* Sequences of launches: with device.sync = every each is waited for and named when it fails. */
#include "device/open.h"
#include "harness.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static clc_config_device settings(int sync) {
    clc_config config;
    const char *const every[] = {"device.sync=every"};
    CHECK(clc_config_load(NULL, every, sync == CLC_CONFIG_SYNC_EVERY, &config));
    assert_int_equal(config.device.sync, sync);
    return config.device;
}

static clc_device *open_with(int sync) {
    clc_device *device = NULL;
    const clc_config_device config = settings(sync);
    CHECK(clc_device_open_as(getenv("CLC_TEST_DEVICE"), &config, &device));
    assert_int_equal(device->sync_every, sync == CLC_CONFIG_SYNC_EVERY);
    return device;
}

/* Ends a while after it was enqueued, when a thread says so. */
typedef struct late {
    cl_event event;
    pthread_t thread;
} late;

static void *end_later(void *context) {
    const struct timespec pause = {.tv_nsec = 100000000};
    nanosleep(&pause, NULL);
    clSetUserEventStatus(((late *)context)->event, CL_COMPLETE);
    return NULL;
}

static clc_status enqueue_late(clc_device *device, void *context, cl_event *event) {
    clc_status status = CLC_OK;
    late *l = *(late **)context;
    cl_int code = CL_SUCCESS;
    l->event = clCreateUserEvent(device->context, &code);
    CLC_CL(code);
    assert_int_equal(pthread_create(&l->thread, NULL, end_later, l), 0);
    if (event) {
        CLC_CL(clRetainEvent(l->event));
        *event = l->event;
    }
fail:
    return status;
}

/* What had become of the late one when this one was enqueued. */
typedef struct look {
    const late *at;
    cl_int *found;
} look;

static clc_status enqueue_look(clc_device *device, void *context, cl_event *event) {
    clc_status status = CLC_OK;
    const look *l = context;
    CLC_CL(clGetEventInfo(l->at->event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof *l->found,
                          l->found, NULL));
    (void)device;
    if (event)
        *event = NULL;
fail:
    return status;
}

static void *copied(const void *from, size_t bytes) {
    void *to = malloc(bytes);
    assert_non_null(to);
    return memcpy(to, from, bytes);
}

static cl_int status_of_the_one_before(int sync) {
    clc_device *device = open_with(sync);
    late before = {0};
    cl_int found = -1;
    late *const at = &before;
    const look after = {&before, &found};
    const clc_launch_spec spec = {.kernel = "test"};
    clc_sequence sequence = {0};
    CHECK(clc_sequence_add_call(&sequence, &spec, enqueue_late, copied(&at, sizeof at)));
    CHECK(clc_sequence_add_call(&sequence, &spec, enqueue_look, copied(&after, sizeof after)));
    CHECK(clc_sequence_run(&sequence, device));
    pthread_join(before.thread, NULL);
    clReleaseEvent(before.event);
    clc_sequence_free(&sequence);
    clc_device_close(&device);
    return found;
}

static void every_waits_for_each_launch(void **state) {
    (void)state;
    assert_int_equal(status_of_the_one_before(CLC_CONFIG_SYNC_EVERY), CL_COMPLETE);
}

static void none_does_not_wait(void **state) {
    (void)state;
    assert_true(status_of_the_one_before(CLC_CONFIG_SYNC_NONE) != CL_COMPLETE);
}

/* Work that the device takes and then can't do. */
static clc_status enqueue_failing(clc_device *device, void *context, cl_event *event) {
    clc_status status = CLC_OK;
    cl_int code = CL_SUCCESS;
    (void)context;
    if (!event)
        return CLC_OK;
    *event = clCreateUserEvent(device->context, &code);
    CLC_CL(code);
    CLC_CL(clSetUserEventStatus(*event, CL_OUT_OF_RESOURCES));
fail:
    return status;
}

/* In the message. */
static void expect_words(const char *const *words) {
    for (; *words; words++)
        if (!strstr(clc_error(), *words))
            fail_msg("'%s' is not in: %s", *words, clc_error());
}

static void what_fails_is_named(void **state) {
    (void)state;
    clc_device *device = open_with(CLC_CONFIG_SYNC_EVERY);
    const clc_launch_spec spec = {.kernel = "k", .op = "conv2d_forward", .layer = "layer1.0"};
    clc_sequence sequence = {0};
    CHECK(clc_sequence_add_call(&sequence, &spec, enqueue_failing, malloc(1)));
    assert_int_equal(clc_sequence_run(&sequence, device), CLC_OPENCL);
    expect_words((const char *const[]){"conv2d_forward", "layer1.0", "CL_OUT_OF_RESOURCES", NULL});
    clc_sequence_free(&sequence);
    clc_device_close(&device);
}

static void a_kernel_that_cannot_be_launched_is_named(void **state) {
    (void)state;
    clc_sequence sequence = {0};
    clc_device *device = test_device();
    test_buffer x = test_buffer_make("x", NULL, 64);
    const clc_launch_spec spec = {.source = "op/elementwise.cl",
                                  .kernel = "gradient_pass",
                                  .op = "add_backward",
                                  .layer = "layer7",
                                  .local = {device->group_size + 1}};
    CHECK(CLC_LAUNCH(&sequence, device, &spec, CLC_MEM(x.mem), CLC_MEM(x.mem), CLC_INT(1),
                     CLC_INT(0)));
    assert_int_equal(clc_sequence_run(&sequence, device), CLC_OPENCL);
    expect_words((const char *const[]){"add_backward", "layer7", "gradient_pass",
                                       "CL_INVALID_WORK_GROUP_SIZE", NULL});
    clc_sequence_free(&sequence);
    test_buffer_release(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_waits_for_each_launch),
        cmocka_unit_test(none_does_not_wait),
        cmocka_unit_test(what_fails_is_named),
        cmocka_unit_test(a_kernel_that_cannot_be_launched_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
