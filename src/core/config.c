/* Reads a configuration from defaults, an .ini file and the command line, and writes it. */
#include "core/config_schema.h"

#include "core/file.h"

#include <assert.h>
#include <ctype.h>
#include <ini.h>
#include <string.h>

enum {
    LINE_BYTES = 1024, /* of a line of the file, with its final zero */
    NAME_BYTES = 64,
};

/* Where a key was given: in a line of the file, in an override (which wins), or not at all. */
typedef struct key_origin {
    int line;
    const char *override;
} key_origin;

typedef struct config_loader {
    clc_config *config;
    const char *path;
    FILE *stream;
    int line;          /* the present one, from 1 */
    clc_status status; /* of the first failure in the file; clc_error() is its message */
    key_origin origins[CLC_CONFIG_KEYS_MAX];
} config_loader;

/* A section that has a key of that name, to suggest it. */
static const char *section_of(const char *name) {
    const clc_config_key *key = clc_config_keys;
    while (key->name && strcmp(key->name, name) != 0)
        key++;
    return key->name ? key->section : "training";
}

static void set_defaults(clc_config *config) {
    memset(config, 0, sizeof *config);
    for (const clc_config_key *k = clc_config_keys; k->name; k++) {
        clc_status status = clc_config_parse(k, k->fallback, config);
        assert(status == CLC_OK);
        (void)status;
    }
}

static void fail_at_line(config_loader *loader, clc_status status) {
    loader->status = clc_fail_context(status, "%s:%d", loader->path, loader->line);
}

/* inih reports a key only: a section without keys must be looked at here. */
static clc_status check_section_line(const char *line) {
    char name[LINE_BYTES];
    const char *end = line[0] == '[' ? strchr(line, ']') : NULL;
    if (!end)
        return CLC_OK;
    snprintf(name, sizeof name, "%.*s", (int)(end - line - 1), line + 1);
    return clc_config_find_section(name);
}

/* A line without its end and without spaces before it, so that inih never takes an indented line
 * for the continuation of the one above. False at the end of the file. */
static bool read_line(FILE *stream, char *text, size_t size, clc_status *status) {
    size_t n = 0;
    bool zero = false;
    int c = getc(stream);
    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc(stream)) {
        zero = zero || c == '\0';
        if ((n > 0 || !isspace(c)) && n < size)
            text[n++] = (char)c;
    }
    *status = CLC_OK;
    if (zero)
        *status = clc_fail(CLC_INVALID, "a zero byte; is this a text file?");
    else if (n == size)
        *status = clc_fail(CLC_INVALID, "a line of more than %zu bytes; shorten it", size - 1);
    text[n < size ? n : 0] = '\0';
    return true;
}

/* An ini_reader that counts the lines, which this inih doesn't tell its handler. */
static char *next_line(char *text, int size, void *user) {
    config_loader *loader = user;
    clc_status status;
    if (loader->status != CLC_OK)
        return NULL;
    if (!read_line(loader->stream, text, (size_t)size, &status)) {
        if (ferror(loader->stream))
            loader->status = clc_fail_file("read", loader->path);
        return NULL;
    }
    loader->line++;
    if (status == CLC_OK)
        status = check_section_line(text);
    if (status != CLC_OK) {
        fail_at_line(loader, status);
        return NULL;
    }
    return text;
}

static clc_status set_from_file(config_loader *loader, const char *section, const char *name,
                                const char *value) {
    clc_status status;
    const clc_config_key *key;
    if (section[0] == '\0')
        return clc_fail(CLC_INVALID, "%s: key before any section; put a line such as [%s] above it",
                        name, section_of(name));
    CLC_TRY(clc_config_find_key(section, name, &key));
    key_origin *origin = &loader->origins[key - clc_config_keys];
    if (origin->line)
        return clc_fail(CLC_INVALID, "%s.%s = %.100s: given twice, first in line %d; remove one",
                        section, name, value, origin->line);
    CLC_TRY(clc_config_parse(key, value, loader->config));
    origin->line = loader->line;
fail:
    return status;
}

/* An ini_handler. */
static int take_key(void *user, const char *section, const char *name, const char *value) {
    config_loader *loader = user;
    if (loader->status != CLC_OK)
        return 0;
    clc_status status = set_from_file(loader, section, name, value);
    if (status != CLC_OK)
        fail_at_line(loader, status);
    return status == CLC_OK;
}

/* Reads the stream, and closes it. */
static clc_status load_stream(config_loader *loader, FILE *stream) {
    loader->stream = stream;
    if (ini_max_line < LINE_BYTES)
        ini_max_line = LINE_BYTES;
    int bad = ini_parse_stream(next_line, loader, take_key, loader);
    fclose(loader->stream);
    loader->stream = NULL;
    /* A line that inih itself refuses doesn't stop it: an earlier one counts. */
    if (bad > 0 && (loader->status == CLC_OK || bad < loader->line))
        return clc_fail(CLC_INVALID,
                        "%s:%d: neither 'key = value' nor '[section]' nor a comment, which begins "
                        "with ';' or '#'",
                        loader->path, bad);
    return loader->status;
}

