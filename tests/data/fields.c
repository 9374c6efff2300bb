/* Data sets of texts, and of pictures with captions: which samples there are, and which tokens. */
#include "data/dataset_kinds.h"

#include "source_support.h"

static clc_config config_on(const char *name) {
    clc_config config;
    static const char *const overrides[] = {"tokens.tokenizer=words", "data.bad_limit=1",
                                            "data.pack=false"};
    CHECK(clc_config_load(NULL, overrides, 3, &config));
    snprintf(config.data.train, sizeof config.data.train, "%s", in_folder(name));
    return config;
}

static clc_dataset *open_split(const clc_config *config, clc_split split,
                               const clc_dataset *train) {
    clc_dataset *data;
    CHECK(clc_dataset_open(config, split, train, &data));
    return data;
}

/* The field's texts of sample i, with a bar between, as the tokenizer knows them. */
static void expect_texts(const clc_dataset *d, int field, size_t i, const char *want) {
    char got[1024] = "";
    size_t at = 0;
    const clc_field *f = &d->fields[field];
    clc_bytes text = {0};
    assert_int_equal(f->kind, CLC_KIND_TOKENS);
    for (int32_t t = f->firsts[i]; t < f->firsts[i + 1]; t++) {
        const clc_extent *e = &f->extents[t];
        assert_int_equal(f->ids[e->offset], clc_tokenizer_start(d->tokenizer));
        assert_int_equal(f->ids[e->offset + (size_t)e->length - 1],
                         clc_tokenizer_end(d->tokenizer));
        CHECK(clc_tokenizer_decode(d->tokenizer, f->ids + e->offset, (size_t)e->length, &text));
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%.*s", at ? "|" : "", (int)text.n,
                               (const char *)text.data);
    }
    clc_bytes_free(&text);
    assert_string_equal(got, want);
}

static void expect_left_out(const clc_dataset *d, const char *name, const char *reason) {
    for (size_t i = 0; i < d->bad.count; i++)
        if (strstr(clc_names_at(&d->bad.entries, 2 * i), name) &&
            strstr(clc_names_at(&d->bad.entries, 2 * i + 1), reason))
            return;
    fail_msg("%s is not left out for '%s'", name, reason);
}

static void lines_become_tokens(void **state) {
    (void)state;
    put_text("lines.txt", "One two\n\n  three\none, four\n");
    const clc_config config = config_on("lines.txt");
    clc_dataset *d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    assert_int_equal(d->count, 3);
    assert_int_equal(d->field_count, 1);
    assert_false(clc_dataset_has_pictures(d));
    assert_int_equal(d->fields[0].vocabulary, 4 + 5);
    assert_int_equal(d->fields[0].longest, 5);
    expect_texts(d, 0, 0, "one two");
    expect_texts(d, 0, 2, "one , four");
    assert_non_null(strstr(clc_dataset_sample_name(d, 1), "lines.txt:3"));
    assert_int_equal(d->texts->empty, 1);
    assert_false(clc_dataset_has_test(&config, d));
    clc_dataset_free(&d);
}

static void tables_have_fields_and_classes(void **state) {
    (void)state;
    put_text("t.tsv", "sent0\tsent1\thard_neg\tlabel\na\tb\tc d\tx\ne\tf\tg\ty\nh\t\ti\ty\n");
    clc_config config = config_on("t.tsv");
    clc_dataset *d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    assert_int_equal(d->count, 2);
    assert_int_equal(d->field_count, 3);
    assert_string_equal(d->fields[2].name, "hard_neg");
    expect_texts(d, 0, 1, "e");
    expect_texts(d, 2, 0, "c d");
    assert_int_equal(d->classes, 2);
    assert_int_equal(d->labels[1], 1);
    expect_left_out(d, "t.tsv:4", "no text in sent1");
    clc_dataset_free(&d);
    snprintf(config.data.text_columns, sizeof config.data.text_columns, "sent2");
    CHECK_FAILS(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, &d), CLC_FORMAT,
                "there are: sent0, sent1, hard_neg, label");
    config.data.on_bad = CLC_CONFIG_BAD_STOP;
    config.data.text_columns[0] = '\0';
    CHECK_FAILS(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, &d), CLC_FORMAT, "t.tsv:4");
}

/* Tests know what training has learned, and nothing that it hasn't. */
static void tests_take_the_tokenizer_and_the_classes(void **state) {
    (void)state;
    put_text("s.csv", "text,label,split\na b,2,train\na c,1,test\nb b,3,train\n");
    const clc_config config = config_on("s.csv");
    clc_dataset *train = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    assert_true(clc_dataset_has_test(&config, train));
    clc_dataset *test = open_split(&config, CLC_SPLIT_TEST, train);
    assert_int_equal(train->count, 2);
    assert_int_equal(test->count, 1);
    assert_ptr_equal(test->tokenizer, train->tokenizer);
    expect_texts(test, 0, 0, "a <unk>");
    assert_string_equal(clc_names_at(&test->class_names, (size_t)test->labels[0]), "1");
    assert_string_equal(clc_names_at(&test->class_names, (size_t)train->labels[1]), "3");
    clc_dataset_free(&test);
    clc_dataset_free(&train);
}

