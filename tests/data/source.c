/* Sources as a whole: what a configuration names, several paths, splits, paths given by hand. */
#include "source_support.h"

#include "data/source_paths.h"

#include <sys/stat.h>
#include <unistd.h>

static void expect_paths(const char *value, const char *const *expected) {
    clc_names paths = {0};
    size_t n = 0;
    CHECK(clc_source_paths(value, &paths));
    for (; expected[n]; n++) {
        assert_true(n < paths.count);
        assert_string_equal(clc_names_at(&paths, n), expected[n]);
    }
    assert_int_equal(paths.count, n);
    clc_names_free(&paths);
}

static void paths_between_commas(void **state) {
    (void)state;
    char here[1024];
    clc_names paths = {0};
    assert_non_null(getcwd(here, sizeof here));
    put_text("glob/b.tar", "");
    put_text("glob/a.tar", "");
    put_text("glob/a, b", "");
    put_text("glob/[x]", "");
    assert_int_equal(chdir(in_folder("glob")), 0);
    expect_paths("", NAMES(NULL));
    expect_paths(" , ,", NAMES(NULL));
    expect_paths("one", NAMES("one"));
    expect_paths(" one , two words,three ", NAMES("one", "two words", "three"));
    expect_paths("a\\,b,c\\\\d,\\ e\\ ", NAMES("a,b", "c\\d", " e "));
    expect_paths("a, b", NAMES("a, b"));
    expect_paths("./a, b", NAMES("./a, b"));
    expect_paths("x,*.tar", NAMES("x", "a.tar", "b.tar"));
    expect_paths("[x],y", NAMES("[x]", "y"));
    expect_paths("\\*.tar", NAMES("*.tar"));
    CHECK_FAILS(clc_source_paths("*.zip, b", &paths), CLC_IO, "nothing matches *.zip");
    clc_names_free(&paths);
    assert_int_equal(chdir(here), 0);
}

/* Joined in the order given, classes over all of them; a part without any has none. */
static void several_paths_are_one_source(void **state) {
    (void)state;
    char value[512];
    put_picture("j1/b/1.bmp", 1);
    put_picture("j2/a/2.bmp", 2);
    put_picture("j3/3.bmp", 3);
    int n = snprintf(value, sizeof value, "%s, ", in_folder("j1"));
    n += snprintf(value + n, sizeof value - (size_t)n, "%s/,", in_folder("j2"));
    snprintf(value + n, sizeof value - (size_t)n, "%s", in_folder("j3"));
    clc_config_data config = train_on(value);
    clc_source *source = open_train(&config);
    expect_items(source, "", NAMES("j1/b/1.bmp", "j2/a/2.bmp", "j3/3.bmp"));
    expect_classes(source, NAMES("a", "b"));
    expect_labels(source, NAMES("b", "a", ""));
    assert_string_equal(source->name, "j1 and 2 more");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(first_byte(source, i), i + 1);
    clc_source_close(&source);
}

static void former_names_go_on_working(void **state) {
    (void)state;
    clc_source *source;
    put_picture("former/1.bmp", 1);
    put_picture("former_test/2.bmp", 1);
    clc_config_data config = train_on("");
    assert_false(clc_source_configured(&config, CLC_SPLIT_TRAIN));
    snprintf(config.train_images, sizeof config.train_images, "%s", in_folder("former"));
    assert_true(clc_source_configured(&config, CLC_SPLIT_TRAIN));
    assert_false(clc_source_configured(&config, CLC_SPLIT_TEST));
    snprintf(config.test_images, sizeof config.test_images, "%s", in_folder("former_test"));
    assert_true(clc_source_configured(&config, CLC_SPLIT_TEST));
    source = open_train(&config);
    expect_items(source, "former", NAMES("1.bmp"));
    clc_source_close(&source);
    CHECK(clc_source_open(&config, CLC_SPLIT_TEST, NULL, &source));
    expect_items(source, "former_test", NAMES("2.bmp"));
    clc_source_close(&source);
}

/* The numbers in the names of the items, as bits. */
static uint64_t numbers(const clc_config_data *config, clc_split split, size_t *count) {
    clc_source *source;
    uint64_t bits = 0;
    CHECK(clc_source_open(config, split, NULL, &source));
    for (size_t i = 0; i < source->count; i++) {
        const char *slash = strrchr(clc_names_at(&source->names, i), '/');
        bits |= (uint64_t)1 << atoi(slash + 1);
    }
    *count = source->count;
    clc_source_close(&source);
    return bits;
}

