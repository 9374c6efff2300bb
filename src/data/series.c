#include "data/series.h"

#include "data/array_header.h"
#include "data/csv.h"
#include "data/format.h"

#include <stdio.h>
#include <string.h>

clc_status clc_series_keep(clc_series_sieve *s, size_t i, const char *reason) {
    clc_status status = CLC_OK;
    clc_series *all = s->series;
    const char *name = clc_names_at(&all->names, i);
    if (reason)
        return clc_bad_files_add(&all->bad, name, reason);
    CLC_TRY(clc_names_add(&s->names, name, clc_names_length(&all->names, i)));
    all->extents[s->to] = all->extents[i];
    if (all->labels)
        all->labels[s->to] = all->labels[i];
    s->to++;
fail:
    return status;
}

void clc_series_kept(clc_series_sieve *s) {
    s->series->count = s->to;
    clc_names_free(&s->series->names);
    s->series->names = s->names;
    s->names = (clc_names){0};
}

bool clc_series_recognise(const clc_config_data *config, const char *path) {
    static const char *const ids[] = {"id", NULL};
    char head[4096];
    bool found = false, more;
    FILE *file = fopen(path, "rb");
    const size_t n = file ? fread(head, 1, sizeof head, file) : 0;
    if (file)
        fclose(file);
    if (n > 6 && !memcmp(head, "\x93NUMPY", 6)) {
        clc_array array;
        size_t needed;
        return clc_npy_parse((const uint8_t *)head, n, &array, &needed) == CLC_OK &&
               (array.rank == 2 || array.rank == 3);
    }
    for (const char *separator = ",;\t"; *separator && !found; separator++) {
        clc_names header = {0};
        clc_csv csv = clc_csv_start(head, n, *separator);
        found = clc_csv_next(&csv, &header, &more) == CLC_OK && more &&
                clc_csv_column(&header, config->id_column, ids) >= 0 &&
                clc_csv_column(&header, config->path_column, clc_csv_path_names) < 0;
        clc_names_free(&header);
    }
    return found;
}

clc_status clc_series_open(const char *path, const clc_series_options *options,
                           clc_series **series) {
    clc_status status = CLC_OK;
    clc_series *s = NULL;
    *series = NULL;
    CLC_NEW(s, 1);
    CLC_TRY(clc_format_npy.recognise(path) ? clc_series_read_array(path, options, s)
                                           : clc_series_read_table(path, options, s));
    if (s->count == 0)
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: there is no series%s%s", path,
                         s->bad.count ? "; the first bad one: " : "",
                         s->bad.count ? clc_names_at(&s->bad.entries, 1) : ""));
    *series = s;
    s = NULL;
fail:
    clc_series_close(&s);
    return status;
}

void clc_series_close(clc_series **series) {
    clc_series *s = *series;
    if (!s)
        return;
    clc_names_free(&s->names);
    clc_names_free(&s->classes);
    clc_names_free(&s->bad.entries);
    free(s->extents);
    free(s->values);
    free(s->labels);
    free(s);
    *series = NULL;
}
