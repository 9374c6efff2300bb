/* Archives: every kind that libarchive writes here is read back, with webdataset's rules. */
#include "source_support.h"

#include "data/tar_cache.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <unistd.h>

/* What a member is made of: a picture of this grey, or text. */
typedef struct member {
    const char *name;
    const char *text; /* NULL: a picture */
    int grey;
} member;

static struct archive *writer;

/* "tar", "tar.gz" and the like. */
static void begin(const char *name) {
    writer = archive_write_new();
    assert_non_null(writer);
    if (strstr(name, ".zip"))
        assert_int_equal(archive_write_set_format_zip(writer), ARCHIVE_OK);
    else if (strstr(name, ".gnu"))
        assert_int_equal(archive_write_set_format_gnutar(writer), ARCHIVE_OK);
    else if (strstr(name, ".ustar"))
        assert_int_equal(archive_write_set_format_ustar(writer), ARCHIVE_OK);
    else
        assert_int_equal(archive_write_set_format_pax(writer), ARCHIVE_OK);
    if (strstr(name, ".gz"))
        assert_int_equal(archive_write_add_filter_gzip(writer), ARCHIVE_OK);
    if (strstr(name, ".zst"))
        assert_int_equal(archive_write_add_filter_zstd(writer), ARCHIVE_OK);
    if (strstr(name, ".xz"))
        assert_int_equal(archive_write_add_filter_xz(writer), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(writer, in_folder(name)), ARCHIVE_OK);
}

static void put_entry(const char *name, unsigned type, const char *link, const void *data,
                      size_t n) {
    struct archive_entry *entry = archive_entry_new();
    assert_non_null(entry);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)n);
    if (link && type == AE_IFLNK)
        archive_entry_set_symlink(entry, link);
    else if (link)
        archive_entry_set_hardlink(entry, link);
    assert_int_equal(archive_write_header(writer, entry), ARCHIVE_OK);
    if (n > 0)
        assert_int_equal(archive_write_data(writer, data, n), n);
    archive_entry_free(entry);
}

static void put_member(const member *m) {
    size_t n;
    if (m->text) {
        put_entry(m->name, AE_IFREG, NULL, m->text, strlen(m->text));
        return;
    }
    put_picture("picture.bmp", (uint8_t)m->grey);
    uint8_t *bytes = get_file(in_folder("picture.bmp"), &n);
    put_entry(m->name, AE_IFREG, NULL, bytes, n);
    free(bytes);
}

static void end(void) {
    assert_int_equal(archive_write_close(writer), ARCHIVE_OK);
    assert_int_equal(archive_write_free(writer), ARCHIVE_OK);
}

static void put_archive(const char *name, const member *members) {
    begin(name);
    for (; members->name; members++)
        put_member(members);
    end();
}

static const member simple[] = {
    {"./b/2.bmp", NULL, 12},      {"./a/1.BMP", NULL, 11}, {"./a/notes.txt", "text", 0},
    {"./top.bmp", NULL, 13},      {"./a/._1.BMP", "x", 0}, {"./.hidden/3.bmp", NULL, 14},
    {"__MACOSX/._2.bmp", "x", 0}, {NULL, NULL, 0},
};

static void reads_every_kind(void **state) {
    (void)state;
    static const char *const names[] = {"s.tar",     "s.gnu",    "s.ustar", "s.tar.gz",
                                        "s.tar.zst", "s.tar.xz", "s.zip"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        put_archive(names[k], simple);
        clc_config_data config = train_in(names[k]);
        clc_source *source = open_train(&config);
        expect_items(source, names[k], NAMES("b/2.bmp", "a/1.BMP", "top.bmp"));
        expect_classes(source, NAMES("a", "b"));
        expect_labels(source, NAMES("b", "a", ""));
        assert_int_equal(source->passed_over, 4);
        assert_int_equal(source->bad.count, 0);
        assert_false(source->bare);
        /* In order, back, and again: also where it has to be unpacked anew. */
        const size_t order[] = {0, 1, 2, 1, 0, 2, 2};
        for (size_t i = 0; i < sizeof order / sizeof *order; i++)
            assert_int_equal(first_byte(source, order[i]), order[i] == 0   ? 12
                                                           : order[i] == 1 ? 11
                                                                           : 13);
        clc_source_close(&source);
    }
}

/* What `tar cf pictures.tar pictures/` packs has its classes below that folder. */
static void one_folder_around_all_is_no_class(void **state) {
    (void)state;
    put_archive(
        "o.tar",
        (member[]){{"pics/a/1.bmp", NULL, 1}, {"pics/b/c/2.bmp", NULL, 2}, {NULL, NULL, 0}});
    clc_config_data config = train_in("o.tar");
    clc_source *source = open_train(&config);
    expect_classes(source, NAMES("a", "b"));
    clc_source_close(&source);
    config.labels = CLC_CONFIG_LABELS_PATH;
    source = open_train(&config);
    expect_classes(source, NAMES("a", "b/c"));
    clc_source_close(&source);
    config.labels = CLC_CONFIG_LABELS_NONE;
    source = open_train(&config);
    assert_null(source->labels);
    clc_source_close(&source);
}

