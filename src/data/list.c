/* Lists of pictures: tables with a column of paths, perhaps of classes and splits, or a path a
 * line. Separator and header are found from the first line. Paths are relative to the list. */
#include "core/file.h"
#include "data/csv.h"
#include "data/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 10^8 rows of 40 bytes; the whole list is held in memory while it is read. */
static const size_t max_bytes = (size_t)4 << 30;

enum { NONE = -1 };

/* Where in a record is what. */
typedef struct layout {
    char separator;
    bool header;
    int columns, path, label, split;
} layout;

typedef struct table {
    const clc_config_data *config;
    clc_listing *listing;
    const char *path;   /* of the list, for messages */
    const char *folder; /* that its paths start from, with a final slash, or "" */
    size_t folder_length;
    clc_csv csv;
    layout layout;
    clc_names fields;
    char *joined; /* folder and path of the present row */
    size_t joined_capacity;
    size_t matched; /* rows of the wanted split */
} table;

static clc_status no_column(const table *t, const clc_names *fields, const char *key,
                            const char *wanted, const char *usual) {
    char text[1024];
    clc_csv_describe(fields, text, sizeof text);
    return clc_fail(CLC_FORMAT,
                    "%s has no column %s; its first line has: %s; set data.%s to one of these",
                    t->path, *wanted ? wanted : usual, text, key);
}

/* The record that is read with this separator. */
static clc_status first_record(const table *t, char separator, clc_names *fields) {
    bool more;
    clc_csv csv = clc_csv_start(t->csv.text, t->csv.n, separator);
    return clc_csv_next(&csv, fields, &more);
}

static clc_status read_header(table *t, char separator, const clc_names *fields) {
    const clc_config_data *config = t->config;
    layout *l = &t->layout;
    *l = (layout){.separator = separator,
                  .header = true,
                  .columns = (int)fields->count,
                  .path = clc_csv_column(fields, config->path_column, clc_csv_path_names),
                  .label = clc_csv_column(fields, config->label_column, clc_csv_label_names),
                  .split = clc_csv_column(fields, config->split_column, clc_csv_split_names)};
    if (l->label == NONE && *config->label_column)
        return no_column(t, fields, "label_column", config->label_column, "");
    if (l->split == NONE && *config->split_column)
        return no_column(t, fields, "split_column", config->split_column, "");
    return CLC_OK;
}

static clc_status join(table *t, const char *path);

/* Whether a line could be the path of a picture. */
static bool is_path(table *t, const char *text) {
    clc_name_kind kind = clc_name_kind_of(clc_base_name(text));
    if (kind == CLC_NAME_PICTURE || kind == CLC_NAME_UNSUPPORTED)
        return true;
    return join(t, text) == CLC_OK && access(t->joined, F_OK) == 0;
}

/* A list without a header: a path a line, or a path and a class. */
static clc_status read_headless(table *t, bool *found) {
    static const char separators[] = {'\t', ';', ',', ' '};
    clc_status status = CLC_OK;
    CLC_TRY(first_record(t, 0, &t->fields));
    if (t->fields.count == 0)
        return clc_fail(CLC_FORMAT, "%s: the list is empty", t->path);
    *found = is_path(t, clc_names_at(&t->fields, 0));
    t->layout = (layout){.columns = 1, .label = NONE, .split = NONE};
    for (size_t i = 0; !*found && i < sizeof separators; i++) {
        if (first_record(t, separators[i], &t->fields) != CLC_OK || t->fields.count != 2)
            continue;
        *found = is_path(t, clc_names_at(&t->fields, 0));
        t->layout = (layout){
            .separator = separators[i], .columns = 2, .path = 0, .label = 1, .split = NONE};
    }
fail:
    return status;
}

static clc_status find_layout(table *t) {
    static const char separators[] = {',', ';', '\t'};
    clc_status status = CLC_OK;
    const char *wanted = t->config->path_column;
    size_t most = 0;
    char likely = ',';
    bool found = false;
    for (size_t i = 0; i < sizeof separators; i++) {
        if (first_record(t, separators[i], &t->fields) != CLC_OK)
            continue;
        if (clc_csv_column(&t->fields, wanted, clc_csv_path_names) != NONE)
            return read_header(t, separators[i], &t->fields);
        if (t->fields.count > most) {
            most = t->fields.count;
            likely = separators[i];
        }
    }
    if (!*wanted)
        CLC_TRY(read_headless(t, &found));
    if (!found) {
        CLC_TRY(first_record(t, likely, &t->fields));
        status = no_column(t, &t->fields, "path_column", wanted,
                           "path, file, filename, filepath or image");
    }
fail:
    return status;
}

/* t->joined: the path, from the list's folder unless it is absolute. */
static clc_status join(table *t, const char *path) {
    size_t n = strlen(path), prefix = *path == '/' ? 0 : t->folder_length;
    if (prefix + n + 1 > t->joined_capacity) {
        size_t capacity = 2 * (prefix + n + 1);
        char *joined = realloc(t->joined, capacity);
        if (!joined)
            return clc_fail_alloc(capacity);
        t->joined = joined;
        t->joined_capacity = capacity;
    }
    memcpy(t->joined, t->folder, prefix);
    memcpy(t->joined + prefix, path, n + 1);
    return CLC_OK;
}

static clc_status bad_row(const table *t, const char *reason) {
    char name[640];
    snprintf(name, sizeof name, "%.600s:%zu", t->path, t->csv.line);
    return clc_listing_bad(t->listing, name, reason);
}

/* Without the blanks around it. */
static size_t trim(const char **text) {
    *text += strspn(*text, " \t");
    size_t n = strlen(*text);
    while (n > 0 && strchr(" \t", (*text)[n - 1]))
        n--;
    return n;
}

