#include "data/safetensors.h"

#include "core/file.h"
#include "core/math.h"
#include "data/safetensors_format.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

static const struct {
    const char *name;
    size_t bytes;
} dtypes[] = {
#define DTYPE_ENTRY(name, bytes) {#name, bytes},
    CLC_DTYPE_LIST(DTYPE_ENTRY)
#undef DTYPE_ENTRY
};

const char *clc_dtype_name(clc_dtype dtype) {
    return dtypes[dtype].name;
}

size_t clc_dtype_bytes(clc_dtype dtype) {
    return dtypes[dtype].bytes;
}

/* Bytes of a tensor, relative to the start of the data. */
typedef struct byte_range {
    size_t begin, end;
    const char *name;
} byte_range;

static clc_status read_dtype(const json_t *entry, clc_st_tensor *tensor) {
    const json_t *dtype = json_object_get(entry, "dtype");
    if (!json_is_string(dtype))
        return clc_fail(CLC_FORMAT, "tensor '%s': 'dtype' is missing or no string", tensor->name);
    for (int i = 0; i < CLC_DTYPE_COUNT; i++) {
        if (!strcmp(dtypes[i].name, json_string_value(dtype))) {
            tensor->dtype = (clc_dtype)i;
            return CLC_OK;
        }
    }
    return clc_fail(CLC_FORMAT, "tensor '%s': unknown dtype '%s'", tensor->name,
                    json_string_value(dtype));
}

/* Sets rank, shape and count; *bytes is the product. */
static clc_status read_shape(const json_t *entry, clc_st_tensor *tensor, size_t *bytes) {
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape))
        return clc_fail(CLC_FORMAT, "tensor '%s': 'shape' is missing or no list", tensor->name);
    if (json_array_size(shape) > CLC_ST_MAX_RANK)
        return clc_fail(CLC_FORMAT, "tensor '%s': %zu dimensions, at most %d are supported",
                        tensor->name, json_array_size(shape), CLC_ST_MAX_RANK);
    tensor->rank = (int)json_array_size(shape);
    tensor->count = 1;
    for (int i = 0; i < tensor->rank; i++) {
        const json_t *size = json_array_get(shape, (size_t)i);
        if (!json_is_integer(size) || json_integer_value(size) < 0)
            return clc_fail(CLC_FORMAT, "tensor '%s': size %d of its shape is no count",
                            tensor->name, i);
        tensor->shape[i] = (size_t)json_integer_value(size);
        if (__builtin_mul_overflow(tensor->count, tensor->shape[i], &tensor->count))
            return clc_fail(CLC_FORMAT, "tensor '%s': its shape overflows", tensor->name);
    }
    if (__builtin_mul_overflow(tensor->count, clc_dtype_bytes(tensor->dtype), bytes))
        return clc_fail(CLC_FORMAT, "tensor '%s': its shape overflows", tensor->name);
    return CLC_OK;
}

static clc_status read_range(const json_t *entry, size_t bytes, byte_range *range) {
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(begin) > json_integer_value(end))
        return clc_fail(CLC_FORMAT, "tensor '%s': 'data_offsets' is missing or not [begin,end]",
                        range->name);
    range->begin = (size_t)json_integer_value(begin);
    range->end = (size_t)json_integer_value(end);
    if (range->end - range->begin != bytes)
        return clc_fail(CLC_FORMAT,
                        "tensor '%s': dtype and shape need %zu bytes, its data_offsets give %zu",
                        range->name, bytes, range->end - range->begin);
    return CLC_OK;
}

