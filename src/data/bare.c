/* Pictures without headers in one array, (N,H,W) or (N,H,W,C). */
#include "data/bare.h"

#include "data/labels.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_SIDE = 32768, MAX_CHANNELS = 16, SAMPLE = 64, SAMPLE_BYTES = 1 << 24 };

typedef struct bare {
    clc_array_file file;
    int height, width, channels; /* as stored */
    bool transpose;
} bare;

static clc_status check_shape(const clc_array_file *f) {
    const uint64_t *shape = f->array.shape;
    if (f->array.rank != 3 && f->array.rank != 4)
        return clc_fail(CLC_FORMAT,
                        "%s: an array of rank %d; pictures are (N,H,W) or (N,H,W,C); check that "
                        "images and labels are not exchanged",
                        f->path, f->array.rank);
    if (shape[1] > MAX_SIDE || shape[2] > MAX_SIDE)
        return clc_fail(CLC_FORMAT,
                        "%s: images of %" PRIu64 " x %" PRIu64
                        " pixels; at most %d x %d are supported",
                        f->path, shape[1], shape[2], MAX_SIDE, MAX_SIDE);
    if (f->array.rank == 4 && shape[3] > MAX_CHANNELS)
        return clc_fail(
            CLC_FORMAT, "%s: images of %" PRIu64 " channels; 1 to %d are supported%s", f->path,
            shape[3], MAX_CHANNELS,
            shape[1] <= MAX_CHANNELS ? "; it seems to be (N,C,H,W): save it as (N,H,W,C)" : "");
    if (shape[0] > INT32_MAX)
        return clc_fail(CLC_FORMAT, "%s: promises %" PRIu64 " items, more than %d", f->path,
                        shape[0], INT32_MAX);
    return CLC_OK;
}

/* Without a range in the configuration: whether the type's own is one, by the first pictures. */
static clc_status check_range(const clc_config_data *config, const clc_array_file *f) {
    clc_status status = CLC_OK;
    uint8_t *bytes = NULL;
    double low, high, least, greatest;
    size_t count = f->array.shape[0] < SAMPLE ? (size_t)f->array.shape[0] : SAMPLE;
    clc_element element = f->array.element;
    bool known = clc_element_range(element, &low, &high);
    if (config->range.count > 0 || (known && !clc_element_is_float(element)))
        return CLC_OK;
    if (f->item > SAMPLE_BYTES / SAMPLE)
        count = 1;
    CLC_NEW(bytes, count * f->item);
    CLC_TRY(clc_array_read(f, 0, count, bytes));
    clc_elements_extent(element, f->array.swapped, bytes,
                        count * (size_t)f->item / clc_element_bytes(element), &least, &greatest);
    if (!known || !(least >= low) || !(greatest <= high))
        status = clc_fail(CLC_FORMAT,
                          "%s: elements of %s, from %g to %g in the first pictures; set data.range "
                          "to the values of black and white%s",
                          f->path, clc_element_name(element), least, greatest,
                          known ? "; 0 and 1 are taken without" : "");
fail:
    free(bytes);
    return status;
}

/* Adds the items: "<path without .gz>#<number>". */
static clc_status list(const char *path, uint64_t count, const int32_t *labels, uint64_t stamp,
                       clc_listing *listing) {
    clc_status status = CLC_OK;
    size_t length = strlen(path), size = length + 32;
    char *name = NULL;
    CLC_NEW(name, size);
    memcpy(name, path, length);
    if (length > 3 && !strcmp(path + length - 3, ".gz"))
        length -= 3;
    for (uint64_t i = 0; i < count; i++) {
        snprintf(name + length, size - length, "#%" PRIu64, i);
        clc_found found = {.name = name,
                           .relative = (size_t)(clc_base_name(path) - path),
                           .place = i,
                           .stamp = stamp ^ (i + 1) * 0x9e3779b97f4a7c15u,
                           .label = labels ? labels[i] : -1};
        CLC_TRY(clc_listing_add(listing, &found));
    }
fail:
    free(name);
    return status;
}

