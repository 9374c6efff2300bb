#include "text/bpe.h"

#include <string.h>

clc_status clc_bpe_start(clc_bpe *bpe) {
    clc_status status = CLC_OK;
    size_t number;
    *bpe = (clc_bpe){0};
    for (int i = 0; i < 256; i++) {
        const char byte = (char)i;
        CLC_TRY(clc_name_set_add(&bpe->tokens, &byte, 1, &number, NULL));
    }
fail:
    return status;
}

static size_t find_slot(const clc_bpe *bpe, uint32_t left, uint32_t right) {
    size_t i = clc_bpe_hash(left, right) & (bpe->slot_count - 1);
    for (; bpe->slots[i]; i = (i + 1) & (bpe->slot_count - 1)) {
        const clc_merge *merge = &bpe->merges[bpe->slots[i] - 1];
        if (merge->left == left && merge->right == right)
            break;
    }
    return i;
}

uint32_t clc_bpe_find(const clc_bpe *bpe, uint32_t left, uint32_t right) {
    if (!bpe->slot_count)
        return CLC_BPE_NO_MERGE;
    return bpe->slots[find_slot(bpe, left, right)] - 1;
}

static clc_status grow(clc_bpe *bpe) {
    clc_status status = CLC_OK;
    size_t capacity = bpe->capacity ? 2 * bpe->capacity : 256;
    clc_merge *merges = realloc(bpe->merges, capacity * sizeof *merges);
    if (!merges)
        return clc_fail_alloc(capacity * sizeof *merges);
    bpe->merges = merges;
    bpe->capacity = capacity;
    free(bpe->slots);
    bpe->slot_count = 0;
    CLC_NEW(bpe->slots, 4 * capacity);
    bpe->slot_count = 4 * capacity;
    for (size_t i = 0; i < bpe->count; i++)
        bpe->slots[find_slot(bpe, merges[i].left, merges[i].right)] = (uint32_t)i + 1;
fail:
    return status;
}

clc_status clc_bpe_add(clc_bpe *bpe, uint32_t left, uint32_t right, uint32_t *result) {
    clc_status status = CLC_OK;
    const clc_names *tokens = &bpe->tokens.names;
    const size_t n = clc_names_length(tokens, left), m = clc_names_length(tokens, right);
    size_t number;
    char joined[CLC_BPE_TOKEN_BYTES];
    if (clc_bpe_find(bpe, left, right) != CLC_BPE_NO_MERGE)
        return clc_fail(CLC_FORMAT, "the merge of tokens %u and %u comes twice", left, right);
    if (n + m > CLC_BPE_TOKEN_BYTES)
        return clc_fail(CLC_FORMAT, "the merge of tokens %u and %u gives more than %d bytes", left,
                        right, CLC_BPE_TOKEN_BYTES);
    if (bpe->count == bpe->capacity)
        CLC_TRY(grow(bpe));
    memcpy(joined, clc_names_at(tokens, left), n);
    memcpy(joined + n, clc_names_at(tokens, right), m);
    CLC_TRY(clc_name_set_add(&bpe->tokens, joined, n + m, &number, NULL));
    *result = (uint32_t)number;
    bpe->merges[bpe->count++] = (clc_merge){left, right, *result};
    bpe->slots[find_slot(bpe, left, right)] = (uint32_t)bpe->count;
fail:
    return status;
}

static clc_status reserve(clc_bpe_scratch *s, size_t n) {
    clc_status status = CLC_OK;
    if (n <= s->capacity)
        return CLC_OK;
    clc_bpe_scratch_free(s);
    CLC_NEW(s->tokens, 2 * n);
    CLC_NEW(s->next, 2 * n);
    CLC_NEW(s->before, 2 * n);
    CLC_NEW(s->heap, 6 * n);
    s->capacity = 2 * n;
fail:
    return status;
}

static void push(clc_bpe_scratch *s, uint64_t entry) {
    size_t i = s->heap_count++;
    for (; i > 0 && s->heap[(i - 1) / 2] > entry; i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = entry;
}

static uint64_t pop(clc_bpe_scratch *s) {
    const uint64_t least = s->heap[0], last = s->heap[--s->heap_count];
    size_t i = 0, child;
    for (; (child = 2 * i + 1) < s->heap_count; i = child) {
        child += child + 1 < s->heap_count && s->heap[child + 1] < s->heap[child];
        if (s->heap[child] >= last)
            break;
        s->heap[i] = s->heap[child];
    }
    s->heap[i] = last;
    return least;
}

/* The merge of the token at `at` with the next one, if there is any, is to be done. */
static void offer(const clc_bpe *bpe, clc_bpe_scratch *s, size_t at, size_t n) {
    if (s->next[at] >= n)
        return;
    uint32_t rank = clc_bpe_find(bpe, s->tokens[at], s->tokens[s->next[at]]);
    if (rank != CLC_BPE_NO_MERGE)
        push(s, (uint64_t)rank << 32 | at);
}

#define GONE UINT32_MAX

/* Joins the token at `at` and the next. Each merge offers two at most: 3 n entries suffice. */
static void merge(const clc_bpe *bpe, clc_bpe_scratch *s, size_t at, uint32_t result, size_t n) {
    const uint32_t gone = s->next[at];
    s->tokens[at] = result;
    s->tokens[gone] = GONE;
    s->next[at] = s->next[gone];
    if (s->next[at] < n)
        s->before[s->next[at]] = (uint32_t)at;
    offer(bpe, s, at, n);
    if (at > 0)
        offer(bpe, s, s->before[at], n);
}

clc_status clc_bpe_encode(const clc_bpe *bpe, clc_bpe_scratch *s, const char *piece, size_t n,
                          size_t *count) {
    clc_status status = CLC_OK;
    *count = 0;
    if (n >= UINT32_MAX)
        return clc_fail(CLC_INVALID, "a piece of %zu bytes without a blank", n);
    CLC_TRY(reserve(s, n));
    s->heap_count = 0;
    for (size_t i = 0; i < n; i++) {
        s->tokens[i] = (unsigned char)piece[i];
        s->next[i] = (uint32_t)i + 1;
        s->before[i] = (uint32_t)i - 1;
    }
    for (size_t i = 0; i + 1 < n; i++)
        offer(bpe, s, i, n);
    while (s->heap_count > 0) {
        const uint64_t entry = pop(s);
        const size_t at = (uint32_t)entry;
        const clc_merge *m = &bpe->merges[entry >> 32];
        if (s->tokens[at] == m->left && s->next[at] < n && s->tokens[s->next[at]] == m->right)
            merge(bpe, s, at, m->result, n);
    }
    for (size_t i = 0; i < n; i++)
        if (s->tokens[i] != GONE)
            s->tokens[(*count)++] = s->tokens[i];
fail:
    return status;
}

void clc_bpe_scratch_free(clc_bpe_scratch *s) {
    free(s->tokens);
    free(s->next);
    free(s->before);
    free(s->heap);
    *s = (clc_bpe_scratch){0};
}

void clc_bpe_free(clc_bpe *bpe) {
    clc_name_set_free(&bpe->tokens);
    free(bpe->merges);
    free(bpe->slots);
    *bpe = (clc_bpe){0};
}