static int compare_ranges(const void *a, const void *b) {
    const byte_range *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* The ranges must cover the data exactly. Sorts them. */
static clc_status check_ranges(byte_range *ranges, size_t n, size_t data_bytes) {
    size_t end = 0;
    qsort(ranges, n, sizeof *ranges, compare_ranges);
    for (size_t i = 0; i < n; i++) {
        if (ranges[i].begin != end)
            return clc_fail(CLC_FORMAT,
                            "tensor '%s' begins at byte %zu of the data, but the one before it "
                            "ends at %zu: %s",
                            ranges[i].name, ranges[i].begin, end,
                            ranges[i].begin > end ? "a hole" : "they overlap");
        end = ranges[i].end;
    }
    if (end != data_bytes)
        return clc_fail(CLC_FORMAT, "the header promises %zu bytes of data, %zu are present: %s",
                        end, data_bytes, end > data_bytes ? "truncated" : "something was appended");
    return CLC_OK;
}

static clc_status read_metadata(clc_safetensors *st, json_t *object) {
    clc_status status = CLC_OK;
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return clc_fail(CLC_FORMAT, "'__metadata__' is no object");
    CLC_NEW(st->metadata, json_object_size(object));
    json_object_foreach(object, key, value) {
        if (!json_is_string(value))
            return clc_fail(CLC_FORMAT, "the metadata value of '%s' is no string", key);
        st->metadata[st->metadata_count][0] = key;
        st->metadata[st->metadata_count++][1] = json_string_value(value);
    }
fail:
    return status;
}

/* Reads every entry; ranges[i] is where tensor i lies. */
static clc_status read_entries(clc_safetensors *st, byte_range *ranges) {
    clc_status status = CLC_OK;
    const char *name;
    json_t *entry;
    json_object_foreach(st->header, name, entry) {
        size_t bytes = 0;
        if (!strcmp(name, "__metadata__")) {
            CLC_TRY(read_metadata(st, entry));
            continue;
        }
        clc_st_tensor *tensor = &st->tensors[st->count];
        tensor->name = ranges[st->count].name = name;
        if (!json_is_object(entry))
            return clc_fail(CLC_FORMAT, "the entry of tensor '%s' is no object", name);
        CLC_TRY(read_dtype(entry, tensor));
        CLC_TRY(read_shape(entry, tensor, &bytes));
        CLC_TRY(read_range(entry, bytes, &ranges[st->count++]));
    }
fail:
    return status;
}

static void free_bytes(clc_safetensors *st) {
    if (st->mapped)
        clc_file_unmap(&st->bytes, st->mapped);
    else
        free(st->bytes);
    st->bytes = NULL;
    st->mapped = 0;
}

/* Points the tensors at their data. The format doesn't ask for alignment: if one lies askew, all
 * are copied to places that fit every type. */
static clc_status place_data(clc_safetensors *st, const byte_range *ranges, const char *data) {
    const size_t unit = sizeof(uint64_t);
    bool aligned = true;
    size_t total = 0;
    for (size_t i = 0; i < st->count; i++) {
        const char *place = data + ranges[i].begin;
        st->tensors[i].data = place;
        aligned = aligned && (uintptr_t)place % clc_dtype_bytes(st->tensors[i].dtype) == 0;
        total += clc_round_up(ranges[i].end - ranges[i].begin, unit);
    }
    if (aligned)
        return CLC_OK;
    char *copy = malloc(total + unit);
    if (!copy)
        return clc_fail_alloc(total + unit);
    size_t at = 0;
    for (size_t i = 0; i < st->count; i++) {
        size_t bytes = ranges[i].end - ranges[i].begin;
        memcpy(copy + at, st->tensors[i].data, bytes);
        st->tensors[i].data = copy + at;
        at += clc_round_up(bytes, unit);
    }
    free_bytes(st);
    st->bytes = copy;
    return CLC_OK;
}

static clc_status read_tensors(clc_safetensors *st, const char *data, size_t data_bytes) {
    clc_status status = CLC_OK;
    byte_range *ranges = NULL, *sorted = NULL;
    CLC_NEW(st->tensors, json_object_size(st->header));
    CLC_NEW(ranges, json_object_size(st->header));
    CLC_NEW(sorted, json_object_size(st->header));
    CLC_TRY(read_entries(st, ranges));
    memcpy(sorted, ranges, st->count * sizeof *ranges);
    CLC_TRY(check_ranges(sorted, st->count, data_bytes));
    CLC_TRY(place_data(st, ranges, data));
fail:
    free(ranges);
    free(sorted);
    return status;
}

/* Compares the checksum at its place in the header, if there is one, with the file. */
static clc_status verify(clc_safetensors *st, const char *file, size_t size, size_t header_bytes) {
    const size_t at = CLC_ST_LENGTH_BYTES + CLC_ST_CHECKSUM_AT;
    char digits[CLC_ST_CHECKSUM_DIGITS + 1];
    if (header_bytes < CLC_ST_CHECKSUM_AT + CLC_ST_CHECKSUM_DIGITS ||
        memcmp(file + CLC_ST_LENGTH_BYTES, CLC_ST_CHECKSUM_START, CLC_ST_CHECKSUM_AT))
        return CLC_OK;
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return clc_fail(CLC_MEMORY, "no memory to verify the checksum");
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, file, at);
    XXH3_64bits_update(state, CLC_ST_CHECKSUM_ZEROS, CLC_ST_CHECKSUM_DIGITS);
    XXH3_64bits_update(state, file + at + CLC_ST_CHECKSUM_DIGITS,
                       size - at - CLC_ST_CHECKSUM_DIGITS);
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    if (memcmp(file + at, digits, CLC_ST_CHECKSUM_DIGITS))
        return clc_fail(CLC_FORMAT,
                        "the file's contents do not match their checksum (it says %.*s, they give "
                        "%s): the file is damaged or another program changed it; use a copy or "
                        "an earlier file",
                        CLC_ST_CHECKSUM_DIGITS, file + at, digits);
    st->verified = true;
    return CLC_OK;
}

