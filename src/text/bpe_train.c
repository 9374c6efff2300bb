/* Training of byte-pair encoding: pairs of neighbours are counted once, and after each merge only
 * the pieces that it changes are counted anew. */
#include "text/bpe.h"

#include "core/math.h"

#include <string.h>

/* Longer pieces are counted in parts: they are numbers, codes or scripts without blanks, and a
 * merge costs the length of each piece that it changes. */
enum { PART_BYTES = CLC_BPE_TOKEN_BYTES };

typedef struct part {
    size_t start; /* in tokens */
    uint32_t length;
    uint64_t count;
} part;

typedef struct pair {
    uint64_t key; /* left and right */
    uint64_t count;
    uint32_t *parts; /* that hold it, or held it once */
    uint32_t n, capacity;
} pair;

typedef struct candidate {
    uint64_t count, key;
    size_t pair;
} candidate;

typedef struct trainer {
    uint32_t *tokens;
    part *parts;
    size_t part_count;
    pair *pairs;
    size_t pair_count, pair_capacity;
    uint32_t *slots; /* of pairs: number + 1, or 0 */
    size_t slot_count;
    candidate *heap;
    size_t heap_count, heap_capacity;
} trainer;

static size_t find_slot(const trainer *t, uint64_t key) {
    size_t i = clc_bpe_hash((uint32_t)(key >> 32), (uint32_t)key) & (t->slot_count - 1);
    while (t->slots[i] && t->pairs[t->slots[i] - 1].key != key)
        i = (i + 1) & (t->slot_count - 1);
    return i;
}

static clc_status grow_pairs(trainer *t) {
    clc_status status = CLC_OK;
    size_t capacity = t->pair_capacity ? 2 * t->pair_capacity : 4096;
    pair *pairs = realloc(t->pairs, capacity * sizeof *pairs);
    if (!pairs)
        return clc_fail_alloc(capacity * sizeof *pairs);
    t->pairs = pairs;
    t->pair_capacity = capacity;
    free(t->slots);
    CLC_NEW(t->slots, 2 * capacity);
    t->slot_count = 2 * capacity;
    for (size_t i = 0; i < t->pair_count; i++)
        t->slots[find_slot(t, pairs[i].key)] = (uint32_t)i + 1;
fail:
    return status;
}

static clc_status find_pair(trainer *t, uint32_t left, uint32_t right, pair **found) {
    clc_status status = CLC_OK;
    const uint64_t key = (uint64_t)left << 32 | right;
    if (t->pair_count == t->pair_capacity)
        CLC_TRY(grow_pairs(t));
    size_t slot = find_slot(t, key);
    if (!t->slots[slot]) {
        t->pairs[t->pair_count++] = (pair){.key = key};
        t->slots[slot] = (uint32_t)t->pair_count;
    }
    *found = &t->pairs[t->slots[slot] - 1];
fail:
    return status;
}

/* Notes that the pair is in the part. */
static clc_status note(pair *p, uint32_t number) {
    if (p->n > 0 && p->parts[p->n - 1] == number)
        return CLC_OK;
    if (p->n == p->capacity) {
        uint32_t capacity = p->capacity ? 2 * p->capacity : 4;
        uint32_t *parts = realloc(p->parts, capacity * sizeof *parts);
        if (!parts)
            return clc_fail_alloc(capacity * sizeof *parts);
        p->parts = parts;
        p->capacity = capacity;
    }
    p->parts[p->n++] = number;
    return CLC_OK;
}

/* Whether a goes before b. */
static bool precedes(const candidate *a, const candidate *b) {
    return a->count != b->count ? a->count > b->count : a->key < b->key;
}

static clc_status push(trainer *t, const pair *p) {
    const candidate c = {p->count, p->key, (size_t)(p - t->pairs)};
    if (t->heap_count == t->heap_capacity) {
        size_t capacity = t->heap_capacity ? 2 * t->heap_capacity : 4096;
        candidate *heap = realloc(t->heap, capacity * sizeof *heap);
        if (!heap)
            return clc_fail_alloc(capacity * sizeof *heap);
        t->heap = heap;
        t->heap_capacity = capacity;
    }
    size_t i = t->heap_count++;
    for (; i > 0 && precedes(&c, &t->heap[(i - 1) / 2]); i = (i - 1) / 2)
        t->heap[i] = t->heap[(i - 1) / 2];
    t->heap[i] = c;
    return CLC_OK;
}

static candidate pop(trainer *t) {
    const candidate first = t->heap[0], last = t->heap[--t->heap_count];
    size_t i = 0, child;
    for (; (child = 2 * i + 1) < t->heap_count; i = child) {
        child += child + 1 < t->heap_count && precedes(&t->heap[child + 1], &t->heap[child]);
        if (!precedes(&t->heap[child], &last))
            break;
        t->heap[i] = t->heap[child];
    }
    t->heap[i] = last;
    return first;
}

