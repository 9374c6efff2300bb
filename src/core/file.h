/* Whole files. Reading takes a file at once. Writing is atomic: a reader sees the old file or the
 * complete new one, never a part, whatever fails or is killed in between. */
#ifndef CLC_CORE_FILE_H
#define CLC_CORE_FILE_H

#include "core/status.h"

#include <stddef.h>

typedef struct clc_file_writer clc_file_writer;

/* Opens a temporary file in the folder of `path`. A device or pipe (/dev/stdout) has no new version
 * to put in its place and is written directly. */
clc_status clc_file_writer_open(const char *path, clc_file_writer **writer);

/* Appends `n` bytes. */
clc_status clc_file_writer_write(clc_file_writer *writer, const void *data, size_t n);

/* Writes `n` bytes over what stands at `offset`; appending goes on at the end. */
clc_status clc_file_writer_rewrite(clc_file_writer *writer, long offset, const void *data,
                                   size_t n);

/* Appends formatted text. */
clc_status clc_file_writer_print(clc_file_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Brings everything to the disk and gives the file its name. Frees the writer in any case; on
 * failure the temporary file is gone and a former file of that name is as it was. */
clc_status clc_file_writer_commit(clc_file_writer **writer);

/* Drops what was written: the cleanup function, which accepts NULL. */
void clc_file_writer_abort(clc_file_writer **writer);

/* Writes a file of these `n` bytes, atomically. */
clc_status clc_file_write_all(const char *path, const void *data, size_t n);

/* Reads the whole file into *data, which the caller frees; a zero byte, not counted in *n, follows,
 * so that text is a string. A file of more than `max` bytes is refused with CLC_FORMAT. */
clc_status clc_file_read_all(const char *path, size_t max, void **data, size_t *n);

/* Maps the file, for reading, into *map (*n bytes); release with clc_file_unmap. A file that
 * another program shortens is then a fault of memory: for those that are only ever replaced. */
clc_status clc_file_map(const char *path, void **map, size_t *n);
void clc_file_unmap(void **map, size_t n);

/* Makes the folder and those above it that are missing (mkdir -p). */
clc_status clc_make_folders(const char *path);

/* Fails with CLC_IO: "cannot <action> <path>: <meaning of errno>; <what to try>". */
clc_status clc_fail_file(const char *action, const char *path);

#endif
