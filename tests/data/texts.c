/* Texts of every form: which samples there are, what each says, and what is left out by name. */
#include "data/texts.h"

#include "source_support.h"
#include "tap.h"

#include <archive.h>
#include <archive_entry.h>

static clc_texts *open_texts(const char *name, const clc_texts_options *options) {
    clc_texts *texts;
    CHECK(clc_texts_open(in_folder(name), options, &texts));
    return texts;
}

static clc_texts *read_text(const char *name, const char *text, const clc_texts_options *options) {
    put_text(name, text);
    return open_texts(name, options);
}

/* Fails unless the field of the sample has these texts, with a bar between. */
static void expect(const clc_texts *texts, size_t sample, size_t field, const char *want) {
    char got[1024] = "";
    size_t n, at = 0;
    const clc_text_span *spans = clc_texts_of(texts, sample, field, &n);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%.*s", i ? "|" : "",
                               (int)spans[i].length, texts->blob + spans[i].offset);
    assert_string_equal(got, want);
}

static void expect_name(const clc_texts *texts, size_t sample, const char *end) {
    const char *name = clc_names_at(&texts->names, sample);
    const size_t n = strlen(name), m = strlen(end);
    if (n < m || strcmp(name + n - m, end))
        fail_msg("sample %zu is %s, not %s", sample, name, end);
}

static void expect_left_out(const clc_texts *texts, size_t i, const char *end, const char *reason) {
    assert_true(i < texts->bad.count);
    const char *name = clc_names_at(&texts->bad.entries, 2 * i);
    const char *why = clc_names_at(&texts->bad.entries, 2 * i + 1);
    if (!strstr(name, end) || !strstr(why, reason))
        fail_msg("bad is %s: %s, not %s: %s", name, why, end, reason);
}

static const clc_texts_options plain = {.split = CLC_SPLIT_ALL};

static void a_sentence_a_line(void **state) {
    (void)state;
    clc_texts *t =
        read_text("lines.txt", "\xef\xbb\xbfOne, \"two\r\n\n  three \t\r\n   \nשלום; four", &plain);
    assert_int_equal(t->count, 3);
    assert_int_equal(t->empty, 2);
    assert_string_equal(clc_names_at(&t->fields, 0), "text");
    expect(t, 0, 0, "One, \"two");
    expect(t, 1, 0, "three");
    expect(t, 2, 0, "שלום; four");
    expect_name(t, 1, "lines.txt:3");
    assert_null(t->labels);
    clc_texts_close(&t);
}

static void pairs_of_sentences(void **state) {
    (void)state;
    static const char *const files[] = {
        "\xef\xbb\xbfsent0,sent1,hard_neg\r\n\"a, \"\"b\"\"\nc\",d,e\r\nf,,g\r\nh,i\r\nj,k,l\r\n",
        "sent0;sent1;hard_neg\n\"a, \"\"b\"\"\nc\";d;e\nf;;g\nh;i\nj;k;l\n",
        "x\tsent1\tsent0\thard_neg\n0\td\t\"a, \"\"b\"\"\nc\"\te\n0\t\tf\tg\n0\ti\n0\tk\tj\tl\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        clc_texts *t = read_text("pairs.csv", files[i], &plain);
        assert_int_equal(t->count, 2);
        assert_int_equal(t->fields.count, 3);
        expect(t, 0, 0, "a, \"b\"\nc");
        expect(t, 0, 1, "d");
        expect(t, 0, 2, "e");
        expect(t, 1, 0, "j");
        expect(t, 1, 2, "l");
        assert_int_equal(t->empty, 1);
        assert_int_equal(t->bad.count, 2);
        expect_left_out(t, 0, "pairs.csv:5", "fields in place of");
        expect_left_out(t, 1, "pairs.csv:4", "no text in sent1");
        clc_texts_close(&t);
    }
}

static void named_columns_splits_and_classes(void **state) {
    (void)state;
    static const char table[] = "title,split,kind,body\na,train,10,A\nb,test,9,B\nc,train,9,C\n"
                                "d,Training,,D\ne,other,10,E\n";
    const clc_texts_options o = {
        .columns = " body , title", .label_column = "kind", .split = CLC_SPLIT_TRAIN};
    clc_texts *t = read_text("table.csv", table, &o);
    assert_int_equal(t->count, 3);
    expect(t, 0, 0, "A");
    expect(t, 0, 1, "a");
    assert_int_equal(t->classes.count, 2);
    assert_string_equal(clc_names_at(&t->classes, 0), "9"); /* as numbers */
    assert_int_equal(t->labels[0], 1);
    assert_int_equal(t->labels[1], 0);
    assert_int_equal(t->labels[2], -1);
    clc_texts_close(&t);
}