static clc_status parse(clc_safetensors *st, const char *file, size_t size) {
    clc_status status = CLC_OK;
    uint64_t header_bytes;
    json_error_t error;
    const char *header = file + CLC_ST_LENGTH_BYTES;
    if (size < CLC_ST_LENGTH_BYTES)
        return clc_fail(CLC_FORMAT, "%zu bytes are too few for a safetensors file", size);
    memcpy(&header_bytes, file, sizeof header_bytes);
    if (header_bytes > CLC_ST_HEADER_MAX)
        return clc_fail(CLC_FORMAT,
                        "a header of %llu bytes is promised, at most %d are allowed; "
                        "is it a safetensors file?",
                        (unsigned long long)header_bytes, CLC_ST_HEADER_MAX);
    if (header_bytes > size - CLC_ST_LENGTH_BYTES)
        return clc_fail(CLC_FORMAT, "truncated: a header of %llu bytes is promised, %zu are there",
                        (unsigned long long)header_bytes, size - CLC_ST_LENGTH_BYTES);
    if (header_bytes == 0 || *header != '{')
        return clc_fail(CLC_FORMAT, "the header doesn't begin with '{'");
    CLC_TRY(verify(st, file, size, (size_t)header_bytes));
    st->header = json_loadb(header, (size_t)header_bytes, JSON_REJECT_DUPLICATES, &error);
    if (!st->header)
        return clc_fail(CLC_FORMAT, "the header is not valid JSON: %s at its byte %d", error.text,
                        error.position);
    CLC_TRY(
        read_tensors(st, header + header_bytes, size - CLC_ST_LENGTH_BYTES - (size_t)header_bytes));
    if (!st->verified && clc_safetensors_metadata(st, CLC_ST_CHECKSUM_KEY))
        status = clc_fail(CLC_FORMAT, "the file carries a checksum, but not as the first metadata "
                                      "entry: another program rewrote it");
fail:
    return status;
}

static clc_status open_file(const char *path, bool mapped, clc_safetensors **out) {
    clc_status status = CLC_OK;
    clc_safetensors *st = NULL;
    size_t size = 0;
    *out = NULL;
    CLC_NEW(st, 1);
    if (mapped)
        CLC_TRY(clc_file_map(path, &st->bytes, &size));
    else
        CLC_TRY(clc_file_read_all(path, SIZE_MAX, &st->bytes, &size));
    st->mapped = mapped ? size : 0;
    status = parse(st, st->bytes, size);
    if (status != CLC_OK)
        CLC_TRY(clc_fail_context(status, "%s", path));
    *out = st;
    return CLC_OK;
fail:
    clc_safetensors_close(&st);
    return status;
}

clc_status clc_safetensors_open(const char *path, clc_safetensors **st) {
    return open_file(path, false, st);
}

clc_status clc_safetensors_map(const char *path, clc_safetensors **st) {
    return open_file(path, true, st);
}

clc_status clc_safetensors_open_verified(const char *path, clc_safetensors **st) {
    clc_status status = clc_safetensors_open(path, st);
    if (status != CLC_OK || (*st)->verified)
        return status;
    clc_safetensors_close(st);
    return clc_fail(CLC_FORMAT,
                    "%s: it carries no checksum: damaged, or not written as a checkpoint", path);
}

const clc_st_tensor *clc_safetensors_find(const clc_safetensors *st, const char *name) {
    for (size_t i = 0; i < st->count; i++)
        if (!strcmp(st->tensors[i].name, name))
            return &st->tensors[i];
    return NULL;
}

const char *clc_safetensors_metadata(const clc_safetensors *st, const char *key) {
    for (size_t i = 0; i < st->metadata_count; i++)
        if (!strcmp(st->metadata[i][0], key))
            return st->metadata[i][1];
    return NULL;
}

void clc_safetensors_close(clc_safetensors **st) {
    if (!*st)
        return;
    json_decref((*st)->header);
    free_bytes(*st);
    free((*st)->tensors);
    free((*st)->metadata);
    free(*st);
    *st = NULL;
}
