#include "data/source.h"

#include "core/log.h"
#include "data/format.h"
#include "data/source_paths.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const clc_format *const formats[] = {
#define FORMAT_ENTRY(word) &clc_format_##word,
    CLC_FORMATS(FORMAT_ENTRY)
#undef FORMAT_ENTRY
};
enum { FORMAT_COUNT = sizeof formats / sizeof *formats };

/* Whether it can be opened without waiting for somebody to write. */
static clc_status check_path(const char *path) {
    struct stat info;
    if (!strcmp(path, "-"))
        return CLC_OK;
    if (stat(path, &info) != 0)
        return clc_fail(CLC_IO, "cannot read %s: %s; check the spelling", path, strerror(errno));
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
        return clc_fail(CLC_IO,
                        "%s: neither a file nor a folder; a list can come from standard "
                        "input: -",
                        path);
    return CLC_OK;
}

/* What the path is, by its contents. A picture's name spares the other formats opening it. */
static const clc_format *recognise(const char *path) {
    struct stat info;
    bool folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    if (!folder && clc_name_kind_of(clc_base_name(path)) == CLC_NAME_PICTURE)
        return &clc_format_file;
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (formats[i]->recognise(path))
            return formats[i];
    return &clc_format_file;
}

static const clc_format *format_of(const clc_config_data *config, const char *path) {
    static const char *const words[] = {
#define FORMAT_WORD(value, word) [value] = word,
        CLC_CONFIG_FORMAT_LIST(FORMAT_WORD)
#undef FORMAT_WORD
    };
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (!strcmp(formats[i]->name, words[config->format]))
            return formats[i];
    return recognise(path);
}

/* A key or its former name. */
static const char *either(const char *key, const char *former) {
    return *key ? key : former;
}

static const char *train_of(const clc_config_data *config) {
    return either(config->train, config->train_images);
}

static const char *test_of(const clc_config_data *config) {
    return either(config->test, config->test_images);
}

static bool splits_itself(const clc_config_data *config, const char *path) {
    const clc_format *format = format_of(config, path);
    return format->splits && format->splits(config, path);
}

bool clc_source_configured(const clc_config_data *config, clc_split split) {
    clc_names paths = {0};
    if (split != CLC_SPLIT_TEST)
        return *train_of(config);
    bool found = *test_of(config) || (*train_of(config) && config->test_fraction > 0);
    if (!found && clc_source_paths(train_of(config), &paths) == CLC_OK)
        for (size_t i = 0; !found && i < paths.count; i++)
            found = check_path(clc_names_at(&paths, i)) == CLC_OK &&
                    splits_itself(config, clc_names_at(&paths, i));
    clc_names_free(&paths);
    return found;
}

/* Of the first path the last component, without .gz, and how many more there are. */
static void set_name(clc_source *source, const clc_names *paths) {
    char path[41];
    const char *given = clc_names_at(paths, 0);
    size_t end = strlen(given);
    while (end > 1 && given[end - 1] == '/')
        end--;
    if (end > 3 && !strncmp(given + end - 3, ".gz", 3))
        end -= 3;
    size_t start = end;
    while (start > 0 && given[start - 1] != '/')
        start--;
    snprintf(path, sizeof path, "%.*s", end - start < 40 ? (int)(end - start) : 40, given + start);
    if (paths->count > 1)
        snprintf(source->name, sizeof source->name, "%.32s and %u more", path,
                 (unsigned)(paths->count - 1));
    else
        snprintf(source->name, sizeof source->name, "%s", path);
}

/* The next part; single files share one. */
static clc_status add_part(clc_listing *listing, const clc_format *format, const char *path) {
    clc_source *source = listing->source;
    if (format == &clc_format_file && source->part_count > 0 &&
        source->parts[source->part_count - 1].format == format)
        return CLC_OK;
    char *copy = strdup(path);
    if (!copy)
        return clc_fail_alloc(strlen(path));
    source->parts[source->part_count] = (clc_source_part){.format = format, .path = copy};
    listing->part = (uint32_t)source->part_count++;
    return CLC_OK;
}

