#include "device/program.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/path.h"
#include "device/compile.h"
#include "device/disk_cache.h"
#include "device/source.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct clc_program_cache {
    clc_program_entry *entries;
    size_t count, capacity;
    clc_program_counts counts;
    bool building; /* `builder` runs: it alone may touch entries that have no program yet */
    pthread_t builder;
    pthread_mutex_t lock; /* of `program` of the entries, counts and `ended` */
    pthread_cond_t progress;
    bool ended;        /* the builder publishes no more */
    clc_status status; /* of the builder, with its message */
    char *message;
};

clc_status clc_program_cache_create(clc_program_cache **cache) {
    clc_status status = CLC_OK;
    CLC_NEW(*cache, 1);
    pthread_mutex_init(&(*cache)->lock, NULL);
    pthread_cond_init(&(*cache)->progress, NULL);
fail:
    return status;
}

void clc_program_cache_free(clc_program_cache **cache) {
    if (!cache || !*cache)
        return;
    if ((*cache)->building)
        pthread_join((*cache)->builder, NULL);
    for (size_t i = 0; i < (*cache)->count; i++) {
        clc_program_entry *entry = &(*cache)->entries[i];
        if (entry->program)
            clReleaseProgram(entry->program);
        free(entry->text);
        free(entry->options);
        free(entry->binary);
    }
    pthread_mutex_destroy(&(*cache)->lock);
    pthread_cond_destroy(&(*cache)->progress);
    free((*cache)->message);
    free((*cache)->entries);
    free(*cache);
    *cache = NULL;
}

clc_program_counts clc_program_counts_get(const clc_device *device) {
    clc_program_cache *cache = device->programs;
    pthread_mutex_lock(&cache->lock);
    const clc_program_counts counts = cache->counts;
    pthread_mutex_unlock(&cache->lock);
    return counts;
}

static void free_text(clc_program_entry *entry) {
    free(entry->text);
    free(entry->options);
    entry->text = entry->options = NULL;
}

/* Gives the entry its program, for which other threads may wait; `counter` is the count that it
 * adds to. */
static void publish(clc_program_cache *cache, clc_program_entry *entry, cl_program program,
                    unsigned *counter) {
    free_text(entry);
    pthread_mutex_lock(&cache->lock);
    entry->program = program;
    ++*counter;
    pthread_cond_broadcast(&cache->progress);
    pthread_mutex_unlock(&cache->lock);
}

/* Gives every waiting entry its program: from disk, compiled in parallel, or built in the device's
 * context. */
static clc_status build_waiting(clc_device *device) {
    clc_status status = CLC_OK;
    clc_program_cache *cache = device->programs;
    const double start = clc_seconds();
    size_t missing = 0;
    for (size_t i = 0; i < cache->count; i++) {
        clc_program_entry *entry = &cache->entries[i];
        cl_program program = NULL;
        if (!entry->text)
            continue;
        if (entry->binary || clc_disk_cache_load(&entry->key, &entry->binary, &entry->binary_size))
            program = clc_compile_load(device, entry);
        if (program)
            publish(cache, entry, program, &cache->counts.loaded);
        else
            missing++;
    }
    if (missing && device->keep_binaries)
        clc_compile_all(device, cache->entries, cache->count, missing);
    for (size_t i = 0; i < cache->count; i++) {
        clc_program_entry *entry = &cache->entries[i];
        cl_program program = NULL;
        if (!entry->text)
            continue;
        if (entry->binary)
            program = clc_compile_load(device, entry);
        if (!program) {
            clc_live("compiling kernels: %u so far, now %s", cache->counts.built, entry->source);
            status = clc_compile_build(device, entry, &program);
        }
        if (status != CLC_OK) {
            free_text(entry);
            entry->key = (clc_cache_key){0}; /* a new attempt is a new entry */
            break;
        }
        publish(cache, entry, program, &cache->counts.built);
    }
    pthread_mutex_lock(&cache->lock);
    cache->counts.build_seconds += missing ? clc_seconds() - start : 0;
    pthread_mutex_unlock(&cache->lock);
    return status;
}

static void *build_in_background(void *context) {
    clc_device *device = context;
    clc_program_cache *cache = device->programs;
    cache->status = build_waiting(device);
    if (cache->status != CLC_OK)
        cache->message = strdup(clc_error());
    pthread_mutex_lock(&cache->lock);
    cache->ended = true;
    pthread_cond_broadcast(&cache->progress);
    pthread_mutex_unlock(&cache->lock);
    return NULL;
}

void clc_programs_start(clc_device *device) {
    clc_program_cache *cache = device->programs;
    if (cache->building)
        return;
    cache->ended = false;
    cache->building = pthread_create(&cache->builder, NULL, build_in_background, device) == 0;
}

/* Waits for the background build, if there is one. */
static clc_status finish_building(clc_program_cache *cache) {
    if (!cache->building)
        return CLC_OK;
    pthread_join(cache->builder, NULL);
    cache->building = false;
    if (cache->status == CLC_OK)
        return CLC_OK;
    return clc_fail(cache->status, "%s", cache->message ? cache->message : "kernels don't build");
}

