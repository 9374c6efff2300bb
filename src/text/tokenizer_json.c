/* The form of Hugging Face's tokenizer.json. Special tokens are not among its added_tokens: they
 * would be found in texts, which may say "<end>". */
#include "text/tokenizer_json.h"

#include "core/file.h"
#include "text/byte_letters.h"

#include <string.h>

const char *const clc_token_names[CLC_TOKENS_SPECIAL] = {"<pad>", "<unk>", "<start>", "<end>"};

static clc_status out_of_memory(void) {
    return clc_fail(CLC_MEMORY, "no memory for the tokenizer's JSON");
}

static clc_status set(json_t *object, const char *name, json_t *value) {
    return json_object_set_new(object, name, value) == 0 ? CLC_OK : out_of_memory();
}

/* The name of a token in the vocabulary, into `name`, which grows. */
static clc_status name_token(const clc_tokenizer *t, size_t number, clc_bytes *name) {
    clc_status status = CLC_OK;
    const clc_names *names = clc_tokenizer_names(t);
    const size_t n = clc_names_length(names, number);
    name->n = 0;
    CLC_TRY(clc_bytes_reserve(name, 2 * n + 1));
    if (t->options.kind != CLC_TOKENIZER_WORDS) {
        clc_bytes_to_letters(clc_names_at(names, number), n, name->data);
        return CLC_OK;
    }
    memcpy(name->data, clc_names_at(names, number), n);
    name->data[n] = '\0';
fail:
    return status;
}

static clc_status make_vocabulary(const clc_tokenizer *t, json_t *vocabulary) {
    clc_status status = CLC_OK;
    clc_bytes name = {0};
    const int size = clc_tokenizer_vocabulary(t);
    for (int i = 0; i < size; i++) {
        const int special = i < CLC_TOKENS_BEFORE ? i : i >= size - 2 ? 4 - (size - i) : -1;
        if (special < 0)
            CLC_TRY(name_token(t, (size_t)(i - CLC_TOKENS_BEFORE), &name));
        CLC_TRY(
            set(vocabulary, special < 0 ? name.data : clc_token_names[special], json_integer(i)));
    }
fail:
    clc_bytes_free(&name);
    return status;
}

/* "left right" each: letters that stand for bytes have no blank. */
static clc_status make_merges(const clc_tokenizer *t, json_t *merges) {
    clc_status status = CLC_OK;
    clc_bytes left = {0}, right = {0};
    for (size_t i = 0; i < t->bpe.count; i++) {
        CLC_TRY(name_token(t, t->bpe.merges[i].left, &left));
        CLC_TRY(name_token(t, t->bpe.merges[i].right, &right));
        if (json_array_append_new(merges, json_sprintf("%s %s", left.data, right.data)) != 0)
            CLC_TRY(out_of_memory());
    }
fail:
    clc_bytes_free(&left);
    clc_bytes_free(&right);
    return status;
}

static clc_status add_model(const clc_tokenizer *t, json_t *tree) {
    clc_status status = CLC_OK;
    json_t *vocabulary = json_object(), *model;
    if (t->options.kind == CLC_TOKENIZER_WORDS)
        model = json_pack("{s:s,s:o,s:s}", "type", "WordLevel", "vocab", vocabulary, "unk_token",
                          clc_token_names[CLC_TOKEN_UNKNOWN]);
    else
        model =
            json_pack("{s:s,s:n,s:n,s:n,s:n,s:b,s:b,s:b,s:o,s:[]}", "type", "BPE", "dropout",
                      "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0,
                      "byte_fallback", 0, "ignore_merges", 0, "vocab", vocabulary, "merges");
    CLC_TRY(set(tree, "model", model));
    CLC_TRY(make_vocabulary(t, vocabulary));
    if (t->options.kind != CLC_TOKENIZER_WORDS)
        CLC_TRY(make_merges(t, json_object_get(model, "merges")));
fail:
    return status;
}

static json_t *make_normalizer(const clc_tokenizer *t) {
    if (t->options.kind == CLC_TOKENIZER_BYTES)
        return json_null();
    if (!t->options.lowercase)
        return json_pack("{s:s}", "type", "NFC");
    return json_pack("{s:s,s:[{s:s},{s:s}]}", "type", "Sequence", "normalizers", "type", "NFC",
                     "type", "Lowercase");
}

