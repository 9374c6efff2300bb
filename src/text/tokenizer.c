#include "text/tokenizer_state.h"

#include <string.h>

static clc_status check(const clc_tokenizer_options *o) {
    const int least = o->kind == CLC_TOKENIZER_BPE ? CLC_TOKENS_BYTES : CLC_TOKENS_SPECIAL + 1;
    if (o->kind != CLC_TOKENIZER_BYTES && (o->vocabulary < least || o->vocabulary > CLC_TOKENS_MAX))
        return clc_fail(CLC_INVALID, "a vocabulary of %d tokens; %d to %d are possible%s",
                        o->vocabulary, least, CLC_TOKENS_MAX,
                        o->kind == CLC_TOKENIZER_BPE
                            ? ": the bytes and four special ones are always there"
                            : ", four of them special");
    if (o->context && o->context < CLC_CONTEXT_MIN)
        return clc_fail(CLC_INVALID, "a context of %d tokens holds no text; at least %d are needed",
                        o->context, CLC_CONTEXT_MIN);
    return CLC_OK;
}

clc_tokenizer_options clc_tokenizer_options_from_config(const clc_config_tokens *config,
                                                        int context) {
    return (clc_tokenizer_options){.kind = (clc_tokenizer_kind)config->tokenizer,
                                   .vocabulary = config->vocabulary,
                                   .lowercase = config->lowercase,
                                   .context = context};
}

clc_status clc_tokenizer_make(const clc_tokenizer_options *options, clc_tokenizer **tokenizer) {
    clc_status status = CLC_OK;
    clc_tokenizer *t = NULL;
    *tokenizer = NULL;
    CLC_TRY(check(options));
    CLC_NEW(t, 1);
    t->options = *options;
    t->cleaner.compose = options->kind != CLC_TOKENIZER_BYTES;
    t->cleaner.lowercase = t->cleaner.compose && options->lowercase;
    t->options.lowercase = t->cleaner.lowercase;
    if (options->kind != CLC_TOKENIZER_WORDS)
        CLC_TRY(clc_bpe_start(&t->bpe));
    if (options->kind == CLC_TOKENIZER_BPE)
        CLC_NEW(t->known, CLC_KNOWN_PIECES);
    *tokenizer = t;
    return CLC_OK;
fail:
    clc_tokenizer_free(&t);
    return status;
}

/* The cleaned text, of bpe with the blank before it. */
static clc_status prepare(clc_tokenizer *t, const char *text, size_t n) {
    clc_status status = CLC_OK;
    clc_bytes *out = &t->cleaner.out;
    CLC_TRY(clc_clean(&t->cleaner, text, n));
    if (t->options.kind != CLC_TOKENIZER_BPE || out->n == 0 || out->data[0] == ' ')
        return CLC_OK;
    CLC_TRY(clc_bytes_reserve(out, 1));
    memmove(out->data + 1, out->data, out->n++);
    out->data[0] = ' ';
fail:
    return status;
}

static clc_next_piece next_of(const clc_tokenizer *t) {
    return t->options.kind == CLC_TOKENIZER_WORDS ? clc_next_word : clc_next_gpt2;
}

/* All different pieces of the texts, with their counts. */
typedef struct census {
    clc_name_set pieces;
    uint64_t *counts;
    size_t capacity;
} census;

static clc_status count_piece(census *c, const char *piece, size_t n) {
    clc_status status = CLC_OK;
    size_t number;
    bool added;
    CLC_TRY(clc_name_set_add(&c->pieces, piece, n, &number, &added));
    if (number >= c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 1024;
        uint64_t *counts = realloc(c->counts, capacity * sizeof *counts);
        if (!counts)
            return clc_fail_alloc(capacity * sizeof *counts);
        c->counts = counts;
        c->capacity = capacity;
    }
    if (added)
        c->counts[number] = 0;
    c->counts[number]++;
fail:
    return status;
}

static clc_status count_all(clc_tokenizer *t, clc_text_next next, void *texts, census *c) {
    clc_status status = CLC_OK;
    const clc_next_piece next_piece = next_of(t);
    const char *text;
    size_t n;
    for (bool more = true;;) {
        CLC_TRY(next(texts, &text, &n, &more));
        if (!more)
            break;
        CLC_TRY(prepare(t, text, n));
        const clc_bytes *clean = &t->cleaner.out;
        for (size_t at = 0, start; next_piece(clean->data, clean->n, &at, &start);)
            CLC_TRY(count_piece(c, clean->data + start, at - start));
    }
fail:
    return status;
}

/* qsort has no argument for it: whose pieces a place in the order is of. */
typedef struct place {
    const census *census;
    size_t number;
} place;

