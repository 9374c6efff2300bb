#include "device/compile.h"

#include "core/log.h"
#include "core/signals.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { MOST_THREADS = 64 };

/* The whole log; its beginning, where the first error is, fits the message. NULL if there is none.
 */
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

cl_program clc_compile_load(clc_device *device, clc_program_entry *entry) {
    cl_int code = CL_SUCCESS, binary_code = CL_SUCCESS;
    cl_program loaded =
        clCreateProgramWithBinary(device->context, 1, &device->id, &entry->binary_size,
                                  (const unsigned char **)&entry->binary, &binary_code, &code);
    free(entry->binary);
    entry->binary = NULL;
    if (code != CL_SUCCESS)
        return NULL;
    if (binary_code != CL_SUCCESS ||
        clBuildProgram(loaded, 1, &device->id, entry->options, NULL, NULL) != CL_SUCCESS) {
        clReleaseProgram(loaded);
        return NULL;
    }
    return loaded;
}

/* Compiles for `device` in a context of its own, as drivers lock a context while they compile.
 * Leaves no binary where that fails: the program is then built in the device's own context, which
 * tells what is wrong. */
static void compile(const clc_device *device, clc_program_entry *entry) {
    cl_int code = CL_SUCCESS;
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                (cl_context_properties)device->platform, 0};
    cl_context context = clCreateContext(properties, 1, &device->id, NULL, NULL, &code);
    if (code != CL_SUCCESS)
        return;
    cl_program program =
        clCreateProgramWithSource(context, 1, (const char **)&entry->text, NULL, &code);
    if (code == CL_SUCCESS) {
        size_t size = 0;
        if (clBuildProgram(program, 1, &device->id, entry->options, NULL, NULL) == CL_SUCCESS &&
            clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) ==
                CL_SUCCESS &&
            size && (entry->binary = malloc(size))) {
            entry->binary_size = size;
            if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof entry->binary, &entry->binary,
                                 NULL) != CL_SUCCESS) {
                free(entry->binary);
                entry->binary = NULL;
            } else {
                entry->stored = clc_disk_cache_save(&entry->key, entry->binary, size);
            }
        }
        clReleaseProgram(program);
    }
    clReleaseContext(context);
}

/* What the compiling threads share: the next entry to look at. */
typedef struct compile_queue {
    const clc_device *device;
    clc_program_entry *entries;
    size_t count, total;
    atomic_size_t next, done;
} compile_queue;

static void *compile_some(void *context) {
    compile_queue *queue = context;
    for (size_t i; (i = atomic_fetch_add(&queue->next, 1)) < queue->count;) {
        clc_program_entry *entry = &queue->entries[i];
        if (entry->program || entry->binary || !entry->text)
            continue;
        compile(queue->device, entry);
        clc_live("compiling kernels: %zu of %zu, now %s", atomic_fetch_add(&queue->done, 1) + 1,
                 queue->total, entry->source);
    }
    return NULL;
}

void clc_compile_all(const clc_device *device, clc_program_entry *entries, size_t count,
                     size_t total) {
    compile_queue queue = {.device = device, .entries = entries, .count = count, .total = total};
    pthread_t threads[MOST_THREADS];
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t started = 0, wanted = cores < 1 ? 1 : (size_t)cores;
    wanted = wanted < total ? wanted : total;
    while (started + 1 < wanted && started < MOST_THREADS &&
           pthread_create(&threads[started], NULL, compile_some, &queue) == 0)
        started++;
    compile_some(&queue);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* Leaves the program, built or not, in *program, unless there is none. */
static cl_int create_and_build(clc_device *device, const clc_program_entry *entry,
                               cl_program *program) {
    cl_int code = CL_SUCCESS;
    *program =
        clCreateProgramWithSource(device->context, 1, (const char **)&entry->text, NULL, &code);
    if (code != CL_SUCCESS) {
        *program = NULL;
        return code;
    }
    return clBuildProgram(*program, 1, &device->id, entry->options, NULL, NULL);
}

/* A signal that is to stop the run makes LLVM, inside drivers, delete the files that a compilation
 * goes through: what fails then is built again, and the run stops where it would have. */
clc_status clc_compile_build(clc_device *device, const clc_program_entry *entry,
                             cl_program *program) {
    cl_int code = create_and_build(device, entry, program);
    if (code != CL_SUCCESS && clc_signals_stop()) {
        if (*program)
            clReleaseProgram(*program);
        code = create_and_build(device, entry, program);
    }
    if (code == CL_SUCCESS)
        return CLC_OK;
    if (!*program)
        return clc_fail_opencl(code, "clCreateProgramWithSource");
    const clc_status status = fail_build(device, *program, entry->source, entry->options, code);
    clReleaseProgram(*program);
    *program = NULL;
    return status;
}
