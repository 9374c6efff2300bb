#include "model/run_folder.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

clc_status clc_run_path(const char *folder, const char *name, char path[CLC_PATH_BYTES]) {
    return clc_path_format(path, "%s/%s", folder, name);
}

clc_status clc_run_data_path(const char *folder, const char *data, char path[CLC_PATH_BYTES]) {
    const char *slash = strrchr(data, '/'), *stem = slash ? slash + 1 : data;
    const char *dot = strrchr(stem, '.');
    return clc_path_format(path, "%s/%.*s", folder, dot ? (int)(dot - stem) : (int)strlen(stem),
                           stem);
}

bool clc_run_has(const char *folder, const char *name) {
    char path[CLC_PATH_BYTES];
    return clc_run_path(folder, name, path) == CLC_OK && access(path, R_OK) == 0;
}

static int64_t step_of_name(const char *name) {
    int64_t step = -1;
    int length = 0;
    if (sscanf(name, "checkpoint-%" SCNd64 ".safetensors%n", &step, &length) != 1 || !length ||
        name[length])
        return -1;
    return step;
}

clc_status clc_checkpoint_path(const char *folder, int64_t step, char path[CLC_PATH_BYTES]) {
    return clc_path_format(path, "%s/checkpoint-%08" PRId64 ".safetensors", folder, step);
}

int64_t clc_checkpoint_step(const char *folder, int64_t before) {
    int64_t newest = -1;
    DIR *directory = opendir(folder);
    if (!directory)
        return -1;
    for (struct dirent *entry; (entry = readdir(directory));) {
        const int64_t step = step_of_name(entry->d_name);
        if (step > newest && (before < 0 || step < before))
            newest = step;
    }
    closedir(directory);
    return newest;
}

clc_status clc_checkpoint_find(const char *folder, int64_t before, char path[CLC_PATH_BYTES]) {
    const int64_t step = clc_checkpoint_step(folder, before);
    if (step < 0)
        return clc_fail(CLC_IO, "no checkpoint in '%s'; start the run without --resume", folder);
    return clc_checkpoint_path(folder, step, path);
}

clc_status clc_checkpoint_before(const char *folder, const char *path,
                                 char before[CLC_PATH_BYTES]) {
    const char *name = strrchr(path, '/');
    const int64_t step = step_of_name(name ? name + 1 : path);
    return clc_checkpoint_find(folder, step > 0 ? step : 0, before);
}
