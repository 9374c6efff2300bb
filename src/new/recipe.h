/* A configuration in the making: the keys that are set, each with the reason why, and notes for its
 * head. What is written and what is tried are the same rows. */
#ifndef CLC_NEW_RECIPE_H
#define CLC_NEW_RECIPE_H

#include "core/config.h"
#include "core/names.h"

enum { CLC_RECIPE_MAX = 64, CLC_REASON_BYTES = 160 };

typedef struct clc_recipe_row {
    char override[CLC_CONFIG_TEXT_BYTES + 64]; /* section.key=value */
    char reason[CLC_REASON_BYTES];
} clc_recipe_row;

typedef struct clc_recipe {
    clc_recipe_row rows[CLC_RECIPE_MAX];
    size_t count, given; /* the first `given` are the user's and stay as they are */
    clc_names notes;
} clc_recipe;

/* Begins with the user's overrides. */
clc_status clc_recipe_start(clc_recipe *recipe, const char *const *overrides, size_t n);

/* Sets "section.key" for a reason ("": it needs none), unless the user has; a former value goes. */
clc_status clc_recipe_put(clc_recipe *recipe, const char *key, const char *value,
                          const char *reason, ...) __attribute__((format(printf, 4, 5)));
clc_status clc_recipe_put_int(clc_recipe *recipe, const char *key, int value, const char *reason,
                              ...) __attribute__((format(printf, 4, 5)));

/* Rows of "section.key", value and reason in threes, up to a NULL. */
clc_status clc_recipe_put_all(clc_recipe *recipe, const char *const (*rows)[3]);

/* A line for the head, which is also logged. */
clc_status clc_recipe_note(clc_recipe *recipe, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The rows and then `more` as overrides; `all` has room for CLC_RECIPE_MAX + n. Returns how many.
 */
size_t clc_recipe_overrides(const clc_recipe *recipe, const char *const *more, size_t n,
                            const char **all);

/* What the rows amount to. */
clc_status clc_recipe_load(const clc_recipe *recipe, clc_config *config);

/* Notes and rows as an .ini file, in the order of `clcontrast options`. */
void clc_recipe_write(const clc_recipe *recipe, FILE *file);

void clc_recipe_free(clc_recipe *recipe);

#endif
