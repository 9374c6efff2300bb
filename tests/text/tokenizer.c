/* Tokenizers: what a text gives, whatever its bytes; learning against the definition; files. */
#include "../data/support.h"
#include "core/rng.h"
#include "tap.h"
#include "text/bpe.h"
#include "text/clean.h"
#include "text/tokenizer.h"

#include <utf8proc.h>

typedef struct list {
    const char *const *texts;
    size_t count, at;
} list;

static clc_status next_text(void *texts, const char **text, size_t *n, bool *more) {
    list *l = texts;
    *more = l->at < l->count;
    if (*more) {
        *text = l->texts[l->at++];
        *n = strlen(*text);
    }
    return CLC_OK;
}

static clc_tokenizer *learn(clc_tokenizer_kind kind, int vocabulary, bool lowercase, size_t count,
                            const char *const *texts) {
    const clc_tokenizer_options options = {
        .kind = kind, .vocabulary = vocabulary, .lowercase = lowercase};
    clc_tokenizer *tokenizer;
    list l = {texts, count, 0};
    CHECK(clc_tokenizer_train(&options, next_text, &l, &tokenizer));
    return tokenizer;
}

#define LEARN(kind, vocabulary, lowercase, ...)                                                    \
    learn(kind, vocabulary, lowercase, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),     \
          (const char *[]){__VA_ARGS__})

/* The text that comes back from the tokens of a text; valid until the next call. */
static const char *round_trip(clc_tokenizer *tokenizer, const char *text, size_t n) {
    static char back[1 << 18];
    clc_ids ids = {0};
    clc_bytes bytes = {0};
    CHECK(clc_tokenizer_encode(tokenizer, text, n, 0, true, &ids));
    assert_int_equal(ids.data[0], clc_tokenizer_start(tokenizer));
    assert_int_equal(ids.data[ids.n - 1], clc_tokenizer_end(tokenizer));
    CHECK(clc_tokenizer_decode(tokenizer, ids.data, ids.n, &bytes));
    assert_true(bytes.n < sizeof back);
    memcpy(back, bytes.n ? bytes.data : "", bytes.n);
    back[bytes.n] = '\0';
    clc_ids_free(&ids);
    clc_bytes_free(&bytes);
    return back;
}

#define EXPECT_BACK(tokenizer, text, want)                                                         \
    assert_string_equal(round_trip(tokenizer, text, sizeof text - 1), want)

static void bytes_and_bpe_lose_nothing(void **state) {
    (void)state;
    clc_tokenizer *all[] = {LEARN(CLC_TOKENIZER_BYTES, 0, false, ""),
                            LEARN(CLC_TOKENIZER_BPE, 300, false, "the cat and the hat", "מה זה")};
    for (int i = 0; i < 2; i++) {
        EXPECT_BACK(all[i], "", "");
        EXPECT_BACK(all[i], "the <end>\n\ttext, twice  blank ", "the <end>\n\ttext, twice  blank ");
        EXPECT_BACK(all[i], "שלום مرحبا 👩‍👩‍👧 🇩🇪",
                    "שלום مرحبا 👩‍👩‍👧 🇩🇪");
        EXPECT_BACK(all[i], "caf\xe9\xff \xe4\xb8", "caf\uFFFD\uFFFD \uFFFD");
        EXPECT_BACK(all[i], "\xed\xa0\x80\xc0\x80", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
        clc_tokenizer_free(&all[i]);
    }
}

static void words_are_letters_marks_and_numbers(void **state) {
    (void)state;
    clc_tokenizer *t =
        LEARN(CLC_TOKENIZER_WORDS, 100, true, "Don't STOP, the dog\u2019s 3rd e\u0301",
              "中文 नमस्ते שלום 👍🏽 a_b 'x'");
    EXPECT_BACK(t, "don't stop,the   DOG\u2019S", "don't stop , the dog\u2019s");
    EXPECT_BACK(t, "\u00c9", "\u00e9"); /* the composed letter of the same look */
    EXPECT_BACK(t, "中文文", "中 文 文");
    EXPECT_BACK(t, "नमस्ते שלום", "नमस्ते שלום");
    EXPECT_BACK(t, "👍🏽'x' a", "👍 🏽 ' x ' a");
    EXPECT_BACK(t, "dogs <end> 3rd", "<unk> <unk> <unk> <unk> 3rd");
    EXPECT_BACK(t, "", "");
    EXPECT_BACK(t, " \n\u3000", "");
    clc_tokenizer_free(&t);
}

static void frequent_words_come_first_and_ties_by_bytes(void **state) {
    (void)state;
    const int32_t want[] = {5, 2, 3, 4, CLC_TOKEN_UNKNOWN, 6};
    clc_ids ids = {0};
    clc_tokenizer *t = LEARN(CLC_TOKENIZER_WORDS, 7, true, "d c b", "B a c", "b");
    assert_int_equal(clc_tokenizer_vocabulary(t), 7);
    CHECK(clc_tokenizer_encode(t, "b c a d", 7, 0, true, &ids));
    assert_int_equal(ids.n, 6);
    assert_memory_equal(ids.data, want, sizeof want);
    clc_ids_free(&ids);
    clc_tokenizer_free(&t);
}

static void long_texts_end_with_the_end(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        clc_tokenizer *t = LEARN((clc_tokenizer_kind)kind, 270, true, "one two three one two");
        clc_ids ids = {0};
        CHECK(clc_tokenizer_encode(t, "one two three one two three", 27, 5, true, &ids));
        assert_int_equal(ids.n, 5);
        assert_int_equal(ids.data[0], clc_tokenizer_start(t));
        assert_int_equal(ids.data[4], clc_tokenizer_vocabulary(t) - 1);
        for (int i = 1; i < 4; i++)
            assert_true(ids.data[i] < clc_tokenizer_start(t));
        CHECK(clc_tokenizer_encode(t, "one two three one two three", 27, 3, false, &ids));
        assert_int_equal(ids.n, 8); /* appended */
        assert_memory_equal(ids.data + 5, ids.data + 1, 3 * sizeof *ids.data);
        CHECK_FAILS(clc_tokenizer_encode(t, "x", 1, 2, true, &ids), CLC_INVALID, "2 tokens");
        clc_ids_free(&ids);
        clc_tokenizer_free(&t);
    }
}

