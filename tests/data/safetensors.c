/* Safetensors: golden files through reader and writer, every rule of the format, the checksum. */
#include "data/safetensors.h"
#include "support.h"

#include <dirent.h>

/* Writes a file of this header (0 bytes of padding) and `data` bytes 0, 1, 2, … */
static const char *put_header(const char *header, size_t data) {
    uint8_t file[4096];
    uint64_t n = strlen(header);
    assert_true(8 + n + data <= sizeof file);
    memcpy(file, &n, 8);
    memcpy(file + 8, header, n);
    for (size_t i = 0; i < data; i++)
        file[8 + n + i] = (uint8_t)i;
    put_file(in_folder("made"), file, 8 + n + data);
    return in_folder("made");
}

static void expect_same_tensor(const clc_st_tensor *a, const clc_st_tensor *b) {
    assert_non_null(b);
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(a->rank, b->rank);
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->shape, b->shape, sizeof a->shape);
    assert_int_equal((uintptr_t)b->data % clc_dtype_bytes(b->dtype), 0);
    assert_memory_equal(a->data, b->data, a->count * clc_dtype_bytes(a->dtype));
}

static void expect_same(const clc_safetensors *a, const clc_safetensors *b) {
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        expect_same_tensor(&a->tensors[i], clc_safetensors_find(b, a->tensors[i].name));
    for (size_t i = 0; i < a->metadata_count; i++)
        assert_string_equal(a->metadata[i][1], clc_safetensors_metadata(b, a->metadata[i][0]));
}

static void write_again(const clc_safetensors *st, const char *path, bool checksum) {
    CHECK(clc_safetensors_write(path, st->tensors, st->count, (const char *const(*)[2])st->metadata,
                                st->metadata_count, checksum));
}

static void round_trip(const char *path) {
    clc_safetensors *golden, *again;
    size_t n, m;
    CHECK(clc_safetensors_open(path, &golden));
    assert_true(golden->count > 0);
    assert_non_null(clc_safetensors_metadata(golden, "kind"));
    for (int checksum = 0; checksum < 2; checksum++) {
        write_again(golden, in_folder("again"), checksum);
        CHECK(clc_safetensors_open(in_folder("again"), &again));
        assert_int_equal(again->verified, checksum);
        assert_int_equal(again->metadata_count, golden->metadata_count + (size_t)checksum);
        expect_same(golden, again);
        /* What was written and read is written the same again. */
        if (!checksum) {
            write_again(again, in_folder("third"), false);
            uint8_t *a = get_file(in_folder("again"), &n), *b = get_file(in_folder("third"), &m);
            assert_int_equal(n, m);
            assert_memory_equal(a, b, n);
            assert_int_equal((a[0] + 256 * a[1]) % 8, 0);
            free(a);
            free(b);
        }
        clc_safetensors_close(&again);
    }
    clc_safetensors_close(&golden);
    assert_null(golden);
}

static void golden_files(void **state) {
    (void)state;
    const char *folder = getenv("CLC_GOLDEN") ? getenv("CLC_GOLDEN") : CLC_GOLDEN_FOLDER;
    DIR *directory = opendir(folder);
    struct dirent *entry;
    int files = 0;
    assert_non_null(directory);
    while ((entry = readdir(directory))) {
        char path[1024];
        if (!strstr(entry->d_name, ".safetensors"))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        round_trip(path);
        files++;
    }
    closedir(directory);
    assert_true(files > 0);
}

