/* What the tests of the configuration share: a temporary file, and assertions on messages. */
#ifndef TESTS_CORE_CONFIG_SUPPORT_H
#define TESTS_CORE_CONFIG_SUPPORT_H

#include "core/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

extern char config_path[64];

/* Group set-up and teardown: makes and removes the file of that path. */
int config_make_file(void **state);
int config_remove_file(void **state);

/* Write the file and load it. */
clc_status config_load_bytes(const char *text, size_t n, clc_config *config);
clc_status config_load_text(const char *text, clc_config *config);

/* Loads the defaults with one override. */
clc_status config_load_override(const char *text, clc_config *config);

void config_assert_error_has(const char *part);

/* Loading fails in that line, and the message has both parts. */
void config_assert_refused(const char *text, int line, const char *part, const char *part2);
void config_assert_override_refused(const char *text, const char *part);

void config_assert_loads(const char *text, clc_config *config);
void config_assert_overrides_load(const char *const *overrides, size_t n, clc_config *config);

#endif