/* The bytes of all pieces that have neighbours, in parts. */
static clc_status cut(trainer *t, const clc_names *names, const uint64_t *counts) {
    clc_status status = CLC_OK;
    size_t parts = 0;
    for (size_t i = 0; i < names->count; i++)
        parts += clc_ceil_div(clc_names_length(names, i), PART_BYTES);
    if (parts >= UINT32_MAX)
        return clc_fail(CLC_INVALID, "%zu different pieces of text are too many", parts);
    CLC_NEW(t->tokens, names->bytes);
    CLC_NEW(t->parts, parts);
    for (size_t i = 0; i < names->count; i++) {
        const size_t length = clc_names_length(names, i);
        for (size_t k = 0; k < length; k += PART_BYTES) {
            const size_t n = length - k < PART_BYTES ? length - k : PART_BYTES;
            t->parts[t->part_count++] = (part){names->starts[i] + k, (uint32_t)n, counts[i]};
        }
    }
    for (size_t i = 0; i < names->bytes; i++)
        t->tokens[i] = (unsigned char)names->text[i];
fail:
    return status;
}

static clc_status count_all(trainer *t) {
    clc_status status = CLC_OK;
    pair *p;
    for (size_t i = 0; i < t->part_count; i++)
        for (size_t k = 1; k < t->parts[i].length; k++) {
            const uint32_t *at = t->tokens + t->parts[i].start + k;
            CLC_TRY(find_pair(t, at[-1], at[0], &p));
            CLC_TRY(note(p, (uint32_t)i));
            p->count += t->parts[i].count;
        }
    for (size_t i = 0; i < t->pair_count; i++)
        CLC_TRY(push(t, &t->pairs[i]));
fail:
    return status;
}

/* Takes the pairs of the part out of the counts. */
static clc_status uncount(trainer *t, const part *w) {
    clc_status status = CLC_OK;
    pair *p;
    for (size_t k = 1; k < w->length; k++) {
        CLC_TRY(find_pair(t, t->tokens[w->start + k - 1], t->tokens[w->start + k], &p));
        p->count -= w->count;
    }
fail:
    return status;
}

/* Counts them again; those with `token` may be more than they were. */
static clc_status recount(trainer *t, uint32_t number, uint32_t token) {
    clc_status status = CLC_OK;
    const part *w = &t->parts[number];
    pair *p;
    for (size_t k = 1; k < w->length; k++) {
        const uint32_t *at = t->tokens + w->start + k;
        CLC_TRY(find_pair(t, at[-1], at[0], &p));
        p->count += w->count;
        if (at[-1] == token || at[0] == token) {
            CLC_TRY(note(p, number));
            CLC_TRY(push(t, p));
        }
    }
fail:
    return status;
}

static bool holds(const trainer *t, const part *w, const clc_merge *m) {
    const uint32_t *at = t->tokens + w->start;
    for (size_t k = 1; k < w->length; k++)
        if (at[k - 1] == m->left && at[k] == m->right)
            return true;
    return false;
}

/* Does the merge in one part, from the left. */
static void join(trainer *t, part *w, const clc_merge *m) {
    uint32_t *at = t->tokens + w->start, to = 0;
    for (uint32_t k = 0; k < w->length; k++) {
        bool both = k + 1 < w->length && at[k] == m->left && at[k + 1] == m->right;
        at[to++] = both ? m->result : at[k];
        k += both;
    }
    w->length = to;
}

static clc_status apply(trainer *t, size_t number, const clc_merge *m) {
    clc_status status = CLC_OK;
    uint32_t *parts = t->pairs[number].parts, n = t->pairs[number].n;
    /* The pair may come back, where a token that it makes was there before. */
    t->pairs[number].parts = NULL;
    t->pairs[number].n = t->pairs[number].capacity = 0;
    for (uint32_t i = 0; i < n; i++) {
        part *w = &t->parts[parts[i]];
        if (!holds(t, w, m))
            continue;
        CLC_TRY(uncount(t, w));
        join(t, w, m);
        CLC_TRY(recount(t, parts[i], m->result));
    }
fail:
    free(parts);
    return status;
}

static clc_status merge_most_frequent(trainer *t, clc_bpe *bpe, bool *more) {
    clc_status status = CLC_OK;
    clc_merge m;
    *more = false;
    while (t->heap_count > 0) {
        const candidate c = pop(t);
        const pair *p = &t->pairs[c.pair];
        if (p->count < 2 || p->count > c.count)
            continue; /* nothing left, or another entry says how many */
        if (p->count < c.count) {
            CLC_TRY(push(t, p));
            continue;
        }
        m.left = (uint32_t)(c.key >> 32);
        m.right = (uint32_t)c.key;
        /* Known already where another merge has made a token of it once more. */
        const uint32_t rank = clc_bpe_find(bpe, m.left, m.right);
        if (rank != CLC_BPE_NO_MERGE)
            m.result = bpe->merges[rank].result;
        else
            CLC_TRY(clc_bpe_add(bpe, m.left, m.right, &m.result));
        *more = true;
        return apply(t, c.pair, &m);
    }
fail:
    return status;
}

clc_status clc_bpe_train(clc_bpe *bpe, const clc_names *pieces, const uint64_t *counts,
                         size_t most) {
    clc_status status = CLC_OK;
    trainer t = {0};
    bool more = true;
    CLC_TRY(cut(&t, pieces, counts));
    CLC_TRY(count_all(&t));
    while (more && bpe->tokens.names.count < most)
        CLC_TRY(merge_most_frequent(&t, bpe, &more));
fail:
    for (size_t i = 0; i < t.pair_count; i++)
        free(t.pairs[i].parts);
    free(t.tokens);
    free(t.parts);
    free(t.pairs);
    free(t.slots);
    free(t.heap);
    return status;
}
