#define _DEFAULT_SOURCE /* flock */
#include "report/cache.h"

#include "core/cache.h"
#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The folders of the cache, each with what is in it; "" is the cache itself. */
static const struct kind {
    const char *folder, *what;
    bool each; /* its files are shown one by one */
} kinds[] = {{"packs", "packs of decoded pictures", true},
             {"lists", "lists of what is in archives", false},
             {"", "compiled programs", false}};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct total {
    uint64_t files, bytes;
} total;

typedef struct visit {
    FILE *out;
    bool clear;
    const struct kind *kind;
    int folder;
    total total;
} visit;

static double megabytes(uint64_t bytes) {
    return (double)bytes / 1e6;
}

/* Whether a running program holds the file: writers of packs lock theirs. */
static bool in_use(int folder, const char *name) {
    const int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    const bool used = file >= 0 && flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (file >= 0)
        close(file);
    return used;
}

static clc_status visit_file(visit *v, const char *name, const struct stat *info) {
    char date[32] = "";
    struct tm local;
    if (v->clear) {
        if (in_use(v->folder, name))
            return CLC_OK;
        if (unlinkat(v->folder, name, 0) != 0 && errno != ENOENT)
            return clc_fail_file("remove", name);
    } else if (v->kind->each) {
        if (localtime_r(&info->st_mtime, &local))
            strftime(date, sizeof date, "%Y-%m-%d %H:%M", &local);
        fprintf(v->out, "  %s  %10.1f MB  %s\n", date, megabytes((uint64_t)info->st_size), name);
    }
    v->total.files++;
    v->total.bytes += (uint64_t)info->st_size;
    return CLC_OK;
}

/* All files of the folder; one that isn't there has none. */
static clc_status visit_folder(visit *v, const char *path) {
    clc_status status = CLC_OK;
    struct dirent *entry;
    struct stat info;
    DIR *stream = opendir(path);
    if (!stream)
        return errno == ENOENT || errno == ENOTDIR ? CLC_OK : clc_fail_file("read", path);
    v->folder = dirfd(stream);
    while ((entry = readdir(stream)))
        if (fstatat(v->folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode))
            CLC_TRY(visit_file(v, entry->d_name, &info));
fail:
    closedir(stream);
    return status;
}

static clc_status visit_all(FILE *out, bool clear, total *sum) {
    clc_status status = CLC_OK;
    char path[4096];
    *sum = (total){0, 0};
    for (int i = 0; i < KINDS; i++) {
        visit v = {.out = out, .clear = clear, .kind = &kinds[i]};
        if (!clc_cache_path(kinds[i].folder, "", false, path, sizeof path))
            return clc_fail(CLC_IO,
                            "there is no cache: neither XDG_CACHE_HOME nor HOME says where");
        CLC_TRY(visit_folder(&v, path));
        if (!clear)
            fprintf(out, "%-30s %6" PRIu64 " files %10.1f MB\n", kinds[i].what, v.total.files,
                    megabytes(v.total.bytes));
        sum->files += v.total.files;
        sum->bytes += v.total.bytes;
    }
fail:
    return status;
}

clc_status clc_cache_report(FILE *out) {
    char path[4096];
    total sum;
    if (clc_cache_path("", "", false, path, sizeof path))
        fprintf(out, "%s\n", path);
    const clc_status status = visit_all(out, false, &sum);
    if (status == CLC_OK)
        fprintf(out, "%-30s %6" PRIu64 " files %10.1f MB\n", "in all", sum.files,
                megabytes(sum.bytes));
    return status;
}

clc_status clc_cache_clear(FILE *out) {
    total sum;
    const clc_status status = visit_all(out, true, &sum);
    if (status == CLC_OK)
        fprintf(out, "removed %" PRIu64 " files of %.1f MB\n", sum.files, megabytes(sum.bytes));
    return status;
}
