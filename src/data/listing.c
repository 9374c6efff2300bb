/* How a source is put together from what formats find: items, classes and their numbers. */
#include "core/log.h"
#include "data/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

uint64_t clc_stamp(const struct stat *info, uint64_t place) {
    uint64_t values[4] = {(uint64_t)info->st_size, (uint64_t)info->st_mtim.tv_sec,
                          (uint64_t)info->st_mtim.tv_nsec, place};
    return XXH3_64bits(values, sizeof values);
}

#define GROW(array, capacity)                                                                      \
    do {                                                                                           \
        void *grown = realloc((array), (capacity) * sizeof *(array));                              \
        if (!grown)                                                                                \
            return clc_fail_alloc((capacity) * sizeof *(array));                                   \
        (array) = grown;                                                                           \
    } while (0)

static clc_status grow(clc_listing *listing) {
    clc_source *source = listing->source;
    size_t capacity = listing->capacity ? 2 * listing->capacity : 64;
    GROW(source->stamps, capacity);
    GROW(source->labels, capacity);
    GROW(source->item_parts, capacity);
    GROW(source->item_places, capacity);
    listing->capacity = capacity;
    return CLC_OK;
}

bool clc_in_test_share(const char *name, double fraction) {
    return (double)(XXH64(name, strlen(name), 0) >> 11) * 0x1p-53 < fraction;
}

clc_status clc_listing_add(clc_listing *listing, const clc_found *found) {
    clc_status status = CLC_OK;
    clc_source *source = listing->source;
    if (listing->fraction > 0 &&
        clc_in_test_share(found->name + found->relative, listing->fraction) !=
            (listing->fraction_split == CLC_SPLIT_TEST))
        return CLC_OK;
    if (source->count >= INT32_MAX)
        return clc_fail(CLC_FORMAT, "more than %d pictures", INT32_MAX);
    if (source->count == listing->capacity)
        CLC_TRY(grow(listing));
    CLC_TRY(clc_names_add(&source->names, found->name, strlen(found->name)));
    source->stamps[source->count] = found->stamp;
    source->labels[source->count] = found->label;
    source->item_parts[source->count] = listing->part;
    source->item_places[source->count] = found->place;
    source->count++;
fail:
    return status;
}

clc_status clc_listing_class(clc_listing *listing, const char *name, size_t length,
                             int32_t *label) {
    size_t number;
    clc_status status = clc_name_set_add(&listing->classes, name, length, &number, NULL);
    *label = status == CLC_OK ? (int32_t)number : -1;
    return status;
}

clc_status clc_listing_bad(clc_listing *listing, const char *name, const char *reason) {
    return clc_bad_files_add(&listing->source->bad, name, reason);
}

void clc_listing_bare(clc_listing *listing, int height, int width, int channels) {
    clc_source *source = listing->source;
    if (source->height != 0 &&
        (source->height != height || source->width != width || source->channels != channels))
        listing->ragged = true;
    source->height = height;
    source->width = width;
    source->channels = channels;
}

void clc_listing_undo(clc_listing *listing, size_t count) {
    listing->source->count = count;
    clc_names_truncate(&listing->source->names, count);
}

void clc_listing_free(clc_listing *listing) {
    clc_name_set_free(&listing->classes);
}

/* A class and what it is sorted by. */
typedef struct ranked {
    const char *name;
    size_t known; /* its number among the known ones, or SIZE_MAX */
    int64_t value;
    size_t number; /* in the listing; SIZE_MAX: it is a known one that doesn't occur */
} ranked;

/* At most 18 digits: these fit an int64_t. */
static bool read_number(const char *name, int64_t *value) {
    const char *digits = name + (*name == '-');
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || n > 18 || digits[n])
        return false;
    *value = strtoll(name, NULL, 10);
    return true;
}

static int compare_ranked(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->known != y->known)
        return x->known < y->known ? -1 : 1;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The classes that were found and the known ones, as they are numbered. */