/* Keys end at the first dot of the last name; members of a sample come in any order. */
static void webdataset_shards(void **state) {
    (void)state;
    put_archive("w.tar", (member[]){{"d.1/0.cls", "3\n", 0},
                                    {"d.1/0.left.bmp", NULL, 1},
                                    {"d.1/0.right.bmp", NULL, 2},
                                    {"1.bmp", NULL, 3},
                                    {"2.bmp", NULL, 4},
                                    {"2.json", "{\"caption\": \"x\", \"label\": 12}", 0},
                                    {"1.cls", " 7 ", 0},
                                    {"3.json", "{\"label\": \"wrong\"}", 0},
                                    {"3.cls", "7", 0},
                                    {"3.bmp", NULL, 5},
                                    {"4.bmp", NULL, 6},
                                    {"4.cls", "-1", 0},
                                    {"5.bmp", NULL, 7},
                                    {"5.json", "no JSON", 0},
                                    {"6.json", "{\"label\": 99}", 0},
                                    {NULL, NULL, 0}});
    clc_config_data config = train_in("w.tar");
    clc_source *source = open_train(&config);
    expect_items(
        source, "w.tar",
        NAMES("d.1/0.left.bmp", "d.1/0.right.bmp", "1.bmp", "2.bmp", "3.bmp", "4.bmp", "5.bmp"));
    expect_classes(source, NAMES("3", "7", "12"));
    expect_labels(source, NAMES("3", "3", "7", "12", "7", "", ""));
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(first_byte(source, i), i + 1);
    clc_source_close(&source);
}

/* Also in the locale C. Where a format says that its names are UTF-8, libarchive composes letters
 * and accents; where it doesn't, they are bytes. */
static void names_in_any_locale(void **state) {
    (void)state;
    char lengthy[300];
    memset(lengthy, 'x', sizeof lengthy);
    memcpy(lengthy, "long/", 5);
    memcpy(lengthy + 220, "/y.bmp", 7);
    assert_string_equal(setlocale(LC_ALL, NULL), "C");
    static const char *const archives[] = {"n.tar", "n.zip", "n.gnu"};
    for (size_t k = 0; k < 3; k++) {
        const char *accent = k < 2 ? "\xc3\xa9.bmp" : "e\xcc\x81.bmp";
        setlocale(LC_CTYPE, "C.UTF-8"); /* the writer wants to know what it writes */
        put_archive(archives[k], (member[]){{lengthy, NULL, 1},
                                            {"e\xcc\x81.bmp", NULL, 2},
                                            {"\xc3\xa4.bmp", NULL, 3},
                                            {"new\nline, \"x\".bmp", NULL, 4},
                                            {NULL, NULL, 0}});
        setlocale(LC_CTYPE, "C");
        clc_config_data config = train_in(archives[k]);
        clc_source *source = open_train(&config);
        expect_items(source, archives[k],
                     NAMES(lengthy, accent, "\xc3\xa4.bmp", "new\nline, \"x\".bmp"));
        assert_int_equal(first_byte(source, 2), 3);
        clc_source_close(&source);
    }
    put_archive("raw.gnu", (member[]){{"\xff\xfe.bmp", NULL, 5}, {NULL, NULL, 0}});
    clc_config_data config = train_in("raw.gnu");
    clc_source *source = open_train(&config);
    expect_items(source, "raw.gnu", NAMES("\xff\xfe.bmp"));
    clc_source_close(&source);
}

static void links_and_unsupported(void **state) {
    (void)state;
    begin("l.tar");
    put_entry("folder", AE_IFDIR, NULL, NULL, 0);
    put_member(&(member){"1.bmp", NULL, 1});
    put_member(&(member){"2.bmp", NULL, 2});
    put_entry("hard.bmp", AE_IFREG, "1.bmp", NULL, 0);
    put_entry("lost.bmp", AE_IFREG, "gone.bmp", NULL, 0);
    put_entry("soft.bmp", AE_IFLNK, "1.bmp", NULL, 0);
    put_entry("fifo.bmp", AE_IFIFO, NULL, NULL, 0);
    put_member(&(member){"phone.heic", "x", 0});
    end();
    clc_config_data config = train_in("l.tar");
    clc_source *source = open_train(&config);
    expect_items(source, "l.tar", NAMES("1.bmp", "2.bmp", "hard.bmp"));
    assert_int_equal(first_byte(source, 2), 1);
    expect_bad(source, "lost.bmp", "a link to a member that is not in the archive");
    expect_bad(source, "soft.bmp", "a symbolic link");
    expect_bad(source, "phone.heic", "not supported (heic)");
    assert_int_equal(source->bad.count, 3);
    assert_int_equal(source->passed_over, 1);
    clc_source_close(&source);
}

