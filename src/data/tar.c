/* Archives of pictures: tar and zip, also compressed, also webdataset's shards. Of a plain tar a
 * picture is read where it lies. Of a compressed archive, reading items in their order costs one
 * pass over it, and each step back begins anew; a lock lets one thread unpack at a time, while
 * others decode. Who needs them in another order keeps their pixels (data/store.h). */
#include "data/format.h"
#include "data/tar_cache.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct tar {
    const char *path; /* the part's */
    int file;
    uint64_t stamp; /* of the file */
    clc_tar_index index;
    pthread_mutex_t lock; /* of what follows */
    bool has_lock;
    struct archive *archive;
    uint64_t next; /* the member that it reads next */
} tar;

static bool recognise(const char *path) {
    struct archive *archive;
    struct archive_entry *entry;
    struct stat info;
    bool more = false;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) ||
        clc_tar_open(path, NULL, 0, &archive) != CLC_OK)
        return false;
    bool good = clc_tar_next(archive, &entry, &more) == CLC_OK && more;
    archive_read_free(archive);
    return good;
}

/* The length of the folder that all pictures lie in, with its slash: what `tar cf x.tar x/` packs.
 */
static size_t common_root(const clc_tar_index *index) {
    const clc_names *names = &index->names;
    const char *first = names->count > 0 ? clc_names_at(names, 0) : "";
    const char *slash = strchr(first, '/');
    size_t length = slash ? (size_t)(slash - first) + 1 : 0;
    for (size_t i = 1; i < names->count && length > 0; i++)
        if (strncmp(clc_names_at(names, i), first, length))
            length = 0;
    return length;
}

/* The class of a member: what a member beside it says, or its folder. */
static clc_status class_of(const clc_config_data *config, const clc_tar_index *index, size_t i,
                           size_t root, clc_listing *listing, int32_t *label) {
    *label = -1;
    int64_t given = index->members[i].label;
    if (config->labels == CLC_CONFIG_LABELS_NONE)
        return CLC_OK;
    if (given >= 0)
        return clc_listing_class(listing, clc_names_at(&index->labels, (size_t)given),
                                 clc_names_length(&index->labels, (size_t)given), label);
    const char *name = clc_names_at(&index->names, i) + root;
    const char *slash =
        config->labels == CLC_CONFIG_LABELS_PATH ? strrchr(name, '/') : strchr(name, '/');
    /* Where members give classes, folders don't. */
    if (!slash || index->labels.count > 0)
        return CLC_OK;
    return clc_listing_class(listing, name, (size_t)(slash - name), label);
}

/* Adds the pictures: "<archive>/<member>". */
static clc_status list(const clc_config_data *config, const tar *t, clc_listing *listing) {
    clc_status status = CLC_OK;
    const clc_tar_index *index = &t->index;
    size_t root = common_root(index), prefix = strlen(t->path) + 1;
    clc_names name = {0};
    for (size_t i = 0; i < index->names.count; i++) {
        const clc_tar_member *member = &index->members[i];
        /* One block for all names: the path is written once. */
        clc_names_truncate(&name, 0);
        CLC_TRY(clc_names_add(&name, t->path, prefix - 1));
        name.text[prefix - 1] = '/';
        CLC_TRY(clc_names_add(&name, clc_names_at(&index->names, i),
                              clc_names_length(&index->names, i)));
        clc_found found = {.name = name.text,
                           .relative = prefix,
                           .place = i,
                           .stamp = t->stamp ^ (member->place + 1) * 0x9e3779b97f4a7c15u};
        CLC_TRY(class_of(config, index, i, root, listing, &found.label));
        CLC_TRY(clc_listing_add(listing, &found));
    }
    for (size_t i = 0; i < index->bad.count; i++)
        CLC_TRY(clc_listing_bad(listing, clc_names_at(&index->bad.entries, 2 * i),
                                clc_names_at(&index->bad.entries, 2 * i + 1)));
    listing->source->passed_over += index->passed_over;
fail:
    clc_names_free(&name);
    return status;
}

static clc_status no_picture(const tar *t) {
    const clc_tar_index *index = &t->index;
    if (index->bad.count > 0)
        return clc_fail(CLC_FORMAT, "%s: no picture in the archive can be used; the first: %s",
                        t->path, clc_names_at(&index->bad.entries, 1));
    if (!*index->others)
        return clc_fail(CLC_FORMAT, "%s: no picture in the archive", t->path);
    return clc_fail(CLC_FORMAT, "%s: no picture in the archive; its members are %s, ...", t->path,
                    index->others);
}

