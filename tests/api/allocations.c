/* Memory that isn't there: the n-th allocation of the library fails, for one n after the other.
 * Each time the call must fail with a message, or do without and be right; nothing may be left
 * behind.
 *
 *     allocations RUN INDEX PICTURE SHARE
 *
 * SHARE: the number of allocations of which one is tried. The linker puts the allocators below in
 * front of the C library's, for our own code alone (-Wl,--wrap): drivers don't come to it. */
#include "eval/encoder.h"
#include "clcontrast/search.h"
#include "search/index.h"
#include "search/search.h"

#include "device/open.h"

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 16, SIDE = 16, DIM_MOST = 512 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const void *alive[MOST]; /* what our code has allocated */
static size_t alive_count;
static long long left; /* allocations until the one that fails; 0: none does */
static long long seen;
static bool tripped;
static long handles; /* OpenCL objects that are alive */

/* Whether this allocation is the one. */
static bool fails(void) {
    pthread_mutex_lock(&lock);
    seen++;
    const bool now = left > 0 && --left == 0;
    tripped |= now;
    pthread_mutex_unlock(&lock);
    return now;
}

static void *noted(void *pointer) {
    pthread_mutex_lock(&lock);
    if (pointer && alive_count < MOST)
        alive[alive_count++] = pointer;
    pthread_mutex_unlock(&lock);
    return pointer;
}

static void forgotten(const void *pointer) {
    pthread_mutex_lock(&lock);
    for (size_t i = alive_count; pointer && i-- > 0;)
        if (alive[i] == pointer) {
            alive[i] = alive[--alive_count];
            break;
        }
    pthread_mutex_unlock(&lock);
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *pointer);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *pointer);

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : noted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : noted(__real_calloc(count, size));
}

void *__wrap_realloc(void *pointer, size_t size) {
    if (fails())
        return NULL;
    forgotten(pointer);
    return noted(__real_realloc(pointer, size));
}

char *__wrap_strdup(const char *text) {
    return fails() ? NULL : noted(__real_strdup(text));
}

void __wrap_free(void *pointer) {
    forgotten(pointer);
    __real_free(pointer);
}

/* Objects of OpenCL, counted as they come and go. */
static void count_handle(long change) {
    pthread_mutex_lock(&lock);
    handles += change;
    pthread_mutex_unlock(&lock);
}

#define COMES(type, name, parameters, arguments)                                                   \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters {                                                                \
        const type made = __real_##name arguments;                                                 \
        count_handle(made != NULL);                                                                \
        return made;                                                                               \
    }
#define GOES(type, name)                                                                           \
    cl_int __real_##name(type object);                                                             \
    cl_int __wrap_##name(type object);                                                             \
    cl_int __wrap_##name(type object) {                                                            \
        count_handle(-1);                                                                          \
        return __real_##name(object);                                                              \
    }
typedef void(CL_CALLBACK *notice)(const char *, const void *, size_t, void *);
COMES(cl_context, clCreateContext,
      (const cl_context_properties *properties, cl_uint n, const cl_device_id *devices, notice told,
       void *user, cl_int *code),
      (properties, n, devices, told, user, code))
COMES(cl_command_queue, clCreateCommandQueue,
      (cl_context context, cl_device_id device, cl_command_queue_properties properties,
       cl_int *code),
      (context, device, properties, code))
COMES(cl_mem, clCreateBuffer,
      (cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code),
      (context, flags, size, host, code))
COMES(cl_mem, clCreateSubBuffer,
      (cl_mem from, cl_mem_flags flags, cl_buffer_create_type type, const void *region,
       cl_int *code),
      (from, flags, type, region, code))
COMES(cl_program, clCreateProgramWithSource,
      (cl_context context, cl_uint n, const char **texts, const size_t *lengths, cl_int *code),
      (context, n, texts, lengths, code))