static void the_test_share_goes_by_name(void **state) {
    (void)state;
    char text[4000] = "";
    for (int i = 0; i < 400; i++)
        sprintf(text + strlen(text), "line %d\n", i);
    put_text("many.txt", text);
    clc_config config = config_on("many.txt");
    config.data.test_fraction = 0.25;
    clc_dataset *train = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    clc_dataset *test = open_split(&config, CLC_SPLIT_TEST, train);
    assert_int_equal(train->count + test->count, 400);
    assert_in_range(test->count, 60, 140); /* 5 standard deviations */
    for (size_t i = 0, k = 0; i < test->count; i++) {
        while (k < train->count && train->text_samples[k] < test->text_samples[i])
            k++;
        assert_true(k == train->count || train->text_samples[k] != test->text_samples[i]);
    }
    clc_dataset_free(&test);
    clc_dataset_free(&train);
    config.data.limit = 7;
    train = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    assert_int_equal(train->count, 7);
    clc_dataset_free(&train);
}

static void set_paths(clc_config *config, const char *one, const char *other) {
    snprintf(config->data.train, sizeof config->data.train, "%s, %s", in_folder(one),
             in_folder(other));
}

static void several_files_are_one_set(void **state) {
    (void)state;
    put_text("a.csv", "label,text\nx,one two\ny,three\n");
    put_text("b.jsonl", "{\"text\": \"four\", \"label\": \"w\"}\n{\"text\": 5}\n");
    clc_config config = config_on("a.csv");
    set_paths(&config, "a.csv", "b.jsonl");
    clc_dataset *d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    assert_int_equal(d->count, 3);
    assert_int_equal(d->classes, 3);
    assert_string_equal(clc_names_at(&d->class_names, (size_t)d->labels[1]), "y");
    assert_string_equal(clc_names_at(&d->class_names, (size_t)d->labels[2]), "w");
    expect_texts(d, 0, 0, "one two");
    expect_texts(d, 0, 2, "four");
    assert_non_null(strstr(clc_dataset_sample_name(d, 2), "b.jsonl:1"));
    expect_left_out(d, "b.jsonl:2", "text is no text");
    clc_dataset_free(&d);
    put_text("b.csv", "sent0,sent1\na,b\n");
    set_paths(&config, "a.csv", "b.csv");
    CHECK_FAILS(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, &d), CLC_FORMAT,
                "b.csv has texts in 2 columns");
    put_text("b.csv", "text,split\na,train\n");
    CHECK_FAILS(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, &d), CLC_FORMAT,
                "the other has none");
}

/* ---- pairs ---- */

static void put_pictures(void) {
    put_picture("p/a/x.bmp", 10);
    put_picture("p/a/y.bmp", 20);
    put_picture("p/b/z.bmp", 30);
    put_picture("p/b/alone.bmp", 40);
}

static void expect_pairs(const clc_dataset *d) {
    const struct {
        const char *name, *texts;
        int grey;
    } want[] = {
        {"p/a/x.bmp", "one|two", 10}, {"p/a/y.bmp", "three", 20}, {"p/b/z.bmp", "four", 30}};
    assert_int_equal(d->count, 3);
    assert_int_equal(d->field_count, 2);
    assert_int_equal(d->fields[0].kind, CLC_KIND_IMAGES);
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(strstr(clc_dataset_sample_name(d, i), want[i].name));
        assert_int_equal(d->pixels[d->places[i].offset], want[i].grey);
        expect_texts(d, 1, i, want[i].texts);
    }
}

static void captions_beside_pictures(void **state) {
    (void)state;
    put_pictures();
    put_text("p/a/x.txt", "one\ntwo\n");
    put_text("p/a/y.json", "{\"caption\": \"three\"}");
    put_text("p/b/z.txt", "four\n\n");
    put_text("p/b/lonely.txt", "five");
    clc_config config = config_on("p");
    clc_dataset *d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    assert_int_equal(d->field_count, 1); /* nobody asked for captions */
    assert_int_equal(d->count, 4);
    clc_dataset_free(&d);
    config.data.as = CLC_CONFIG_AS_PAIRS;
    d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    expect_pairs(d);
    assert_int_equal(d->classes, 2);
    expect_left_out(d, "p/b/alone.bmp", "a picture without");
    expect_left_out(d, "p/b/lonely", "a text without a picture");
    clc_dataset_free(&d);
}