static void lines_of_100_kb(void **state) {
    (void)state;
    enum { N = 100000 };
    char *line = malloc(N + 1);
    assert_non_null(line);
    memset(line, 'a', N);
    line[N] = '\0';
    for (int kind = 0; kind < 3; kind++) {
        clc_tokenizer *t = LEARN((clc_tokenizer_kind)kind, 280, true, line, "b");
        assert_string_equal(round_trip(t, line, N), line);
        clc_tokenizer_free(&t);
    }
    free(line);
}

enum { PIECES = 60, LETTERS = 3, LONGEST = 9, MERGES = 40 };

/* Byte-pair encoding by its definition: everything counted anew for each merge. */
static void reference_train(char pieces[PIECES][LONGEST + 1], const uint64_t *counts,
                            uint32_t merges[MERGES][2], int *made) {
    uint32_t tokens[PIECES][LONGEST];
    size_t lengths[PIECES];
    for (int i = 0; i < PIECES; i++)
        for (lengths[i] = 0; pieces[i][lengths[i]]; lengths[i]++)
            tokens[i][lengths[i]] = (unsigned char)pieces[i][lengths[i]];
    for (*made = 0; *made < MERGES; ++*made) {
        uint64_t best = 1;
        const uint32_t token = 256 + (uint32_t)*made;
        for (uint32_t a = 0; a < token; a++)
            for (uint32_t b = 0; b < token; b++) {
                uint64_t count = 0;
                for (int i = 0; i < PIECES; i++)
                    for (size_t k = 1; k < lengths[i]; k++)
                        if (tokens[i][k - 1] == a && tokens[i][k] == b)
                            count += counts[i];
                if (count > best) {
                    best = count;
                    merges[*made][0] = a;
                    merges[*made][1] = b;
                }
            }
        if (best < 2)
            return;
        for (int i = 0; i < PIECES; i++) {
            size_t to = 0;
            for (size_t k = 0; k < lengths[i]; k++) {
                const bool both = k + 1 < lengths[i] && tokens[i][k] == merges[*made][0] &&
                                  tokens[i][k + 1] == merges[*made][1];
                tokens[i][to++] = both ? token : tokens[i][k];
                k += both;
            }
            lengths[i] = to;
        }
    }
}

static void merges_are_those_of_the_definition(void **state) {
    (void)state;
    clc_rng rng = clc_rng_make(5, 0);
    char pieces[PIECES][LONGEST + 1] = {0};
    uint64_t counts[PIECES];
    uint32_t want[MERGES][2];
    int made;
    clc_name_set strings = {0};
    clc_bpe bpe;
    for (int i = 0; i < PIECES; i++) {
        const uint32_t n = 3 + clc_rng_below(&rng, LONGEST - 2);
        for (uint32_t k = 0; k < n; k++)
            pieces[i][k] = (char)('a' + clc_rng_below(&rng, LETTERS));
        size_t number;
        bool added;
        CHECK(clc_name_set_add(&strings, pieces[i], n, &number, &added));
        if (!added) /* drawn twice */
            memset(pieces[i--], 0, LONGEST);
    }
    for (int i = 0; i < PIECES; i++)
        counts[i] = 1 + clc_rng_below(&rng, 2); /* many ties */
    reference_train(pieces, counts, want, &made);
    CHECK(clc_bpe_start(&bpe));
    CHECK(clc_bpe_train(&bpe, &strings.names, counts, 256 + MERGES));
    size_t same = 0;
    /* A token that two merges make has one number, which the reference doesn't know. */
    for (; same < (size_t)made && same < bpe.count && bpe.merges[same].result == 256 + same;
         same++) {
        assert_int_equal(bpe.merges[same].left, want[same][0]);
        assert_int_equal(bpe.merges[same].right, want[same][1]);
    }
    assert_true(same >= MERGES / 2);
    clc_bpe_free(&bpe);
    clc_name_set_free(&strings);
}

