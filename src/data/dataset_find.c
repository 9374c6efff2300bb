/* Found out: whether data are pictures, texts or series. */
#include "core/path.h"
#include "data/array_header.h"
#include "data/csv.h"
#include "data/dataset_kinds.h"
#include "data/format.h"
#include "data/source_paths.h"
#include "data/texts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HEAD_BYTES = 1 << 16, LINES = 20 };

/* The beginning of a file, with a final zero; fewer bytes where a character could be cut. */
static size_t read_head(const char *path, char *head) {
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(head, 1, HEAD_BYTES - 1, file) : 0;
    if (file)
        fclose(file);
    head[n] = '\0';
    return n;
}

static bool is_text(const char *head, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)head[i] < ' ' && !memchr("\t\n\r", head[i], 3))
            return false;
    return n > 0;
}

/* Whether the first line, cut by one of the usual separators, has such a column. */
static bool has_column(const char *head, size_t n, const char *wanted, const char *const *usual) {
    static const char separators[] = {',', ';', '\t'};
    bool found = false, more;
    for (size_t i = 0; i < sizeof separators && !found; i++) {
        clc_names header = {0};
        clc_csv csv = clc_csv_start(head, n, separators[i]);
        found = clc_csv_next(&csv, &header, &more) == CLC_OK && more &&
                clc_csv_column(&header, wanted, usual) >= 0;
        clc_names_free(&header);
    }
    return found;
}

/* Whether one of the first lines names a picture. */
static bool names_pictures(const char *head) {
    char line[CLC_PATH_BYTES];
    for (int i = 0; i < LINES && *head; i++) {
        const size_t n = strcspn(head, "\r\n\t;,");
        if (n > 0 && n < sizeof line) {
            memcpy(line, head, n);
            line[n] = '\0';
            const clc_name_kind kind = clc_name_kind_of(clc_base_name(line));
            if (kind == CLC_NAME_PICTURE || kind == CLC_NAME_UNSUPPORTED ||
                (*line == '/' && access(line, F_OK) == 0))
                return true;
        }
        head += strcspn(head, "\n");
        head += *head == '\n';
    }
    return false;
}

/* An array of two dimensions, (N,T), is no pictures. */
static bool is_matrix(const char *head, size_t n) {
    clc_array array;
    size_t needed = 0;
    return n > 6 && !memcmp(head, "\x93NUMPY", 6) &&
           clc_npy_parse((const uint8_t *)head, n, &array, &needed) == CLC_OK && array.rank == 2;
}

static int kind_of_text(const clc_config_data *config, const char *head, size_t n) {
    static const char *const ids[] = {"id", NULL}, *const times[] = {"time", "t", NULL};
    const char *first = head + strspn(head, "\xef\xbb\xbf \t\r\n");
    if (*first == '{' || *first == '[')
        return CLC_CONFIG_AS_TOKENS;
    if (has_column(head, n, config->path_column, clc_csv_path_names))
        return CLC_CONFIG_AS_IMAGES;
    if (has_column(head, n, config->id_column, ids) &&
        has_column(head, n, config->time_column, times))
        return CLC_CONFIG_AS_SERIES;
    return names_pictures(head) ? CLC_CONFIG_AS_IMAGES : CLC_CONFIG_AS_TOKENS;
}

/* Whether the first object of JSON names a picture. */
static bool json_names_pictures(const clc_config_data *config, const char *head) {
    char key[CLC_CONFIG_TEXT_BYTES + 4];
    snprintf(key, sizeof key, "\"%s\"", config->path_column);
    if (*config->path_column && strstr(head, key))
        return true;
    for (size_t i = 0; clc_csv_path_names[i]; i++) {
        snprintf(key, sizeof key, "\"%s\"", clc_csv_path_names[i]);
        if (strstr(head, key))
            return true;
    }
    return strstr(head, "\"file_name\"") || strstr(head, "\"annotations\"");
}

static clc_status kind_of_path(const clc_config_data *config, const char *path, int *as) {
    clc_status status = CLC_OK;
    struct stat info;
    char *head = NULL;
    *as = CLC_CONFIG_AS_IMAGES;
    if (config->format != CLC_CONFIG_FORMAT_AUTO || stat(path, &info) != 0 ||
        !S_ISREG(info.st_mode) || clc_name_kind_of(clc_base_name(path)) == CLC_NAME_PICTURE)
        return CLC_OK;
    if (clc_format_idx.recognise(path) || clc_format_tar.recognise(path))
        return CLC_OK;
    CLC_NEW(head, HEAD_BYTES);
    const size_t n = read_head(path, head);
    const char *first = head + strspn(head, "\xef\xbb\xbf \t\r\n");
    if (config->as == CLC_CONFIG_AS_PAIRS && strchr("{[", *first) && *first &&
        json_names_pictures(config, head))
        *as = CLC_CONFIG_AS_IMAGES;
    else if (is_matrix(head, n))
        *as = CLC_CONFIG_AS_SERIES;
    else if (is_text(head, n))
        *as = kind_of_text(config, head, n);
fail:
    free(head);
    return status;
}

clc_status clc_dataset_find(const clc_config_data *config, clc_split split, int *as,
                            clc_names *paths, bool *share) {
    clc_status status = CLC_OK;
    const char *train = *config->train ? config->train : config->train_images;
    const char *test = *config->test ? config->test : config->test_images;
    const char *value = split == CLC_SPLIT_TEST && *test ? test : train;
    *as = config->as;
    *share = !*test && config->test_fraction > 0;
    if (*as == CLC_CONFIG_AS_AUTO && (!*value || *config->train_images))
        *as = CLC_CONFIG_AS_IMAGES;
    CLC_TRY(clc_source_paths(value, paths));
    const bool pairs = *as == CLC_CONFIG_AS_PAIRS;
    if ((*as == CLC_CONFIG_AS_AUTO || pairs) && paths->count > 0)
        CLC_TRY(kind_of_path(config, clc_names_at(paths, 0), as));
    if (*as == CLC_CONFIG_AS_AUTO)
        *as = CLC_CONFIG_AS_IMAGES;
    if (pairs && *as == CLC_CONFIG_AS_IMAGES)
        *as = CLC_CONFIG_AS_PAIRS;
    if (*as != CLC_CONFIG_AS_IMAGES && paths->count == 0)
        status = clc_fail(CLC_INVALID, "data.%s names no file or folder; set it in section [data]",
                          split == CLC_SPLIT_TEST && *test ? "test" : "train");
fail:
    return status;
}

void clc_dataset_name(const clc_names *paths, char name[64]) {
    const char *base = clc_base_name(clc_names_at(paths, 0));
    if (paths->count > 1)
        snprintf(name, 64, "%.30s and %zu more", base, paths->count - 1);
    else
        snprintf(name, 64, "%.60s", base);
}

bool clc_dataset_looks_like_text(const char *path) {
    const clc_config_data plain = {.format = CLC_CONFIG_FORMAT_AUTO};
    int as;
    return kind_of_path(&plain, path, &as) == CLC_OK && as == CLC_CONFIG_AS_TOKENS;
}