COMES(cl_program, clCreateProgramWithBinary,
      (cl_context context, cl_uint n, const cl_device_id *devices, const size_t *lengths,
       const unsigned char **binaries, cl_int *codes, cl_int *code),
      (context, n, devices, lengths, binaries, codes, code))
COMES(cl_kernel, clCreateKernel, (cl_program program, const char *name, cl_int *code),
      (program, name, code))
GOES(cl_context, clReleaseContext)
GOES(cl_command_queue, clReleaseCommandQueue)
GOES(cl_mem, clReleaseMemObject)
GOES(cl_program, clReleaseProgram)
GOES(cl_kernel, clReleaseKernel)

static const char *run, *index_path, *picture;
static clc_device *device;
static float expected[8][DIM_MOST]; /* of each way, from a try without failure */

static int entries(const char *path) {
    DIR *folder = opendir(path);
    int count = 0;
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

/* Open ones, and those of this folder. */
static int count_files(void) {
    return entries("/proc/self/fd") + entries(".");
}

static void make_pixels(unsigned char pixels[SIDE * SIDE]) {
    for (int i = 0; i < SIDE * SIDE; i++)
        pixels[i] = (unsigned char)(7 * i % 256);
}

static clc_status embed_pixels(clc_encoder *encoder, float *features) {
    unsigned char pixels[SIDE * SIDE];
    make_pixels(pixels);
    return clc_encoder_embed(encoder, pixels, 1, SIDE, SIDE, 1, features);
}

static clc_status open_and_embed(float *features) {
    clc_encoder *encoder = NULL;
    clc_status status = clc_encoder_open(run, getenv("CLC_TEST_DEVICE"), &encoder);
    if (status == CLC_OK)
        status = embed_pixels(encoder, features);
    clc_encoder_close(&encoder);
    return status;
}

static clc_status open_on_and_embed(float *features) {
    clc_encoder *encoder = NULL;
    clc_status status = clc_encoder_open_on(run, device, &encoder);
    if (status == CLC_OK)
        status = embed_pixels(encoder, features);
    clc_encoder_close(&encoder);
    return status;
}

static clc_status embed_a_file(float *features) {
    clc_encoder *encoder = NULL;
    clc_status status = clc_encoder_open_on(run, device, &encoder);
    if (status == CLC_OK)
        status = clc_encoder_embed_files(encoder, &picture, 1, features, NULL);
    clc_encoder_close(&encoder);
    return status;
}

static clc_status find(float *features) {
    enum { K = 3 };
    clc_searcher *searcher = NULL;
    clc_match matches[K];
    clc_status status = clc_searcher_open(index_path, run, getenv("CLC_TEST_DEVICE"), &searcher);
    if (status == CLC_OK)
        status = clc_searcher_find_file(searcher, picture, K, matches);
    for (int i = 0; status == CLC_OK && i < K; i++) {
        features[2 * i] = (float)matches[i].sample;
        features[2 * i + 1] = matches[i].similarity;
    }
    clc_searcher_close(&searcher);
    return status;
}

static void ignore(void *context, clc_log_level level, const char *line) {
    (void)context;
    (void)level;
    (void)line;
}

/* The index of one picture; its features. */
static clc_status make_index(float *features) {
    static const char path[] = "made.index";
    const clc_index_options options = {.encoder = run,
                                       .device = getenv("CLC_TEST_DEVICE"),
                                       .output = path,
                                       .paths = &picture,
                                       .path_count = 1,
                                       .log = ignore};
    clc_index *index = NULL;
    clc_status status = clc_index_update(&options);
    if (status == CLC_OK)
        status = clc_index_open(path, &index);
    if (status == CLC_OK)
        memcpy(features, index->features, (size_t)index->dim * sizeof *features);
    clc_index_close(&index);
    remove(path);
    return status;
}

/* Its result is text: length and sum of it. */
static clc_status search(float *features) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    const clc_search_options options = {.index = index_path,
                                        .device = getenv("CLC_TEST_DEVICE"),
                                        .queries = &picture,
                                        .query_count = 1,
                                        .k = 3};
    if (!file)
        return CLC_MEMORY;
    const clc_status status = clc_search(&options, file);
    fclose(file);
    features[0] = (float)size;
    for (size_t i = 0; i < size; i++)
        features[1] += (float)(unsigned char)text[i];
    free(text);
    return status;
}