static json_t *make_pre_tokenizer(const clc_tokenizer *t) {
    const int bpe = t->options.kind == CLC_TOKENIZER_BPE;
    if (t->options.kind == CLC_TOKENIZER_WORDS)
        return json_pack("{s:s,s:{s:s},s:s,s:b}", "type", "Split", "pattern", "Regex",
                         CLC_WORD_PATTERN, "behavior", "Removed", "invert", 1);
    return json_pack("{s:s,s:b,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", bpe,
                     "trim_offsets", 1, "use_regex", bpe);
}

static json_t *make_decoder(const clc_tokenizer *t) {
    if (t->options.kind == CLC_TOKENIZER_WORDS)
        return json_null();
    return json_pack("{s:s,s:b,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", 1,
                     "trim_offsets", 1, "use_regex", 1);
}

static json_t *special_item(int which) {
    return json_pack("{s:{s:s,s:i}}", "SpecialToken", "id", clc_token_names[which], "type_id", 0);
}

static json_t *sequence_item(const char *id, int type) {
    return json_pack("{s:{s:s,s:i}}", "Sequence", "id", id, "type_id", type);
}

static json_t *special_token(const clc_tokenizer *t, int which) {
    const char *name = clc_token_names[which];
    return json_pack("{s:s,s:[i],s:[s]}", "id", name, "ids",
                     clc_tokenizer_vocabulary(t) - CLC_TOKENS_SPECIAL + which, "tokens", name);
}

/* Start, text, end; of two texts, the same of both. */
static json_t *make_post_processor(const clc_tokenizer *t) {
    enum { START = 2, END = 3 };
    return json_pack("{s:s,s:[o,o,o],s:[o,o,o,o,o,o],s:{s:o,s:o}}", "type", "TemplateProcessing",
                     "single", special_item(START), sequence_item("A", 0), special_item(END),
                     "pair", special_item(START), sequence_item("A", 0), special_item(END),
                     special_item(START), sequence_item("B", 1), special_item(END),
                     "special_tokens", clc_token_names[START], special_token(t, START),
                     clc_token_names[END], special_token(t, END));
}

static json_t *make_truncation(const clc_tokenizer *t) {
    if (!t->options.context)
        return json_null();
    return json_pack("{s:s,s:i,s:s,s:i}", "direction", "Right", "max_length", t->options.context,
                     "strategy", "LongestFirst", "stride", 0);
}

clc_status clc_tokenizer_tree(const clc_tokenizer *t, json_t **out) {
    clc_status status = CLC_OK;
    json_t *tree = json_pack("{s:s}", "version", "1.0");
    *out = NULL;
    CLC_TRY(set(tree, "truncation", make_truncation(t)));
    CLC_TRY(set(tree, "padding", json_null()));
    CLC_TRY(set(tree, "added_tokens", json_array()));
    CLC_TRY(set(tree, "normalizer", make_normalizer(t)));
    CLC_TRY(set(tree, "pre_tokenizer", make_pre_tokenizer(t)));
    CLC_TRY(set(tree, "post_processor", make_post_processor(t)));
    CLC_TRY(set(tree, "decoder", make_decoder(t)));
    CLC_TRY(add_model(t, tree));
    *out = tree;
    return CLC_OK;
fail:
    json_decref(tree);
    return status;
}

clc_status clc_tokenizer_to_json(const clc_tokenizer *t, char **text) {
    clc_status status = CLC_OK;
    json_t *tree = NULL;
    *text = NULL;
    CLC_TRY(clc_tokenizer_tree(t, &tree));
    *text = json_dumps(tree, JSON_COMPACT);
    if (!*text)
        status = out_of_memory();
fail:
    json_decref(tree);
    return status;
}

clc_status clc_tokenizer_save(const clc_tokenizer *t, const char *path) {
    clc_status status = CLC_OK;
    char *text = NULL;
    CLC_TRY(clc_tokenizer_to_json(t, &text));
    status = clc_file_write_all(path, text, strlen(text));
fail:
    free(text);
    return status;
}
