/* Folders of pictures as people have them. */
#include "source_support.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Names are bytes, endings have any case, and the order is that of whole paths: "b.bmp" comes
 * before "b/x.bmp", since '.' comes before '/'. */
static void any_names_in_byte_order(void **state) {
    (void)state;
    const char *const names[] = {
        "- dash.BMP", "\"q,uote\".bmp", "b.bmp",        "b/new\nline.Bmp", "b/x.bmp",
        "b0.bmp",     "e\xcc\x81.bmp",  "\xc3\xa9.bmp", "\xff\xfe.bmp",    NULL};
    const char *const sorted[] = {
        "\"q,uote\".bmp", "- dash.BMP",    "b.bmp",        "b/new\nline.Bmp", "b/x.bmp",
        "b0.bmp",         "e\xcc\x81.bmp", "\xc3\xa9.bmp", "\xff\xfe.bmp",    NULL};
    char name[128];
    for (size_t i = 0; names[i]; i++) {
        snprintf(name, sizeof name, "names/%s", names[i]);
        put_picture(name, (uint8_t)(10 + i));
    }
    clc_config_data config = train_in("names");
    clc_source *source = open_train(&config);
    expect_items(source, "names", sorted);
    assert_string_equal(source->name, "names");
    for (size_t i = 0; names[i]; i++)
        assert_int_equal(first_byte(source, item_of(source, names[i])), 10 + i);
    assert_false(source->bare);
    clc_source_close(&source);
    assert_null(source);
    clc_source_close(&source);
}

static void classes_of_folders(void **state) {
    (void)state;
    put_picture("classes/b/1.bmp", 1);
    put_picture("classes/a/deep/er/2.bmp", 2);
    put_picture("classes/a/3.bmp", 3);
    put_picture("classes/root.bmp", 4);
    put_folder("classes/empty");
    put_text("classes/empty/notes.txt", "no picture");
    clc_config_data config = train_in("classes");
    clc_source *source = open_train(&config);
    expect_items(source, "classes", NAMES("a/3.bmp", "a/deep/er/2.bmp", "b/1.bmp", "root.bmp"));
    expect_classes(source, NAMES("a", "b", "empty"));
    expect_labels(source, NAMES("a", "a", "b", ""));
    clc_source_close(&source);

    config.labels = CLC_CONFIG_LABELS_PATH;
    source = open_train(&config);
    expect_classes(source, NAMES("a", "a/deep/er", "b", "empty"));
    expect_labels(source, NAMES("a", "a/deep/er", "b", ""));
    clc_source_close(&source);

    config.labels = CLC_CONFIG_LABELS_NONE;
    source = open_train(&config);
    assert_null(source->labels);
    assert_int_equal(source->classes.count, 0);
    clc_source_close(&source);
}

static void no_labels_needed(void **state) {
    (void)state;
    put_picture("flat/1.bmp", 1);
    put_folder("flat/empty");
    clc_config_data config = train_in("flat");
    clc_source *source = open_train(&config);
    assert_null(source->labels);
    assert_int_equal(source->classes.count, 0);
    clc_source_close(&source);
}

/* Numbers are in the order of numbers, also where they have other lengths. */
static void classes_that_are_numbers(void **state) {
    (void)state;
    put_picture("numbers/10/a.bmp", 1);
    put_picture("numbers/9/a.bmp", 1);
    put_picture("numbers/-2/a.bmp", 1);
    clc_config_data config = train_in("numbers");
    clc_source *source = open_train(&config);
    expect_classes(source, NAMES("-2", "9", "10"));
    clc_source_close(&source);
    put_picture("numbers/9a/a.bmp", 1);
    source = open_train(&config);
    expect_classes(source, NAMES("-2", "10", "9", "9a"));
    clc_source_close(&source);
}

/* The test's classes have the training's numbers, new ones follow. */
static void known_classes_keep_their_numbers(void **state) {
    (void)state;
    put_picture("t1/b/1.bmp", 1);
    put_picture("t1/d/1.bmp", 1);
    put_picture("t2/a/1.bmp", 1);
    put_picture("t2/d/1.bmp", 1);
    clc_config_data config = train_in("t1");
    clc_source *train = open_train(&config), *test;
    snprintf(config.test, sizeof config.test, "%s", in_folder("t2"));
    CHECK(clc_source_open(&config, CLC_SPLIT_TEST, &train->classes, &test));
    expect_classes(test, NAMES("b", "d", "a"));
    expect_labels(test, NAMES("a", "d"));
    clc_source_close(&test);
    clc_source_close(&train);
}

static void put_socket(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char here[1024];
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(in_folder("odd")), 0); /* the path must be short */
    snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
    assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(chdir(here), 0);
    close(s);
}

