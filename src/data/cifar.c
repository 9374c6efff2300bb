/* CIFAR-10 and CIFAR-100, the binary versions: records of one or two bytes of classes and 3072 of
 * pixels, (3,32,32). A folder of their files, or a file. */
#include "core/file.h"
#include "data/bare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 32, PIXELS = SIDE * SIDE, CHANNELS = 3, IMAGE_BYTES = CHANNELS * PIXELS };

/* The two kinds: the class is the last byte before the pixels. */
typedef struct kind {
    int label_bytes, classes;
    const char *class_names; /* the file beside that names them */
} kind;
static const kind kinds[] = {{1, 10, "batches.meta.txt"}, {2, 100, "fine_label_names.txt"}};

/* The files of a folder, in order. */
static const struct {
    const char *name;
    clc_split split;
} members[] = {
    {"data_batch_1.bin", CLC_SPLIT_TRAIN}, {"data_batch_2.bin", CLC_SPLIT_TRAIN},
    {"data_batch_3.bin", CLC_SPLIT_TRAIN}, {"data_batch_4.bin", CLC_SPLIT_TRAIN},
    {"data_batch_5.bin", CLC_SPLIT_TRAIN}, {"train.bin", CLC_SPLIT_TRAIN},
    {"test_batch.bin", CLC_SPLIT_TEST},    {"test.bin", CLC_SPLIT_TEST},
};
enum { MEMBERS = sizeof members / sizeof *members, PLACE_SHIFT = 40 };

typedef struct cifar_file {
    int file;
    uint64_t stamp;
    const kind *kind;
} cifar_file;

typedef struct cifar {
    cifar_file files[MEMBERS];
    size_t count;
} cifar;

static bool read_all(int file, uint8_t *to, size_t n, off_t from) {
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(file, to + done, n - done, from + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = 0;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* The kind by size and classes: the first and the last record must have valid ones. */
static const kind *kind_of(int file, uint64_t size) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const kind *k = &kinds[i];
        uint64_t record = (uint64_t)k->label_bytes + IMAGE_BYTES;
        uint8_t labels[2];
        bool good = size > 0 && size % record == 0;
        for (uint64_t r = 0, n = size / record; good && r<n; r += n> 1 ? n - 1 : 1)
            good = read_all(file, labels, (size_t)k->label_bytes, (off_t)(r * record)) &&
                   labels[k->label_bytes - 1] < k->classes &&
                   (k->label_bytes == 1 || labels[0] < 20);
        if (good)
            return k;
    }
    return NULL;
}

static clc_status open_file(const char *path, cifar_file *f, uint64_t *count) {
    struct stat info;
    f->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (f->file < 0 || fstat(f->file, &info) != 0)
        return clc_fail_file("read", path);
    f->kind = S_ISREG(info.st_mode) ? kind_of(f->file, (uint64_t)info.st_size) : NULL;
    if (!f->kind)
        return clc_fail(CLC_FORMAT,
                        "%s: %jd bytes are no whole records of CIFAR-10 (3073 bytes, class 0 to 9) "
                        "or CIFAR-100 (3074 bytes, class 0 to 99); get the binary version anew",
                        path, (intmax_t)info.st_size);
    f->stamp = clc_stamp(&info, 0);
    *count = (uint64_t)info.st_size / ((uint64_t)f->kind->label_bytes + IMAGE_BYTES);
    return CLC_OK;
}

/* The classes' names, one a line, from the file beside; or their numbers. */
static clc_status read_classes(const char *folder, const kind *k, clc_listing *listing,
                               int32_t *classes) {
    clc_status status = CLC_OK;
    char *path = NULL, number[16];
    void *text = NULL;
    size_t n, size = strlen(folder) + 64;
    CLC_NEW(path, size);
    snprintf(path, size, "%s%s", folder, k->class_names);
    const char *at = "";
    if (access(path, F_OK) == 0) {
        CLC_TRY(clc_file_read_all(path, 1 << 16, &text, &n));
        at = text;
    }
    for (int i = 0; i < k->classes; i++) {
        size_t length = strcspn(at, "\r\n");
        bool named = length > 0;
        if (!named)
            length = (size_t)snprintf(number, sizeof number, "%d", i);
        CLC_TRY(clc_listing_class(listing, named ? at : number, length, &classes[i]));
        at += named ? length : 0;
        at += *at == '\r';
        at += *at == '\n';
    }
fail:
    free(path);
    free(text);
    return status;
}

/* Adds the records of a file: "<path>#<number>". */
static clc_status list_records(const clc_config_data *config, const char *path, size_t index,
                               const cifar_file *f, uint64_t count, const int32_t *classes,
                               clc_listing *listing) {
    clc_status status = CLC_OK;
    size_t size = strlen(path) + 32;
    off_t record = f->kind->label_bytes + IMAGE_BYTES;
    char *name = NULL;
    uint8_t label;
    CLC_NEW(name, size);
    for (uint64_t i = 0; i < count; i++) {
        if (!read_all(f->file, &label, 1, (off_t)i * record + f->kind->label_bytes - 1))
            CLC_TRY(clc_fail_file("read", path));
        if (label >= f->kind->classes)
            CLC_TRY(clc_fail(CLC_FORMAT, "%s: record %ju has class %d; there are %d", path,
                             (uintmax_t)i, label, f->kind->classes));
        snprintf(name, size, "%s#%ju", path, (uintmax_t)i);
        clc_found found = {.name = name,
                           .relative = (size_t)(clc_base_name(path) - path),
                           .stamp = f->stamp ^ (i + 1) * 0x9e3779b97f4a7c15u,
                           .place = (uint64_t)index << PLACE_SHIFT | i,
                           .label = config->labels == CLC_CONFIG_LABELS_NONE ? -1 : classes[label]};
        CLC_TRY(clc_listing_add(listing, &found));
    }
fail:
    free(name);
    return status;
}