/* The program, once the background build has come to it; NULL if that ends without it. */
static cl_program wait_for(clc_program_cache *cache, size_t number) {
    pthread_mutex_lock(&cache->lock);
    while (cache->building && !cache->ended && !cache->entries[number].program)
        pthread_cond_wait(&cache->progress, &cache->lock);
    const cl_program program = cache->entries[number].program;
    pthread_mutex_unlock(&cache->lock);
    return program;
}

size_t clc_programs_keep(clc_device *device, size_t *count) {
    clc_program_cache *cache = device->programs;
    size_t missing = 0, kept = 0;
    *count = 0;
    for (size_t i = 0; i < cache->count; i++) {
        clc_program_entry *entry = &cache->entries[i];
        if (!entry->text)
            continue;
        ++*count;
        entry->stored = clc_disk_cache_load(&entry->key, &entry->binary, &entry->binary_size);
        missing += !entry->stored;
    }
    if (missing)
        clc_compile_all(device, cache->entries, cache->count, missing);
    for (size_t i = 0; i < cache->count; i++)
        kept += cache->entries[i].stored;
    return kept;
}

static clc_status append(clc_program_cache *cache, const clc_program_entry *entry) {
    if (cache->count == cache->capacity) {
        size_t capacity = cache->capacity ? cache->capacity * 2 : 64;
        clc_program_entry *entries = realloc(cache->entries, capacity * sizeof *entries);
        if (!entries)
            return clc_fail_alloc(capacity * sizeof *entries);
        cache->entries = entries;
        cache->capacity = capacity;
    }
    cache->entries[cache->count++] = *entry;
    return CLC_OK;
}

clc_status clc_program_request(clc_device *device, const char *source, const char *options,
                               size_t *number) {
    clc_status status = CLC_OK;
    clc_program_cache *cache = device->programs;
    clc_program_entry entry = {.source = source};
    CLC_TRY(finish_building(cache));
    CLC_NEW(entry.options, strlen(options) + 256);
    sprintf(entry.options, "-cl-std=CL1.2 -DCPU_KERNELS=%d -DNATIVE_WIDTH=%u -DLS=%u %s",
            device->profile == CLC_PROFILE_CPU, device->vector_width, device->group_size, options);
    CLC_TRY(clc_source_assemble(source, &entry.text));
    entry.key = clc_cache_key_make(&device->info, entry.text, entry.options);
    for (*number = 0; *number < cache->count; (*number)++)
        if (!memcmp(&cache->entries[*number].key, &entry.key, sizeof entry.key))
            goto fail; /* there: not needed twice */
    CLC_TRY(append(cache, &entry));
    return CLC_OK;
fail:
    free(entry.text);
    free(entry.options);
    return status;
}

clc_status clc_program_kernel(clc_device *device, size_t number, const char *name,
                              cl_kernel *kernel) {
    clc_status status = CLC_OK;
    clc_program_cache *cache = device->programs;
    cl_int code = CL_SUCCESS;
    cl_program program = wait_for(cache, number);
    if (!program) {
        CLC_TRY(finish_building(cache));
        CLC_TRY(build_waiting(device));
        program = cache->entries[number].program;
    }
    if (!program)
        return clc_fail(CLC_BUILD, "kernels cl/%s didn't build", cache->entries[number].source);
    cl_kernel created = clCreateKernel(program, name, &code);
    if (code != CL_SUCCESS) {
        clc_fail_opencl(code, "clCreateKernel");
        return clc_fail_context(CLC_OPENCL, "kernel %s of cl/%s", name,
                                cache->entries[number].source);
    }
    *kernel = created;
fail:
    return status;
}

static clc_status write_entry(const clc_program_entry *entry, const char *folder, size_t number) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    char path[CLC_PATH_BYTES];
    const char *slash = strrchr(entry->source, '/');
    CLC_TRY(
        clc_path_format(path, "%s/%03zu-%s", folder, number, slash ? slash + 1 : entry->source));
    CLC_TRY(clc_file_writer_open(path, &writer));
    CLC_TRY(clc_file_writer_print(writer, "// options: %s\n%s", entry->options, entry->text));
    CLC_TRY(clc_file_writer_commit(&writer));
fail:
    clc_file_writer_abort(&writer);
    return status;
}

clc_status clc_programs_write(const clc_device *device, const char *folder, size_t *count) {
    clc_status status = CLC_OK;
    const clc_program_cache *cache = device->programs;
    *count = 0;
    CLC_TRY(clc_make_folders(folder));
    for (size_t i = 0; i < cache->count; i++)
        if (cache->entries[i].text)
            CLC_TRY(write_entry(&cache->entries[i], folder, ++*count));
fail:
    return status;
}

clc_status clc_kernel_create(clc_device *device, const char *source, const char *name,
                             const char *options, cl_kernel *kernel) {
    size_t number = 0;
    clc_status status = clc_program_request(device, source, options, &number);
    return status == CLC_OK ? clc_program_kernel(device, number, name, kernel) : status;
}
