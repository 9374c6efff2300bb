#include "report/json.h"

#include "core/file.h"
#include "model/run_folder.h"
#include "text/utf8.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LARGEST_FILE = 1 << 27 };

json_t *clc_json_bytes(const char *bytes, size_t n) {
    json_t *string = json_stringn(bytes, n);
    if (string)
        return string;
    char *text = malloc(3 * n + 1); /* a replaced byte becomes three */
    size_t used = 0;
    for (size_t at = 0; text && at < n;)
        used += clc_utf8_put(clc_utf8_next(bytes, n, &at), text + used);
    string = text ? json_stringn(text, used) : NULL;
    free(text);
    return string;
}

/* *data is NULL where there is no such file. */
static clc_status read_file(const char *folder, const char *name, void **data, size_t *n) {
    char path[CLC_PATH_BYTES];
    clc_status status = clc_run_path(folder, name, path);
    *data = NULL;
    if (status != CLC_OK || !clc_run_has(folder, name))
        return status;
    return clc_file_read_all(path, LARGEST_FILE, data, n);
}

clc_status clc_json_file_text(const char *folder, const char *name, json_t **string) {
    clc_status status = CLC_OK;
    void *data = NULL;
    size_t n = 0;
    *string = NULL;
    CLC_TRY(read_file(folder, name, &data, &n));
    if (data && !(*string = clc_json_bytes(data, n)))
        status = clc_fail_alloc(n);
fail:
    free(data);
    return status;
}

/* RFC 4648: three bytes are four letters, the last ones filled up with '='. */
static size_t to_base64(const uint8_t *from, size_t n, char *to) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t used = 0;
    for (size_t i = 0; i < n; i += 3) {
        const uint32_t bits = (uint32_t)from[i] << 16 |
                              (i + 1 < n ? (uint32_t)from[i + 1] << 8 : 0) |
                              (i + 2 < n ? (uint32_t)from[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            to[used++] = i + k <= n ? letters[bits >> (18 - 6 * k) & 63] : '=';
    }
    return used;
}

json_t *clc_json_uri(const char *type, const void *bytes, size_t n) {
    const size_t head = strlen("data:;base64,") + strlen(type);
    char *text = malloc(head + (n + 2) / 3 * 4 + 1);
    if (!text)
        return NULL;
    snprintf(text, head + 1, "data:%s;base64,", type);
    json_t *string = json_stringn(text, head + to_base64(bytes, n, text + head));
    free(text);
    return string;
}

clc_status clc_json_file_uri(const char *folder, const char *name, const char *type,
                             json_t **string) {
    clc_status status = CLC_OK;
    void *data = NULL;
    size_t n = 0;
    *string = NULL;
    CLC_TRY(read_file(folder, name, &data, &n));
    if (data && !(*string = clc_json_uri(type, data, n)))
        status = clc_fail_alloc(n);
fail:
    free(data);
    return status;
}

json_t *clc_json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

char *clc_json_for_page(const json_t *value) {
    char *plain = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY |
                                        JSON_REAL_PRECISION(7));
    size_t n = 0, less = 0, used = 0;
    for (; plain && plain[n]; n++)
        less += plain[n] == '<';
    char *text = plain ? malloc(n + 5 * less + 1) : NULL;
    for (size_t i = 0; text && i < n; i++)
        if (plain[i] == '<') {
            memcpy(text + used, "\\u003c", 6); /* "<" stands in strings only */
            used += 6;
        } else {
            text[used++] = plain[i];
        }
    if (text)
        text[used] = '\0';
    free(plain);
    return text;
}