static int more_frequent(const void *a, const void *b) {
    const place *x = a, *y = b;
    const uint64_t n = x->census->counts[x->number], m = y->census->counts[y->number];
    return n != m ? (n < m) - (n > m)
                  : clc_names_compare(&x->census->pieces.names, x->number, y->number);
}

/* Words with a zero in them can't be names in JSON. */
static clc_status take_words(clc_tokenizer *t, const census *c) {
    clc_status status = CLC_OK;
    place *order = NULL;
    size_t number, most = (size_t)t->options.vocabulary - CLC_TOKENS_SPECIAL;
    CLC_NEW(order, c->pieces.names.count);
    for (size_t i = 0; i < c->pieces.names.count; i++)
        order[i] = (place){c, i};
    qsort(order, c->pieces.names.count, sizeof *order, more_frequent);
    for (size_t i = 0; i < c->pieces.names.count && t->words.names.count < most; i++) {
        const char *word = clc_names_at(&c->pieces.names, order[i].number);
        const size_t n = clc_names_length(&c->pieces.names, order[i].number);
        if (!memchr(word, 0, n))
            CLC_TRY(clc_name_set_add(&t->words, word, n, &number, NULL));
    }
    if (!t->words.names.count)
        status = clc_fail(CLC_INVALID, "there is no word in the texts");
fail:
    free(order);
    return status;
}

clc_status clc_tokenizer_train(const clc_tokenizer_options *options, clc_text_next next,
                               void *texts, clc_tokenizer **tokenizer) {
    clc_status status = CLC_OK;
    census c = {.capacity = 0};
    CLC_TRY(clc_tokenizer_make(options, tokenizer));
    if (options->kind != CLC_TOKENIZER_BYTES)
        CLC_TRY(count_all(*tokenizer, next, texts, &c));
    if (options->kind == CLC_TOKENIZER_WORDS)
        CLC_TRY(take_words(*tokenizer, &c));
    if (options->kind == CLC_TOKENIZER_BPE)
        CLC_TRY(clc_bpe_train(&(*tokenizer)->bpe, &c.pieces.names, c.counts,
                              (size_t)options->vocabulary - CLC_TOKENS_SPECIAL));
    (*tokenizer)->options.vocabulary = clc_tokenizer_vocabulary(*tokenizer);
fail:
    clc_name_set_free(&c.pieces);
    free(c.counts);
    if (status != CLC_OK)
        clc_tokenizer_free(tokenizer);
    return status;
}

const clc_tokenizer_options *clc_tokenizer_settings(const clc_tokenizer *t) {
    return &t->options;
}

int clc_tokenizer_vocabulary(const clc_tokenizer *t) {
    return (int)clc_tokenizer_names(t)->count + CLC_TOKENS_SPECIAL;
}

void clc_tokenizer_free(clc_tokenizer **tokenizer) {
    clc_tokenizer *t = *tokenizer;
    if (!t)
        return;
    clc_name_set_free(&t->words);
    clc_name_set_free(&t->met);
    clc_bpe_free(&t->bpe);
    clc_bpe_scratch_free(&t->scratch);
    clc_cleaner_free(&t->cleaner);
    clc_ids_free(&t->known_ids);
    free(t->known);
    free(t);
    *tokenizer = NULL;
}

void clc_ids_free(clc_ids *ids) {
    free(ids->data);
    *ids = (clc_ids){0};
}

clc_status clc_ids_add(clc_ids *ids, const uint32_t *numbers, size_t n, int32_t shift) {
    if (n > ids->capacity - ids->n) {
        size_t capacity = 2 * ids->capacity > ids->n + n ? 2 * ids->capacity : ids->n + n;
        int32_t *data = realloc(ids->data, capacity * sizeof *data);
        if (!data)
            return clc_fail_alloc(capacity * sizeof *data);
        ids->data = data;
        ids->capacity = capacity;
    }
    for (size_t i = 0; i < n; i++)
        ids->data[ids->n + i] = (int32_t)numbers[i] + shift;
    ids->n += n;
    return CLC_OK;
}

/* The tokens of a piece that hasn't been met; short ones are remembered while there is room. */
static clc_status encode_new(clc_tokenizer *t, const char *piece, size_t n, size_t *count) {
    clc_status status = CLC_OK;
    size_t number;
    CLC_TRY(clc_bpe_encode(&t->bpe, &t->scratch, piece, n, count));
    if (n > CLC_KNOWN_BYTES || t->met.names.count == CLC_KNOWN_PIECES)
        return CLC_OK;
    CLC_TRY(clc_name_set_add(&t->met, piece, n, &number, NULL));
    t->known[number] = (clc_known_piece){t->known_ids.n, (uint32_t)*count};
    CLC_TRY(clc_ids_add(&t->known_ids, t->scratch.tokens, *count, 0));
fail:
    return status;
}