/* Which picture is for tests depends on its name alone: not on the others, nor on the root. */
static void test_share_by_name(void **state) {
    (void)state;
    enum { FILES = 60 };
    char name[64];
    size_t n, m;
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "share/c%d/%d.bmp", i % 2, i);
        put_picture(name, 1);
    }
    clc_config_data config = train_in("share");
    config.test_fraction = 0.3;
    assert_true(clc_source_configured(&config, CLC_SPLIT_TEST));
    uint64_t train = numbers(&config, CLC_SPLIT_TRAIN, &n);
    uint64_t test = numbers(&config, CLC_SPLIT_TEST, &m);
    assert_int_equal(n + m, FILES);
    assert_true((train & test) == 0 && (train | test) == ((uint64_t)1 << FILES) - 1);
    /* Binomial with mean 18 and deviation 3.5: within three of these. */
    assert_in_range(m, 8, 28);
    assert_int_equal(rename(in_folder("share"), in_folder("moved")), 0);
    put_picture("moved/c0/60.bmp", 1);
    put_picture("moved/a/61.bmp", 1);
    config = train_in("moved");
    config.test_fraction = 0.3;
    uint64_t mask = ((uint64_t)1 << FILES) - 1;
    assert_true((numbers(&config, CLC_SPLIT_TRAIN, &n) & mask) == train);
    assert_true((numbers(&config, CLC_SPLIT_TEST, &m) & mask) == test);
    assert_int_equal(n + m, FILES + 2);
    /* A larger share holds the smaller one. */
    config.test_fraction = 0.5;
    assert_true((numbers(&config, CLC_SPLIT_TEST, &m) & test) == test);
    /* Test pictures that are named are all of them. */
    snprintf(config.test, sizeof config.test, "%s", config.train);
    numbers(&config, CLC_SPLIT_TEST, &m);
    assert_int_equal(m, FILES + 2);
}

/* Both splits number the classes alike, even those that one of them lacks. */
static void shares_have_the_same_classes(void **state) {
    (void)state;
    clc_source *test;
    char name[64];
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "alike/%d/x.bmp", i);
        put_picture(name, 1);
    }
    clc_config_data config = train_in("alike");
    config.test_fraction = 0.5;
    clc_source *train = open_train(&config);
    CHECK(clc_source_open(&config, CLC_SPLIT_TEST, &train->classes, &test));
    assert_int_equal(train->classes.count, 8);
    assert_int_equal(test->classes.count, 8);
    for (size_t i = 0; i < test->count; i++) {
        const char *label = clc_names_at(&test->classes, (size_t)test->labels[i]);
        assert_int_equal(label[0], *(strstr(clc_names_at(&test->names, i), "alike/") + 6));
    }
    clc_source_close(&train);
    clc_source_close(&test);
}

static void limit_keeps_the_classes(void **state) {
    (void)state;
    put_picture("limit/a/1.bmp", 1);
    put_picture("limit/b/2.bmp", 1);
    clc_config_data config = train_in("limit");
    config.limit = 1;
    clc_source *source = open_train(&config);
    expect_items(source, "limit", NAMES("a/1.bmp"));
    expect_classes(source, NAMES("a", "b"));
    clc_source_close(&source);
}

static void no_test_pictures(void **state) {
    (void)state;
    clc_source *source;
    put_picture("only/1.bmp", 1);
    clc_config_data config = train_in("only");
    assert_false(clc_source_configured(&config, CLC_SPLIT_TEST));
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TEST, NULL, &source), CLC_INVALID,
                "set data.test or data.test_fraction");
    config = train_on("");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_INVALID,
                "data.train names no pictures");
    config = train_in("only");
    snprintf(config.train_labels, sizeof config.train_labels, "labels");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_INVALID,
                "are for IDX and .npy files");
    snprintf(config.train_labels, sizeof config.train_labels, "a,b");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_INVALID,
                "names 1 files, but data.train_labels 2");
}