static clc_status open_path(const clc_config_data *config, const char *path,
                            const clc_format *format, clc_listing *listing) {
    clc_status status = CLC_OK;
    if (listing->labels_path && !format->takes_labels)
        return clc_fail(CLC_INVALID,
                        "data.train_labels and data.test_labels are for IDX and .npy files, but %s "
                        "is read as %s",
                        path, format->name);
    CLC_TRY(add_part(listing, format, path));
    clc_source_part *part = &listing->source->parts[listing->part];
    status = format->open(config, path, listing, part);
fail:
    return status;
}

/* What is left of a source without items. */
static clc_status no_items(const clc_source *source) {
    const clc_names *bad = &source->bad.entries;
    if (source->bad.count > 0)
        return clc_fail(CLC_IO, "%s: no picture can be used; %zu are bad, the first: %s: %s",
                        source->name, source->bad.count, clc_names_at(bad, 0),
                        clc_names_at(bad, 1));
    return clc_fail(CLC_FORMAT,
                    "%s: no pictures; %zu files were passed over (hidden ones and those whose "
                    "names don't end as those of pictures, such as .jpg or .png)",
                    source->name, source->passed_over);
}

static clc_status start(const clc_names *paths, clc_listing *listing) {
    clc_status status = CLC_OK;
    CLC_NEW(listing->source, 1);
    CLC_NEW(listing->source->parts, paths->count);
    set_name(listing->source, paths);
fail:
    return status;
}

static clc_status finish(clc_listing *listing, const clc_names *known) {
    if (listing->source->count == 0)
        return no_items(listing->source);
    return clc_listing_finish(listing, known);
}

/* How the items of `path` are to be divided. False: it has none for the split. */
static bool set_split(const clc_config_data *config, clc_split split, const char *path,
                      clc_listing *listing) {
    bool itself = splits_itself(config, path), given = *test_of(config);
    listing->split = itself ? split : CLC_SPLIT_ALL;
    listing->fraction = itself || given ? 0 : config->test_fraction;
    listing->fraction_split = split;
    listing->divided = listing->divided || itself || listing->fraction > 0;
    return itself || given || split == CLC_SPLIT_TRAIN || listing->fraction > 0;
}

/* As many files of classes as of pictures, or none. */
static clc_status read_paths(const clc_config_data *config, clc_split split, clc_names *paths,
                             clc_names *labels) {
    clc_status status = CLC_OK;
    bool given = split == CLC_SPLIT_TEST && *test_of(config);
    const char *key = given ? "test" : "train";
    CLC_TRY(clc_source_paths(given ? test_of(config) : train_of(config), paths));
    CLC_TRY(clc_source_paths(given ? config->test_labels : config->train_labels, labels));
    if (paths->count == 0)
        status = clc_fail(CLC_INVALID,
                          "data.%s names no pictures; set it in section [data] or "
                          "with --set data.%s=PATH",
                          key, key);
    else if (labels->count > 0 && labels->count != paths->count)
        status = clc_fail(CLC_INVALID, "data.%s names %zu files, but data.%s_labels %zu", key,
                          paths->count, key, labels->count);
fail:
    return status;
}

clc_status clc_source_open(const clc_config_data *config, clc_split split, const clc_names *known,
                           clc_source **out) {
    clc_status status = CLC_OK;
    clc_names paths = {0}, labels = {0};
    clc_listing listing = {0};
    bool any = false;
    *out = NULL;
    CLC_TRY(read_paths(config, split, &paths, &labels));
    CLC_TRY(start(&paths, &listing));
    for (size_t i = 0; i < paths.count; i++) {
        const char *path = clc_names_at(&paths, i);
        listing.labels_path = labels.count > 0 ? clc_names_at(&labels, i) : NULL;
        CLC_TRY(check_path(path));
        if (!set_split(config, split, path, &listing))
            continue;
        any = true;
        CLC_TRY(open_path(config, path, format_of(config, path), &listing));
    }
    if (!any)
        CLC_TRY(clc_fail(CLC_INVALID, "no test pictures are named; set data.test or "
                                      "data.test_fraction"));
    if (split == CLC_SPLIT_TRAIN && config->limit > 0 &&
        listing.source->count > (size_t)config->limit) {
        clc_listing_undo(&listing, (size_t)config->limit);
        listing.divided = true;
    }
    CLC_TRY(finish(&listing, known));
    *out = listing.source;
    listing.source = NULL;
fail:
    clc_names_free(&paths);
    clc_names_free(&labels);
    clc_listing_free(&listing);
    clc_source_close(&listing.source);
    return status;
}