static void passes_over_what_is_no_picture(void **state) {
    (void)state;
    put_picture("odd/good.bmp", 1);
    put_picture("odd/._good.bmp", 1);
    put_picture("odd/.hidden/x.bmp", 1);
    put_text("odd/.DS_Store", "x");
    put_text("odd/Thumbs.db", "x");
    put_text("odd/Desktop.ini", "x");
    put_text("odd/list.csv", "x");
    put_text("odd/noending", "x");
    assert_int_equal(mkfifo(in_folder("odd/fifo.bmp"), 0600), 0);
    put_socket("socket.bmp");
    put_link("odd/device.bmp", "/dev/zero");
    clc_config_data config = train_in("odd");
    clc_source *source = open_train(&config);
    expect_items(source, "odd", NAMES("good.bmp"));
    assert_int_equal(source->passed_over, 10);
    assert_int_equal(source->bad.count, 0);
    clc_source_close(&source);
}

/* A run's own contact sheets are no training pictures. */
static void passes_over_runs(void **state) {
    (void)state;
    put_picture("work/pictures/1.bmp", 1);
    put_text("work/run/config.ini", "");
    put_text("work/run/metrics.csv", "");
    put_picture("work/run/views.bmp", 1);
    put_text("work/run2/config.ini", "");
    put_text("work/run2/checkpoint-000100.safetensors", "");
    put_picture("work/run2/deep/views.bmp", 1);
    put_text("work/run3/config.ini", "");
    put_text("work/run3/encoder.safetensors", "");
    put_picture("work/run3/views.bmp", 1);
    put_text("work/settings/config.ini", "");
    put_picture("work/settings/2.bmp", 1);
    clc_config_data config = train_in("work");
    clc_source *source = open_train(&config);
    expect_items(source, "work", NAMES("pictures/1.bmp", "settings/2.bmp"));
    expect_classes(source, NAMES("pictures", "settings"));
    assert_true(source->passed_over >= 3);
    clc_source_close(&source);
    /* A folder that is named itself is what is wanted. */
    config = train_in("work/run");
    source = open_train(&config);
    expect_items(source, "work/run", NAMES("views.bmp"));
    clc_source_close(&source);
}

static void follows_links_and_ends(void **state) {
    (void)state;
    put_picture("links/real/1.bmp", 7);
    put_picture("aside/2.bmp", 8);
    put_link("links/file.bmp", "real/1.bmp");
    put_link("links/folder", "../aside");
    put_link("links/real/loop", "..");
    put_link("links/self", "self");
    put_link("links/twice", "real");
    put_link("links/gone.bmp", "nowhere.bmp");
    clc_config_data config = train_in("links");
    clc_source *source = open_train(&config);
    expect_items(source, "links", NAMES("file.bmp", "folder/2.bmp", "real/1.bmp"));
    assert_int_equal(first_byte(source, 0), 7);
    assert_int_equal(first_byte(source, 1), 8);
    assert_int_equal(source->bad.count, 1);
    expect_bad(source, "gone.bmp", "a link to a file that does not exist");
    clc_source_close(&source);
}

static void names_what_is_bad(void **state) {
    (void)state;
    put_picture("bad/good.bmp", 1);
    put_text("bad/phone.HEIC", "x");
    put_text("bad/drawing.svg", "x");
    put_picture("bad/secret.bmp", 1);
    put_picture("bad/closed/1.bmp", 1);
    assert_int_equal(chmod(in_folder("bad/secret.bmp"), 0), 0);
    assert_int_equal(chmod(in_folder("bad/closed"), 0), 0);
    clc_config_data config = train_in("bad");
    clc_source *source = open_train(&config);
    expect_bad(source, "phone.HEIC", "not supported (heic)");
    expect_bad(source, "drawing.svg", "not supported (svg)");
    /* The superuser reads everything. */
    if (geteuid() != 0) {
        expect_bad(source, "secret.bmp", "Permission denied");
        expect_bad(source, "closed/", "Permission denied");
        expect_items(source, "bad", NAMES("good.bmp"));
    }
    clc_source_close(&source);
    assert_int_equal(chmod(in_folder("bad/closed"), 0700), 0);
}

static void says_what_is_missing(void **state) {
    (void)state;
    clc_source *source;
    put_text("none/a.txt", "x");
    put_text("none/b.txt", "x");
    clc_config_data config = train_in("none");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "none: no pictures; 2 files were passed over");
    put_text("none/c.avif", "x");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_IO,
                "c.avif: not supported (avif)");
    config = train_in("nowhere");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_IO,
                "nowhere: No such file");
    assert_null(source);
}