/* Pictures, folders and lists given by hand stay in their order; what is missing is told. */
static void by_hand_in_the_order_given(void **state) {
    (void)state;
    clc_source *source;
    put_picture("hand/z.bmp", 5);
    put_picture("hand/a.bmp", 6);
    put_picture("hand/folder/m.bmp", 7);
    put_picture("hand/noending", 8);
    put_text("hand/list.txt", "a.bmp\nz.bmp\n");
    put_text("hand/broken.npy", "\x93NUMPY and no more");
    char paths[7][1024];
    const char *given[7];
    const char *const names[] = {"z.bmp",    "gone.bmp",   "noending", "folder",
                                 "list.txt", "broken.npy", "a.bmp"};
    for (size_t i = 0; i < 7; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", in_folder("hand"), names[i]);
        given[i] = paths[i];
    }
    clc_config_data config = train_on("");
    config.format = CLC_CONFIG_FORMAT_IDX; /* the training set's affair */
    CHECK(clc_source_open_paths(&config, given, 7, &source));
    expect_items(source, "hand",
                 NAMES("z.bmp", "noending", "folder/m.bmp", "a.bmp", "z.bmp", "a.bmp"));
    const int expected[] = {5, 8, 7, 6, 5, 6};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(first_byte(source, i), expected[i]);
    assert_int_equal(source->bad.count, 2);
    expect_bad(source, "gone.bmp", "No such file");
    expect_bad(source, "broken.npy", "version 32 of .npy");
    clc_source_close(&source);
    CHECK_FAILS(clc_source_open_paths(&config, given + 1, 1, &source), CLC_IO,
                "gone.bmp: No such file");
    CHECK_FAILS(clc_source_open_paths(&config, given, 0, &source), CLC_INVALID,
                "no pictures are named");
    assert_null(source);
}

/* Never opened: that would wait. */
static void pipes_are_refused(void **state) {
    (void)state;
    clc_source *source;
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    clc_config_data config = train_in("pipe");
    assert_false(clc_source_configured(&config, CLC_SPLIT_TEST));
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_IO,
                "pipe: neither a file nor a folder");
    config.format = CLC_CONFIG_FORMAT_LIST_FILE;
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_IO,
                "neither a file nor a folder");
    const char *given = in_folder("pipe");
    CHECK_FAILS(clc_source_open_paths(&config, &given, 1, &source), CLC_IO,
                "pipe: neither a file nor a folder");
    assert_null(source);
}

static void a_list_on_standard_input(void **state) {
    (void)state;
    clc_source *source;
    const char *given = "-";
    char text[1100];
    int ends[2], before = dup(STDIN_FILENO);
    put_picture("stdin.bmp", 9);
    size_t n = (size_t)snprintf(text, sizeof text, "%s\n", in_folder("stdin.bmp"));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, n), n);
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    clc_config_data config = train_on("");
    CHECK(clc_source_open_paths(&config, &given, 1, &source));
    assert_int_equal(source->count, 1);
    assert_int_equal(first_byte(source, 0), 9);
    clc_source_close(&source);
    close(ends[0]);
    dup2(before, STDIN_FILENO);
    close(before);
}

static void stamps_follow_contents(void **state) {
    (void)state;
    put_picture("stamps/1.bmp", 1);
    put_picture("stamps/2.bmp", 1);
    clc_config_data config = train_in("stamps");
    clc_source *before = open_train(&config), *after;
    put_text("stamps/2.bmp", "more");
    after = open_train(&config);
    assert_true(before->stamps[0] == after->stamps[0]);
    assert_true(before->stamps[1] != after->stamps[1]);
    clc_source_close(&before);
    clc_source_close(&after);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_between_commas),
        cmocka_unit_test(several_paths_are_one_source),
        cmocka_unit_test(former_names_go_on_working),
        cmocka_unit_test(test_share_by_name),
        cmocka_unit_test(shares_have_the_same_classes),
        cmocka_unit_test(limit_keeps_the_classes),
        cmocka_unit_test(no_test_pictures),
        cmocka_unit_test(by_hand_in_the_order_given),
        cmocka_unit_test(pipes_are_refused),
        cmocka_unit_test(a_list_on_standard_input),
        cmocka_unit_test(stamps_follow_contents),
    };
    return cmocka_run_group_tests_name("source", tests, make_test_folder, remove_test_folder);
}
