#include "data/dataset.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    clc_status (*load)(const char *images, const char *labels, size_t limit, clc_dataset *dataset);
} formats[] = {
#define FORMAT_ENTRY(format) {#format, clc_dataset_load_##format},
    CLC_DATASET_FORMATS(FORMAT_ENTRY)
#undef FORMAT_ENTRY
};

const char *clc_dataset_format_names(void) {
#define FORMAT_NAME(format) ", " #format
    return &(CLC_DATASET_FORMATS(FORMAT_NAME))[2];
#undef FORMAT_NAME
}

static void set_name(clc_dataset *dataset, const char *path) {
    const char *slash = strrchr(path, '/');
    snprintf(dataset->name, sizeof dataset->name, "%s", slash ? slash + 1 : path);
    size_t length = strlen(dataset->name);
    if (length > 3 && !strcmp(dataset->name + length - 3, ".gz"))
        dataset->name[length - 3] = '\0';
}

clc_status clc_dataset_load(const char *format, const char *images, const char *labels,
                            size_t limit, clc_dataset **out) {
    clc_status status = CLC_OK;
    clc_dataset *dataset = NULL;
    size_t i = 0, count = sizeof formats / sizeof *formats;
    *out = NULL;
    while (i < count && strcmp(formats[i].name, format))
        i++;
    if (i == count)
        CLC_TRY(clc_fail(CLC_INVALID, "unknown data set format '%s'; known: %s", format,
                         clc_dataset_format_names()));
    CLC_NEW(dataset, 1);
    set_name(dataset, images);
    CLC_TRY(formats[i].load(images, labels && *labels ? labels : NULL, limit, dataset));
    *out = dataset;
    return CLC_OK;
fail:
    clc_dataset_free(&dataset);
    return status;
}

void clc_dataset_free(clc_dataset **dataset) {
    if (!*dataset)
        return;
    free((*dataset)->pixels);
    free((*dataset)->labels);
    free(*dataset);
    *dataset = NULL;
}