static void merges_go_by_rank_then_from_the_left(void **state) {
    (void)state;
    clc_bpe bpe;
    clc_bpe_scratch scratch = {0};
    uint32_t bc, ab, aa;
    size_t n;
    CHECK(clc_bpe_start(&bpe));
    CHECK(clc_bpe_add(&bpe, 'b', 'c', &bc));
    CHECK(clc_bpe_add(&bpe, 'a', 'b', &ab));
    CHECK(clc_bpe_add(&bpe, 'a', 'a', &aa));
    CHECK(clc_bpe_encode(&bpe, &scratch, "abcabaaa", 8, &n));
    const uint32_t want[] = {'a', bc, ab, aa, 'a'};
    assert_int_equal(n, 5);
    assert_memory_equal(scratch.tokens, want, sizeof want);
    CHECK_FAILS(clc_bpe_add(&bpe, 'a', 'b', &ab), CLC_FORMAT, "twice");
    clc_bpe_scratch_free(&scratch);
    clc_bpe_free(&bpe);
}

static void texts_in_any_order_give_the_same(void **state) {
    (void)state;
    char *json[2];
    clc_tokenizer *a = LEARN(CLC_TOKENIZER_BPE, 290, true, "one two three", "three four", "five x");
    clc_tokenizer *b = LEARN(CLC_TOKENIZER_BPE, 290, true, "five x", "three four", "one two three");
    CHECK(clc_tokenizer_to_json(a, &json[0]));
    CHECK(clc_tokenizer_to_json(b, &json[1]));
    assert_string_equal(json[0], json[1]);
    free(json[0]);
    free(json[1]);
    clc_tokenizer_free(&a);
    clc_tokenizer_free(&b);
}

static void files_bring_the_same_tokenizer(void **state) {
    (void)state;
    static const char text[] = "The quick caf\u00e9, don't 42 \xff";
    for (int kind = 0; kind < 3; kind++) {
        clc_tokenizer *t = LEARN((clc_tokenizer_kind)kind, 280, kind == 1, "the quick caf\u00e9",
                                 "don't \\ \" 42 the");
        clc_tokenizer *read;
        clc_ids a = {0}, b = {0};
        CHECK(clc_tokenizer_save(t, in_folder("tokenizer.json")));
        CHECK(clc_tokenizer_load(in_folder("tokenizer.json"), &read));
        assert_int_equal(clc_tokenizer_vocabulary(read), clc_tokenizer_vocabulary(t));
        assert_int_equal(clc_tokenizer_settings(read)->kind, kind);
        assert_int_equal(clc_tokenizer_settings(read)->lowercase, kind == 1);
        assert_int_equal(clc_tokenizer_settings(read)->context, clc_tokenizer_settings(t)->context);
        CHECK(clc_tokenizer_encode(t, text, sizeof text - 1, 0, true, &a));
        CHECK(clc_tokenizer_encode(read, text, sizeof text - 1, 0, true, &b));
        assert_int_equal(a.n, b.n);
        assert_memory_equal(a.data, b.data, a.n * sizeof *a.data);
        clc_ids_free(&a);
        clc_ids_free(&b);
        clc_tokenizer_free(&read);
        clc_tokenizer_free(&t);
    }
}

