/* COCO's JSON: {"images": [{"id", "file_name"}], "categories": [{"id", "name"}], "annotations":
 * [{"image_id", "category_id", "bbox": [x, y, width, height], "iscrowd"}]}. */
#include "data/boxes.h"

#include <jansson.h>
#include <string.h>

enum { JSON_MOST = 1 << 30 };

/* A number of the file and what it became here. */
typedef struct id {
    json_int_t id;
    size_t number;
    const char *name; /* of categories */
} id;

typedef struct ids {
    id *items;
    size_t count;
} ids;

static int by_id(const void *a, const void *b) {
    const json_int_t x = ((const id *)a)->id, y = ((const id *)b)->id;
    return x < y ? -1 : x > y;
}

static const id *find(const ids *list, json_int_t number) {
    const id key = {.id = number};
    return bsearch(&key, list->items, list->count, sizeof key, by_id);
}

static clc_status list_of(const json_t *root, const char *path, const char *key,
                          const json_t **list) {
    *list = json_object_get(root, key);
    if (!json_is_array(*list))
        return clc_fail(CLC_FORMAT, "%s: there is no list \"%s\"; COCO's JSON of objects has one",
                        path, key);
    return CLC_OK;
}

/* Ids and names (under `name_key`) of a list, sorted by id. */
static clc_status read_ids(const json_t *root, const char *path, const char *key,
                           const char *name_key, ids *found) {
    clc_status status = CLC_OK;
    const json_t *list, *one;
    size_t i;
    CLC_TRY(list_of(root, path, key, &list));
    CLC_NEW(found->items, json_array_size(list));
    json_array_foreach(list, i, one) {
        const json_t *number = json_object_get(one, "id"), *name = json_object_get(one, name_key);
        if (!json_is_integer(number) || !json_is_string(name))
            CLC_TRY(clc_fail(CLC_FORMAT, "%s: entry %zu of \"%s\" lacks \"id\" or \"%s\"", path, i,
                             key, name_key));
        found->items[found->count++] = (id){json_integer_value(number), 0, json_string_value(name)};
    }
    qsort(found->items, found->count, sizeof *found->items, by_id);
    for (i = 1; i < found->count; i++)
        if (found->items[i].id == found->items[i - 1].id)
            CLC_TRY(clc_fail(CLC_FORMAT, "%s: two entries of \"%s\" have the id %lld", path, key,
                             (long long)found->items[i].id));
fail:
    return status;
}

static bool read_box(const json_t *list, clc_box *box) {
    double *const numbers[4] = {&box->x, &box->y, &box->width, &box->height};
    for (size_t i = 0; i < 4; i++) {
        const json_t *number = json_array_get(list, i);
        if (!json_is_number(number))
            return false;
        *numbers[i] = json_number_value(number);
    }
    return true;
}

static clc_status read_objects(const json_t *root, const char *path, const ids *pictures,
                               const ids *categories, clc_boxes *boxes) {
    clc_status status = CLC_OK;
    const json_t *list, *one;
    size_t i;
    CLC_TRY(list_of(root, path, "annotations", &list));
    json_array_foreach(list, i, one) {
        const json_t *image = json_object_get(one, "image_id"),
                     *category = json_object_get(one, "category_id");
        const id *picture = find(pictures, json_integer_value(image)),
                 *kind = find(categories, json_integer_value(category));
        clc_object object = {.crowd = json_integer_value(json_object_get(one, "iscrowd")) != 0};
        if (!json_is_integer(image) || !picture || !json_is_integer(category) || !kind)
            CLC_TRY(clc_fail(CLC_FORMAT,
                             "%s: annotation %zu: \"image_id\" or \"category_id\" is missing, or "
                             "there is no such image or category",
                             path, i));
        if (!read_box(json_object_get(one, "bbox"), &object.box))
            CLC_TRY(clc_fail(CLC_FORMAT,
                             "%s: annotation %zu: \"bbox\" isn't a list of four numbers", path, i));
        object.image = (int32_t)picture->number;
        object.label = (int32_t)kind->number;
        CLC_TRY(clc_boxes_add(boxes, &object));
    }
fail:
    return status;
}

static clc_status load(const char *path, json_t **root) {
    clc_status status = CLC_OK;
    json_error_t error;
    void *text = NULL;
    size_t n;
    CLC_TRY(clc_file_read_all(path, JSON_MOST, &text, &n));
    *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (!*root)
        status = clc_fail(CLC_FORMAT, "%s:%d: this is no JSON: %s", path, error.line, error.text);
fail:
    free(text);
    return status;
}

clc_status clc_boxes_read_coco(const char *path, clc_boxes *boxes) {
    clc_status status = CLC_OK;
    json_t *root = NULL;
    ids pictures = {0}, categories = {0};
    CLC_TRY(load(path, &root));
    CLC_TRY(read_ids(root, path, "images", "file_name", &pictures));
    CLC_TRY(read_ids(root, path, "categories", "name", &categories));
    for (size_t i = 0; i < pictures.count; i++) {
        size_t length;
        const char *stem = clc_boxes_stem(pictures.items[i].name, &length);
        CLC_TRY(clc_name_set_add(&boxes->pictures, stem, length, &pictures.items[i].number, NULL));
    }
    for (size_t i = 0; i < categories.count; i++) {
        const char *name = categories.items[i].name;
        CLC_TRY(clc_name_set_add(&boxes->classes, name, strlen(name), &categories.items[i].number,
                                 NULL));
    }
    CLC_TRY(read_objects(root, path, &pictures, &categories, boxes));
fail:
    json_decref(root);
    free(pictures.items);
    free(categories.items);
    return status;
}
