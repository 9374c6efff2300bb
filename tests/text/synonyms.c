/* Files of synonyms: which tokens may stand for which, and what is left out. */
#include "text/synonyms.h"

#include "../data/support.h"
#include "tap.h"

static clc_status next_text(void *texts, const char **text, size_t *n, bool *more) {
    bool *told = texts;
    *more = !*told;
    *told = true;
    *text = "big large huge small Big big little";
    *n = strlen(*text);
    return CLC_OK;
}

static clc_tokenizer *learn(clc_tokenizer_kind kind) {
    const clc_tokenizer_options options = {.kind = kind, .vocabulary = 300, .lowercase = true};
    clc_tokenizer *tokenizer;
    bool told = false;
    CHECK(clc_tokenizer_train(&options, next_text, &told, &tokenizer));
    return tokenizer;
}

static int32_t token_of(clc_tokenizer *tokenizer, const char *word) {
    clc_ids ids = {0};
    CHECK(clc_tokenizer_encode(tokenizer, word, strlen(word), 0, false, &ids));
    assert_int_equal(ids.n, 1);
    const int32_t token = ids.data[0];
    clc_ids_free(&ids);
    return token;
}

/* Fails unless the word's synonyms are these two (NULL: fewer), in whatever order. */
static void expect(clc_tokenizer *t, const clc_synonyms *s, const char *word, const char *a,
                   const char *b) {
    const int32_t token = token_of(t, word), first = s->starts[token];
    const int32_t n = s->starts[token + 1] - first;
    assert_int_equal(n, (a != NULL) + (b != NULL));
    for (int i = 0; i < n; i++) {
        const int32_t got = s->ids[first + i];
        assert_true(got == token_of(t, a) || (b && got == token_of(t, b)));
        assert_true(i == 0 || got > s->ids[first + i - 1]);
    }
}

static void words_of_a_line_stand_for_each_other(void **state) {
    (void)state;
    static const char text[] =
        "big, Large\thuge\r\nsmall,little\n\nbig,large\nred,green\nbig\nsmall, very little";
    clc_tokenizer *t = learn(CLC_TOKENIZER_WORDS);
    clc_synonyms s;
    put_file(in_folder("synonyms"), text, sizeof text - 1);
    CHECK(clc_synonyms_load(in_folder("synonyms"), t, &s));
    expect(t, &s, "big", "large", "huge");
    expect(t, &s, "huge", "large", "big");
    expect(t, &s, "small", "little", NULL);
    assert_int_equal(s.left_out, 3); /* red, green; very little is two words */
    assert_int_equal(s.words, 9);
    assert_int_equal(s.starts[0], 0);
    assert_int_equal(s.starts[clc_tokenizer_vocabulary(t)], 8);
    clc_synonyms_free(&s);
    clc_tokenizer_free(&t);
}

static void words_of_several_tokens_are_left_out(void **state) {
    (void)state;
    clc_tokenizer *t = learn(CLC_TOKENIZER_BPE);
    clc_synonyms s;
    put_file(in_folder("synonyms"), "big,i,large\n", 12);
    CHECK_FAILS(clc_synonyms_load(in_folder("synonyms"), t, &s), CLC_FORMAT,
                "1 words are, 2 are not");
    CHECK_FAILS(clc_synonyms_load(in_folder("none"), t, &s), CLC_IO, "none");
    assert_null(s.starts);
    clc_tokenizer_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_a_line_stand_for_each_other),
        cmocka_unit_test(words_of_several_tokens_are_left_out),
    };
    tap_begin();
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