/* Opens one path; where it can't be used, it is a bad file. */
static clc_status try_path(const clc_config_data *config, const char *path, clc_listing *listing) {
    struct stat info;
    size_t before = listing->source->count;
    if (strcmp(path, "-") && lstat(path, &info) != 0)
        return clc_listing_bad(listing, path, strerror(errno));
    /* A link that leads nowhere is a bad picture. */
    bool dangling = strcmp(path, "-") && stat(path, &info) != 0;
    clc_status status = dangling ? CLC_OK : check_path(path);
    if (status == CLC_OK)
        status = open_path(config, path, dangling ? &clc_format_file : recognise(path), listing);
    if (status != CLC_IO && status != CLC_FORMAT)
        return status;
    /* The message names the path itself, as the entry does. */
    const char *reason = clc_error();
    size_t n = strlen(path);
    if (!strncmp(reason, path, n) && !strncmp(reason + n, ": ", 2))
        reason += n + 2;
    clc_listing_undo(listing, before);
    return clc_listing_bad(listing, path, reason);
}

clc_status clc_source_open_paths(const clc_config_data *config, const char *const *given, size_t n,
                                 clc_source **out) {
    clc_status status = CLC_OK;
    clc_names paths = {0};
    clc_listing listing = {.split = CLC_SPLIT_ALL};
    *out = NULL;
    for (size_t i = 0; i < n; i++)
        CLC_TRY(clc_names_add(&paths, given[i], strlen(given[i])));
    if (n == 0)
        CLC_TRY(clc_fail(CLC_INVALID, "no pictures are named"));
    CLC_TRY(start(&paths, &listing));
    for (size_t i = 0; i < n; i++)
        CLC_TRY(try_path(config, given[i], &listing));
    CLC_TRY(finish(&listing, NULL));
    *out = listing.source;
    listing.source = NULL;
fail:
    clc_names_free(&paths);
    clc_listing_free(&listing);
    clc_source_close(&listing.source);
    return status;
}

clc_status clc_source_read(const clc_source *source, size_t item, const clc_image_options *options,
                           clc_image *image) {
    *image = (clc_image){0};
    return clc_item_part(source, item)->format->read(source, item, options, image);
}

clc_status clc_source_probe(const clc_source *source, size_t item, const clc_image_options *options,
                            clc_image_info *info) {
    return clc_item_part(source, item)->format->probe(source, item, options, info);
}

clc_status clc_source_keep(clc_source *s, const bool *keep) {
    clc_status status = CLC_OK;
    clc_names names = {0};
    size_t to = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (!keep[i])
            continue;
        CLC_TRY(clc_names_add(&names, clc_names_at(&s->names, i), clc_names_length(&s->names, i)));
        s->stamps[to] = s->stamps[i];
        s->item_parts[to] = s->item_parts[i];
        s->item_places[to] = s->item_places[i];
        if (s->labels)
            s->labels[to] = s->labels[i];
        to++;
    }
    s->count = to;
    clc_names_free(&s->names);
    s->names = names;
    return CLC_OK;
fail:
    clc_names_free(&names);
    return status;
}

void clc_source_close(clc_source **pointer) {
    clc_source *source = *pointer;
    if (!source)
        return;
    for (size_t i = 0; i < source->part_count; i++) {
        if (source->parts[i].format->close)
            source->parts[i].format->close(&source->parts[i]);
        free(source->parts[i].path);
    }
    clc_names_free(&source->names);
    clc_names_free(&source->classes);
    clc_names_free(&source->bad.entries);
    free(source->stamps);
    free(source->labels);
    free(source->item_parts);
    free(source->item_places);
    free(source->parts);
    free(source);
    *pointer = NULL;
}