static clc_status set_label(table *t, int32_t *label) {
    *label = -1;
    if (t->layout.label == NONE || t->config->labels == CLC_CONFIG_LABELS_NONE)
        return CLC_OK;
    const char *text = clc_names_at(&t->fields, (size_t)t->layout.label);
    size_t n = trim(&text);
    if (n == 0 || (n == 2 && !memcmp(text, "-1", 2)))
        return CLC_OK;
    return clc_listing_class(t->listing, text, n, label);
}

/* Whether the row belongs to the split that is read; rows of neither are for no split alone. */
static bool wanted(table *t) {
    if (t->layout.split == NONE || t->listing->split == CLC_SPLIT_ALL)
        return true;
    char word[16];
    const char *text = clc_names_at(&t->fields, (size_t)t->layout.split);
    size_t n = trim(&text);
    snprintf(word, sizeof word, "%.*s", n < sizeof word ? (int)n : 0, text);
    return clc_split_of_word(word) == t->listing->split;
}

static clc_status add_row(table *t) {
    clc_status status = CLC_OK;
    clc_found found;
    char reason[96];
    if (t->fields.count != (size_t)t->layout.columns) {
        snprintf(reason, sizeof reason, "%zu fields in place of %d", t->fields.count,
                 t->layout.columns);
        return bad_row(t, reason);
    }
    const char *path = clc_names_at(&t->fields, (size_t)t->layout.path);
    if (!*path)
        return bad_row(t, "no path");
    /* Classes of other splits count, too: both have the same numbers. */
    CLC_TRY(set_label(t, &found.label));
    if (!wanted(t))
        return CLC_OK;
    t->matched++;
    CLC_TRY(join(t, path));
    found.name = t->joined;
    found.relative = *path == '/' ? 0 : t->folder_length;
    found.place = 0;
    status = clc_picture_file_add(t->listing, AT_FDCWD, t->joined, &found);
fail:
    return status;
}

static clc_status read_table(table *t) {
    clc_status status = CLC_OK;
    bool more;
    CLC_TRY(find_layout(t));
    t->csv = clc_csv_start(t->csv.text, t->csv.n, t->layout.separator);
    if (t->layout.header)
        CLC_TRY(clc_csv_next(&t->csv, &t->fields, &more));
    for (;;) {
        CLC_TRY(clc_csv_next(&t->csv, &t->fields, &more));
        if (!more)
            break;
        CLC_TRY(add_row(t));
    }
    if (t->matched == 0 && t->layout.split != NONE && t->listing->split != CLC_SPLIT_ALL)
        status = clc_fail(CLC_FORMAT, "%s: no row is for %s by its column of splits", t->path,
                          t->listing->split == CLC_SPLIT_TRAIN ? "training (train, training)"
                                                               : "tests (test, val, validation)");
fail:
    return status;
}

static clc_status parse(const clc_config_data *config, const char *path, const char *folder,
                        const void *text, size_t n, clc_listing *listing) {
    table t = {.config = config, .listing = listing, .path = path, .folder = folder};
    t.folder_length = strlen(folder);
    t.csv = clc_csv_start(text, n, 0);
    clc_status status = read_table(&t);
    if (status == CLC_FORMAT && strncmp(clc_error(), path, strlen(path)))
        clc_fail_context(status, "%s", path);
    clc_names_free(&t.fields);
    free(t.joined);
    return status;
}

static clc_status open_part(const clc_config_data *config, const char *path, clc_listing *listing,
                            clc_source_part *part) {
    clc_status status = CLC_OK;
    void *text = NULL;
    char *folder = NULL;
    size_t n, length;
    bool standard = !strcmp(path, "-");
    (void)part;
    CLC_TRY(clc_file_read_all(standard ? "/dev/stdin" : path, max_bytes, &text, &n));
    length = standard ? 0 : (size_t)(clc_base_name(path) - path);
    CLC_NEW(folder, length + 1);
    memcpy(folder, path, length);
    status = parse(config, standard ? "standard input" : path, folder, text, n, listing);
fail:
    free(text);
    free(folder);
    return status;
}

/* Reads the beginning of a file; false if it can't be. A whole line is wanted, but no more. */
static bool read_head(const char *path, char *head, size_t size, size_t *n) {
    FILE *stream = fopen(path, "rb");
    *n = 0;
    if (!stream)
        return false;
    *n = fread(head, 1, size, stream);
    bool good = !ferror(stream);
    fclose(stream);
    return good;
}

/* Text of several bytes: without zeros and other control characters. */
static bool recognise(const char *path) {
    char head[4096];
    size_t n;
    struct stat info;
    if (!strcmp(path, "-"))
        return true;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || !read_head(path, head, sizeof head, &n))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)head[i] < ' ' && !memchr("\t\n\r", head[i], 3))
            return false;
    return n > 0;
}

/* Whether its first line names a column of splits. */
static bool splits(const clc_config_data *config, const char *path) {
    char head[4096];
    size_t n;
    clc_listing listing = {0};
    table t = {.config = config, .listing = &listing, .path = path, .folder = ""};
    if (!read_head(path, head, sizeof head, &n))
        return false;
    t.csv = clc_csv_start(head, n, 0);
    bool found = n > 0 && find_layout(&t) == CLC_OK && t.layout.split != NONE;
    clc_names_free(&t.fields);
    free(t.joined);
    return found;
}

const clc_format clc_format_list = {
    .name = "list",
    .recognise = recognise,
    .splits = splits,
    .open = open_part,
    .read = clc_picture_file_read,
    .probe = clc_picture_file_probe,
};
