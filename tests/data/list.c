/* Lists of pictures: every table that spreadsheets and people write. */
#include "source_support.h"

#include "data/csv.h"

#include <sys/stat.h>
#include <unistd.h>

/* The fields of all records, a "|" behind each field and a "/" behind each record. */
static void expect_csv(const char *text, size_t n, char separator, const char *expected) {
    clc_csv csv = clc_csv_start(text, n, separator);
    clc_names fields = {0};
    char got[256] = "";
    bool more = true;
    for (;;) {
        CHECK(clc_csv_next(&csv, &fields, &more));
        if (!more)
            break;
        for (size_t i = 0; i < fields.count; i++)
            strcat(strcat(got, clc_names_at(&fields, i)), "|");
        strcat(got, "/");
    }
    assert_string_equal(got, expected);
    clc_names_free(&fields);
}

static void reads_csv(void **state) {
    (void)state;
#define CSV(text, separator, expected) expect_csv(text, sizeof(text) - 1, separator, expected)
    CSV("", ',', "");
    CSV("\n\r\n\n", ',', "");
    CSV("a,b\nc,d", ',', "a|b|/c|d|/");
    CSV("a,b\r\nc,d\r\n", ',', "a|b|/c|d|/");
    CSV("\xef\xbb\xbfpath,b\n", ',', "path|b|/");
    CSV(",\n,,\n", ',', "||/|||/");
    CSV("\"a,\"\"b\"\"\",c\n", ',', "a,\"b\"|c|/");
    CSV("\"two\nlines\r\n\";x\n", ';', "two\nlines\r\n|x|/");
    CSV("\"\",\"\"\"\"\n", ',', "|\"|/");
    CSV("\"a\"b\"c\",d", ',', "ab\"c\"|d|/");
    CSV("a\"b\",c", ',', "a\"b\"|c|/");
    CSV("a\tb;c,d\n", '\t', "a|b;c,d|/");
    CSV("\"raw\",line\r\n", 0, "\"raw\",line|/");
    CSV("lone\rreturn,x\n", ',', "lone\rreturn|x|/");
    CSV("end,\"q\"", ',', "end|q|/");
    CSV("end,", ',', "end||/");
    CSV("\xff\xfe,x", ',', "\xff\xfe|x|/");
}

static void refuses_broken_csv(void **state) {
    (void)state;
    clc_names fields = {0};
    bool more;
    clc_csv csv = clc_csv_start("a\n\"b\nc", 6, ',');
    CHECK(clc_csv_next(&csv, &fields, &more));
    CHECK_FAILS(clc_csv_next(&csv, &fields, &more), CLC_FORMAT, "line 2: a quotation");
    csv = clc_csv_start("a\n\"b\nx\"\n\n\0c", 12, ',');
    CHECK(clc_csv_next(&csv, &fields, &more));
    CHECK(clc_csv_next(&csv, &fields, &more));
    CHECK_FAILS(clc_csv_next(&csv, &fields, &more), CLC_FORMAT, "line 5: a byte of zero");
    clc_names_free(&fields);
}

static void put_pictures(void) {
    put_picture("l/a.bmp", 1);
    put_picture("l/sub/b b.bmp", 2);
    put_picture("l/c,d.bmp", 3);
    put_picture("l/new\nline.bmp", 4);
}

static void expect_list(const char *text, const char *const *items, const char *const *labels) {
    put_pictures();
    put_text("l/list", text);
    clc_config_data config = train_in("l/list");
    clc_source *source = open_train(&config);
    expect_items(source, "l", items);
    if (labels)
        expect_labels(source, labels);
    else
        assert_null(source->labels);
    assert_int_equal(source->bad.count, 0);
    clc_source_close(&source);
}