/* The JSON of a small tokenizer with one part of it replaced. */
static clc_status read_changed(const clc_tokenizer *t, const char *from, const char *to) {
    char *json, *at, *changed;
    clc_tokenizer *read = NULL;
    CHECK(clc_tokenizer_to_json(t, &json));
    at = strstr(json, from);
    assert_non_null(at);
    const size_t size = strlen(json) + strlen(to) + 1;
    changed = malloc(size);
    if (!changed)
        return clc_fail_alloc(size);
    snprintf(changed, size, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
    clc_status status = clc_tokenizer_from_json(changed, strlen(changed), "it", &read);
    assert_true((status == CLC_OK) == (read != NULL));
    clc_tokenizer_free(&read);
    free(changed);
    free(json);
    return status;
}

static void files_of_other_tokenizers_are_refused(void **state) {
    (void)state;
    clc_tokenizer *bpe = LEARN(CLC_TOKENIZER_BPE, 262, false, "ab ab"), *read;
    clc_tokenizer *words = LEARN(CLC_TOKENIZER_WORDS, 6, false, "ab ab");
    CHECK(read_changed(words, "\"ab\":2", "\"xy\":2"));
    CHECK_FAILS(read_changed(words, "\"ab\":2", "\"ab\":1"), CLC_FORMAT, "number of");
    CHECK_FAILS(read_changed(words, "\"ab\":2", "\"ab\":9"), CLC_FORMAT, "number of");
    CHECK_FAILS(read_changed(words, "\"ab\":2,", "\"ab\":2,\"ab\":2,"), CLC_FORMAT, "duplicate");
    CHECK_FAILS(read_changed(words, "WordLevel", "Unigram"), CLC_FORMAT, "Unigram");
    CHECK_FAILS(read_changed(words, "\"NFC\"", "\"NFKC\""), CLC_FORMAT, "normalizer");
    /* The merges are a blank and a, then these and b. */
    CHECK_FAILS(read_changed(bpe, "Ġ a", "Ġ aa"), CLC_FORMAT, "a merge of \"aa\"");
    CHECK_FAILS(read_changed(bpe, "\"Ġ a\"", "7"), CLC_FORMAT, "no pair");
    CHECK_FAILS(read_changed(bpe, "\"Ġa b\"", "\"Ġa c\""), CLC_FORMAT, "model");
    CHECK_FAILS(read_changed(bpe, "\"Ġ a\",", ""), CLC_FORMAT, "no merge before");
    CHECK_FAILS(read_changed(bpe, ",\"Ġa b\"", ""), CLC_FORMAT, "the merges give 261");
    CHECK_FAILS(read_changed(bpe, "\"use_regex\":true", "\"use_regex\":false"), CLC_FORMAT,
                "normalizer");
    CHECK_FAILS(clc_tokenizer_from_json("{", 1, "it", &read), CLC_FORMAT, "it: no tokenizer");
    CHECK_FAILS(clc_tokenizer_from_json("[]", 2, "it", &read), CLC_FORMAT, "another value");
    CHECK_FAILS(clc_tokenizer_load(in_folder("none"), &read), CLC_IO, "none");
    clc_tokenizer_free(&bpe);
    clc_tokenizer_free(&words);
}

static void impossible_options_are_refused(void **state) {
    (void)state;
    clc_tokenizer *t;
    clc_tokenizer_options o = {.kind = CLC_TOKENIZER_BPE, .vocabulary = 259};
    list none = {NULL, 0, 0};
    CHECK_FAILS(clc_tokenizer_train(&o, next_text, &none, &t), CLC_INVALID, "259");
    o.vocabulary = 300;
    o.context = 2;
    CHECK_FAILS(clc_tokenizer_train(&o, next_text, &none, &t), CLC_INVALID, "context of 2");
    o.context = 0;
    CHECK(clc_tokenizer_train(&o, next_text, &none, &t));
    assert_int_equal(clc_tokenizer_vocabulary(t), 260); /* nothing to learn from */
    clc_tokenizer_free(&t);
    o.kind = CLC_TOKENIZER_WORDS;
    CHECK_FAILS(clc_tokenizer_train(&o, next_text, &none, &t), CLC_INVALID, "no word");
}

/* What is passed by as composed must be so: each by itself, and next to any other. */
static void composed_characters_are_their_own_nfc(void **state) {
    (void)state;
    for (int32_t c = 0; c < 0x110000; c++) {
        if (!clc_is_composed((uint32_t)c))
            continue;
        utf8proc_uint8_t bytes[4], *nfc = NULL;
        const utf8proc_ssize_t n = utf8proc_encode_char(c, bytes);
        const utf8proc_ssize_t m = utf8proc_map(bytes, n, &nfc, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        if (m != n || memcmp(nfc, bytes, (size_t)n) || utf8proc_get_property(c)->combining_class)
            fail_msg("U+%04X is no whole character", (unsigned)c);
        free(nfc);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_bpe_lose_nothing),
        cmocka_unit_test(words_are_letters_marks_and_numbers),
        cmocka_unit_test(frequent_words_come_first_and_ties_by_bytes),
        cmocka_unit_test(long_texts_end_with_the_end),
        cmocka_unit_test(lines_of_100_kb),
        cmocka_unit_test(merges_are_those_of_the_definition),
        cmocka_unit_test(merges_go_by_rank_then_from_the_left),
        cmocka_unit_test(texts_in_any_order_give_the_same),
        cmocka_unit_test(files_bring_the_same_tokenizer),
        cmocka_unit_test(files_of_other_tokenizers_are_refused),
        cmocka_unit_test(impossible_options_are_refused),
        cmocka_unit_test(composed_characters_are_their_own_nfc),
    };
    tap_begin();
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