#define CACHE "cache"

/* The path of the only kept list. */
static const char *only_list(void) {
    static char path[1200];
    DIR *stream = opendir(in_folder(CACHE "/clcontrast/lists"));
    struct dirent *entry;
    int found = 0;
    assert_non_null(stream);
    while ((entry = readdir(stream)))
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%.64s", in_folder(CACHE "/clcontrast/lists"),
                     entry->d_name);
            found++;
        }
    closedir(stream);
    assert_int_equal(found, 1);
    return path;
}

static void nothing_in_it(void **state) {
    (void)state;
    clc_source *source;
    put_archive("e.tar", (member[]){{"a.npy", "x", 0}, {"dir/b.txt", "x", 0}, {NULL, NULL, 0}});
    clc_config_data config = train_in("e.tar");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "e.tar: no picture in the archive; its members are a.npy, b.txt, ...");
    config.format = CLC_CONFIG_FORMAT_TAR;
    put_text("text", "no archive at all");
    snprintf(config.train, sizeof config.train, "%s", in_folder("text"));
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT, "text: ");
    assert_null(source);
}

/* Cut anywhere, what came before is used or nothing is; no picture is a wrong one. */
static void cut_archives(void **state) {
    (void)state;
    static const char *const archives[] = {"c.tar", "c.tar.gz", "c.zip"};
    for (size_t k = 0; k < 3; k++) {
        size_t n;
        put_archive(archives[k], simple);
        uint8_t *bytes = get_file(in_folder(archives[k]), &n);
        size_t step = k == 0 ? 61 : 7;
        for (size_t cut = 0; cut < n; cut += step) {
            clc_source *source;
            clc_image image;
            clc_image_options options = plain_options();
            put_file(in_folder("cut"), bytes, cut);
            clc_config_data config = train_in("cut");
            config.format = CLC_CONFIG_FORMAT_TAR;
            if (clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source) != CLC_OK) {
                assert_non_null(strstr(clc_error(), "cut"));
                continue;
            }
            for (size_t i = 0; i < source->count; i++)
                if (clc_source_read(source, i, &options, &image) == CLC_OK) {
                    assert_int_equal(image.pixels[0], i == 0 ? 12 : i == 1 ? 11 : 13);
                    clc_image_free(&image);
                }
            assert_true(source->count == 3 || source->bad.count > 0);
            clc_source_close(&source);
        }
        free(bytes);
    }
}

/* A member names the memory that its decompression takes: 256 MB with PPMd, 4 GB with LZMA. */
static void ways_that_take_much_memory_are_refused(void **state) {
    (void)state;
    static const int ways[] = {14, 98}; /* LZMA, PPMd */
    for (size_t k = 0; k < 2; k++) {
        size_t n;
        clc_image image;
        clc_image_options options = plain_options();
        put_archive("m.zip", simple);
        uint8_t *bytes = get_file(in_folder("m.zip"), &n);
        for (size_t i = 0; i + 12 < n; i++) {
            const bool entry = !memcmp(bytes + i, "PK\3\4", 4),
                       listed = !memcmp(bytes + i, "PK\1\2", 4);
            if (entry || listed)
                bytes[i + (entry ? 8 : 10)] = (uint8_t)ways[k];
        }
        put_file(in_folder("m.zip"), bytes, n);
        free(bytes);
        clc_config_data config = train_in("m.zip");
        clc_source *source = open_train(&config);
        assert_int_equal(source->count, 3);
        CHECK_FAILS(clc_source_read(source, 1, &options, &image), CLC_FORMAT,
                    "compressed in a way that is not read: ZIP");
        clc_source_close(&source);
    }
}

static void notices_changes(void **state) {
    (void)state;
    clc_image_options options = plain_options();
    clc_image image;
    static const char *const archives[] = {"x.tar", "x.tar.gz"};
    for (size_t k = 0; k < 2; k++) {
        put_archive(archives[k], simple);
        clc_config_data config = train_in(archives[k]);
        clc_source *source = open_train(&config);
        put_text(archives[k], "cut");
        CHECK_FAILS(clc_source_read(source, 1, &options, &image), CLC_IO,
                    "has changed since the list was read");
        clc_source_close(&source);
    }
}

typedef struct reader {
    const clc_source *source;
    size_t start;
    int wrong;
} reader;

