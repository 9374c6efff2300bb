#include "core/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Appends "/" and `name`; false if there is no room. */
static bool append(char *path, size_t size, const char *name) {
    const size_t used = strlen(path);
    const int n = snprintf(path + used, size - used, "/%s", name);
    return n > 0 && (size_t)n < size - used;
}

static bool make(const char *path) {
    struct stat info;
    return mkdir(path, 0700) == 0 ||
           (stat(path, &info) == 0 && S_ISDIR(info.st_mode) && access(path, W_OK) == 0);
}

bool clc_cache_path(const char *part, const char *name, bool create, char *path, size_t size) {
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool own = xdg && *xdg == '/';
    if (!own && !(home && *home))
        return false;
    const int n = snprintf(path, size, own ? "%s" : "%s/.cache", own ? xdg : home);
    if (n < 0 || (size_t)n >= size)
        return false;
    if (create)
        make(path);
    const char *const folders[] = {"clcontrast", part};
    for (int i = 0; i < 2; i++)
        if (*folders[i] && (!append(path, size, folders[i]) || (create && !make(path))))
            return false;
    return append(path, size, name);
}
