#include "model/finetuned.h"

#include "model/run_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const starts[] = {"finetune", "scratch"};
static const char *const units[] = {"percent", "per-class"};

void clc_finetuned_name(const clc_finetuned *f, char name[CLC_FINETUNED_NAME]) {
    snprintf(name, CLC_FINETUNED_NAME, "%s-%.6g-%s", starts[f->scratch], f->labels,
             units[f->per_class]);
}

/* False where it is another name. */
static bool parse(const char *name, clc_finetuned *f) {
    const char *dash = strchr(name, '-');
    char back[CLC_FINETUNED_NAME], *unit = NULL;
    if (!dash)
        return false;
    *f = (clc_finetuned){.scratch = *name == 's', .labels = strtod(dash + 1, &unit)};
    f->per_class = !strcmp(unit, "-per-class");
    clc_finetuned_name(f, back);
    return !strcmp(name, back);
}

static int order(const void *a, const void *b) {
    const clc_finetuned *x = a, *y = b;
    if (x->scratch != y->scratch)
        return x->scratch - y->scratch;
    if (x->per_class != y->per_class)
        return y->per_class - x->per_class;
    return (x->labels > y->labels) - (x->labels < y->labels);
}

static bool evaluated(const char *folder, const char *name) {
    char path[CLC_PATH_BYTES];
    return clc_run_path(folder, name, path) == CLC_OK && clc_run_has(path, CLC_RUN_EVALUATION_JSON);
}

static clc_status append(clc_finetuned **list, size_t *count, const clc_finetuned *f) {
    clc_finetuned *more = realloc(*list, (*count + 1) * sizeof *more);
    if (!more)
        return clc_fail_alloc((*count + 1) * sizeof *more);
    more[(*count)++] = *f;
    *list = more;
    return CLC_OK;
}

clc_status clc_finetuned_list(const char *folder, clc_finetuned **list, size_t *count) {
    clc_status status = CLC_OK;
    DIR *directory = opendir(folder);
    *list = NULL;
    *count = 0;
    if (!directory)
        return CLC_OK;
    for (struct dirent *entry; status == CLC_OK && (entry = readdir(directory));) {
        clc_finetuned f;
        if (parse(entry->d_name, &f) && evaluated(folder, entry->d_name))
            status = append(list, count, &f);
    }
    closedir(directory);
    if (*count)
        qsort(*list, *count, sizeof **list, order);
    return status;
}
