#include "config_support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

char config_path[64];

int config_make_file(void **state) {
    (void)state;
    strcpy(config_path, "/tmp/clc-config-XXXXXX");
    int descriptor = mkstemp(config_path);
    return descriptor < 0 || close(descriptor) != 0;
}

int config_remove_file(void **state) {
    (void)state;
    return unlink(config_path);
}

clc_status config_load_bytes(const char *text, size_t n, clc_config *config) {
    FILE *file = fopen(config_path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    return clc_config_load(config_path, NULL, 0, config);
}

clc_status config_load_text(const char *text, clc_config *config) {
    return config_load_bytes(text, strlen(text), config);
}

clc_status config_load_override(const char *text, clc_config *config) {
    return clc_config_load(NULL, &text, 1, config);
}

void config_assert_error_has(const char *part) {
    if (!strstr(clc_error(), part))
        fail_msg("'%s' does not contain '%s'", clc_error(), part);
}

void config_assert_refused(const char *text, int line, const char *part, const char *part2) {
    clc_config config;
    char place[96];
    snprintf(place, sizeof place, "%s:%d: ", config_path, line);
    assert_int_equal(config_load_text(text, &config), CLC_INVALID);
    if (strncmp(clc_error(), place, strlen(place)) != 0)
        fail_msg("'%s' does not begin with '%s'", clc_error(), place);
    config_assert_error_has(part);
    config_assert_error_has(part2);
}

void config_assert_override_refused(const char *text, const char *part) {
    clc_config config;
    char place[128];
    snprintf(place, sizeof place, "--set %s: ", text);
    assert_int_equal(config_load_override(text, &config), CLC_INVALID);
    if (strncmp(clc_error(), place, strlen(place)) != 0)
        fail_msg("'%s' does not begin with '%s'", clc_error(), place);
    config_assert_error_has(part);
}

void config_assert_loads(const char *text, clc_config *config) {
    if (config_load_text(text, config) != CLC_OK)
        fail_msg("%s", clc_error());
}

void config_assert_overrides_load(const char *const *overrides, size_t n, clc_config *config) {
    if (clc_config_load(NULL, overrides, n, config) != CLC_OK)
        fail_msg("%s", clc_error());
}
