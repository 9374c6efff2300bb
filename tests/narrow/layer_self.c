/* The layer refuses what a small device would, and nothing else: run with NARROW_MEMORY 1 MB and
 * NARROW_BUFFER 600 KB. */
#include "harness.h"

static const char *const text =
    "kernel void small(global float *x) { x[get_global_id(0)] = 1.0f; }\n"
    "kernel void large(global float *x) {\n"
    "    local float all[10000];\n"
    "    all[get_local_id(0)] = x[get_global_id(0)];\n"
    "    barrier(CLK_LOCAL_MEM_FENCE);\n"
    "    x[get_global_id(0)] = all[(get_local_id(0) * 7) % 64];\n"
    "}\n";

static cl_int create(size_t bytes, cl_mem *buffer) {
    cl_int code = CL_SUCCESS;
    *buffer = clCreateBuffer(test_device()->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    return code;
}

static void buffers(void **state) {
    cl_mem first = NULL, second = NULL;
    (void)state;
    assert_int_equal(create(700000, &first), CL_INVALID_BUFFER_SIZE);
    assert_int_equal(create(600000, &first), CL_SUCCESS);
    assert_int_equal(create(600000, &second), CL_MEM_OBJECT_ALLOCATION_FAILURE);
    clReleaseMemObject(first);
    assert_int_equal(create(600000, &second), CL_SUCCESS);
    clReleaseMemObject(second);
}

static cl_int launch(cl_program program, const char *name, size_t items) {
    cl_int code = CL_SUCCESS;
    cl_mem buffer = NULL;
    const size_t global = 1024;
    assert_int_equal(create(global * sizeof(float), &buffer), CL_SUCCESS);
    cl_kernel kernel = clCreateKernel(program, name, &code);
    assert_int_equal(code, CL_SUCCESS);
    clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
    code = clEnqueueNDRangeKernel(test_device()->queue, kernel, 1, NULL, &global, &items, 0, NULL,
                                  NULL);
    clFinish(test_device()->queue);
    clReleaseKernel(kernel);
    clReleaseMemObject(buffer);
    return code;
}

static void launches(void **state) {
    cl_int code = CL_SUCCESS;
    clc_device *device = test_device();
    (void)state;
    cl_program program =
        clCreateProgramWithSource(device->context, 1, (const char **)(uintptr_t)&text, NULL, &code);
    assert_int_equal(clBuildProgram(program, 1, &device->id, "-cl-std=CL1.2", NULL, NULL),
                     CL_SUCCESS);
    assert_int_equal(launch(program, "small", 256), CL_SUCCESS);
    assert_int_equal(launch(program, "small", 512), CL_INVALID_WORK_GROUP_SIZE);
    assert_int_equal(launch(program, "large", 64), CL_OUT_OF_RESOURCES);
    clReleaseProgram(program);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(buffers), cmocka_unit_test(launches)};
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
