#include "new/recipe.h"

#include "core/config_schema.h"
#include "core/log.h"
#include "core/text.h"

#include <stdarg.h>
#include <string.h>

/* The number of the row of "section.key"; count: there is none. */
static size_t find_row(const clc_recipe *recipe, const char *key) {
    const size_t n = strlen(key);
    for (size_t i = recipe->count; i-- > 0;)
        if (!strncmp(recipe->rows[i].override, key, n) && recipe->rows[i].override[n] == '=')
            return i;
    return recipe->count;
}

static clc_status check_room(const clc_recipe *recipe) {
    if (recipe->count == CLC_RECIPE_MAX)
        return clc_fail(CLC_INVALID, "more than %d settings; put them into the .ini file",
                        CLC_RECIPE_MAX);
    return CLC_OK;
}

clc_status clc_recipe_start(clc_recipe *recipe, const char *const *overrides, size_t n) {
    clc_status status = CLC_OK;
    clc_config checked;
    CLC_TRY(clc_config_load(NULL, overrides, n, &checked));
    for (size_t i = 0; i < n; i++) {
        CLC_TRY(check_room(recipe));
        clc_recipe_row *row = &recipe->rows[recipe->count++];
        CLC_TRY(clc_text_format(row->override, sizeof row->override, "%s", overrides[i]));
        snprintf(row->reason, sizeof row->reason, "as --set says");
    }
    recipe->given = n;
fail:
    return status;
}

static clc_status put(clc_recipe *recipe, const char *key, const char *value, const char *reason,
                      va_list arguments) {
    clc_status status = CLC_OK;
    const size_t i = find_row(recipe, key);
    clc_recipe_row *row = &recipe->rows[i];
    if (i < recipe->given)
        return CLC_OK;
    if (i == recipe->count)
        CLC_TRY(check_room(recipe));
    recipe->count += i == recipe->count;
    vsnprintf(row->reason, sizeof row->reason, reason, arguments);
    CLC_TRY(clc_text_format(row->override, sizeof row->override, "%s=%s", key, value));
fail:
    return status;
}

clc_status clc_recipe_put(clc_recipe *recipe, const char *key, const char *value,
                          const char *reason, ...) {
    va_list arguments;
    va_start(arguments, reason);
    const clc_status status = put(recipe, key, value, reason, arguments);
    va_end(arguments);
    return status;
}

clc_status clc_recipe_put_int(clc_recipe *recipe, const char *key, int value, const char *reason,
                              ...) {
    va_list arguments;
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    va_start(arguments, reason);
    const clc_status status = put(recipe, key, text, reason, arguments);
    va_end(arguments);
    return status;
}

clc_status clc_recipe_put_all(clc_recipe *recipe, const char *const (*rows)[3]) {
    clc_status status = CLC_OK;
    for (; (*rows)[0]; rows++)
        CLC_TRY(clc_recipe_put(recipe, (*rows)[0], (*rows)[1], "%s", (*rows)[2]));
fail:
    return status;
}

/* Control characters, as names of files may hold, would end the comment. */
clc_status clc_recipe_note(clc_recipe *recipe, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
    clc_log("%s", text);
    return clc_names_add(&recipe->notes, text, strlen(text));
}

size_t clc_recipe_overrides(const clc_recipe *recipe, const char *const *more, size_t n,
                            const char **all) {
    size_t count = 0;
    for (size_t i = 0; i < recipe->count; i++)
        all[count++] = recipe->rows[i].override;
    for (size_t i = 0; i < n; i++)
        all[count++] = more[i];
    return count;
}

clc_status clc_recipe_load(const clc_recipe *recipe, clc_config *config) {
    const char *all[CLC_RECIPE_MAX];
    return clc_config_load(NULL, all, clc_recipe_overrides(recipe, NULL, 0, all), config);
}

void clc_recipe_write(const clc_recipe *recipe, FILE *file) {
    const char *section = "";
    char name[128];
    for (size_t i = 0; i < recipe->notes.count; i++)
        fprintf(file, "; %s\n", clc_names_at(&recipe->notes, i));
    for (const clc_config_key *k = clc_config_keys; k->name; k++) {
        snprintf(name, sizeof name, "%s.%s", k->section, k->name);
        const size_t i = find_row(recipe, name);
        const clc_recipe_row *row = &recipe->rows[i];
        if (i == recipe->count)
            continue;
        if (strcmp(section, k->section))
            fprintf(file, "\n[%s]\n", k->section);
        section = k->section;
        if (*row->reason)
            fprintf(file, "; %s\n", row->reason);
        fprintf(file, "%s = %s\n", k->name, row->override + strlen(name) + 1);
    }
}

void clc_recipe_free(clc_recipe *recipe) {
    clc_names_free(&recipe->notes);
}
