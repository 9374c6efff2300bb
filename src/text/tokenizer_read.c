/* A tokenizer from its JSON: what makes it is taken from the tree, and then all of the tree must be
 * as this tokenizer would be written. */
#include "core/file.h"
#include "text/byte_letters.h"
#include "text/tokenizer_json.h"

#include <string.h>

enum { MAX_BYTES = 512 << 20 };

/* The text at a path of names, or "". */
static const char *text_at(const json_t *tree, const char *object, const char *name) {
    const char *text = json_string_value(json_object_get(json_object_get(tree, object), name));
    return text ? text : "";
}

static clc_status read_options(const json_t *tree, clc_tokenizer_options *o) {
    const char *model = text_at(tree, "model", "type");
    const json_t *pre = json_object_get(tree, "pre_tokenizer");
    const json_t *length = json_object_get(json_object_get(tree, "truncation"), "max_length");
    const json_t *vocabulary = json_object_get(json_object_get(tree, "model"), "vocab");
    const size_t size = json_object_size(vocabulary);
    *o = (clc_tokenizer_options){.kind = CLC_TOKENIZER_WORDS};
    if (!strcmp(model, "BPE"))
        o->kind = json_is_true(json_object_get(pre, "use_regex")) ? CLC_TOKENIZER_BPE
                                                                  : CLC_TOKENIZER_BYTES;
    else if (strcmp(model, "WordLevel"))
        return clc_fail(CLC_FORMAT, "the model's type is \"%.40s\", not BPE or WordLevel", model);
    if (size <= CLC_TOKENS_SPECIAL || size > CLC_TOKENS_MAX)
        return clc_fail(CLC_FORMAT, "a vocabulary of %zu tokens", size);
    if (length &&
        (json_integer_value(length) < CLC_CONTEXT_MIN || json_integer_value(length) > INT32_MAX))
        return clc_fail(CLC_FORMAT, "a max_length of %lld tokens",
                        (long long)json_integer_value(length));
    o->vocabulary = (int)size;
    o->context = (int)json_integer_value(length);
    o->lowercase = !strcmp(text_at(tree, "normalizer", "type"), "Sequence");
    return CLC_OK;
}

static clc_status read_words(clc_tokenizer *t, const json_t *vocabulary) {
    clc_status status = CLC_OK;
    const char **words = NULL, *name;
    const size_t size = json_object_size(vocabulary);
    size_t number;
    const json_t *value;
    CLC_NEW(words, size);
    json_object_foreach((json_t *)vocabulary, name, value) {
        const json_int_t id = json_integer_value(value);
        if (!json_is_integer(value) || id < 0 || (size_t)id >= size || words[id])
            CLC_TRY(clc_fail(CLC_FORMAT,
                             "the number of \"%.40s\" is not one of 0 to %zu, or "
                             "another token's",
                             name, size - 1));
        words[id] = name;
    }
    for (size_t i = CLC_TOKENS_BEFORE; i + 2 < size; i++)
        CLC_TRY(clc_name_set_add(&t->words, words[i], strlen(words[i]), &number, NULL));
fail:
    free(words);
    return status;
}

/* The token that letters stand for. */
static clc_status find_token(const clc_bpe *bpe, const char *letters, size_t n, uint32_t *token) {
    char bytes[2 * CLC_BPE_TOKEN_BYTES];
    size_t count, found = SIZE_MAX;
    if (n <= sizeof bytes && clc_letters_to_bytes(letters, n, bytes, &count))
        found = clc_name_set_find(&bpe->tokens, bytes, count);
    if (found == SIZE_MAX)
        return clc_fail(CLC_FORMAT, "a merge of \"%.*s\", which no merge before it gives",
                        n < 40 ? (int)n : 40, letters);
    *token = (uint32_t)found;
    return CLC_OK;
}