static void wrong_columns_say_which_there_are(void **state) {
    (void)state;
    clc_texts *t;
    clc_texts_options o = {.columns = "sent0, answer", .split = CLC_SPLIT_ALL};
    put_text("w.csv", "sent0,sent1\na,b\n");
    put_text("w.jsonl", "{\"sent0\": \"a\", \"sent1\": \"b\"}\n");
    for (int json = 0; json < 2; json++) {
        const char *path = in_folder(json ? "w.jsonl" : "w.csv");
        o.columns = "sent0, answer";
        CHECK_FAILS(clc_texts_open(path, &o, &t), CLC_FORMAT,
                    "no column answer; there are: sent0, sent1");
        o.columns = "";
        o.pictures = true;
        CHECK_FAILS(clc_texts_open(path, &o, &t), CLC_FORMAT, "no column of pictures (path");
        o.path_column = "where";
        CHECK_FAILS(clc_texts_open(path, &o, &t), CLC_FORMAT, "no column where");
        o.pictures = false;
        o.label_column = "kind";
        CHECK_FAILS(clc_texts_open(path, &o, &t), CLC_FORMAT, "no column kind");
        o.label_column = o.path_column = NULL;
    }
    CHECK_FAILS(clc_texts_open(in_folder("none.csv"), &o, &t), CLC_IO, "none.csv");
    o.columns = "a,b,c,d,e,f,g,h,i";
    CHECK_FAILS(clc_texts_open(in_folder("w.csv"), &o, &t), CLC_INVALID, "9 columns");
    put_text("empty.txt", " \n\n");
    CHECK_FAILS(clc_texts_open(in_folder("empty.txt"), &plain, &t), CLC_FORMAT, "no sample");
    put_file(in_folder("zero.txt"), "a\nb\0c\n", 6);
    CHECK_FAILS(clc_texts_open(in_folder("zero.txt"), &plain, &t), CLC_FORMAT, "byte of zero");
}

static void several_captions_a_picture(void **state) {
    (void)state;
    const clc_texts_options o = {.pictures = true, .split = CLC_SPLIT_ALL};
    clc_texts *t = read_text("pictures.tsv",
                             "image\tcaption\na.jpg\tone\nsub/b.jpg\ttwo\n/c.jpg\t \na.jpg\tthree\n"
                             "\tfour\n",
                             &o);
    assert_int_equal(t->count, 2);
    expect(t, 0, 0, "one|three");
    expect(t, 1, 0, "two");
    assert_string_equal(clc_names_at(&t->names, 1), in_folder("sub/b.jpg"));
    assert_int_equal(t->empty, 1);
    expect_left_out(t, 0, "pictures.tsv:6", "no path");
    expect_left_out(t, 1, "/c.jpg", "no text in caption");
    clc_texts_close(&t);
}

static void an_object_a_line(void **state) {
    (void)state;
    const clc_texts_options o = {.columns = "a,b", .label_column = "k", .split = CLC_SPLIT_ALL};
    clc_texts *t = read_text("rows.jsonl",
                             "{\"b\": \"x\\ny\", \"a\": \"\\u00e9\", \"k\": 3}\r\n\n{broken\n"
                             "{\"a\": 1, \"b\": \"x\"}\n[1]\n{\"a\": [\"p\", \"q\"], \"b\": \"r\"}",
                             &o);
    assert_int_equal(t->count, 2);
    expect(t, 0, 0, "\u00e9");
    expect(t, 0, 1, "x\ny");
    expect(t, 1, 0, "p|q");
    expect_name(t, 1, "rows.jsonl:6");
    assert_int_equal(t->labels[0], 0);
    assert_int_equal(t->labels[1], -1);
    assert_int_equal(t->bad.count, 3);
    expect_left_out(t, 0, ":3", "");
    expect_left_out(t, 1, ":4", "a is no text");
    expect_left_out(t, 2, ":5", "no JSON object");
    clc_texts_close(&t);
}

static void arrays_and_wrong_json(void **state) {
    (void)state;
    clc_texts *t =
        read_text("array.json", "[{\"text\": \"a\"},\n {\"text\": \"b\"}, {}]\n", &plain);
    assert_int_equal(t->count, 2);
    expect(t, 1, 0, "b");
    expect_left_out(t, 0, "array.json:3", "text is not there");
    clc_texts_close(&t);
    put_text("wrong.json", "{\n\"text\": \"a\"\n}\n");
    CHECK_FAILS(clc_texts_open(in_folder("wrong.json"), &plain, &t), CLC_FORMAT, "without images");
    put_text("wrong.json", "{\n\"text\": \n");
    CHECK_FAILS(clc_texts_open(in_folder("wrong.json"), &plain, &t), CLC_FORMAT, "no JSON");
}

