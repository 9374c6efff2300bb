#include "source_support.h"

#include "core/file.h"

#include <unistd.h>

clc_config_data train_on(const char *path) {
    clc_config config;
    CHECK(clc_config_load(NULL, NULL, 0, &config));
    config.data.format = CLC_CONFIG_FORMAT_AUTO;
    snprintf(config.data.train, sizeof config.data.train, "%s", path);
    return config.data;
}

clc_config_data train_in(const char *name) {
    return train_on(in_folder(name));
}

clc_image_options plain_options(void) {
    return (clc_image_options){.max_pixels = 1e8};
}

void put_folder(const char *name) {
    CHECK(clc_make_folders(in_folder(name)));
}

/* Makes the folders above the file. */
static const char *place(const char *name) {
    char above[1024];
    const char *slash = strrchr(name, '/');
    if (slash) {
        snprintf(above, sizeof above, "%.*s", (int)(slash - name), name);
        put_folder(above);
    }
    return in_folder(name);
}

void put_picture(const char *name, uint8_t grey) {
    /* Header of the file (14), of the picture (40), a row filled up to 4 bytes. */
    uint8_t bmp[58] = {
        [0] = 'B', [1] = 'M', [2] = 58, [10] = 54,   [14] = 40,   [18] = 1,   [22] = 1,
        [26] = 1,  [28] = 24, [34] = 4, [54] = grey, [55] = grey, [56] = grey};
    put_file(place(name), bmp, sizeof bmp);
}

void put_text(const char *name, const char *text) {
    put_file(place(name), text, strlen(text));
}

void put_link(const char *name, const char *target) {
    assert_int_equal(symlink(target, place(name)), 0);
}

clc_source *open_train(const clc_config_data *config) {
    clc_source *source;
    CHECK(clc_source_open(config, CLC_SPLIT_TRAIN, NULL, &source));
    return source;
}

void expect_items(const clc_source *source, const char *root, const char *const *names) {
    size_t n = 0;
    char path[2048];
    for (; names[n]; n++) {
        if (root)
            snprintf(path, sizeof path, "%s%s%s", in_folder(root), *root ? "/" : "", names[n]);
        else
            snprintf(path, sizeof path, "%s", names[n]);
        if (n >= source->count)
            fail_msg("item %zu, %s, is missing", n, path);
        assert_string_equal(clc_names_at(&source->names, n), path);
    }
    assert_int_equal(source->count, n);
    assert_int_equal(source->names.count, n);
}

void expect_classes(const clc_source *source, const char *const *names) {
    size_t n = 0;
    for (; names[n]; n++) {
        assert_true(n < source->classes.count);
        assert_string_equal(clc_names_at(&source->classes, n), names[n]);
    }
    assert_int_equal(source->classes.count, n);
}

void expect_labels(const clc_source *source, const char *const *names) {
    assert_non_null(source->labels);
    for (size_t i = 0; i < source->count; i++) {
        int32_t label = source->labels[i];
        assert_true(label >= -1 && label < (int32_t)source->classes.count);
        assert_string_equal(label < 0 ? "" : clc_names_at(&source->classes, (size_t)label),
                            names[i]);
    }
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

void expect_bad(const clc_source *source, const char *name, const char *reason) {
    const clc_names *entries = &source->bad.entries;
    assert_int_equal(entries->count, 2 * source->bad.count);
    for (size_t i = 0; i < source->bad.count; i++)
        if (ends_with(clc_names_at(entries, 2 * i), name)) {
            if (!strstr(clc_names_at(entries, 2 * i + 1), reason))
                fail_msg("%s: \"%s\", not \"%s\"", name, clc_names_at(entries, 2 * i + 1), reason);
            return;
        }
    fail_msg("%s is not among the %zu bad files", name, source->bad.count);
}

size_t item_of(const clc_source *source, const char *name) {
    for (size_t i = 0; i < source->count; i++)
        if (ends_with(clc_names_at(&source->names, i), name))
            return i;
    fail_msg("no item %s", name);
    return 0;
}

int first_byte(const clc_source *source, size_t item) {
    clc_image_options options = plain_options();
    clc_image image;
    CHECK(clc_source_read(source, item, &options, &image));
    int value = image.pixels[0];
    clc_image_free(&image);
    return value;
}