static void captions_in_tables_and_json(void **state) {
    (void)state;
    static const char *const files[][2] = {
        {"pairs.csv", "path,caption\np/a/x.bmp,one\np/a/y.bmp,three\np/b/no.bmp,six\n"
                      "p/a/x.bmp,two\np/b/z.bmp,four\np/b/alone.bmp, \n"},
        {"pairs.jsonl", "{\"path\": \"p/a/x.bmp\", \"caption\": [\"one\", \"two\"]}\n"
                        "{\"path\": \"p/a/y.bmp\", \"caption\": \"three\"}\n"
                        "{\"path\": \"p/b/no.bmp\", \"caption\": \"six\"}\n"
                        "{\"path\": \"p/b/alone.bmp\", \"caption\": \"\"}\n"
                        "{\"path\": \"p/b/z.bmp\", \"caption\": \"four\"}\n"},
        {"coco.json",
         "{\"images\": [{\"id\": 1, \"file_name\": \"p/a/x.bmp\"}, {\"id\": 2, \"file_name\": "
         "\"p/a/y.bmp\"}, {\"id\": 5, \"file_name\": \"p/b/no.bmp\"}, {\"id\": 3, \"file_name\": "
         "\"p/b/z.bmp\"}, {\"id\": 4, \"file_name\": \"p/b/alone.bmp\"}], \"annotations\": ["
         "{\"image_id\": 1, \"caption\": \"one\"}, {\"image_id\": 3, \"caption\": \"four\"}, "
         "{\"image_id\": 5, \"caption\": \"six\"}, "
         "{\"image_id\": 2, \"caption\": \"three\"}, {\"image_id\": 1, \"caption\": \"two\"}]}"}};
    put_pictures();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        put_text(files[i][0], files[i][1]);
        clc_config config = config_on(files[i][0]);
        config.data.as = CLC_CONFIG_AS_PAIRS;
        clc_dataset *d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
        expect_pairs(d);
        expect_left_out(d, "p/b/no.bmp", "No such file");
        expect_left_out(d, "p/b/alone.bmp", "no text in caption");
        clc_dataset_free(&d);
    }
}

static void several_tables_and_folders_of_pairs(void **state) {
    (void)state;
    put_pictures();
    put_text("p/a/t.csv", "path,caption\nx.bmp,one\ny.bmp,three\n");
    put_text("u.csv", "path,caption\np/b/z.bmp,four\np/a/x.bmp,two\n");
    clc_config config = config_on("u.csv");
    config.data.as = CLC_CONFIG_AS_PAIRS;
    set_paths(&config, "p/a/t.csv", "u.csv");
    clc_dataset *d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    expect_pairs(d);
    clc_dataset_free(&d);
    put_text("p/a/x.txt", "one\ntwo\n");
    put_text("p/a/y.txt", "three\n");
    put_text("p/b/z.txt", "four\n");
    set_paths(&config, "p/a", "p/b");
    d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    expect_pairs(d);
    clc_dataset_free(&d);
    set_paths(&config, "p/a", "u.csv");
    CHECK_FAILS(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, &d), CLC_INVALID,
                "1 hold the pictures");
}

static void pairs_are_texts_where_there_are_no_pictures(void **state) {
    (void)state;
    put_text("q.csv", "sent0,sent1\na,b\n");
    clc_config config = config_on("q.csv");
    config.data.as = CLC_CONFIG_AS_PAIRS;
    clc_dataset *d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    assert_int_equal(d->field_count, 2);
    assert_false(clc_dataset_has_pictures(d));
    clc_dataset_free(&d);
}

/* ---- what data are ---- */

static int found(const char *name) {
    const clc_config config = config_on(name);
    int as;
    clc_names paths = {0};
    bool share;
    CHECK(clc_dataset_find(&config.data, CLC_SPLIT_TRAIN, &as, &paths, &share));
    clc_names_free(&paths);
    return as;
}

static void kinds_are_found_out(void **state) {
    (void)state;
    put_pictures();
    put_text("l.csv", "path,caption\np/a/x.bmp,one\n");
    put_text("l.txt", "p/a/x.bmp\np/a/y.bmp\n");
    put_text("c.csv", "\xef\xbb\xbfnumber;caption\n1;one\n");
    put_text("c.jsonl", "{\"text\": \"a\"}\n");
    put_text("s.txt", "A sentence, with a comma.\n");
    put_text("v.csv", "id,time,x\n1,0,2.5\n");
    assert_int_equal(found("p"), CLC_CONFIG_AS_IMAGES);
    assert_int_equal(found("p/a/x.bmp"), CLC_CONFIG_AS_IMAGES);
    assert_int_equal(found("l.csv"), CLC_CONFIG_AS_IMAGES);
    assert_int_equal(found("l.txt"), CLC_CONFIG_AS_IMAGES);
    assert_int_equal(found("c.csv"), CLC_CONFIG_AS_TOKENS);
    assert_int_equal(found("c.jsonl"), CLC_CONFIG_AS_TOKENS);
    assert_int_equal(found("s.txt"), CLC_CONFIG_AS_TOKENS);
    assert_int_equal(found("v.csv"), CLC_CONFIG_AS_SERIES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_tokens),
        cmocka_unit_test(tables_have_fields_and_classes),
        cmocka_unit_test(tests_take_the_tokenizer_and_the_classes),
        cmocka_unit_test(the_test_share_goes_by_name),
        cmocka_unit_test(captions_beside_pictures),
        cmocka_unit_test(captions_in_tables_and_json),
        cmocka_unit_test(several_files_are_one_set),
        cmocka_unit_test(several_tables_and_folders_of_pairs),
        cmocka_unit_test(pairs_are_texts_where_there_are_no_pictures),
        cmocka_unit_test(kinds_are_found_out),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
