/* Pictures in a folder, at any depth. Which files are pictures is told by their names alone, so
 * that a million are listed in seconds; a decoder looks at their contents later. */
#define _DEFAULT_SOURCE /* d_type */
#include "core/log.h"
#include "data/format.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Each level holds one descriptor open; the usual limit is 1024. */
enum { MAX_DEPTH = 200 };

typedef struct walk {
    const clc_config_data *config;
    clc_listing *listing;
    char *path; /* of the folder that is read, with a final slash */
    size_t length, capacity;
    size_t root;          /* length of the root's */
    clc_name_set visited; /* device and inode of the folders read so far */
    int32_t label;        /* of files in the present folder */
    size_t run_folders, repeated;
} walk;

typedef struct entry {
    union {
        size_t start; /* while names are still being read, in their block */
        const char *name;
    };
    bool folder;
} entry;

typedef struct entries {
    clc_names names;
    entry *items;
    size_t count, capacity;
} entries;

static void free_entries(entries *all) {
    clc_names_free(&all->names);
    free(all->items);
}

static clc_status append(walk *w, const char *name, bool slash) {
    size_t n = strlen(name);
    if (w->length + n + 2 > w->capacity) {
        size_t capacity = 2 * (w->length + n + 2);
        char *path = realloc(w->path, capacity);
        if (!path)
            return clc_fail_alloc(capacity);
        w->path = path;
        w->capacity = capacity;
    }
    memcpy(w->path + w->length, name, n + 1);
    w->length += n;
    if (slash && (w->length == 0 || w->path[w->length - 1] != '/'))
        w->path[w->length++] = '/';
    w->path[w->length] = '\0';
    return CLC_OK;
}

static void shorten(walk *w, size_t length) {
    w->length = length;
    w->path[length] = '\0';
}

/* The order of whole paths: a folder's name counts with its slash. */
static int compare_entries(const void *a, const void *b) {
    const entry *x = a, *y = b;
    const unsigned char *s = (const unsigned char *)x->name, *t = (const unsigned char *)y->name;
    while (*s && *s == *t) {
        s++;
        t++;
    }
    int p = *s ? *s : x->folder ? '/' : 0, q = *t ? *t : y->folder ? '/' : 0;
    return p - q;
}

/* Whether a run of clcontrast has written here: its contact sheets are no training pictures. */
static bool holds_run(const entries *all) {
    bool config = false, written = false;
    for (size_t i = 0; i < all->names.count; i++) {
        const char *name = clc_names_at(&all->names, i), *end = strrchr(name, '.');
        config = config || !strcmp(name, "config.ini");
        written = written || !strcmp(name, "metrics.csv") || !strcmp(name, "encoder.safetensors") ||
                  (!strncmp(name, "checkpoint-", 11) && end && !strcmp(end, ".safetensors"));
    }
    return config && written;
}

/* What an entry is: DT_DIR, DT_REG or another; links are followed where they lead to folders, and
 * are files otherwise, so that a dangling one is met as a bad file. */
static unsigned char kind_of(int folder, const struct dirent *found) {
    struct stat info;
    if (found->d_type != DT_LNK && found->d_type != DT_UNKNOWN)
        return found->d_type;
    if (fstatat(folder, found->d_name, &info, 0) != 0)
        return DT_REG;
    return S_ISDIR(info.st_mode) ? DT_DIR : S_ISREG(info.st_mode) ? DT_REG : DT_FIFO;
}

static clc_status add_entry(entries *all, const char *name, bool folder) {
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? 2 * all->capacity : 64;
        entry *items = realloc(all->items, capacity * sizeof *items);
        if (!items)
            return clc_fail_alloc(capacity * sizeof *items);
        all->items = items;
        all->capacity = capacity;
    }
    clc_status status = clc_names_add(&all->names, name, strlen(name));
    if (status == CLC_OK)
        all->items[all->count++] =
            (entry){.start = all->names.starts[all->names.count - 1], .folder = folder};
    return status;
}

