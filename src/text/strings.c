#include "text/strings.h"

#include <string.h>
#include <xxhash.h>

static uint32_t hash_of(const char *piece, size_t n) {
    return (uint32_t)XXH3_64bits(piece, n);
}

/* The slot that holds the piece, or the free one where it belongs. */
static size_t find_slot(const clc_strings *s, const char *piece, size_t n, uint32_t hash) {
    size_t i = hash & (s->slot_count - 1);
    for (; s->slots[i]; i = (i + 1) & (s->slot_count - 1)) {
        const clc_string *item = &s->items[s->slots[i] - 1];
        if (item->hash == hash && item->length == n &&
            !memcmp(s->text.data + item->start, piece, n))
            break;
    }
    return i;
}

/* At most half of the slots are taken. */
static clc_status grow_slots(clc_strings *s) {
    clc_status status = CLC_OK;
    uint32_t *slots = NULL;
    size_t count = s->slot_count ? 2 * s->slot_count : 256;
    CLC_NEW(slots, count);
    for (size_t k = 0; k < s->count; k++) {
        size_t i = s->items[k].hash & (count - 1);
        while (slots[i])
            i = (i + 1) & (count - 1);
        slots[i] = (uint32_t)k + 1;
    }
    free(s->slots);
    s->slots = slots;
    s->slot_count = count;
fail:
    return status;
}

static clc_status append(clc_strings *s, const char *piece, size_t n, uint32_t hash) {
    clc_status status = CLC_OK;
    if (n > UINT32_MAX || s->count >= UINT32_MAX / 2)
        return clc_fail(CLC_INVALID, "a piece of %zu bytes, number %zu: too many", n, s->count);
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 128;
        clc_string *items = realloc(s->items, capacity * sizeof *items);
        if (!items)
            return clc_fail_alloc(capacity * sizeof *items);
        s->items = items;
        s->capacity = capacity;
    }
    CLC_TRY(clc_bytes_reserve(&s->text, n + 1));
    memcpy(s->text.data + s->text.n, piece, n);
    s->items[s->count++] = (clc_string){s->text.n, (uint32_t)n, hash};
    s->text.n += n;
fail:
    return status;
}

clc_status clc_strings_add(clc_strings *s, const char *piece, size_t n, size_t *number) {
    clc_status status = CLC_OK;
    const uint32_t hash = hash_of(piece, n);
    if (2 * (s->count + 1) > s->slot_count)
        CLC_TRY(grow_slots(s));
    size_t slot = find_slot(s, piece, n, hash);
    if (!s->slots[slot]) {
        CLC_TRY(append(s, piece, n, hash));
        s->slots[slot] = (uint32_t)s->count;
    }
    *number = s->slots[slot] - 1;
fail:
    return status;
}

size_t clc_strings_find(const clc_strings *s, const char *piece, size_t n) {
    if (!s->slot_count)
        return SIZE_MAX;
    uint32_t found = s->slots[find_slot(s, piece, n, hash_of(piece, n))];
    return found ? found - 1 : SIZE_MAX;
}

int clc_strings_compare(const clc_strings *s, size_t a, size_t b) {
    size_t n = s->items[a].length, m = s->items[b].length;
    int order = memcmp(clc_strings_at(s, a), clc_strings_at(s, b), n < m ? n : m);
    return order ? order : n < m ? -1 : n > m;
}

void clc_strings_free(clc_strings *s) {
    clc_bytes_free(&s->text);
    free(s->items);
    free(s->slots);
    *s = (clc_strings){0};
}