/* Every dtype and odd sizes: the writer aligns all, and keeps the order of equals. */
static void writes_every_dtype(void **state) {
    (void)state;
    static const uint8_t bytes[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const char *const metadata[][2] = {{"z", "last \"letter\"\n"}, {"a", "ä 語"}, {"e", ""}};
    clc_st_tensor tensors[CLC_DTYPE_COUNT + 2];
    for (int i = 0; i < CLC_DTYPE_COUNT; i++)
        tensors[i] = (clc_st_tensor){.name = clc_dtype_name((clc_dtype)i),
                                     .dtype = (clc_dtype)i,
                                     .rank = 2,
                                     .shape = {1, 3},
                                     .count = 3,
                                     .data = bytes};
    tensors[CLC_DTYPE_COUNT] = (clc_st_tensor){
        .name = "empty", .dtype = CLC_F32, .rank = 3, .shape = {4, 0, 2}, .data = NULL};
    tensors[CLC_DTYPE_COUNT + 1] =
        (clc_st_tensor){.name = "scalar/é", .dtype = CLC_F64, .count = 1, .data = bytes};
    clc_safetensors *st;
    CHECK(clc_safetensors_write(in_folder("all"), tensors, CLC_DTYPE_COUNT + 2, metadata, 3, true));
    CHECK(clc_safetensors_open_verified(in_folder("all"), &st));
    assert_int_equal(st->count, CLC_DTYPE_COUNT + 2);
    for (size_t i = 0; i < CLC_DTYPE_COUNT + 2; i++)
        if (tensors[i].count > 0)
            expect_same_tensor(&tensors[i], clc_safetensors_find(st, tensors[i].name));
    assert_int_equal(clc_safetensors_find(st, "empty")->count, 0);
    assert_int_equal(clc_safetensors_find(st, "empty")->shape[0], 4);
    assert_null(clc_safetensors_find(st, "none"));
    assert_string_equal(st->tensors[0].name, "F64");
    assert_string_equal(st->tensors[1].name, "I64");
    assert_string_equal(st->metadata[0][0], "xxh3");
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(st->metadata[i + 1][0], metadata[i][0]);
        assert_string_equal(st->metadata[i + 1][1], metadata[i][1]);
    }
    assert_null(clc_safetensors_metadata(st, "none"));
    clc_safetensors_close(&st);
    clc_safetensors_close(&st);
}

static void writes_nothing(void **state) {
    (void)state;
    clc_safetensors *st;
    CHECK(clc_safetensors_write(in_folder("none"), NULL, 0, NULL, 0, false));
    CHECK(clc_safetensors_open(in_folder("none"), &st));
    assert_int_equal(st->count, 0);
    clc_safetensors_close(&st);
    CHECK_FAILS(clc_safetensors_open_verified(in_folder("none"), &st), CLC_FORMAT, "no checksum");
    assert_null(st);
}

static void refuses_to_write(void **state) {
    (void)state;
    const float one = 1;
    clc_st_tensor two[2] = {{.name = "a", .data = &one}, {.name = "a", .data = &one}};
    static const char *const twice[][2] = {{"k", "v"}, {"k", "w"}};
    static const char *const reserved[][2] = {{"xxh3", "0"}};
    static const char *const latin[][2] = {{"k", "\xe4"}};
    const char *path = in_folder("refused");
    CHECK_FAILS(clc_safetensors_write(path, two, 2, NULL, 0, false), CLC_INVALID, "occurs twice");
    CHECK_FAILS(clc_safetensors_write(path, two, 1, twice, 2, true), CLC_INVALID, "occurs twice");
    CHECK_FAILS(clc_safetensors_write(path, two, 1, reserved, 1, false), CLC_INVALID, "reserved");
    CHECK_FAILS(clc_safetensors_write(path, two, 1, latin, 1, false), CLC_INVALID, "UTF-8");
    two[0].name = "\xff";
    CHECK_FAILS(clc_safetensors_write(path, two, 1, NULL, 0, false), CLC_INVALID, "UTF-8");
    two[0].name = "__metadata__";
    CHECK_FAILS(clc_safetensors_write(path, two, 1, NULL, 0, false), CLC_INVALID, "reserved");
    assert_null(fopen(path, "rb"));
    two[0].name = "b";
    CHECK_FAILS(clc_safetensors_write(in_folder("no/folder"), two, 2, NULL, 0, true), CLC_IO,
                "no/folder");
    CHECK_FAILS(clc_safetensors_write("/dev/full", two, 2, NULL, 0, true), CLC_IO, "No space");
}

#define ENTRY(dtype, shape, begin, end)                                                            \
    "{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" begin "," end "]}"

