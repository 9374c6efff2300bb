#include "device/tuning.h"

#include "core/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { MOST_BYTES = 1 << 20 };

static clc_tuning_entry *find(const clc_tuning *tuning, const char *key) {
    for (size_t i = 0; i < tuning->count; i++)
        if (!strcmp(tuning->entries[i].key, key))
            return &tuning->entries[i];
    return NULL;
}

static clc_status find_or_add(clc_tuning *tuning, const char *key, clc_tuning_entry **entry) {
    *entry = find(tuning, key);
    if (*entry)
        return CLC_OK;
    if (tuning->count == tuning->capacity) {
        size_t capacity = tuning->capacity ? tuning->capacity * 2 : 64;
        clc_tuning_entry *entries = realloc(tuning->entries, capacity * sizeof *entries);
        if (!entries)
            return clc_fail_alloc(capacity * sizeof *entries);
        tuning->entries = entries;
        tuning->capacity = capacity;
    }
    *entry = &tuning->entries[tuning->count++];
    **entry = (clc_tuning_entry){0};
    snprintf((*entry)->key, sizeof(*entry)->key, "%s", key);
    return CLC_OK;
}

const char *clc_tuning_choice(const clc_tuning *tuning, const char *key) {
    const clc_tuning_entry *entry = find(tuning, key);
    return entry && *entry->choice ? entry->choice : NULL;
}

clc_status clc_tuning_choose(clc_tuning *tuning, const char *key, const char *choice) {
    clc_tuning_entry *entry;
    clc_status status = find_or_add(tuning, key, &entry);
    if (status == CLC_OK)
        snprintf(entry->choice, sizeof entry->choice, "%s", choice);
    return status;
}

clc_status clc_tuning_note(clc_tuning *tuning, const char *key, const char *used) {
    clc_tuning_entry *entry;
    clc_status status = find_or_add(tuning, key, &entry);
    if (status == CLC_OK)
        snprintf(entry->used, sizeof entry->used, "%s", used);
    return status;
}

clc_status clc_tuning_parse(clc_tuning *tuning, const char *text) {
    clc_status status = CLC_OK;
    for (const char *line = text; *line && status == CLC_OK;) {
        char key[96], choice[40];
        if (sscanf(line, "%95[^=#\n]= %39[^ \n]", key, choice) == 2) {
            for (size_t n = strlen(key); n && key[n - 1] == ' ';)
                key[--n] = '\0';
            status = clc_tuning_choose(tuning, key, choice);
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return status;
}

clc_status clc_tuning_text(const clc_tuning *tuning, bool used, char **text) {
    size_t size = 0;
    *text = NULL;
    FILE *file = open_memstream(text, &size);
    if (!file)
        return clc_fail_alloc(4096);
    for (size_t i = 0; i < tuning->count; i++) {
        const clc_tuning_entry *entry = &tuning->entries[i];
        const char *choice = used ? entry->used : entry->choice;
        if (*choice)
            fprintf(file, "%s = %s\n", entry->key, choice);
    }
    return fclose(file) == 0 ? CLC_OK : clc_fail_alloc(size);
}

/* The file of a device; false where there is no home. */
static bool path_of(const clc_device_info *info, char *path, size_t size) {
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    char base[512], device[1024];
    int n = xdg && *xdg == '/' ? snprintf(base, sizeof base, "%s", xdg)
            : home && *home    ? snprintf(base, sizeof base, "%s/.local/share", home)
                               : -1;
    if (n < 0 || (size_t)n >= sizeof base)
        return false;
    n = snprintf(device, sizeof device, "%s\n%s\n%s\n%s\n%u", info->platform, info->name,
                 info->vendor, info->driver, info->compute_units);
    n = snprintf(path, size, "%s/clcontrast/tuning-%016llx.txt", base,
                 (unsigned long long)XXH3_64bits(device, (size_t)n));
    return n > 0 && (size_t)n < size;
}

clc_status clc_tuning_load(clc_tuning *tuning, const clc_device_info *info) {
    char path[700];
    void *text = NULL;
    size_t size;
    if (!path_of(info, path, sizeof path) || access(path, F_OK) != 0)
        return CLC_OK;
    clc_status status = clc_file_read_all(path, MOST_BYTES, &text, &size);
    if (status == CLC_OK)
        status = clc_tuning_parse(tuning, text);
    free(text);
    return status;
}

clc_status clc_tuning_save(const clc_tuning *tuning, const clc_device_info *info, char *path,
                           size_t size) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    char *text = NULL, folder[700];
    if (!path_of(info, path, size))
        return clc_fail(CLC_IO,
                        "there is no place for what was measured: set HOME or XDG_DATA_HOME");
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    CLC_TRY(clc_make_folders(folder));
    CLC_TRY(clc_tuning_text(tuning, false, &text));
    CLC_TRY(clc_file_writer_open(path, &writer));
    CLC_TRY(
        clc_file_writer_print(writer, "# %s, %s, %s\n", info->name, info->platform, info->driver));
    CLC_TRY(clc_file_writer_write(writer, text, strlen(text)));
    CLC_TRY(clc_file_writer_commit(&writer));
fail:
    clc_file_writer_abort(&writer);
    free(text);
    return status;
}

void clc_tuning_free(clc_tuning *tuning) {
    free(tuning->entries);
    *tuning = (clc_tuning){0};
}
