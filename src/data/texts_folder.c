/* Pictures with files of texts beside them: in a folder, at any depth, or in an archive. */
#include "core/file.h"
#include "data/format.h"
#include "data/tar_index.h"
#include "data/texts_build.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 200 };

static clc_status no_pictures(const clc_texts_builder *b) {
    return clc_fail(CLC_FORMAT,
                    "%s: of a folder or an archive, texts are those beside pictures; for texts "
                    "alone give a file of lines, a table or JSON",
                    b->path);
}

typedef struct walk {
    clc_names files;
    clc_name_set visited; /* device and inode of folders: links may lead in a circle */
} walk;

static clc_status read_folder(walk *w, const char *path, int depth);

static clc_status read_entry(walk *w, const char *folder, const char *base, int depth) {
    clc_status status = CLC_OK;
    char *path = NULL;
    struct stat info;
    const size_t size = strlen(folder) + strlen(base) + 2;
    const char *slash = folder[0] && folder[strlen(folder) - 1] == '/' ? "" : "/";
    if (clc_name_kind_of(base) == CLC_NAME_HIDDEN)
        return CLC_OK;
    CLC_NEW(path, size);
    snprintf(path, size, "%s%s%s", folder, slash, base);
    if (stat(path, &info) != 0)
        goto fail; /* a dangling link: sources of pictures say so */
    if (S_ISDIR(info.st_mode))
        status = read_folder(w, path, depth + 1);
    else if (S_ISREG(info.st_mode))
        status = clc_names_add(&w->files, path, strlen(path));
fail:
    free(path);
    return status;
}

static clc_status read_folder(walk *w, const char *path, int depth) {
    clc_status status = CLC_OK;
    struct stat info;
    struct dirent *entry;
    bool added;
    size_t number;
    DIR *folder = depth < MAX_DEPTH ? opendir(path) : NULL;
    if (!folder || stat(path, &info) != 0)
        CLC_TRY(clc_fail_file("read", path));
    const uint64_t identity[] = {(uint64_t)info.st_dev, (uint64_t)info.st_ino};
    CLC_TRY(
        clc_name_set_add(&w->visited, (const char *)identity, sizeof identity, &number, &added));
    while (added && (entry = readdir(folder)))
        CLC_TRY(read_entry(w, path, entry->d_name, depth));
fail:
    if (folder)
        closedir(folder);
    return status;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static clc_status take_file(clc_beside *beside, clc_texts_builder *b, const char *path) {
    void *text;
    size_t n;
    const clc_beside_kind kind = clc_beside_kind_of(path);
    const clc_name_kind name = clc_name_kind_of(clc_base_name(path));
    if (name == CLC_NAME_PICTURE)
        return clc_names_add(&beside->pictures, path, strlen(path));
    if (kind == CLC_BESIDE_NONE || name != CLC_NAME_OTHER)
        return CLC_OK;
    const clc_status status = clc_file_read_all(path, CLC_BESIDE_BYTES, &text, &n);
    if (status == CLC_FORMAT || status == CLC_IO)
        return clc_texts_bad(b, path, clc_error());
    return status == CLC_OK ? clc_beside_add(beside, path, kind, text, n) : status;
}

clc_status clc_texts_read_folder(clc_texts_builder *b) {
    clc_status status = CLC_OK;
    walk w = {0};
    clc_beside beside = {0};
    const char **order = NULL;
    if (!b->options->pictures)
        return no_pictures(b);
    CLC_TRY(read_folder(&w, b->path, 0));
    CLC_NEW(order, w.files.count);
    for (size_t i = 0; i < w.files.count; i++)
        order[i] = clc_names_at(&w.files, i);
    qsort(order, w.files.count, sizeof *order, compare_names);
    for (size_t i = 0; i < w.files.count; i++)
        CLC_TRY(take_file(&beside, b, order[i]));
    status = clc_beside_finish(&beside, b);
fail:
    free(order);
    clc_names_free(&w.files);
    clc_name_set_free(&w.visited);
    clc_beside_free(&beside);
    return status;
}

static clc_status take_member(clc_beside *beside, clc_texts_builder *b, struct archive *archive,
                              struct archive_entry *entry) {
    clc_status status = CLC_OK;
    const char *inner = archive_entry_pathname(entry);
    uint8_t *bytes;
    char *name = NULL;
    size_t n;
    if (!inner || archive_entry_filetype(entry) == AE_IFDIR)
        return CLC_OK;
    while (!strncmp(inner, "./", 2))
        inner += 2;
    const clc_beside_kind kind = clc_beside_kind_of(inner);
    const clc_name_kind what = clc_name_kind_of(clc_base_name(inner));
    const size_t size = strlen(b->path) + strlen(inner) + 2;
    CLC_NEW(name, size);
    snprintf(name, size, "%s/%s", b->path, inner);
    if (what == CLC_NAME_PICTURE)
        status = clc_names_add(&beside->pictures, name, size - 1);
    else if (kind != CLC_BESIDE_NONE && what == CLC_NAME_OTHER) {
        status = clc_tar_data(archive, CLC_BESIDE_BYTES, &bytes, &n);
        if (status == CLC_FORMAT)
            status = clc_texts_bad(b, name, clc_error());
        else if (status == CLC_OK)
            status = clc_beside_add(beside, name, kind, (char *)bytes, n);
    }
fail:
    free(name);
    return status;
}

clc_status clc_texts_read_tar(clc_texts_builder *b) {
    clc_status status = CLC_OK;
    clc_beside beside = {0};
    struct archive *archive = NULL;
    struct archive_entry *entry;
    if (!b->options->pictures)
        return no_pictures(b);
    CLC_TRY(clc_tar_open(b->path, NULL, 0, &archive));
    for (bool more = true;;) {
        status = clc_tar_next(archive, &entry, &more);
        /* What came before the damage is of use. */
        if (status == CLC_FORMAT) {
            CLC_TRY(clc_texts_bad(b, b->path, clc_error()));
            break;
        }
        CLC_TRY(status);
        if (!more)
            break;
        CLC_TRY(take_member(&beside, b, archive, entry));
    }
    status = clc_beside_finish(&beside, b);
fail:
    if (archive)
        archive_read_free(archive);
    clc_beside_free(&beside);
    return status;
}