static void captions_of_coco(void **state) {
    (void)state;
    const clc_texts_options o = {.pictures = true, .folder = "pictures", .split = CLC_SPLIT_ALL};
    for (int lines = 0; lines < 2; lines++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "{\"info\": {},%s\"images\": [{\"id\": 7, \"file_name\": \"b.jpg\"}, {\"id\": 5, "
                 "\"file_name\": \"a.jpg\"}, {\"id\": 6, \"file_name\": \"c.jpg\"}, {}],%s"
                 "\"annotations\": [{\"image_id\": 5, \"caption\": \"A \"}, {\"image_id\": 7, "
                 "\"caption\": \"B\"}, {\"image_id\": 5, \"caption\": \"C\"}, {\"image_id\": 9, "
                 "\"caption\": \"D\"}, {\"image_id\": 7}]}",
                 lines ? "\n" : "", lines ? "\n" : "");
        clc_texts *t = read_text("captions.json", text, &o);
        assert_int_equal(t->count, 2);
        assert_string_equal(clc_names_at(&t->names, 0), "pictures/b.jpg");
        expect(t, 0, 0, "B");
        expect(t, 1, 0, "A|C");
        assert_int_equal(t->bad.count, 4);
        expect_left_out(t, 0, "captions.json", "picture 3");
        expect_left_out(t, 1, "captions.json", "of picture 9");
        expect_left_out(t, 2, "captions.json", "annotation 4");
        expect_left_out(t, 3, "c.jpg", "no text in caption");
        clc_texts_close(&t);
    }
}

static const struct member {
    const char *name, *text;
} members[] = {
    {"a/x.jpg", "?"},  {"a/x.txt", "one\n\ntwo\n"},
    {"a/y.PNG", "?"},  {"a/y.json", "{\"caption\": \"three\", \"label\": 4, \"more\": [\"m\"]}"},
    {"b/x.webp", "?"}, {"b/z.txt", "lonely"},
    {"c.jpg", "?"},    {"c.json", "{\"title\": \"t\"}"},
    {"d.jpg", "?"},    {"d.json", "[]"}};

static void put_members(void) {
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    archive_write_set_format_ustar(archive);
    assert_int_equal(archive_write_open_filename(archive, in_folder("m.tar")), ARCHIVE_OK);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        char name[64];
        const size_t n = strlen(members[i].text);
        snprintf(name, sizeof name, "m/%s", members[i].name);
        put_text(name, members[i].text);
        archive_entry_clear(entry);
        archive_entry_set_pathname(entry, members[i].name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_size(entry, (la_int64_t)n);
        archive_write_header(archive, entry);
        archive_write_data(archive, members[i].text, n);
    }
    archive_entry_free(entry);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

static void texts_beside_pictures(void **state) {
    (void)state;
    clc_texts_options o = {.pictures = true, .split = CLC_SPLIT_ALL};
    put_members();
    for (int tar = 0; tar < 2; tar++) {
        const char *name = tar ? "m.tar" : "m";
        o.columns = NULL;
        clc_texts *t = open_texts(name, &o);
        assert_int_equal(t->count, 2);
        expect_name(t, 0, tar ? "m.tar/a/x.jpg" : "m/a/x.jpg");
        expect(t, 0, 0, "one|two");
        expect(t, 1, 0, "three");
        assert_int_equal(t->empty, 1);
        assert_int_equal(t->labels[0], -1);
        assert_int_equal(t->labels[1], 0);
        assert_string_equal(clc_names_at(&t->classes, 0), "4");
        assert_int_equal(t->bad.count, 4);
        expect_left_out(t, 0, "b/x.webp", "a picture without");
        expect_left_out(t, 1, "c.jpg", "no text caption; there are: title");
        expect_left_out(t, 2, "d.jpg", "no JSON object");
        expect_left_out(t, 3, "b/z", "without a picture");
        clc_texts_close(&t);
        o.columns = "more, caption";
        t = open_texts(name, &o);
        assert_int_equal(t->count, 1);
        expect(t, 0, 0, "m");
        expect(t, 0, 1, "three");
        clc_texts_close(&t);
        CHECK_FAILS(clc_texts_open(in_folder(name), &plain, &t), CLC_FORMAT, "beside pictures");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_a_line),
        cmocka_unit_test(pairs_of_sentences),
        cmocka_unit_test(named_columns_splits_and_classes),
        cmocka_unit_test(wrong_columns_say_which_there_are),
        cmocka_unit_test(several_captions_a_picture),
        cmocka_unit_test(an_object_a_line),
        cmocka_unit_test(arrays_and_wrong_json),
        cmocka_unit_test(captions_of_coco),
        cmocka_unit_test(texts_beside_pictures),
    };
    tap_begin();
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