/* Copies without the spaces around; cut to fit. */
static void copy_trimmed(const char *text, size_t n, char *out, size_t size) {
    while (n > 0 && isspace((unsigned char)*text)) {
        text++;
        n--;
    }
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    snprintf(out, size, "%.*s", (int)n, text);
}

static clc_status apply_override(config_loader *loader, const char *text) {
    clc_status status;
    const clc_config_key *key;
    char section[NAME_BYTES], name[NAME_BYTES], value[LINE_BYTES];
    const char *equals = strchr(text, '=');
    const char *dot = strchr(text, '.');
    if (!equals)
        return clc_fail(CLC_INVALID, "no '='; write --set section.key=value");
    if (!dot || dot > equals) {
        copy_trimmed(text, (size_t)(equals - text), name, sizeof name);
        return clc_fail(CLC_INVALID, "no section; write --set section.key=value, such as %s.%s=...",
                        section_of(name), name);
    }
    copy_trimmed(text, (size_t)(dot - text), section, sizeof section);
    copy_trimmed(dot + 1, (size_t)(equals - dot - 1), name, sizeof name);
    copy_trimmed(equals + 1, strlen(equals + 1), value, sizeof value);
    CLC_TRY(clc_config_find_key(section, name, &key));
    CLC_TRY(clc_config_parse(key, value, loader->config));
    loader->origins[key - clc_config_keys].override = text;
fail:
    return status;
}

/* Says in front of a contradiction where one of its keys was given. */
static clc_status fail_at_key(const config_loader *loader, const clc_config_key *const keys[2],
                              clc_status status) {
    for (int i = 0; i < 2; i++) {
        const key_origin *origin = &loader->origins[keys[i] - clc_config_keys];
        if (origin->override)
            return clc_fail_context(status, "--set %s", origin->override);
    }
    for (int i = 0; i < 2; i++) {
        const key_origin *origin = &loader->origins[keys[i] - clc_config_keys];
        if (origin->line)
            return clc_fail_context(status, "%s:%d", loader->path, origin->line);
    }
    return status;
}

/* Applies the overrides, then checks the whole. */
static clc_status finish(config_loader *loader, const char *const *overrides, size_t n_overrides) {
    const clc_config_key *keys[2];
    clc_status status = CLC_OK;
    for (size_t i = 0; i < n_overrides; i++) {
        status = apply_override(loader, overrides[i]);
        if (status != CLC_OK)
            return clc_fail_context(status, "--set %s", overrides[i]);
    }
    status = clc_config_check(loader->config, keys);
    return status == CLC_OK ? CLC_OK : fail_at_key(loader, keys, status);
}

clc_status clc_config_load(const char *path, const char *const *overrides, size_t n_overrides,
                           clc_config *config) {
    set_defaults(config);
    return clc_config_add(path, overrides, n_overrides, config);
}

clc_status clc_config_add(const char *path, const char *const *overrides, size_t n_overrides,
                          clc_config *config) {
    config_loader loader = {.config = config, .path = path};
    clc_status status = CLC_OK;
    if (path) {
        FILE *stream = fopen(path, "r");
        if (!stream)
            return clc_fail_file("read", path);
        CLC_TRY(load_stream(&loader, stream));
    }
    CLC_TRY(finish(&loader, overrides, n_overrides));
fail:
    return status;
}

clc_status clc_config_override(const char *const *overrides, size_t n_overrides,
                               clc_config *config) {
    return clc_config_add(NULL, overrides, n_overrides, config);
}

clc_status clc_config_load_text(const char *text, const char *name, clc_config *config) {
    config_loader loader = {.config = config, .path = name};
    set_defaults(config);
    if (!*text) /* of which some libraries make no stream */
        return CLC_OK;
    FILE *stream = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    return stream ? load_stream(&loader, stream) : clc_fail_alloc(strlen(text));
}

clc_status clc_config_write(const clc_config *config, FILE *stream) {
    clc_status status = CLC_OK;
    clc_config copy = *config;
    const char *section = "";
    for (const clc_config_key *k = clc_config_keys; k->name; k++) {
        char text[CLC_CONFIG_TEXT_BYTES];
        clc_config_format(k, config, text, sizeof text);
        CLC_TRY(clc_config_parse(k, text, &copy)); /* a program may have set what no file can say */
        if (strcmp(section, k->section) != 0)
            fprintf(stream, "%s[%s]\n", *section ? "\n" : "", k->section);
        section = k->section;
        fprintf(stream, "%s =%s%s\n", k->name, *text ? " " : "", text);
    }
    if (fflush(stream) != 0 || ferror(stream))
        status = clc_fail_file("write", "the configuration");
fail:
    return status;
}

clc_status clc_config_text(const clc_config *config, char **text, size_t *size) {
    size_t written = 0;
    *text = NULL;
    FILE *file = open_memstream(text, &written);
    if (!file)
        return clc_fail_alloc(4096);
    const clc_status status = clc_config_write(config, file);
    if (fclose(file) != 0 && status == CLC_OK)
        return clc_fail_alloc(written);
    if (size)
        *size = written;
    return status;
}
