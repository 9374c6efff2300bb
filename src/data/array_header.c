/* The headers of IDX and .npy files: pure functions of bytes. */
#include "data/array_header.h"

#include <stdio.h>
#include <string.h>

enum { IDX_MAX_RANK = CLC_ARRAY_RANK };

/* Fails unless all sizes are positive and their product can be held. */
static clc_status check_shape(const clc_array *array) {
    uint64_t bytes = clc_element_bytes(array->element);
    for (int i = 0; i < array->rank; i++) {
        if (array->shape[i] == 0)
            return clc_fail(CLC_FORMAT, "size %d of %d is 0", i + 1, array->rank);
        if (array->shape[i] > (uint64_t)INT64_MAX / bytes)
            return clc_fail(CLC_FORMAT, "its header promises more bytes than a file can have");
        bytes *= array->shape[i];
    }
    return CLC_OK;
}

/* IDX: 0 0 type rank, the sizes (u32, big-endian), the elements, big-endian. */
clc_status clc_idx_parse(const uint8_t *bytes, size_t n, clc_array *array, size_t *needed) {
    static const struct {
        uint8_t code;
        clc_element element;
    } types[] = {{0x08, CLC_ELEMENT_uint8},   {0x09, CLC_ELEMENT_int8},
                 {0x0b, CLC_ELEMENT_int16},   {0x0c, CLC_ELEMENT_int32},
                 {0x0d, CLC_ELEMENT_float32}, {0x0e, CLC_ELEMENT_float64}};
    size_t type = 0, count = sizeof types / sizeof *types;
    *array = (clc_array){0};
    *needed = 4;
    if (n < 4)
        return clc_fail(CLC_FORMAT, "the file ends within its header; get it anew");
    while (type < count && types[type].code != bytes[2])
        type++;
    if (bytes[0] != 0 || bytes[1] != 0 || type == count || bytes[3] == 0 || bytes[3] > IDX_MAX_RANK)
        return clc_fail(CLC_FORMAT,
                        "magic number 0x%02x%02x%02x%02x: no IDX file, which begins with 0000, a "
                        "type of 08, 09, 0b, 0c, 0d or 0e and the rank",
                        bytes[0], bytes[1], bytes[2], bytes[3]);
    array->element = types[type].element;
    array->swapped = true;
    array->rank = bytes[3];
    array->start = *needed = 4 + 4 * (size_t)array->rank;
    if (n < *needed)
        return clc_fail(CLC_FORMAT, "the file ends within its header; get it anew");
    for (int i = 0; i < array->rank; i++) {
        const uint8_t *b = bytes + 4 + 4 * i;
        array->shape[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
    return check_shape(array);
}

/* Copies the value of `key` in the Python dictionary of a header: up to a comma outside of
 * parentheses. */
static bool find_value(const char *header, const char *key, char *value, size_t size) {
    char quoted[32];
    int depth = 0;
    size_t n = 0;
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *at = strstr(header, quoted);
    if (!at)
        return false;
    at += strlen(quoted);
    at += strspn(at, " ");
    if (*at++ != ':')
        return false;
    at += strspn(at, " ");
    for (; *at && *at != '}' && (depth > 0 || *at != ',') && n + 1 < size; at++) {
        depth += (*at == '(' || *at == '[') - (*at == ')' || *at == ']');
        value[n++] = *at;
    }
    value[n] = '\0';
    return n > 0 && n + 1 < size;
}

/* '<u2', '|u1', '>f4' and the like. */
static clc_status parse_descr(const char *descr, clc_array *array) {
    static const struct {
        const char *code;
        clc_element element;
    } types[] = {
        {"u1", CLC_ELEMENT_uint8},   {"i1", CLC_ELEMENT_int8},   {"u2", CLC_ELEMENT_uint16},
        {"i2", CLC_ELEMENT_int16},   {"u4", CLC_ELEMENT_uint32}, {"i4", CLC_ELEMENT_int32},
        {"u8", CLC_ELEMENT_uint64},  {"i8", CLC_ELEMENT_int64},  {"f4", CLC_ELEMENT_float32},
        {"f8", CLC_ELEMENT_float64}, {"b1", CLC_ELEMENT_uint8}};
    if (strlen(descr) == 5 && descr[0] == '\'' && descr[4] == '\'' && strchr("<>|=", descr[1]))
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            if (!strncmp(descr + 2, types[i].code, 2)) {
                array->element = types[i].element;
                array->swapped = descr[1] == '>';
                return CLC_OK;
            }
    return clc_fail(CLC_FORMAT, "elements of type %.60s; numbers of 8 to 64 bits are read", descr);
}

static clc_status parse_shape(const char *text, clc_array *array) {
    const char *at = text;
    bool good = *at++ == '(';
    for (array->rank = 0; good && *at != ')';) {
        char *end;
        at += strspn(at, " ");
        good = *at >= '0' && *at <= '9' && array->rank < CLC_ARRAY_RANK;
        if (!good)
            break;
        array->shape[array->rank++] = strtoull(at, &end, 10);
        at = end + strspn(end, " ");
        if (*at == ',')
            at += 1 + strspn(at + 1, " ");
        else
            good = *at == ')';
    }
    if (!good || at[1])
        return clc_fail(CLC_FORMAT, "the shape %.100s can't be read", text);
    return CLC_OK;
}

/* .npy: magic, version, length of the header (u16, from version 2 on u32), a Python dictionary. */
clc_status clc_npy_parse(const uint8_t *bytes, size_t n, clc_array *array, size_t *needed) {
    enum { MAX_HEADER = 65536 };
    clc_status status = CLC_OK;
    char *header = NULL, value[256];
    *array = (clc_array){0};
    *needed = 12;
    if (n >= 6 && memcmp(bytes, "\x93NUMPY", 6))
        return clc_fail(CLC_FORMAT, "no .npy file: it does not begin with \\x93NUMPY");
    if (n < 12)
        return clc_fail(CLC_FORMAT, "the file ends within its header; get it anew");
    if (bytes[6] < 1 || bytes[6] > 3)
        return clc_fail(CLC_FORMAT, "version %d of .npy; 1 to 3 are read", bytes[6]);
    size_t prefix = bytes[6] == 1 ? 10 : 12, length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (prefix == 12)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > MAX_HEADER)
        return clc_fail(CLC_FORMAT, "a header of %zu bytes; at most %d are expected", length,
                        MAX_HEADER);
    array->start = *needed = prefix + length;
    if (n < *needed)
        return clc_fail(CLC_FORMAT, "the file ends within its header; get it anew");
    CLC_NEW(header, length + 1);
    memcpy(header, bytes + prefix, length);
    if (!find_value(header, "descr", value, sizeof value))
        CLC_TRY(clc_fail(CLC_FORMAT, "its header names no type of elements"));
    CLC_TRY(parse_descr(value, array));
    if (!find_value(header, "fortran_order", value, sizeof value) || strncmp(value, "False", 5))
        CLC_TRY(clc_fail(CLC_FORMAT, "the array is in Fortran's order; save "
                                     "numpy.ascontiguousarray(array) in its place"));
    if (!find_value(header, "shape", value, sizeof value))
        CLC_TRY(clc_fail(CLC_FORMAT, "its header names no shape"));
    CLC_TRY(parse_shape(value, array));
    status = check_shape(array);
fail:
    free(header);
    return status;
}