static clc_status read_merge(clc_bpe *bpe, const json_t *value) {
    clc_status status = CLC_OK;
    uint32_t left = 0, right = 0, result;
    const char *first = json_string_value(value), *second = first ? strchr(first, ' ') : NULL;
    size_t n = second ? (size_t)(second++ - first) : 0;
    if (json_array_size(value) == 2) { /* as newer versions of `tokenizers` write it */
        first = json_string_value(json_array_get(value, 0));
        second = json_string_value(json_array_get(value, 1));
        n = first ? strlen(first) : 0;
    }
    if (!first || !second)
        return clc_fail(CLC_FORMAT, "a merge that is no pair of texts");
    CLC_TRY(find_token(bpe, first, n, &left));
    CLC_TRY(find_token(bpe, second, strlen(second), &right));
    status = clc_bpe_add(bpe, left, right, &result);
fail:
    return status;
}

/* Whether all that stands in `ours` stands in `theirs`, which may have more fields. */
static bool agree(const json_t *ours, const json_t *theirs) {
    const char *name;
    json_t *value;
    if (!json_is_object(ours))
        return json_equal(ours, theirs);
    if (!json_is_object(theirs))
        return false;
    json_object_foreach((json_t *)ours, name, value) {
        if (strcmp(name, "merges") && !agree(value, json_object_get(theirs, name)))
            return false;
    }
    return true;
}

static clc_status compare(const clc_tokenizer *t, const json_t *tree) {
    clc_status status = CLC_OK;
    json_t *ours = NULL, *value;
    const char *name;
    CLC_TRY(clc_tokenizer_tree(t, &ours));
    const json_t *vocabulary = json_object_get(json_object_get(tree, "model"), "vocab");
    if (json_object_size(vocabulary) != (size_t)clc_tokenizer_vocabulary(t))
        CLC_TRY(clc_fail(CLC_FORMAT, "%zu tokens, but the merges give %d",
                         json_object_size(vocabulary), clc_tokenizer_vocabulary(t)));
    json_object_foreach(ours, name, value) {
        if (strcmp(name, "padding") && !agree(value, json_object_get(tree, name)))
            CLC_TRY(clc_fail(CLC_FORMAT, "its %s is of another kind of tokenizer", name));
    }
fail:
    json_decref(ours);
    return status;
}

static clc_status read_tree(const json_t *tree, clc_tokenizer **tokenizer) {
    clc_status status = CLC_OK;
    clc_tokenizer_options options;
    const json_t *model = json_object_get(tree, "model"), *merge;
    size_t i;
    CLC_TRY(read_options(tree, &options));
    CLC_TRY(clc_tokenizer_make(&options, tokenizer));
    if (options.kind == CLC_TOKENIZER_WORDS)
        CLC_TRY(read_words(*tokenizer, json_object_get(model, "vocab")));
    json_array_foreach(json_object_get(model, "merges"), i, merge)
        CLC_TRY(read_merge(&(*tokenizer)->bpe, merge));
    status = compare(*tokenizer, tree);
fail:
    return status;
}

clc_status clc_tokenizer_from_json(const char *text, size_t n, const char *name,
                                   clc_tokenizer **tokenizer) {
    clc_status status = CLC_OK;
    json_error_t error;
    json_t *tree = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    *tokenizer = NULL;
    if (!json_is_object(tree))
        CLC_TRY(clc_fail(CLC_FORMAT, "no JSON object: %s (line %d)",
                         tree ? "another value" : error.text, tree ? 1 : error.line));
    CLC_TRY(read_tree(tree, tokenizer));
fail:
    json_decref(tree);
    if (status != CLC_OK) {
        clc_tokenizer_free(tokenizer);
        clc_fail_context(status, "%s: no tokenizer that clcontrast can use", name);
    }
    return status;
}

clc_status clc_tokenizer_load(const char *path, clc_tokenizer **tokenizer) {
    clc_status status = CLC_OK;
    void *text = NULL;
    size_t n;
    *tokenizer = NULL;
    CLC_TRY(clc_file_read_all(path, MAX_BYTES, &text, &n));
    status = clc_tokenizer_from_json(text, n, path, tokenizer);
fail:
    free(text);
    return status;
}