static void *read_all(void *argument) {
    reader *r = argument;
    clc_image_options options = plain_options();
    clc_image image;
    for (size_t i = 0; i < 200; i++) {
        size_t item = (r->start + i * 7) % r->source->count;
        bool good = clc_source_read(r->source, item, &options, &image) == CLC_OK;
        r->wrong += !good || image.pixels[0] != (uint8_t)(item + 1);
        if (good)
            clc_image_free(&image);
    }
    return NULL;
}

static void many_threads(void **state) {
    (void)state;
    static const char *const archives[] = {"t.tar", "t.tar.gz"};
    char names[20][16];
    member members[21] = {0};
    for (int i = 0; i < 20; i++) {
        snprintf(names[i], sizeof names[i], "%d.bmp", i);
        members[i] = (member){names[i], NULL, i + 1};
    }
    for (size_t k = 0; k < 2; k++) {
        pthread_t threads[4];
        reader readers[4];
        put_archive(archives[k], members);
        clc_config_data config = train_in(archives[k]);
        clc_source *source = open_train(&config);
        for (size_t i = 0; i < 4; i++) {
            readers[i] = (reader){source, i * 3, 0};
            assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
        }
        for (size_t i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(readers[i].wrong, 0);
        }
        clc_source_close(&source);
    }
}

static void expect_kept(const clc_config_data *config) {
    clc_source *source = open_train(config);
    expect_items(source, "k.tar.gz", NAMES("a/1.bmp", "b/2.bmp"));
    expect_classes(source, NAMES("3", "x y"));
    expect_labels(source, NAMES("x y", "3"));
    assert_int_equal(source->bad.count, 1);
    expect_bad(source, "4.heic", "not supported");
    assert_int_equal(source->passed_over, 3);
    assert_int_equal(first_byte(source, 1), 2);
    clc_source_close(&source);
}

/* What is in a compressed archive is kept; the kept list says the same, and is used only while it
 * is whole and of this very file. */
static void lists_of_compressed_archives_are_kept(void **state) {
    (void)state;
    size_t n;
    clc_tar_index index;
    /* Another place than for the archives above; a plain one needs no list. */
    assert_int_equal(setenv("XDG_CACHE_HOME", in_folder(CACHE), 1), 0);
    put_archive("plain.tar", simple);
    clc_config_data config = train_in("plain.tar");
    clc_source *source = open_train(&config);
    clc_source_close(&source);
    put_archive("k.tar.gz", (member[]){{"a/1.bmp", NULL, 1},
                                       {"a/1.cls", "x y", 0},
                                       {"b/2.bmp", NULL, 2},
                                       {"b/2.json", "{\"cls\": 3}", 0},
                                       {"4.heic", "x", 0},
                                       {"README", "x", 0},
                                       {NULL, NULL, 0}});
    config = train_in("k.tar.gz");
    expect_kept(&config);
    char file[1200], key[1200] = "";
    snprintf(file, sizeof file, "%s", only_list());
    uint8_t *bytes = get_file(file, &n);
    uint64_t length;
    memcpy(&length, bytes + 16, sizeof length);
    memcpy(key, bytes + 24, length);
    assert_non_null(strstr(key, "/k.tar.gz"));
    assert_true(clc_tar_cache_parse(bytes, n, key, &index));
    assert_int_equal(index.names.count, 2);
    clc_tar_index_free(&index);
    assert_false(clc_tar_cache_parse(bytes, n, "0000000000000000 /k.tar.gz", &index));
    for (size_t i = 0; i < n; i++) {
        assert_false(clc_tar_cache_parse(bytes, i, key, &index));
        bytes[i] ^= 1;
        assert_false(clc_tar_cache_parse(bytes, n, key, &index));
        bytes[i] ^= 1;
    }
    /* Torn, it is made anew. */
    put_file(file, bytes, n / 2);
    expect_kept(&config);
    size_t again;
    uint8_t *anew = get_file(file, &again);
    assert_int_equal(again, n);
    assert_memory_equal(anew, bytes, n);
    free(anew);
    free(bytes);
    /* Another archive of that name has another list, in the same place. */
    put_archive("k.tar.gz", simple);
    source = open_train(&config);
    assert_int_equal(source->count, 3);
    clc_source_close(&source);
    assert_string_equal(only_list(), file);
}

static int start(void **state) {
    int failed = make_test_folder(state);
    return failed ? failed : setenv("XDG_CACHE_HOME", in_folder("other"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(one_folder_around_all_is_no_class),
        cmocka_unit_test(webdataset_shards),
        cmocka_unit_test(names_in_any_locale),
        cmocka_unit_test(links_and_unsupported),
        cmocka_unit_test(nothing_in_it),
        cmocka_unit_test(cut_archives),
        cmocka_unit_test(ways_that_take_much_memory_are_refused),
        cmocka_unit_test(notices_changes),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(lists_of_compressed_archives_are_kept),
    };
    return cmocka_run_group_tests_name("tar", tests, start, remove_test_folder);
}