static clc_status read_entries(walk *w, DIR *stream, entries *all) {
    clc_status status = CLC_OK;
    for (;;) {
        errno = 0;
        const struct dirent *found = readdir(stream);
        if (!found && errno != 0)
            CLC_TRY(clc_listing_bad(w->listing, w->path, strerror(errno)));
        if (!found)
            break;
        if (!strcmp(found->d_name, ".") || !strcmp(found->d_name, ".."))
            continue;
        clc_name_kind name = clc_name_kind_of(found->d_name);
        unsigned char kind = name == CLC_NAME_HIDDEN ? DT_FIFO : kind_of(dirfd(stream), found);
        if (kind != DT_DIR && (kind != DT_REG || name == CLC_NAME_OTHER))
            w->listing->source->passed_over++;
        /* The names that tell a run folder are kept even so. */
        if (kind == DT_DIR || (kind == DT_REG && name != CLC_NAME_OTHER))
            CLC_TRY(add_entry(all, found->d_name, kind == DT_DIR));
        else if (kind == DT_REG)
            CLC_TRY(clc_names_add(&all->names, found->d_name, strlen(found->d_name)));
    }
    for (size_t i = 0; i < all->count; i++)
        all->items[i].name = all->names.text + all->items[i].start;
    if (all->count > 0)
        qsort(all->items, all->count, sizeof *all->items, compare_entries);
fail:
    return status;
}

/* The class of files in the present folder, `depth` below the root. */
static clc_status set_label(walk *w, const entries *all, int depth) {
    bool leaf = true, files = false;
    const char *relative = w->path + w->root;
    size_t length = w->length - w->root;
    for (size_t i = 0; i < all->count; i++) {
        leaf = leaf && !all->items[i].folder;
        files = files || !all->items[i].folder;
    }
    if (depth == 0 || w->config->labels == CLC_CONFIG_LABELS_NONE)
        w->label = -1;
    else if (w->config->labels == CLC_CONFIG_LABELS_FIRST && depth == 1)
        return clc_listing_class(w->listing, relative, length - 1, &w->label);
    else if (w->config->labels == CLC_CONFIG_LABELS_PATH && (files || leaf))
        return clc_listing_class(w->listing, relative, length - 1, &w->label);
    return CLC_OK;
}

static clc_status list_folder(walk *w, int folder, int depth);

/* Opens and lists the folder `name` of `parent`. */
static clc_status enter(walk *w, int parent, const char *name, int depth) {
    clc_status status = CLC_OK;
    size_t length = w->length;
    int32_t label = w->label;
    struct stat info;
    CLC_TRY(append(w, name, true));
    int folder = depth > MAX_DEPTH
                     ? -1
                     : openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (depth > MAX_DEPTH) {
        CLC_TRY(clc_listing_bad(w->listing, w->path, "nested too deeply"));
    } else if (folder < 0 || fstat(folder, &info) != 0) {
        CLC_TRY(clc_listing_bad(w->listing, w->path, strerror(errno)));
    } else {
        uint64_t identity[2] = {(uint64_t)info.st_dev, (uint64_t)info.st_ino};
        size_t number;
        bool fresh = false;
        status =
            clc_name_set_add(&w->visited, (const char *)identity, sizeof identity, &number, &fresh);
        w->repeated += status == CLC_OK && !fresh;
        if (fresh)
            status = list_folder(w, folder, depth);
        else
            w->listing->source->passed_over++;
        folder = fresh ? -1 : folder;
    }
    if (folder >= 0)
        close(folder);
fail:
    if (w->path)
        shorten(w, length);
    w->label = label;
    return status;
}

static clc_status add_file(walk *w, int folder, const char *name) {
    clc_status status = CLC_OK;
    size_t length = w->length;
    CLC_TRY(append(w, name, false));
    clc_found found = {.name = w->path, .relative = w->root, .label = w->label};
    CLC_TRY(clc_picture_file_add(w->listing, folder, name, &found));
    shorten(w, length);
fail:
    return status;
}

/* Lists a folder that is open, which it closes. */
static clc_status list_folder(walk *w, int folder, int depth) {
    clc_status status = CLC_OK;
    entries all = {0};
    DIR *stream = fdopendir(folder);
    if (!stream) {
        close(folder);
        return clc_fail_alloc(1);
    }
    CLC_TRY(read_entries(w, stream, &all));
    if (depth > 0 && holds_run(&all)) {
        w->run_folders++;
        w->listing->source->passed_over += all.count;
        goto fail;
    }
    CLC_TRY(set_label(w, &all, depth));
    for (size_t i = 0; i < all.count; i++)
        if (all.items[i].folder)
            CLC_TRY(enter(w, folder, all.items[i].name, depth + 1));
        else
            CLC_TRY(add_file(w, folder, all.items[i].name));
fail:
    free_entries(&all);
    closedir(stream);
    return status;
}

