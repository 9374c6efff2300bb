/* Runs every safetensors file of a folder (tests/golden, or that of CLC_GOLDEN): losses, networks,
 * training traces and metrics that PyTorch computed in float64. Kinds and losses that are unknown
 * are skipped by name. */
#include "harness.h"

#include "data/safetensors.h"
#include "golden/golden.h"
#include "loss/loss.h"
#include "tap.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILES = 256 };

static char paths[MOST_FILES][600];
static char names[MOST_FILES][160];

static bool known(const clc_safetensors *file, const char **kind) {
    const char *name = clc_safetensors_metadata(file, "name");
    *kind = clc_safetensors_metadata(file, "kind");
    if (!*kind)
        return false;
    if (!strcmp(*kind, "loss"))
        return name && clc_loss_find(name);
    if (!strcmp(*kind, "metric"))
        return name && golden_metric_known(name);
    if (!strcmp(*kind, "op"))
        return name && golden_op_known(name);
    if (!strcmp(*kind, "encoder"))
        return name && golden_encoder_known(name);
    if (!strcmp(*kind, "trace"))
        return name && golden_trace_known(name);
    return !strcmp(*kind, "net") || !strcmp(*kind, "train");
}

static void run_file(void **state) {
    clc_safetensors *file = NULL;
    const char *kind = NULL;
    CHECK(clc_safetensors_open(*state, &file));
    bool run = known(file, &kind);
    const char *name = run ? clc_safetensors_metadata(file, "name") : NULL;
    if (run && !strcmp(kind, "loss") && !strcmp(name, "swav"))
        golden_swav(file);
    else if (run && !strcmp(kind, "loss"))
        golden_loss(file);
    else if (run && !strcmp(kind, "metric"))
        golden_metric(file);
    else if (run && !strcmp(kind, "net"))
        golden_net(file);
    else if (run && !strcmp(kind, "op"))
        golden_op(file);
    else if (run && !strcmp(kind, "encoder"))
        golden_encoder(file);
    else if (run && !strcmp(kind, "trace"))
        golden_trace(file);
    else if (run)
        golden_train(file);
    clc_safetensors_close(&file);
    if (!run)
        skip();
}

/* The test's name says what is skipped. */
static void name_test(int i, const char *file_name) {
    clc_safetensors *file = NULL;
    const char *kind = NULL;
    if (clc_safetensors_open(paths[i], &file) != CLC_OK || known(file, &kind)) {
        snprintf(names[i], sizeof names[i], "%.150s", file_name);
    } else {
        const char *name = clc_safetensors_metadata(file, "name");
        snprintf(names[i], sizeof names[i], "%.80s: unknown %.20s %.40s", file_name,
                 kind ? kind : "kind", name ? name : "");
    }
    clc_safetensors_close(&file);
}

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

static int list_files(const char *folder) {
    int count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot && !strcmp(dot, ".safetensors") && count < MOST_FILES)
            snprintf(paths[count++], sizeof *paths, "%.300s/%.255s", folder, entry->d_name);
    }
    if (directory)
        closedir(directory);
    qsort(paths, (size_t)count, sizeof *paths, by_name);
    return count;
}

int main(int argc, char **argv) {
    struct CMUnitTest tests[MOST_FILES];
    tap_begin();
    const char *chosen = getenv("CLC_GOLDEN");
    const char *folder = chosen && *chosen ? chosen : argc > 1 ? argv[1] : ".";
    int count = list_files(folder);
    if (!count) {
        fprintf(stderr, "no golden files in %s\n", folder);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        name_test(i, strrchr(paths[i], '/') + 1);
        tests[i] = (struct CMUnitTest){names[i], run_file, NULL, NULL, paths[i]};
    }
    return _cmocka_run_group_tests("golden", tests, (size_t)count, NULL, test_close_device);
}