static clc_status rank_classes(const clc_name_set *met, const clc_names *known, ranked *classes,
                               size_t *count) {
    clc_status status = CLC_OK;
    clc_name_set set = {0};
    size_t found = met->names.count, number;
    bool numbers = true;
    *count = 0;
    for (size_t i = 0; known && i < known->count; i++) {
        const char *name = clc_names_at(known, i);
        CLC_TRY(clc_name_set_add(&set, name, strlen(name), &number, NULL));
        classes[(*count)++] = (ranked){
            .name = name, .known = number, .number = clc_name_set_find(met, name, strlen(name))};
    }
    size_t known_count = *count;
    for (size_t i = 0; i < found; i++) {
        const char *name = clc_names_at(&met->names, i);
        ranked class = {.name = name, .known = SIZE_MAX, .number = i};
        if (clc_name_set_find(&set, name, strlen(name)) != SIZE_MAX)
            continue;
        numbers = read_number(name, &class.value) && numbers;
        classes[(*count)++] = class;
    }
    for (size_t i = known_count; !numbers && i < *count; i++)
        classes[i].value = 0;
    qsort(classes, *count, sizeof *classes, compare_ranked);
fail:
    clc_name_set_free(&set);
    return status;
}

/* A line that names the first of the classes without a picture. */
static clc_status report_empty(const clc_source *source) {
    clc_status status = CLC_OK;
    size_t *sizes = NULL, empty = 0, length = 0;
    char text[256] = "";
    CLC_NEW(sizes, source->classes.count);
    for (size_t i = 0; i < source->count; i++)
        if (source->labels[i] >= 0)
            sizes[source->labels[i]]++;
    for (size_t i = 0; i < source->classes.count; i++) {
        if (sizes[i] > 0)
            continue;
        if (length < sizeof text - 64)
            length += (size_t)snprintf(text + length, sizeof text - length, "%s%.48s",
                                       empty ? ", " : "", clc_names_at(&source->classes, i));
        else if (text[length - 1] != '.')
            length += (size_t)snprintf(text + length, sizeof text - length, " ...");
        empty++;
    }
    if (empty > 0)
        clc_log("%s: %zu of %zu classes without a picture: %s", source->name, empty,
                source->classes.count, text);
fail:
    free(sizes);
    return status;
}

clc_status clc_classes_number(const clc_name_set *met, const clc_names *known, int32_t *labels,
                              size_t count, clc_names *classes) {
    clc_status status = CLC_OK;
    size_t ranks;
    ranked *order = NULL;
    int32_t *final = NULL;
    CLC_NEW(order, met->names.count + (known ? known->count : 0));
    CLC_NEW(final, met->names.count);
    CLC_TRY(rank_classes(met, known, order, &ranks));
    for (size_t i = 0; i < ranks; i++) {
        CLC_TRY(clc_names_add(classes, order[i].name, strlen(order[i].name)));
        if (order[i].number != SIZE_MAX)
            final[order[i].number] = (int32_t)i;
    }
    for (size_t i = 0; i < count; i++)
        if (labels[i] >= 0)
            labels[i] = final[labels[i]];
fail:
    free(order);
    free(final);
    return status;
}

static clc_status number_classes(clc_listing *listing, const clc_names *known) {
    clc_status status = CLC_OK;
    clc_source *source = listing->source;
    CLC_TRY(clc_classes_number(&listing->classes, known, source->labels, source->count,
                               &source->classes));
    if (!listing->divided && !known)
        CLC_TRY(report_empty(source));
fail:
    return status;
}

clc_status clc_listing_finish(clc_listing *listing, const clc_names *known) {
    clc_status status = CLC_OK;
    clc_source *source = listing->source;
    size_t labelled = 0;
    for (size_t i = 0; i < source->count; i++)
        labelled += source->labels[i] >= 0;
    if (labelled > 0) {
        CLC_TRY(number_classes(listing, known));
        if (labelled < source->count)
            clc_log("%s: %zu of %zu pictures without a class", source->name,
                    source->count - labelled, source->count);
    } else {
        free(source->labels);
        source->labels = NULL;
    }
    source->bare = source->height > 0 && !listing->ragged;
    if (!source->bare)
        source->height = source->width = source->channels = 0;
fail:
    return status;
}
