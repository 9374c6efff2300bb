#include "data/source_paths.h"

#include <glob.h>
#include <string.h>
#include <unistd.h>

static clc_status add_matches(const char *pattern, clc_names *paths) {
    clc_status status = CLC_OK;
    glob_t found = {0};
    int code = glob(pattern, 0, NULL, &found);
    if (code == GLOB_NOSPACE)
        status = clc_fail_alloc(1);
    else if (code != 0)
        status = clc_fail(
            CLC_IO, "nothing matches %s; check the spelling and that its folder exists", pattern);
    for (size_t i = 0; code == 0 && status == CLC_OK && i < found.gl_pathc; i++)
        status = clc_names_add(paths, found.gl_pathv[i], strlen(found.gl_pathv[i]));
    if (code == 0)
        globfree(&found);
    return status;
}

static clc_status add_path(const char *path, size_t n, bool pattern, clc_names *paths) {
    if (n == 0)
        return CLC_OK;
    if (pattern && access(path, F_OK) != 0)
        return add_matches(path, paths);
    return clc_names_add(paths, path, n);
}

clc_status clc_source_paths(const char *value, clc_names *paths) {
    clc_status status = CLC_OK;
    char *path = NULL;
    size_t n = 0, kept = 0; /* `kept`: up to the last character that is no blank */
    bool pattern = false;
    if (*value && access(value, F_OK) == 0)
        return clc_names_add(paths, value, strlen(value));
    CLC_NEW(path, strlen(value) + 1);
    for (const char *at = value;; at++) {
        if (*at == ',' || !*at) {
            path[kept] = '\0';
            CLC_TRY(add_path(path, kept, pattern, paths));
            n = kept = 0;
            pattern = false;
            if (!*at)
                break;
            continue;
        }
        bool escaped = *at == '\\' && at[1];
        at += escaped;
        if (!escaped && (*at == ' ' || *at == '\t')) {
            if (n > 0)
                path[n++] = *at;
            continue;
        }
        pattern = pattern || (!escaped && strchr("*?[", *at));
        path[n++] = *at;
        kept = n;
    }
fail:
    free(path);
    return status;
}
