#include "device/program.h"

#include "core/log.h"
#include "device/disk_cache.h"
#include "device/source.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct program_entry {
    clc_cache_key key;
    cl_program program;
} program_entry;

struct clc_program_cache {
    program_entry *entries;
    size_t count, capacity;
    clc_program_counts counts;
};

clc_status clc_program_cache_create(clc_program_cache **cache) {
    clc_status status = CLC_OK;
    CLC_NEW(*cache, 1);
fail:
    return status;
}

void clc_program_cache_free(clc_program_cache **cache) {
    if (!cache || !*cache)
        return;
    for (size_t i = 0; i < (*cache)->count; i++)
        clReleaseProgram((*cache)->entries[i].program);
    free((*cache)->entries);
    free(*cache);
    *cache = NULL;
}

clc_program_counts clc_program_counts_get(const clc_device *device) {
    return device->programs->counts;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* The whole log; its beginning, where the first error is, fits the message. NULL if there is none. */
static char *build_log(clc_device *device, cl_program program) {
    size_t size = 0;
    char *log = NULL;
    if (clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) !=
            CL_SUCCESS ||
        !(log = calloc(size + 1, 1)))
        return NULL;
    if (clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, size, log, NULL) !=
        CL_SUCCESS)
        log[0] = '\0';
    return log;
}

static clc_status fail_build(clc_device *device, cl_program program, const char *source,
                             const char *options, cl_int code) {
    char *log = build_log(device, program);
    clc_fail(CLC_BUILD, "kernels cl/%s don't build (%s)\n  options: %s\n  device: %d, %s, %s\n%s",
             source, clc_opencl_error_name(code), options, device->info.number, device->info.name,
             device->info.opencl, log && *log ? log : "(no build log)");
    free(log);
    return CLC_BUILD;
}

/* Loads from the disk cache; leaves *program NULL when there is no usable entry. */
static void load_binary(clc_device *device, const clc_cache_key *key, const char *options,
                        cl_program *program) {
    unsigned char *binary = NULL;
    size_t size = 0;
    cl_int code = CL_SUCCESS, binary_code = CL_SUCCESS;
    if (!clc_disk_cache_load(key, &binary, &size))
        return;
    cl_program loaded =
        clCreateProgramWithBinary(device->context, 1, &device->id, &size,
                                  (const unsigned char **)&binary, &binary_code, &code);
    free(binary);
    if (code != CL_SUCCESS)
        return;
    if (binary_code != CL_SUCCESS ||
        clBuildProgram(loaded, 1, &device->id, options, NULL, NULL) != CL_SUCCESS) {
        clReleaseProgram(loaded);
        return;
    }
    *program = loaded;
}

static void save_binary(const clc_cache_key *key, cl_program program) {
    size_t size = 0;
    unsigned char *binary = NULL;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) !=
            CL_SUCCESS ||
        !size || !(binary = malloc(size)))
        return;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS)
        clc_disk_cache_save(key, binary, size);
    free(binary);
}

static clc_status build(clc_device *device, const char *source, const char *text,
                        const char *options, cl_program *program) {
    cl_int code = CL_SUCCESS;
    clc_live("compiling kernels: %u so far, now %s", device->programs->counts.built, source);
    double start = now();
    cl_program created = clCreateProgramWithSource(device->context, 1, &text, NULL, &code);
    if (code != CL_SUCCESS)
        return clc_fail_opencl(code, "clCreateProgramWithSource");
    code = clBuildProgram(created, 1, &device->id, options, NULL, NULL);
    if (code != CL_SUCCESS) {
        clc_status status = fail_build(device, created, source, options, code);
        clReleaseProgram(created);
        return status;
    }
    device->programs->counts.built++;
    device->programs->counts.build_seconds += now() - start;
    *program = created;
    return CLC_OK;
}

static clc_status remember(clc_program_cache *cache, const clc_cache_key *key,
                           cl_program program) {
    if (cache->count == cache->capacity) {
        size_t capacity = cache->capacity ? cache->capacity * 2 : 64;
        program_entry *entries = realloc(cache->entries, capacity * sizeof *entries);
        if (!entries)
            return clc_fail_alloc(capacity * sizeof *entries);
        cache->entries = entries;
        cache->capacity = capacity;
    }
    cache->entries[cache->count++] = (program_entry){*key, program};
    return CLC_OK;
}

/* The program of `source` built with `options`: from memory, from disk, or built now. */
static clc_status find_program(clc_device *device, const char *source, const char *options,
                               cl_program *program) {
    clc_status status = CLC_OK;
    clc_program_cache *cache = device->programs;
    char *text = NULL;
    cl_program made = NULL;
    CLC_TRY(clc_source_assemble(source, &text));
    const clc_cache_key key = clc_cache_key_make(&device->info, text, options);
    for (size_t i = 0; i < cache->count; i++)
        if (!memcmp(&cache->entries[i].key, &key, sizeof key)) {
            *program = cache->entries[i].program;
            goto fail;
        }
    load_binary(device, &key, options, &made);
    if (made) {
        cache->counts.loaded++;
    } else {
        CLC_TRY(build(device, source, text, options, &made));
        double start = now();
        save_binary(&key, made);
        cache->counts.build_seconds += now() - start;
    }
    CLC_TRY(remember(cache, &key, made));
    *program = made;
    made = NULL;
fail:
    if (made)
        clReleaseProgram(made);
    free(text);
    return status;
}

clc_status clc_kernel_create(clc_device *device, const char *source, const char *name,
                             const char *options, cl_kernel *kernel) {
    char all[2048];
    cl_program program = NULL;
    cl_int code = CL_SUCCESS;
    int n = snprintf(all, sizeof all, "-cl-std=CL1.2 -DCPU_KERNELS=%d -DNATIVE_WIDTH=%u %s",
                     device->profile == CLC_PROFILE_CPU, device->vector_width, options);
    if (n < 0 || (size_t)n >= sizeof all)
        return clc_fail(CLC_BUILD, "build options of kernel %s are too long: %s", name, options);
    clc_status status = find_program(device, source, all, &program);
    if (status != CLC_OK)
        return status;
    cl_kernel created = clCreateKernel(program, name, &code);
    if (code != CL_SUCCESS) {
        clc_fail_opencl(code, "clCreateKernel");
        return clc_fail_context(CLC_OPENCL, "kernel %s of cl/%s", name, source);
    }
    *kernel = created;
    return CLC_OK;
}
