#include "device/source.h"

#include "core/path.h"

#include <stdio.h>
#include <string.h>

enum { INCLUDE_DEPTH = 8 };

typedef struct text_buffer {
    char *data;
    size_t length, capacity;
} text_buffer;

static clc_status append(text_buffer *buffer, const char *text, size_t length) {
    if (buffer->length + length + 1 > buffer->capacity) {
        size_t capacity = (buffer->length + length + 1) * 2;
        char *data = realloc(buffer->data, capacity);
        if (!data)
            return clc_fail_alloc(capacity);
        buffer->data = data;
        buffer->capacity = capacity;
    }
    memcpy(buffer->data + buffer->length, text, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return CLC_OK;
}

static clc_status read_file(const char *path, char **text) {
    text_buffer buffer = {0};
    char block[4096];
    FILE *file = fopen(path, "rb");
    if (!file)
        return clc_fail(CLC_IO, "kernel source '%s' can't be read; check CLCONTRAST_CL_DIR", path);
    clc_status status = append(&buffer, "", 0);
    for (size_t n; status == CLC_OK && (n = fread(block, 1, sizeof block, file)) > 0;)
        status = append(&buffer, block, n);
    fclose(file);
    if (status != CLC_OK) {
        free(buffer.data);
        return status;
    }
    *text = buffer.data;
    return CLC_OK;
}

/* Sets *text to one source; *owned is to be freed by the caller (NULL for embedded text). */
static clc_status find(const char *name, const char **text, char **owned) {
    const char *folder = getenv("CLCONTRAST_CL_DIR");
    *owned = NULL;
    if (folder && *folder) {
        char path[CLC_PATH_BYTES];
        clc_status status = clc_path_format(path, "%s/%s", folder, name);
        if (status == CLC_OK)
            status = read_file(path, owned);
        *text = *owned;
        return status;
    }
    for (size_t i = 0; i < clc_source_count; i++)
        if (!strcmp(clc_sources[i].name, name)) {
            *text = clc_sources[i].text;
            return CLC_OK;
        }
    return clc_fail(CLC_BUILD, "no kernel source is named '%s'", name);
}

static clc_status expand(text_buffer *buffer, const char *name, int depth) {
    const char *text = NULL;
    char *owned = NULL;
    clc_status status = CLC_OK;
    if (depth > INCLUDE_DEPTH)
        return clc_fail(CLC_BUILD, "kernel source '%s' includes itself", name);
    CLC_TRY(find(name, &text, &owned));
    while (*text) {
        size_t length = strcspn(text, "\n");
        size_t whole = length + (text[length] == '\n');
        char included[256];
        if (sscanf(text, "#include \"%255[^\"\n]\"", included) == 1) {
            CLC_TRY(expand(buffer, included, depth + 1));
            CLC_TRY(append(buffer, "\n", 1));
        } else {
            CLC_TRY(append(buffer, text, whole));
        }
        text += whole;
    }
fail:
    free(owned);
    return status;
}

clc_status clc_source_assemble(const char *name, char **text) {
    text_buffer buffer = {0};
    clc_status status = expand(&buffer, name, 0);
    if (status != CLC_OK) {
        free(buffer.data);
        return status;
    }
    *text = buffer.data;
    return CLC_OK;
}
