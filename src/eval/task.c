#include "eval/task.h"

#include "core/words.h"

#include <math.h>
#include <string.h>

#define DECLARE(word) extern const clc_task clc_task_##word;
CLC_TASKS(CLC_TASK_EACH, DECLARE)
#undef DECLARE

#define ADDRESS(word) &clc_task_##word,
const clc_task *const clc_tasks[] = {CLC_TASKS(CLC_TASK_EACH, ADDRESS)};
#undef ADDRESS

static clc_status choose(const char *name, size_t length, bool *chosen) {
    char known[512] = "";
    for (size_t i = 0, used = 0; i < CLC_TASK_COUNT; i++) {
        if (strlen(clc_tasks[i]->name) == length && !memcmp(clc_tasks[i]->name, name, length)) {
            chosen[i] = true;
            return CLC_OK;
        }
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                     clc_tasks[i]->name);
    }
    return clc_fail(CLC_INVALID, "evaluation.tasks: there is no task '%.*s'; there are %s, or all",
                    (int)length, name, known);
}

clc_status clc_tasks_choose(const char *names, bool *chosen) {
    static const char blanks[] = " \t,";
    clc_status status = CLC_OK;
    const bool all = !strcmp(names, "all");
    const char *at = names + strspn(names, blanks);
    for (size_t i = 0; i < CLC_TASK_COUNT; i++)
        chosen[i] = all || (!*at && !clc_tasks[i]->costly);
    while (*at && !all && status == CLC_OK) {
        const size_t length = strcspn(at, blanks);
        status = choose(at, length, chosen);
        at += length;
        at += strspn(at, blanks);
    }
    return status;
}

void clc_tasks_print(FILE *file) {
    for (size_t i = 0; i < CLC_TASK_COUNT; i++)
        fprintf(file, "  %-14s %s%s\n", clc_tasks[i]->name, clc_tasks[i]->about,
                clc_tasks[i]->costly ? "; only if asked for" : "");
}

double clc_json_figure(const json_t *result, const char *key) {
    const json_t *value = json_object_get(result, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}
