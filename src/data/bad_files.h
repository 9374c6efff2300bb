/* Files that are no usable pictures or texts: which, why, and whether they are few enough. */
#ifndef CLC_DATA_BAD_FILES_H
#define CLC_DATA_BAD_FILES_H

#include "core/names.h"

/* Files that could not be used, with reasons: names and reasons alternate. */
typedef struct clc_bad_files {
    clc_names entries;
    size_t count;
} clc_bad_files;

clc_status clc_bad_files_add(clc_bad_files *bad, const char *name, const char *reason);

/* Fails unless the bad files are few enough: `total` with them. */
clc_status clc_bad_files_check(const clc_bad_files *bad, size_t total, bool stop, double limit);

/* Writes names and reasons of the bad files of `n` lists (NULL: none) to `path`, a line each with a
 * tab between; removes the file if there are none. Newlines, tabs and backslashes in names are
 * written as \n, \t and \\. */
clc_status clc_bad_files_write(const clc_bad_files *const *lists, size_t n, const char *path);

#endif