static clc_status read_index(tar *t) {
    clc_status status = CLC_OK;
    struct archive *archive = NULL;
    struct stat info;
    t->file = open(t->path, O_RDONLY | O_CLOEXEC);
    if (t->file < 0 || fstat(t->file, &info) != 0)
        return clc_fail(CLC_IO, "cannot read %s: %s", t->path, strerror(errno));
    t->stamp = clc_stamp(&info, 0);
    if (clc_tar_cache_load(t->path, t->stamp, &t->index))
        return CLC_OK;
    CLC_TRY(clc_tar_open(t->path, NULL, 0, &archive));
    CLC_TRY(clc_tar_index_read(archive, t->path, (uint64_t)info.st_size, &t->index));
    if (fstat(t->file, &info) != 0 || clc_stamp(&info, 0) != t->stamp)
        CLC_TRY(clc_fail(CLC_IO, "%s has changed while it was read", t->path));
    if (t->index.names.count == 0)
        status = no_picture(t);
    else if (archive_filter_count(archive) > 1)
        clc_tar_cache_save(t->path, t->stamp, &t->index);
fail:
    if (archive)
        archive_read_free(archive);
    return status;
}

static clc_status open_part(const clc_config_data *config, const char *path, clc_listing *listing,
                            clc_source_part *part) {
    clc_status status = CLC_OK;
    tar *t = NULL;
    (void)path;
    CLC_NEW(t, 1);
    part->state = t;
    t->path = part->path;
    t->file = -1;
    if (pthread_mutex_init(&t->lock, NULL) != 0)
        return clc_fail_alloc(sizeof t->lock);
    t->has_lock = true;
    listing->ragged = true;
    CLC_TRY(read_index(t));
    CLC_TRY(list(config, t, listing));
    /* From here on the listing has the names. */
    clc_names_free(&t->index.names);
    clc_names_free(&t->index.labels);
fail:
    return status;
}

static clc_status read_direct(const tar *t, const clc_tar_member *member, uint8_t **bytes,
                              size_t *n) {
    *n = (size_t)member->size;
    if (member->size > CLC_PICTURE_MAX_BYTES)
        return clc_fail(CLC_FORMAT, "has %ju bytes; pictures of up to 2 GiB are read",
                        (uintmax_t)member->size);
    *bytes = malloc(*n + 1);
    if (!*bytes)
        return clc_fail_alloc(*n + 1);
    for (size_t done = 0; done < *n;) {
        ssize_t got = pread(t->file, *bytes + done, *n - done, (off_t)(member->place + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return clc_fail(CLC_IO, "cannot be read: %s", got < 0 ? strerror(errno) : "cut off");
        done += (size_t)got;
    }
    return CLC_OK;
}

/* Goes on to the member, from the beginning if it has been passed. */
static clc_status advance(tar *t, uint64_t number) {
    clc_status status = CLC_OK;
    struct archive_entry *entry;
    bool more = true;
    if (t->archive && t->next > number) {
        archive_read_free(t->archive);
        t->archive = NULL;
    }
    if (!t->archive) {
        CLC_TRY(clc_tar_open(t->path, NULL, 0, &t->archive));
        t->next = 0;
    }
    while (more && t->next <= number) {
        CLC_TRY(clc_tar_next(t->archive, &entry, &more));
        t->next += more;
    }
    if (!more)
        status = clc_fail(CLC_IO, "has changed since the list was read");
fail:
    return status;
}

static clc_status read_packed(tar *t, const clc_tar_member *member, uint8_t **bytes, size_t *n) {
    pthread_mutex_lock(&t->lock);
    clc_status status = advance(t, member->place);
    if (status == CLC_OK)
        status = clc_tar_data(t->archive, CLC_PICTURE_MAX_BYTES, bytes, n);
    if (status != CLC_OK && t->archive) {
        archive_read_free(t->archive);
        t->archive = NULL;
    }
    pthread_mutex_unlock(&t->lock);
    return status;
}

static clc_status load(const clc_source *source, size_t item, uint8_t **bytes, size_t *n) {
    tar *t = clc_item_part(source, item)->state;
    const clc_tar_member *member = &t->index.members[source->item_places[item]];
    struct stat info;
    *bytes = NULL;
    if (fstat(t->file, &info) != 0 || clc_stamp(&info, 0) != t->stamp)
        return clc_fail(CLC_IO, "has changed since the list was read");
    return t->index.direct ? read_direct(t, member, bytes, n) : read_packed(t, member, bytes, n);
}

static clc_status read_item(const clc_source *source, size_t item, const clc_image_options *options,
                            clc_image *image) {
    uint8_t *bytes;
    size_t n;
    clc_status status = load(source, item, &bytes, &n);
    if (status == CLC_OK)
        status = clc_image_decode(bytes, n, options, image);
    free(bytes);
    return status;
}

static clc_status probe(const clc_source *source, size_t item, const clc_image_options *options,
                        clc_image_info *info) {
    uint8_t *bytes;
    size_t n;
    clc_status status = load(source, item, &bytes, &n);
    if (status == CLC_OK)
        status = clc_image_probe(bytes, n, options, info);
    free(bytes);
    return status;
}

static void close_part(clc_source_part *part) {
    tar *t = part->state;
    if (!t)
        return;
    if (t->archive)
        archive_read_free(t->archive);
    if (t->file >= 0)
        close(t->file);
    if (t->has_lock)
        pthread_mutex_destroy(&t->lock);
    clc_tar_index_free(&t->index);
    free(t);
    part->state = NULL;
}

const clc_format clc_format_tar = {
    .name = "tar",
    .recognise = recognise,
    .open = open_part,
    .read = read_item,
    .probe = probe,
    .close = close_part,
};
