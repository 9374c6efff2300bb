/* Files of classes: IDX or .npy of rank 1. */
#include "data/labels.h"

#include "core/log.h"
#include "data/array_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Numbers beyond are names of classes like others, and only those that occur are classes. */
enum { MAX_IDENTITY = 65535, QMNIST_COLUMNS = 8 };

static bool begins_as_npy(const char *path) {
    unsigned char head[2] = {0};
    FILE *stream = fopen(path, "rb");
    size_t n = stream ? fread(head, 1, sizeof head, stream) : 0;
    if (stream)
        fclose(stream);
    return n == sizeof head && head[0] == 0x93 && head[1] == 'N';
}

static clc_status check(const clc_array_file *f, const char *pictures, uint64_t count) {
    const clc_array *a = &f->array;
    bool qmnist = a->rank == 2 && a->shape[1] == QMNIST_COLUMNS &&
                  a->element == CLC_ELEMENT_int32 && a->swapped;
    if (a->rank != 1 && !(a->rank == 2 && a->shape[1] == 1) && !qmnist)
        return clc_fail(CLC_FORMAT,
                        "%s: an array of rank %d; classes are of rank 1, or QMNIST's of 8 columns; "
                        "check that images and labels are not exchanged",
                        f->path, a->rank);
    if (a->shape[0] != count)
        return clc_fail(CLC_FORMAT,
                        "%s has %" PRIu64 " images, but %s has %" PRIu64
                        " labels; check that both belong to the same part of the data set",
                        pictures, count, f->path, a->shape[0]);
    if (qmnist)
        clc_log("%s: QMNIST's labels: the first column is the class", f->path);
    return CLC_OK;
}

clc_status clc_labels_read(const char *path, const char *pictures, uint64_t count,
                           int64_t **labels) {
    clc_status status = CLC_OK;
    clc_array_file file;
    uint8_t *bytes = NULL;
    *labels = NULL;
    CLC_TRY(clc_array_open(path, begins_as_npy(path) ? clc_npy_parse : clc_idx_parse, &file));
    CLC_TRY(check(&file, pictures, count));
    size_t element = clc_element_bytes(file.array.element);
    CLC_NEW(bytes, count * file.item);
    CLC_NEW(*labels, count);
    CLC_TRY(clc_array_read(&file, 0, count, bytes));
    for (size_t i = 0; i < count; i++)
        memmove(bytes + i * element, bytes + i * file.item, element);
    if (!clc_elements_to_integers(file.array.element, file.array.swapped, bytes, count, *labels))
        status = clc_fail(CLC_FORMAT, "%s: its classes are no whole numbers", path);
fail:
    clc_array_close(&file);
    free(bytes);
    if (status != CLC_OK) {
        free(*labels);
        *labels = NULL;
    }
    return status;
}

static clc_status add_class(clc_listing *listing, int64_t value, int32_t *label) {
    char name[32];
    int n = snprintf(name, sizeof name, "%" PRId64, value);
    return clc_listing_class(listing, name, (size_t)n, label);
}

clc_status clc_labels_classes(clc_listing *listing, const int64_t *values, size_t n,
                              int32_t **labels) {
    clc_status status = CLC_OK;
    int64_t greatest = -1;
    int32_t number;
    CLC_NEW(*labels, n);
    for (size_t i = 0; i < n; i++)
        greatest = values[i] > greatest ? values[i] : greatest;
    for (int64_t k = 0; greatest <= MAX_IDENTITY && k <= greatest; k++)
        CLC_TRY(add_class(listing, k, &number));
    for (size_t i = 0; i < n; i++) {
        (*labels)[i] = -1;
        if (values[i] >= 0)
            CLC_TRY(add_class(listing, values[i], &(*labels)[i]));
    }
fail:
    return status;
}
