#include "data/bad_files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

clc_status clc_bad_files_check(const clc_bad_files *bad, size_t total, bool stop, double limit) {
    if (!bad->count || (!stop && (double)bad->count <= limit * (double)total))
        return CLC_OK;
    const char *name = clc_names_at(&bad->entries, 0), *reason = clc_names_at(&bad->entries, 1);
    if (stop)
        return clc_fail(CLC_FORMAT, "%s: %s; with data.on_bad = skip training goes on without it",
                        name, reason);
    return clc_fail(CLC_FORMAT,
                    "%zu of %zu files are no usable pictures, more than data.bad_limit = %g; the "
                    "first is %s: %s",
                    bad->count, total, limit, name, reason);
}

clc_status clc_bad_files_write(const clc_bad_files *const *lists, size_t n, const char *path) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += lists[i] ? lists[i]->count : 0;
    if (!count)
        return unlink(path) == 0 || errno == ENOENT ? CLC_OK : clc_fail_file("remove", path);
    CLC_TRY(clc_file_writer_open(path, &writer));
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; lists[k] && i < 2 * lists[k]->count; i++) {
            CLC_TRY(clc_write_name(writer, clc_names_at(&lists[k]->entries, i)));
            CLC_TRY(clc_file_writer_write(writer, i % 2 ? "\n" : "\t", 1));
        }
    CLC_TRY(clc_file_writer_commit(&writer));
fail:
    clc_file_writer_abort(&writer);
    return status;
}

clc_status clc_bad_files_add(clc_bad_files *bad, const char *name, const char *reason) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_names_add(&bad->entries, name, strlen(name)));
    CLC_TRY(clc_names_add(&bad->entries, reason, strlen(reason)));
    bad->count++;
fail:
    return status;
}