static clc_status add_file(const clc_config_data *config, const char *path, clc_listing *listing,
                           cifar *c) {
    clc_status status = CLC_OK;
    int32_t classes[100];
    uint64_t count = 0;
    char *folder = NULL;
    size_t length = (size_t)(clc_base_name(path) - path);
    cifar_file *f = &c->files[c->count++];
    CLC_NEW(folder, length + 1);
    memcpy(folder, path, length);
    CLC_TRY(open_file(path, f, &count));
    CLC_TRY(read_classes(folder, f->kind, listing, classes));
    clc_listing_bare(listing, SIDE, SIDE, CHANNELS);
    status = list_records(config, path, c->count - 1, f, count, classes, listing);
fail:
    free(folder);
    return status;
}

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Which of the members the folder has. */
static bool find_members(const char *folder, bool *there) {
    bool any = false;
    DIR *stream = opendir(folder);
    struct dirent *entry;
    memset(there, 0, MEMBERS * sizeof *there);
    while (stream && (entry = readdir(stream)))
        for (size_t i = 0; i < MEMBERS; i++)
            if (!strcmp(entry->d_name, members[i].name))
                any = there[i] = true;
    if (stream)
        closedir(stream);
    return any;
}

static bool is_records(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool found = file >= 0 && kind_of(file, (uint64_t)info.st_size);
    if (file >= 0)
        close(file);
    return found;
}

/* A folder by the names of its files, but train.bin and test.bin could be anybody's. */
static bool recognise(const char *path) {
    bool there[MEMBERS], found = false;
    char inner[4096];
    if (!is_folder(path))
        return is_records(path);
    find_members(path, there);
    for (size_t i = 0; i < MEMBERS && !found; i++) {
        int n = snprintf(inner, sizeof inner, "%s/%s", path, members[i].name);
        found = there[i] &&
                (strstr(members[i].name, "batch") || (n < (int)sizeof inner && is_records(inner)));
    }
    return found;
}

/* Whether a folder holds files of both splits. */
static bool splits(const clc_config_data *config, const char *path) {
    bool there[MEMBERS], found[2] = {false, false};
    (void)config;
    if (!is_folder(path) || !find_members(path, there))
        return false;
    for (size_t i = 0; i < MEMBERS; i++)
        found[members[i].split] = found[members[i].split] || there[i];
    return found[CLC_SPLIT_TRAIN] && found[CLC_SPLIT_TEST];
}

static clc_status open_part(const clc_config_data *config, const char *path, clc_listing *listing,
                            clc_source_part *part) {
    clc_status status = CLC_OK;
    bool there[MEMBERS];
    char *inner = NULL;
    cifar *c = NULL;
    size_t size = strlen(path) + 32;
    CLC_NEW(c, 1);
    part->state = c;
    for (size_t i = 0; i < MEMBERS; i++)
        c->files[i].file = -1;
    if (!is_folder(path))
        return add_file(config, path, listing, c);
    CLC_NEW(inner, size);
    if (!find_members(path, there))
        CLC_TRY(clc_fail(CLC_FORMAT,
                         "%s: no data_batch_1.bin, train.bin or other file of CIFAR's "
                         "binary version",
                         path));
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!there[i] || (listing->split != CLC_SPLIT_ALL && members[i].split != listing->split))
            continue;
        snprintf(inner, size, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
                 members[i].name);
        CLC_TRY(add_file(config, inner, listing, c));
    }
fail:
    free(inner);
    return status;
}

/* (3,32,32) to (32,32,3) */
static clc_status read_item(const clc_source *source, size_t item, const clc_image_options *options,
                            clc_image *image) {
    clc_status status = CLC_OK;
    const cifar *c = clc_item_part(source, item)->state;
    uint64_t place = source->item_places[item];
    const cifar_file *f = &c->files[place >> PLACE_SHIFT];
    off_t record = (off_t)(place & (((uint64_t)1 << PLACE_SHIFT) - 1));
    uint8_t planes[IMAGE_BYTES];
    struct stat info;
    if (fstat(f->file, &info) != 0 || clc_stamp(&info, 0) != f->stamp)
        return clc_fail(CLC_IO, "has changed since the list was read");
    if (!read_all(f->file, planes, IMAGE_BYTES,
                  record * (f->kind->label_bytes + IMAGE_BYTES) + f->kind->label_bytes))
        return clc_fail(CLC_IO, "cannot be read: %s", errno ? strerror(errno) : "cut off");
    *image = (clc_image){SIDE, SIDE, CHANNELS, NULL};
    CLC_NEW(image->pixels, IMAGE_BYTES);
    for (size_t i = 0; i < IMAGE_BYTES; i++)
        image->pixels[i] = planes[i % CHANNELS * PIXELS + i / CHANNELS];
    return clc_bare_finish(image, false, options);
fail:
    return status;
}

static clc_status probe(const clc_source *source, size_t item, const clc_image_options *options,
                        clc_image_info *info) {
    (void)source;
    (void)item;
    (void)options;
    *info = (clc_image_info){"cifar", SIDE, SIDE, CHANNELS};
    return CLC_OK;
}

static void close_part(clc_source_part *part) {
    cifar *c = part->state;
    for (size_t i = 0; c && i < MEMBERS; i++)
        if (c->files[i].file >= 0)
            close(c->files[i].file);
    free(c);
    part->state = NULL;
}

const clc_format clc_format_cifar = {
    .name = "cifar",
    .recognise = recognise,
    .splits = splits,
    .open = open_part,
    .read = read_item,
    .probe = probe,
    .close = close_part,
};