static clc_status encode_piece(clc_tokenizer *t, const char *piece, size_t n, size_t room,
                               clc_ids *ids) {
    clc_status status = CLC_OK;
    size_t count;
    if (t->options.kind == CLC_TOKENIZER_WORDS) {
        const size_t word = clc_name_set_find(&t->words, piece, n);
        const uint32_t token =
            word == SIZE_MAX ? CLC_TOKEN_UNKNOWN : (uint32_t)word + CLC_TOKENS_BEFORE;
        return clc_ids_add(ids, &token, 1, 0);
    }
    const size_t number = n > CLC_KNOWN_BYTES ? SIZE_MAX : clc_name_set_find(&t->met, piece, n);
    if (number != SIZE_MAX) {
        const clc_known_piece *k = &t->known[number];
        return clc_ids_add(ids, (const uint32_t *)t->known_ids.data + k->start,
                           k->n < room ? k->n : room, CLC_TOKENS_BEFORE);
    }
    CLC_TRY(encode_new(t, piece, n, &count));
    status = clc_ids_add(ids, t->scratch.tokens, count < room ? count : room, CLC_TOKENS_BEFORE);
fail:
    return status;
}

static clc_status encode_bytes(const clc_bytes *bytes, size_t room, clc_ids *ids) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < bytes->n && i < room; i++) {
        const uint32_t byte = (unsigned char)bytes->data[i];
        CLC_TRY(clc_ids_add(ids, &byte, 1, CLC_TOKENS_BEFORE));
    }
fail:
    return status;
}

clc_status clc_tokenizer_encode(clc_tokenizer *t, const char *text, size_t n, size_t limit,
                                bool ends, clc_ids *ids) {
    clc_status status = CLC_OK;
    const uint32_t start = (uint32_t)clc_tokenizer_start(t), end = (uint32_t)clc_tokenizer_end(t);
    const clc_next_piece next_piece = next_of(t);
    const clc_bytes *clean = &t->cleaner.out;
    if (limit && ends && limit < CLC_CONTEXT_MIN)
        return clc_fail(CLC_INVALID, "%zu tokens hold no text between start and end", limit);
    CLC_TRY(prepare(t, text, n));
    if (ends)
        CLC_TRY(clc_ids_add(ids, &start, 1, 0));
    const size_t begin = ids->n, room = limit ? limit - (ends ? 2 : 0) : SIZE_MAX;
    if (t->options.kind == CLC_TOKENIZER_BYTES)
        CLC_TRY(encode_bytes(clean, room, ids));
    else
        for (size_t at = 0, from;
             ids->n - begin < room && next_piece(clean->data, clean->n, &at, &from);)
            CLC_TRY(encode_piece(t, clean->data + from, at - from, room - (ids->n - begin), ids));
    if (ends)
        CLC_TRY(clc_ids_add(ids, &end, 1, 0));
fail:
    return status;
}

static clc_status append(clc_bytes *text, const char *bytes, size_t n) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_bytes_reserve(text, n + 1));
    memcpy(text->data + text->n, bytes, n);
    text->n += n;
fail:
    return status;
}

clc_status clc_tokenizer_decode(const clc_tokenizer *t, const int32_t *ids, size_t n,
                                clc_bytes *text) {
    clc_status status = CLC_OK;
    const clc_names *names = clc_tokenizer_names(t);
    const int32_t vocabulary = clc_tokenizer_vocabulary(t);
    const bool words = t->options.kind == CLC_TOKENIZER_WORDS;
    text->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= vocabulary)
            return clc_fail(CLC_INVALID, "%d is no token: the vocabulary has 0 to %d", ids[i],
                            vocabulary - 1);
        if (ids[i] == CLC_TOKEN_PAD || ids[i] >= vocabulary - 2)
            continue;
        if (words && text->n > 0)
            CLC_TRY(append(text, " ", 1));
        if (ids[i] == CLC_TOKEN_UNKNOWN) {
            CLC_TRY(append(text, "<unk>", 5));
            continue;
        }
        const size_t number = (size_t)ids[i] - CLC_TOKENS_BEFORE;
        CLC_TRY(append(text, clc_names_at(names, number), clc_names_length(names, number)));
    }
    if (t->options.kind == CLC_TOKENIZER_BPE && text->n > 0 && text->data[0] == ' ')
        memmove(text->data, text->data + 1, --text->n);
fail:
    return status;
}
