#include "core/names.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

static clc_status grow_text(clc_names *names, size_t needed) {
    size_t capacity = names->text_capacity ? names->text_capacity : 256;
    while (capacity < needed)
        capacity *= 2;
    char *text = realloc(names->text, capacity);
    if (!text)
        return clc_fail_alloc(capacity);
    names->text = text;
    names->text_capacity = capacity;
    return CLC_OK;
}

clc_status clc_names_add(clc_names *names, const char *name, size_t length) {
    clc_status status = CLC_OK;
    bool inside = names->text && name >= names->text && name < names->text + names->bytes;
    size_t offset = inside ? (size_t)(name - names->text) : 0;
    if (names->bytes + length + 1 > names->text_capacity)
        CLC_TRY(grow_text(names, names->bytes + length + 1));
    if (names->count == names->start_capacity) {
        size_t capacity = names->start_capacity ? 2 * names->start_capacity : 16;
        size_t *starts = realloc(names->starts, capacity * sizeof *starts);
        if (!starts)
            return clc_fail_alloc(capacity * sizeof *starts);
        names->starts = starts;
        names->start_capacity = capacity;
    }
    memmove(names->text + names->bytes, inside ? names->text + offset : name, length);
    names->text[names->bytes + length] = '\0';
    names->starts[names->count++] = names->bytes;
    names->bytes += length + 1;
fail:
    return status;
}

void clc_names_truncate(clc_names *names, size_t count) {
    if (count >= names->count)
        return;
    names->bytes = names->starts[count];
    names->count = count;
}

void clc_names_free(clc_names *names) {
    free(names->text);
    free(names->starts);
    *names = (clc_names){0};
}

/* The slot that holds the name, or the empty one where it belongs. */
static size_t find_slot(const clc_name_set *set, const char *name, size_t length) {
    size_t i = (size_t)XXH3_64bits(name, length) & (set->capacity - 1);
    for (; set->slots[i]; i = (i + 1) & (set->capacity - 1)) {
        size_t number = set->slots[i] - 1;
        if (clc_names_length(&set->names, number) == length &&
            !memcmp(clc_names_at(&set->names, number), name, length))
            break;
    }
    return i;
}

/* At most half of the slots are taken. */
static clc_status grow_set(clc_name_set *set) {
    clc_status status = CLC_OK;
    uint32_t *slots = NULL;
    size_t capacity = set->capacity ? 2 * set->capacity : 64;
    if (set->names.count >= UINT32_MAX / 2)
        return clc_fail(CLC_FORMAT, "more than %zu different names", set->names.count);
    CLC_NEW(slots, capacity);
    free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
    for (size_t i = 0; i < set->names.count; i++)
        set->slots[find_slot(set, clc_names_at(&set->names, i), clc_names_length(&set->names, i))] =
            (uint32_t)i + 1;
fail:
    return status;
}

clc_status clc_name_set_add(clc_name_set *set, const char *name, size_t length, size_t *number,
                            bool *added) {
    clc_status status = CLC_OK;
    if (2 * (set->names.count + 1) > set->capacity)
        CLC_TRY(grow_set(set));
    size_t slot = find_slot(set, name, length);
    if (added)
        *added = set->slots[slot] == 0;
    if (set->slots[slot] == 0) {
        CLC_TRY(clc_names_add(&set->names, name, length));
        set->slots[slot] = (uint32_t)set->names.count;
    }
    *number = set->slots[slot] - 1;
fail:
    return status;
}

size_t clc_name_set_find(const clc_name_set *set, const char *name, size_t length) {
    if (set->capacity == 0)
        return SIZE_MAX;
    uint32_t found = set->slots[find_slot(set, name, length)];
    return found ? found - 1 : SIZE_MAX;
}

void clc_name_set_free(clc_name_set *set) {
    clc_names_free(&set->names);
    free(set->slots);
    *set = (clc_name_set){0};
}

int clc_names_compare(const clc_names *names, size_t a, size_t b) {
    const size_t n = clc_names_length(names, a), m = clc_names_length(names, b);
    const int order = memcmp(clc_names_at(names, a), clc_names_at(names, b), n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

clc_status clc_write_name(clc_file_writer *writer, const char *name) {
    clc_status status = CLC_OK;
    for (; *name; name++) {
        const char *escaped = *name == '\n'   ? "\\n"
                              : *name == '\t' ? "\\t"
                              : *name == '\r' ? "\\r"
                              : *name == '\\' ? "\\\\"
                                              : NULL;
        CLC_TRY(clc_file_writer_write(writer, escaped ? escaped : name, escaped ? 2 : 1));
    }
fail:
    return status;
}

clc_status clc_names_write(const clc_names *names, const char *path) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    if (!names->count)
        return unlink(path) == 0 || errno == ENOENT ? CLC_OK : clc_fail_file("remove", path);
    CLC_TRY(clc_file_writer_open(path, &writer));
    for (size_t i = 0; i < names->count; i++) {
        CLC_TRY(clc_write_name(writer, clc_names_at(names, i)));
        CLC_TRY(clc_file_writer_write(writer, "\n", 1));
    }
    CLC_TRY(clc_file_writer_commit(&writer));
fail:
    clc_file_writer_abort(&writer);
    return status;
}
