/* Threads share an encoder, whose features must be those of one thread alone; files, kinds, names.
 *
 *     threads ENCODER PICTURE BROKEN FOLDER */
#include <clcontrast/encoder.h>
#include <clcontrast/log.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, TIMES = 8, COUNT = 3, SIDE = 20, BYTES = COUNT * SIDE * SIDE };

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s; %s\n", __LINE__, #condition, clc_error());               \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

typedef struct task {
    clc_encoder *encoder;
    const char *picture;
    unsigned char pixels[BYTES];
    float *alone, *file; /* what one thread alone got */
} task;

static size_t row_of(const clc_encoder *encoder) {
    return (size_t)clc_encoder_features(encoder);
}

static void *embed_often(void *context) {
    task *t = (task *)context;
    const size_t row = row_of(t->encoder);
    float *features = (float *)malloc(COUNT * row * sizeof *features);
    REQUIRE(features);
    for (int i = 0; i < TIMES; i++) {
        REQUIRE(clc_encoder_embed(t->encoder, t->pixels, COUNT, SIDE, SIDE, 1, features) == CLC_OK);
        REQUIRE(!memcmp(features, t->alone, COUNT * row * sizeof *features));
        REQUIRE(clc_encoder_embed_files(t->encoder, &t->picture, 1, features, NULL) == CLC_OK);
        REQUIRE(!memcmp(features, t->file, row * sizeof *features));
        /* An error is its thread's. */
        REQUIRE(clc_encoder_embed(t->encoder, t->pixels, 1, -1, SIDE, 1, features) == CLC_INVALID);
        REQUIRE(strstr(clc_error(), "-1 x 20"));
    }
    free(features);
    return NULL;
}

static void in_threads(clc_encoder *encoder, const char *picture) {
    static task tasks[THREADS];
    pthread_t threads[THREADS];
    const size_t row = row_of(encoder);
    for (int t = 0; t < THREADS; t++) {
        tasks[t].encoder = encoder;
        tasks[t].picture = picture;
        for (int i = 0; i < BYTES; i++)
            tasks[t].pixels[i] = (unsigned char)((7 + 4 * t) * i % 251);
        tasks[t].alone = (float *)malloc((COUNT + 1) * row * sizeof(float));
        REQUIRE(tasks[t].alone);
        tasks[t].file = tasks[t].alone + COUNT * row;
        REQUIRE(clc_encoder_embed(encoder, tasks[t].pixels, COUNT, SIDE, SIDE, 1, tasks[t].alone) ==
                CLC_OK);
        REQUIRE(clc_encoder_embed_files(encoder, &picture, 1, tasks[t].file, NULL) == CLC_OK);
        REQUIRE(t == 0 || memcmp(tasks[0].alone, tasks[t].alone, row * sizeof(float)));
    }
    for (int t = 0; t < THREADS; t++)
        REQUIRE(pthread_create(&threads[t], NULL, embed_often, &tasks[t]) == 0);
    for (int t = 0; t < THREADS; t++)
        REQUIRE(pthread_join(threads[t], NULL) == 0);
    for (int t = 0; t < THREADS; t++)
        free(tasks[t].alone);
}

static void files(clc_encoder *encoder, const char *picture, const char *broken,
                  const char *folder) {
    const char *const paths[] = {broken, picture, "absent.png", picture};
    const size_t row = row_of(encoder);
    bool bad[4] = {false, true, false, true};
    float *features = (float *)malloc(4 * row * sizeof *features);
    REQUIRE(features);
    REQUIRE(clc_encoder_embed_files(encoder, paths, 4, features, bad) == CLC_OK);
    REQUIRE(bad[0] && !bad[1] && bad[2] && !bad[3]);
    REQUIRE(isnan(features[0]) && isnan(features[3 * row - 1]));
    REQUIRE(isfinite(features[row]));
    REQUIRE(!memcmp(features + row, features + 3 * row, row * sizeof *features));
    REQUIRE(clc_encoder_embed_files(encoder, paths, 2, features, NULL) == CLC_FORMAT);
    REQUIRE(strstr(clc_error(), broken));
    REQUIRE(clc_encoder_embed_files(encoder, &folder, 1, features, bad) == CLC_INVALID);
    REQUIRE(strstr(clc_error(), "folder"));
    free(features);
}

static void count_lines(void *context, clc_log_level level, const char *text) {
    (void)level;
    REQUIRE(*text && text[strlen(text) - 1] != '\n');
    ++*(int *)context;
}

int main(int argc, char **argv) {
    clc_encoder *encoder = NULL;
    int lines = 0;
    REQUIRE(argc == 5);
    clc_log_to(count_lines, &lines);
    REQUIRE(clc_encoder_open(argv[1], getenv("CLC_TEST_DEVICE"), &encoder) == CLC_OK);
    REQUIRE(lines > 0);
    REQUIRE(clc_encoder_reads(encoder) == CLC_READS_IMAGES);
    REQUIRE(clc_encoder_channels(encoder) == 1);
    for (size_t i = 0; i < clc_encoder_classes(encoder); i++)
        REQUIRE(*clc_encoder_class(encoder, i));
    REQUIRE(!clc_encoder_class(encoder, clc_encoder_classes(encoder)));
    files(encoder, argv[2], argv[3], argv[4]);
    in_threads(encoder, argv[2]);
    clc_encoder_close(&encoder);
    return 0;
}