clc_status clc_bare_open(const clc_config_data *config, const char *path, clc_array_parse parse,
                         const char *labels, clc_listing *listing, clc_source_part *part) {
    clc_status status = CLC_OK;
    int64_t *values = NULL;
    int32_t *classes = NULL;
    bare *b = NULL;
    CLC_NEW(b, 1);
    b->file.file = -1;
    part->state = b;
    CLC_TRY(clc_array_open(path, parse, &b->file));
    b->file.path = part->path;
    CLC_TRY(check_shape(&b->file));
    CLC_TRY(check_range(config, &b->file));
    const uint64_t *shape = b->file.array.shape;
    b->height = (int)shape[1];
    b->width = (int)shape[2];
    b->channels = b->file.array.rank == 4 ? (int)shape[3] : 1;
    b->transpose = config->transpose;
    if (labels) {
        CLC_TRY(clc_labels_read(labels, path, shape[0], &values));
        CLC_TRY(clc_labels_classes(listing, values, shape[0], &classes));
    }
    clc_listing_bare(listing, b->transpose ? b->width : b->height,
                     b->transpose ? b->height : b->width, b->channels);
    CLC_TRY(list(path, shape[0], classes, b->file.stamp, listing));
fail:
    free(values);
    free(classes);
    return status;
}

/* (H,W,C) to (W,H,C) */
static clc_status transpose(clc_image *image) {
    clc_status status = CLC_OK;
    size_t height = (size_t)image->height, width = (size_t)image->width,
           channels = (size_t)image->channels;
    uint8_t *pixels = NULL;
    CLC_NEW(pixels, height * width * channels);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++)
            memcpy(pixels + (x * height + y) * channels, image->pixels + (y * width + x) * channels,
                   channels);
    free(image->pixels);
    *image = (clc_image){image->width, image->height, image->channels, pixels};
fail:
    return status;
}

clc_status clc_bare_finish(clc_image *image, bool transposed, const clc_image_options *options) {
    clc_status status = CLC_OK;
    if (transposed)
        CLC_TRY(transpose(image));
    CLC_TRY(clc_image_fit(image, options));
    return CLC_OK;
fail:
    clc_image_free(image);
    return status;
}

clc_status clc_bare_read(const clc_source *source, size_t item, const clc_image_options *options,
                         clc_image *image) {
    clc_status status = CLC_OK;
    const bare *b = clc_item_part(source, item)->state;
    const clc_array *array = &b->file.array;
    size_t n = (size_t)b->file.item / clc_element_bytes(array->element);
    uint8_t *bytes = NULL;
    double low, high;
    *image = (clc_image){b->height, b->width, b->channels, NULL};
    CLC_NEW(image->pixels, n);
    bool same = array->element == CLC_ELEMENT_uint8;
    if (!same)
        CLC_NEW(bytes, b->file.item);
    CLC_TRY(clc_array_read(&b->file, source->item_places[item], 1, same ? image->pixels : bytes));
    if (!clc_element_range(array->element, &low, &high) || options->low != options->high) {
        low = options->low;
        high = options->high;
    }
    if (!same)
        clc_elements_to_bytes(array->element, array->swapped, bytes, n, low, high, image->pixels);
    free(bytes);
    return clc_bare_finish(image, b->transpose, options);
fail:
    free(bytes);
    clc_image_free(image);
    return status;
}

clc_status clc_bare_probe(const clc_source *source, size_t item, const clc_image_options *options,
                          clc_image_info *info) {
    const clc_source_part *part = clc_item_part(source, item);
    const bare *b = part->state;
    (void)options;
    *info = (clc_image_info){part->format->name, b->transpose ? b->width : b->height,
                             b->transpose ? b->height : b->width, b->channels};
    return CLC_OK;
}

void clc_bare_close(clc_source_part *part) {
    bare *b = part->state;
    if (b)
        clc_array_close(&b->file);
    free(b);
    part->state = NULL;
}