static void finds_separator_and_header(void **state) {
    (void)state;
    const char *const both[] = {"a.bmp", "sub/b b.bmp", NULL};
    expect_list("path,label\na.bmp,x\nsub/b b.bmp,y\n", both, NAMES("x", "y"));
    expect_list("label;path\nx;a.bmp\ny;sub/b b.bmp\n", both, NAMES("x", "y"));
    expect_list("\xef\xbb\xbf"
                "filename\tclass\r\na.bmp\tx\r\nsub/b b.bmp\ty\r\n",
                both, NAMES("x", "y"));
    expect_list("Image,Target,width\na.bmp,x,1\nsub/b b.bmp,y,2", both, NAMES("x", "y"));
    expect_list("\"file\",\"label\"\n\"c,d.bmp\",\"a, b\"\n\"new\nline.bmp\",\"\"\"\"\n",
                NAMES("c,d.bmp", "new\nline.bmp"), NAMES("a, b", "\""));
    expect_list("filepath\na.bmp\nsub/b b.bmp\n", both, NULL);
    /* No header: a path a line, whatever it holds, or a path and a class. */
    expect_list("a.bmp\nsub/b b.bmp\nc,d.bmp\n", NAMES("a.bmp", "sub/b b.bmp", "c,d.bmp"), NULL);
    expect_list("c,d.bmp\r\na.bmp\r\n", NAMES("c,d.bmp", "a.bmp"), NULL);
    expect_list("a.bmp,x\nsub/b b.bmp,y\n", both, NAMES("x", "y"));
    expect_list("a.bmp\tx\n", NAMES("a.bmp"), NAMES("x"));
    expect_list("a.bmp 3\n", NAMES("a.bmp"), NAMES("3"));
    put_picture("l/noending", 1);
    expect_list("noending\na.bmp\n", NAMES("noending", "a.bmp"), NULL);
}

static void classes_of_lists(void **state) {
    (void)state;
    const char *const both[] = {"a.bmp", "sub/b b.bmp", NULL};
    expect_list("path,label\na.bmp,\nsub/b b.bmp,y\n", both, NAMES("", "y"));
    expect_list("path,label\na.bmp,-1\nsub/b b.bmp, y \n", both, NAMES("", "y"));
    put_text("l/list", "path,label\na.bmp,10\nsub/b b.bmp,9\nc,d.bmp,7\n\"c,d.bmp\",-5\n");
    clc_config_data config = train_in("l/list");
    clc_source *source = open_train(&config);
    expect_classes(source, NAMES("-5", "9", "10"));
    expect_labels(source, NAMES("10", "9", "-5"));
    assert_int_equal(source->bad.count, 1);
    expect_bad(source, "list:4", "3 fields in place of 2");
    clc_source_close(&source);
}

static void columns_by_name(void **state) {
    (void)state;
    clc_source *source;
    put_pictures();
    put_text("l/list", "id,where,kind,path\n1,a.bmp,x,nowhere\n");
    clc_config_data config = train_in("l/list");
    snprintf(config.path_column, sizeof config.path_column, "where");
    snprintf(config.label_column, sizeof config.label_column, "KIND");
    source = open_train(&config);
    expect_items(source, "l", NAMES("a.bmp"));
    expect_labels(source, NAMES("x"));
    clc_source_close(&source);
    snprintf(config.label_column, sizeof config.label_column, "klass");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "list has no column klass; its first line has: id, where, kind, path; set "
                "data.label_column");
    snprintf(config.path_column, sizeof config.path_column, "there");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "no column there");
    config = train_in("l/list");
    put_text("l/list", "id;where\n1;a.bmp\n");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "no column path, file, filename, filepath or image; its first line has: id, where");
    assert_null(source);
}