/* Forgets its first piece when there is no second: must be found. */
static clc_status leak(float *features) {
    void *volatile pieces[2] = {malloc(8), NULL};
    if (!pieces[0])
        return clc_fail_alloc(8);
    pieces[1] = malloc(8);
    if (!pieces[1])
        return clc_fail_alloc(8);
    free(pieces[0]);
    free(pieces[1]);
    features[0] = 1;
    return CLC_OK;
}

static const struct {
    const char *name;
    clc_status (*run)(float *features);
    bool device; /* opens one: takes a while */
} ways[] = {{"open and embed", open_and_embed, true},
            {"open on a device and embed", open_on_and_embed, false},
            {"embed a file", embed_a_file, false},
            {"search", search, true},
            {"find", find, true},
            {"index", make_index, true},
            {"leak", leak, false}};
enum { WAYS = sizeof ways / sizeof *ways, LEAK = WAYS - 1 };

static clc_status go(size_t way, long long fail_at, float *features) {
    memset(features, 0, DIM_MOST * sizeof *features);
    seen = 0;
    tripped = false;
    left = fail_at;
    const clc_status status = ways[way].run(features);
    left = 0;
    return status;
}

/* What is wrong after a call whose n-th allocation failed; NULL: nothing. */
static const char *try_one(size_t way, long long n, clc_status *status) {
    float features[DIM_MOST];
    const size_t before = alive_count;
    const long handles_before = handles;
    const int files = count_files();
    *status = go(way, n, features);
    if (!tripped)
        return "it came to none of that number";
    if (*status == CLC_OK && memcmp(features, expected[way], sizeof features))
        return "another result";
    if (*status != CLC_OK && !*clc_error())
        return "no message";
    if (alive_count != before)
        return "memory is left";
    if (handles != handles_before)
        return "objects of OpenCL are left";
    return count_files() != files ? "files are left, or left open" : NULL;
}

static int try_way(size_t way, long long share) {
    float first[DIM_MOST];
    int wrong = 0;
    long long tried = 0, borne = 0;
    clc_status status = CLC_OK;
    if (go(way, 0, first) != CLC_OK || go(way, 0, expected[way]) != CLC_OK) {
        printf("%s: %s\n", ways[way].name, clc_error());
        return 1;
    }
    const long long total = seen;
    const long long step = ways[way].device ? 4 * share : share;
    for (long long n = 1; n <= total; n += n < 16 ? 1 : step, tried++) {
        const char *fault = try_one(way, n, &status);
        borne += status == CLC_OK;
        wrong += fault != NULL;
        if (fault)
            printf("%s, allocation %lld of %lld: %s (%s: %s)\n", ways[way].name, n, total, fault,
                   clc_status_name(status), clc_error());
    }
    printf("%s: %lld of %lld allocations failed, of which %lld could be done without\n",
           ways[way].name, tried, total, borne);
    fflush(stdout);
    return wrong;
}

int main(int argc, char **argv) {
    int wrong = 0;
    if (argc != 5)
        return 2;
    run = argv[1];
    index_path = argv[2];
    picture = argv[3];
    if (clc_device_open(getenv("CLC_TEST_DEVICE"), CLC_PROFILE_AUTO, &device) != CLC_OK) {
        fprintf(stderr, "%s\n", clc_error());
        return 1;
    }
    for (size_t way = 0; way < LEAK; way++)
        wrong += try_way(way, strtoll(argv[4], NULL, 10));
    if (try_way(LEAK, 1) != 1) {
        puts("a leak was not found");
        wrong++;
    }
    clc_device_close(&device);
    return wrong ? 1 : 0;
}