/* Headers that the format allows though the writer doesn't make them. */
static void accepts(void **state) {
    (void)state;
    clc_safetensors *st;
    const float *f;
    /* Data of floats that begin at an odd byte are moved; the order of names is free. */
    CHECK(clc_safetensors_open(
        put_header("{\"f\":" ENTRY("F32", "2", "3", "11") ",\"b\":" ENTRY(
                       "U8", "3", "0", "3") ",\"e\":" ENTRY("I64", "0,5", "3",
                                                            "3") ",\"__metadata__\":{}}    ",
                   11),
        &st));
    assert_string_equal(st->tensors[0].name, "f");
    f = clc_safetensors_find(st, "f")->data;
    assert_int_equal((uintptr_t)f % 4, 0);
    assert_memory_equal(f, ((uint8_t[]){3, 4, 5, 6, 7, 8, 9, 10}), 8);
    assert_memory_equal(clc_safetensors_find(st, "b")->data, ((uint8_t[]){0, 1, 2}), 3);
    clc_safetensors_close(&st);
    CHECK(clc_safetensors_open(put_header("{\"s\":" ENTRY("F64", "", "0", "8") "}", 8), &st));
    assert_int_equal(st->tensors[0].rank, 0);
    assert_int_equal(st->tensors[0].count, 1);
    assert_int_equal((uintptr_t)st->tensors[0].data % 8, 0);
    clc_safetensors_close(&st);
    CHECK(clc_safetensors_open(put_header("{}", 0), &st));
    clc_safetensors_close(&st);
}

static void refuses_headers(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *message;
    } cases[] = {
        {"", 0, "begin with '{'"},
        {" {}", 0, "begin with '{'"},
        {"[]", 0, "begin with '{'"},
        {"{", 0, "not valid JSON"},
        {"{}x", 0, "not valid JSON"},
        {"{\"\xff\":1}", 0, "not valid JSON"},
        {"{\"a\\u0000b\":" ENTRY("U8", "0", "0", "0") "}", 0, "not valid JSON"},
        {"{\"a\":" ENTRY("U8", "1", "0", "1") ",\"a\":" ENTRY("U8", "1", "1", "2") "}", 2,
         "duplicate"},
        {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1,
         "duplicate"},
        {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "duplicate"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "value of 'k' is no string"},
        {"{\"__metadata__\":[]}", 0, "'__metadata__' is no object"},
        {"{\"a\":1}", 0, "entry of tensor 'a' is no object"},
        {"{\"a\":{\"shape\":[],\"data_offsets\":[0,1]}}", 1, "'dtype' is missing"},
        {"{\"a\":{\"dtype\":5,\"shape\":[],\"data_offsets\":[0,1]}}", 1, "'dtype' is missing"},
        {"{\"a\":" ENTRY("F31", "1", "0", "4") "}", 4, "unknown dtype 'F31'"},
        {"{\"a\":" ENTRY("f32", "1", "0", "4") "}", 4, "unknown dtype 'f32'"},
        {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "'shape' is missing"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, "'shape' is missing"},
        {"{\"a\":" ENTRY("F32", "-1", "0", "4") "}", 4, "no count"},
        {"{\"a\":" ENTRY("F32", "1.0", "0", "4") "}", 4, "no count"},
        {"{\"a\":" ENTRY("F32", "\"1\"", "0", "4") "}", 4, "no count"},
        {"{\"a\":" ENTRY("U8", "4294967296,4294967296", "0", "0") "}", 0, "overflows"},
        {"{\"a\":" ENTRY("F64", "4611686018427387904", "0", "0") "}", 0, "overflows"},
        {"{\"a\":" ENTRY("U8", "18446744073709551616", "0", "0") "}", 0, "not valid JSON"},
        {"{\"a\":" ENTRY("U8", "1,1,1,1,1,1,1,1,1", "0", "1") "}", 1, "9 dimensions"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[]}}", 1, "'data_offsets' is missing"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0]}}", 1, "not [begin,end]"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1,2]}}", 1, "not [begin,end]"},
        {"{\"a\":" ENTRY("U8", "1", "-1", "0") "}", 1, "not [begin,end]"},
        {"{\"a\":" ENTRY("U8", "1", "1", "0") "}", 1, "not [begin,end]"},
        {"{\"a\":" ENTRY("U8", "1", "0.0", "1") "}", 1, "not [begin,end]"},
        {"{\"a\":" ENTRY("F32", "2", "0", "4") "}", 4, "need 8 bytes, its data_offsets give 4"},
        {"{\"a\":" ENTRY("F32", "", "0", "8") "}", 8, "need 4 bytes, its data_offsets give 8"},
        {"{\"a\":" ENTRY("U8", "1", "1", "2") "}", 2, "a hole"},
        {"{\"a\":" ENTRY("U8", "2", "0", "2") ",\"b\":" ENTRY("U8", "1", "3", "4") "}", 4, "hole"},
        {"{\"a\":" ENTRY("U8", "2", "0", "2") ",\"b\":" ENTRY("U8", "2", "1", "3") "}", 3,
         "overlap"},
        {"{\"a\":" ENTRY("U8", "2", "0", "2") ",\"b\":" ENTRY("U8", "2", "0", "2") "}", 2,
         "overlap"},
        {"{\"a\":" ENTRY("U8", "4", "0", "4") ",\"b\":" ENTRY("U8", "0", "2", "2") "}", 4,
         "overlap"},
        {"{\"a\":" ENTRY("U8", "4", "0", "4") "}", 3, "promises 4 bytes of data, 3 are present"},
        {"{\"a\":" ENTRY("U8", "4", "0", "4") "}", 5, "something was appended"},
        {"{\"a\":" ENTRY("U8", "1", "9223372036854775806", "9223372036854775807") "}", 1, "hole"},
        {"{}", 1, "something was appended"},
        {"{\"__metadata__\":{\"k\":\"v\",\"xxh3\":\"0123456789abcdef\"}}", 0, "rewrote"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clc_safetensors *st;
        const char *path = put_header(cases[i].header, cases[i].data);
        CHECK_FAILS(clc_safetensors_open(path, &st), CLC_FORMAT, cases[i].message);
        assert_null(st);
        assert_non_null(strstr(clc_error(), path));
    }
}

