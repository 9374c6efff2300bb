#include "data/boxes.h"

#include <string.h>
#include <sys/stat.h>

const char *clc_boxes_stem(const char *path, size_t *length) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *point = strrchr(base, '.');
    *length = point && point > base ? (size_t)(point - base) : strlen(base);
    return base;
}

clc_status clc_boxes_add(clc_boxes *boxes, const clc_object *object) {
    if (boxes->count == boxes->capacity) {
        const size_t capacity = boxes->capacity ? 2 * boxes->capacity : 256;
        clc_object *objects = realloc(boxes->objects, capacity * sizeof *objects);
        if (!objects)
            return clc_fail_alloc(capacity * sizeof *objects);
        boxes->objects = objects;
        boxes->capacity = capacity;
    }
    boxes->objects[boxes->count++] = *object;
    return CLC_OK;
}

clc_status clc_boxes_read(const char *path, const clc_names *known, clc_boxes *boxes) {
    clc_status status = CLC_OK;
    struct stat info;
    for (size_t i = 0; known && i < known->count; i++)
        CLC_TRY(clc_name_set_add(&boxes->classes, clc_names_at(known, i),
                                 clc_names_length(known, i), &(size_t){0}, NULL));
    if (stat(path, &info) != 0)
        return clc_fail_file("read", path);
    CLC_TRY(S_ISDIR(info.st_mode) ? clc_boxes_read_voc(path, boxes)
                                  : clc_boxes_read_coco(path, boxes));
    if (!boxes->classes.names.count)
        status = clc_fail(CLC_FORMAT, "%s: there are no classes in it", path);
fail:
    return status;
}

void clc_boxes_free(clc_boxes *boxes) {
    clc_name_set_free(&boxes->pictures);
    clc_name_set_free(&boxes->classes);
    free(boxes->objects);
    *boxes = (clc_boxes){0};
}