static void notices_changes(void **state) {
    (void)state;
    clc_image_options options = plain_options();
    clc_image image;
    clc_image_info info;
    char name[64];
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "changing/%d.bmp", i);
        put_picture(name, 1);
    }
    clc_config_data config = train_in("changing");
    clc_source *source = open_train(&config);
    assert_int_equal(unlink(in_folder("changing/0.bmp")), 0);
    CHECK_FAILS(clc_source_read(source, 0, &options, &image), CLC_IO, "No such file");
    put_text("changing/1.bmp", "another size");
    CHECK_FAILS(clc_source_read(source, 1, &options, &image), CLC_IO,
                "has changed since the list was read");
    struct timespec later[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1, .tv_nsec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, in_folder("changing/2.bmp"), later, 0), 0);
    CHECK_FAILS(clc_source_probe(source, 2, &options, &info), CLC_IO,
                "has changed since the list was read");
    /* It is not waited for a writer. */
    assert_int_equal(unlink(in_folder("changing/3.bmp")), 0);
    assert_int_equal(mkfifo(in_folder("changing/3.bmp"), 0600), 0);
    CHECK_FAILS(clc_source_read(source, 3, &options, &image), CLC_IO, "has changed");
    assert_null(image.pixels);
    CHECK(clc_source_probe(source, 4, &options, &info));
    assert_int_equal(info.channels, 3);
    clc_source_close(&source);

    clc_source *again = open_train(&config);
    assert_int_equal(again->count, 3);
    clc_source_close(&again);
}

/* A folder that holds both says which is which; below them are the classes. */
static void folders_named_train_and_val(void **state) {
    (void)state;
    clc_source *source;
    put_picture("both/train/cat/1.bmp", 1);
    put_picture("both/train/dog/2.bmp", 1);
    put_picture("both/val/dog/3.bmp", 1);
    put_text("both/README.txt", "x");
    clc_config_data config = train_in("both");
    assert_true(clc_source_configured(&config, CLC_SPLIT_TEST));
    clc_source *train = open_train(&config);
    expect_items(train, "both", NAMES("train/cat/1.bmp", "train/dog/2.bmp"));
    expect_classes(train, NAMES("cat", "dog"));
    CHECK(clc_source_open(&config, CLC_SPLIT_TEST, &train->classes, &source));
    expect_items(source, "both", NAMES("val/dog/3.bmp"));
    expect_labels(source, NAMES("dog"));
    clc_source_close(&source);
    clc_source_close(&train);
    /* With a third folder these are classes. */
    put_picture("both/tram/4.bmp", 1);
    assert_false(clc_source_configured(&config, CLC_SPLIT_TEST));
    source = open_train(&config);
    expect_classes(source, NAMES("train", "tram", "val"));
    clc_source_close(&source);
}

static void deep_nesting_ends(void **state) {
    (void)state;
    char name[1200] = "deep";
    put_picture("deep/1.bmp", 1);
    for (int i = 0; i < 220; i++)
        strcat(name, "/d");
    put_folder(name);
    clc_config_data config = train_in("deep");
    clc_source *source = open_train(&config);
    assert_int_equal(source->count, 1);
    assert_int_equal(source->bad.count, 1);
    expect_bad(source, "/d/", "nested too deeply");
    clc_source_close(&source);
}

/* A list of 10^5 files takes a third of a second of processor time, also where none is cached: it
 * must be far from a minute, which a system call too many for each file, or a quadratic step, makes
 * of it. */
static void many_files_are_listed_at_once(void **state) {
    (void)state;
    enum { FOLDERS = 100, FILES = 1000, SECONDS = 10 };
    char name[64];
    for (int i = 0; i < FOLDERS; i++) {
        snprintf(name, sizeof name, "many/c%02d", i);
        put_folder(name);
        int folder = open(in_folder(name), O_RDONLY | O_DIRECTORY);
        for (int j = 0; j < FILES; j++) {
            snprintf(name, sizeof name, "%07d.jpg", j);
            /* A name more for one file is made faster than a file. */
            if (j == 0)
                close(openat(folder, "first.jpg", O_CREAT | O_WRONLY, 0644));
            assert_int_equal(linkat(folder, "first.jpg", folder, name, 0), 0);
        }
        assert_int_equal(unlinkat(folder, "first.jpg", 0), 0);
        close(folder);
    }
    clc_config_data config = train_in("many");
    clock_t start = clock();
    clc_source *source = open_train(&config);
    assert_true(clock() - start < (clock_t)SECONDS * CLOCKS_PER_SEC);
    assert_int_equal(source->count, FOLDERS * FILES);
    assert_int_equal(source->classes.count, FOLDERS);
    for (size_t i = 1; i < source->count; i++)
        if (strcmp(clc_names_at(&source->names, i - 1), clc_names_at(&source->names, i)) >= 0)
            fail_msg("%zu is out of order", i);
    clc_source_close(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_names_in_byte_order),
        cmocka_unit_test(classes_of_folders),
        cmocka_unit_test(no_labels_needed),
        cmocka_unit_test(classes_that_are_numbers),
        cmocka_unit_test(known_classes_keep_their_numbers),
        cmocka_unit_test(passes_over_what_is_no_picture),
        cmocka_unit_test(passes_over_runs),
        cmocka_unit_test(follows_links_and_ends),
        cmocka_unit_test(names_what_is_bad),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(notices_changes),
        cmocka_unit_test(folders_named_train_and_val),
        cmocka_unit_test(deep_nesting_ends),
        cmocka_unit_test(many_files_are_listed_at_once),
    };
    return cmocka_run_group_tests_name("folder", tests, make_test_folder, remove_test_folder);
}