static void refuses_lengths(void **state) {
    (void)state;
    static const struct {
        uint64_t n;
        const char *message;
    } cases[] = {
        {100000001, "at most 100000000"},
        {UINT64_MAX, "at most 100000000"},
        {100000000, "truncated"},
        {3, "truncated"},
        {0, "begin with '{'"},
    };
    clc_safetensors *st;
    uint8_t file[10] = {0, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(file, &cases[i].n, 8);
        put_file(in_folder("made"), file, sizeof file);
        CHECK_FAILS(clc_safetensors_open(in_folder("made"), &st), CLC_FORMAT, cases[i].message);
    }
    for (size_t n = 0; n < 8; n++) {
        put_file(in_folder("made"), file, n);
        CHECK_FAILS(clc_safetensors_open(in_folder("made"), &st), CLC_FORMAT, "too few");
    }
    CHECK_FAILS(clc_safetensors_open(in_folder("absent"), &st), CLC_IO, "absent");
}

/* Every single flipped bit and every cut of a file with a checksum is noticed. */
static void checksum_notices_damage(void **state) {
    (void)state;
    static const char *const metadata[][2] = {{"step", "100"}};
    const float values[3] = {1, 2, 3};
    clc_st_tensor tensor = {.name = "w", .rank = 1, .shape = {3}, .data = values};
    clc_safetensors *st;
    size_t n;
    CHECK(clc_safetensors_write(in_folder("sum"), &tensor, 1, metadata, 1, true));
    CHECK(clc_safetensors_open_verified(in_folder("sum"), &st));
    clc_safetensors_close(&st);
    uint8_t *file = get_file(in_folder("sum"), &n);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        put_file(in_folder("bad"), file, n);
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_FAILS(clc_safetensors_open_verified(in_folder("bad"), &st), CLC_FORMAT, "bad");
        if (bit / 8 >= n - sizeof values)
            assert_non_null(strstr(clc_error(), "do not match their checksum"));
    }
    for (size_t cut = 1; cut <= n; cut++) {
        put_file(in_folder("bad"), file, n - cut);
        CHECK_FAILS(clc_safetensors_open_verified(in_folder("bad"), &st), CLC_FORMAT, "bad");
    }
    free(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files),    cmocka_unit_test(writes_every_dtype),
        cmocka_unit_test(writes_nothing),  cmocka_unit_test(refuses_to_write),
        cmocka_unit_test(accepts),         cmocka_unit_test(refuses_headers),
        cmocka_unit_test(refuses_lengths), cmocka_unit_test(checksum_notices_damage),
    };
    return cmocka_run_group_tests_name("safetensors", tests, make_test_folder, remove_test_folder);
}