static void splits_by_a_column(void **state) {
    (void)state;
    clc_source *source;
    put_pictures();
    put_text("l/list", "path,label,split\na.bmp,x,train\nsub/b b.bmp,y,Val\n\"c,d.bmp\",x,test\n"
                       "nowhere.bmp,z,extra\n");
    clc_config_data config = train_in("l/list");
    assert_true(clc_source_configured(&config, CLC_SPLIT_TEST));
    config.test_fraction = 0.5; /* the column decides */
    clc_source *train = open_train(&config);
    expect_items(train, "l", NAMES("a.bmp"));
    expect_classes(train, NAMES("x", "y", "z"));
    CHECK(clc_source_open(&config, CLC_SPLIT_TEST, &train->classes, &source));
    expect_items(source, "l", NAMES("sub/b b.bmp", "c,d.bmp"));
    expect_labels(source, NAMES("y", "x"));
    clc_source_close(&train);
    clc_source_close(&source);
    put_text("l/list", "path,fold\na.bmp,training\n");
    config = train_in("l/list");
    assert_false(clc_source_configured(&config, CLC_SPLIT_TEST));
    snprintf(config.split_column, sizeof config.split_column, "fold");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TEST, NULL, &source), CLC_FORMAT,
                "no row is for tests");
    source = open_train(&config);
    expect_items(source, "l", NAMES("a.bmp"));
    clc_source_close(&source);
}

static void bad_rows_are_told(void **state) {
    (void)state;
    clc_source *source;
    put_pictures();
    put_folder("l/folder.bmp");
    assert_int_equal(mkfifo(in_folder("l/fifo.bmp"), 0600), 0);
    put_text("l/list", "path,label\na.bmp,x\ngone.bmp,x\nfolder.bmp,x\nfifo.bmp,x\n,x\na.bmp\n");
    clc_config_data config = train_in("l/list");
    source = open_train(&config);
    expect_items(source, "l", NAMES("a.bmp"));
    assert_int_equal(source->bad.count, 5);
    expect_bad(source, "gone.bmp", "No such file");
    expect_bad(source, "folder.bmp", "a folder, not a file");
    expect_bad(source, "fifo.bmp", "not a regular file");
    expect_bad(source, "list:6", "no path");
    expect_bad(source, "list:7", "1 fields in place of 2");
    clc_source_close(&source);
    put_text("l/list", "path,label\n\"a.bmp,x\n");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "list: line 2: a quotation");
    put_text("l/list", "path,label\n");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "no pictures");
    config.format = CLC_CONFIG_FORMAT_LIST_FILE;
    put_text("l/list", "");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "list: the list is empty");
    put_text("l/list", "\xef\xbb\xbf\n\n\r\n");
    assert_false(clc_source_configured(&config, CLC_SPLIT_TEST));
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "list: the list is empty");
    config = train_in("l");
    config.format = CLC_CONFIG_FORMAT_LIST_FILE;
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_IO, "/l");
}

/* Absolute paths stay; relative ones go from the list, not from the current folder. */
static void paths_start_from_the_list(void **state) {
    (void)state;
    char text[1100], here[1024];
    put_pictures();
    put_picture("elsewhere/e.bmp", 9);
    snprintf(text, sizeof text, "%s\n../elsewhere/e.bmp\na.bmp\n", in_folder("elsewhere/e.bmp"));
    put_text("l/list", text);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(in_folder("l")), 0);
    clc_config_data config = train_on("list");
    clc_source *source = open_train(&config);
    assert_int_equal(source->count, 3);
    assert_string_equal(clc_names_at(&source->names, 0), in_folder("elsewhere/e.bmp"));
    assert_string_equal(clc_names_at(&source->names, 1), "../elsewhere/e.bmp");
    assert_string_equal(clc_names_at(&source->names, 2), "a.bmp");
    assert_int_equal(first_byte(source, 1), 9);
    clc_source_close(&source);
    assert_int_equal(chdir(here), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_csv),
        cmocka_unit_test(refuses_broken_csv),
        cmocka_unit_test(finds_separator_and_header),
        cmocka_unit_test(classes_of_lists),
        cmocka_unit_test(columns_by_name),
        cmocka_unit_test(splits_by_a_column),
        cmocka_unit_test(bad_rows_are_told),
        cmocka_unit_test(paths_start_from_the_list),
    };
    return cmocka_run_group_tests_name("list", tests, make_test_folder, remove_test_folder);
}