/* Lists all below `path`. */
static clc_status list_root(const clc_config_data *config, const char *path, clc_listing *listing) {
    clc_status status = CLC_OK;
    walk w = {.config = config, .listing = listing, .label = -1};
    struct stat info;
    size_t number;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || fstat(folder, &info) != 0) {
        status = clc_fail(CLC_IO, "cannot read the folder %s: %s", path, strerror(errno));
        goto fail;
    }
    uint64_t identity[2] = {(uint64_t)info.st_dev, (uint64_t)info.st_ino};
    CLC_TRY(clc_name_set_add(&w.visited, (const char *)identity, sizeof identity, &number, NULL));
    CLC_TRY(append(&w, path, true));
    w.root = w.length;
    status = list_folder(&w, folder, 0);
    folder = -1;
    if (status == CLC_OK && w.run_folders > 0)
        clc_log("%s: %zu folders of clcontrast runs are passed over", path, w.run_folders);
    if (status == CLC_OK && w.repeated > 0)
        clc_log("%s: %zu links to folders that are on the list already are passed over", path,
                w.repeated);
fail:
    if (folder >= 0)
        close(folder);
    clc_name_set_free(&w.visited);
    free(w.path);
    return status;
}

static bool recognise(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Whether the folder holds train and test folders and nothing else that is listed. */
static clc_status find_splits(const char *path, clc_names *folders, bool *splits) {
    clc_status status = CLC_OK;
    bool found[2] = {false, false}, others = false;
    struct dirent *item;
    DIR *stream = opendir(path);
    *splits = false;
    while (stream && !others && (item = readdir(stream))) {
        clc_name_kind name = clc_name_kind_of(item->d_name);
        if (name == CLC_NAME_HIDDEN)
            continue;
        unsigned char kind = kind_of(dirfd(stream), item);
        clc_split split = kind == DT_DIR ? clc_split_of_word(item->d_name) : CLC_SPLIT_ALL;
        if (split != CLC_SPLIT_ALL) {
            found[split] = true;
            CLC_TRY(clc_names_add(folders, item->d_name, strlen(item->d_name)));
        } else {
            others = kind == DT_DIR || (kind == DT_REG && name != CLC_NAME_OTHER);
        }
    }
    *splits = found[CLC_SPLIT_TRAIN] && found[CLC_SPLIT_TEST] && !others;
fail:
    if (stream)
        closedir(stream);
    return status;
}

static bool splits(const clc_config_data *config, const char *path) {
    clc_names folders = {0};
    bool found;
    (void)config;
    clc_status status = find_splits(path, &folders, &found);
    clc_names_free(&folders);
    return status == CLC_OK && found;
}

/* The folders that the split wants are roots of their own, in the order of clc_split_words. */
static clc_status list_splits(const clc_config_data *config, const char *path,
                              const clc_names *folders, clc_listing *listing) {
    clc_status status = CLC_OK;
    char *inner = NULL;
    size_t size = strlen(path) + 32;
    CLC_NEW(inner, size);
    for (size_t i = 0; i < CLC_SPLIT_WORDS * folders->count; i++) {
        const char *name = clc_names_at(folders, i % folders->count);
        clc_split split = clc_split_words[i / folders->count].split;
        if (strcasecmp(name, clc_split_words[i / folders->count].word) ||
            (listing->split != CLC_SPLIT_ALL && listing->split != split))
            continue;
        snprintf(inner, size, "%s/%s", path, name);
        CLC_TRY(list_root(config, inner, listing));
        clc_log("%s: the pictures for %s", inner, split == CLC_SPLIT_TRAIN ? "training" : "tests");
    }
fail:
    free(inner);
    return status;
}

static clc_status open_part(const clc_config_data *config, const char *path, clc_listing *listing,
                            clc_source_part *part) {
    clc_status status = CLC_OK;
    clc_names folders = {0};
    bool found;
    (void)part;
    CLC_TRY(find_splits(path, &folders, &found));
    if (found)
        status = list_splits(config, path, &folders, listing);
    else
        status = list_root(config, path, listing);
fail:
    clc_names_free(&folders);
    return status;
}

const clc_format clc_format_folder = {
    .name = "folder",
    .recognise = recognise,
    .splits = splits,
    .open = open_part,
    .read = clc_picture_file_read,
    .probe = clc_picture_file_probe,
};
