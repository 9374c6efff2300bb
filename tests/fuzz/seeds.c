/* seeds FOLDER: writes small, valid inputs for each target to FOLDER/<target>/, which must be
 * there: what a fuzzer would take long to find by itself. */
#include "../data/encode.h"
#include "core/cache.h"
#include "core/config.h"
#include "core/file.h"
#include "data/npy.h"
#include "data/pack.h"
#include "data/safetensors.h"
#include "text/tokenizer.h"

#include <math.h>
#include <png.h>
#include <sys/mman.h>
#include <tiffio.h>
#include <unistd.h>

enum { H = 6, W = 5 };

static const char *root;

/* A path for the next seed of the target. */
static const char *next_path(const char *target) {
    static char path[1024];
    static int number;
    snprintf(path, sizeof path, "%s/%s", root, target);
    CHECK(clc_make_folders(path));
    snprintf(path, sizeof path, "%s/%s/%03d", root, target, number++);
    return path;
}

/* Also of use where any picture is taken. */
static void put_seed(const char *target, bytes seed) {
    static const char *const others[] = {"csv",    "idx",       "list",  "npy",
                                         "series", "tar_cache", "texts", "tokenizer"};
    bool picture = true;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        picture = picture && strcmp(target, others[i]);
    put_file(next_path(target), seed.data, seed.n);
    if (picture)
        put_file(next_path("image"), seed.data, seed.n);
    bytes_free(&seed);
}

#define PUT_TEXT(target, text) put_seed(target, bytes_copy(text, sizeof text - 1))

static void put_png(const uint16_t *samples) {
    static const uint8_t palette[768], transparency[2] = {0, 128};
    bytes exif = exif_block(6, true, 1);
    for (int i = 0; i < 5 * 5 * 2; i++) {
        const int depth = 1 << i % 5, colour = (int[]){0, 2, 3, 4, 6}[i / 5 % 5];
        const bool mapped = colour == PNG_COLOR_TYPE_PALETTE;
        if (mapped ? depth == 16 : colour && depth < 8)
            continue;
        uint16_t fitting[H * W * 4];
        for (int k = 0; k < H * W * 4; k++)
            fitting[k] = (uint16_t)(samples[k] & ((1u << depth) - 1));
        const png_make make = {H,
                               W,
                               depth,
                               colour,
                               i >= 25,
                               mapped ? palette : NULL,
                               mapped && depth > 1 ? transparency : NULL,
                               2,
                               i % 7 ? NULL : &exif};
        put_seed("png", make_png(&make, fitting));
    }
    put_seed("exif", bytes_copy(exif.data, exif.n));
    bytes_free(&exif);
    put_seed("exif", exif_block(8, false, 2));
}

static void put_jpeg_and_webp(const uint8_t *samples) {
    bytes exif = exif_block(5, false, 0);
    for (int i = 0; i < 24; i++) {
        const jpeg_make make = {H,         W,          (int[]){1, 3, 4}[i % 3], i / 3 % 2,
                                i / 6 % 2, i / 12 % 2, i % 5 ? NULL : &exif};
        put_seed("jpeg", make_jpeg(&make, samples));
    }
    put_seed("webp", make_webp(H, W, 3, samples));
    put_seed("webp", make_webp(H, W, 4, samples));
    put_seed("webp", make_webp_canvas(H + 3, W + 4, 1, 1, H, W, samples, &exif));
    bytes_free(&exif);
}

static void put_tiff(const void *samples) {
    static const uint16_t palette[3 * 256];
    const int compressions[] = {1, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE,
                                COMPRESSION_PACKBITS};
    for (int i = 0; i < 96; i++) {
        tiff_make make = {.height = H,
                          .width = W,
                          .bits = (int[]){1, 4, 8, 8, 16, 32}[i % 6],
                          .samples = (int[]){1, 3, 4, 5}[i / 6 % 4],
                          .compression = compressions[i / 24],
                          .tile = i % 5 ? 0 : 16,
                          .separate = i % 7 == 0,
                          .big_endian = i % 11 == 0,
                          .orientation = i % 9 % 8 + 1};
        make.format = make.bits == 32 ? SAMPLEFORMAT_IEEEFP : 0;
        make.samples = make.bits < 8 ? 1 : make.samples;
        make.photometric = make.samples == 1 ? i % 2 : make.samples == 5 ? 1 : 2;
        make.alpha = make.samples == 4 ? 1 + i % 2 : 0;
        make.unspecified = make.samples == 5 ? 4 : 0;
        put_seed("tiff", make_tiff(&make, samples));
    }
    const tiff_make mapped = {
        .height = H, .width = W, .samples = 1, .bits = 8, .photometric = 3, .palette = palette};
    const tiff_make ink = {.height = H, .width = W, .samples = 4, .bits = 8, .photometric = 5};
    const tiff_make fax = {
        .height = H, .width = W, .samples = 1, .bits = 1, .compression = COMPRESSION_CCITTFAX4};
    put_seed("tiff", make_tiff(&mapped, samples));
    put_seed("tiff", make_tiff(&ink, samples));
    put_seed("tiff", make_tiff(&fax, samples));
}

static void put_simple(void) {
    PUT_TEXT("pnm", "P1 3 2 1 0 1\n#x\n010 ");
    PUT_TEXT("pnm", "P2 2 2 15 0 15 # end\n1 3");
    PUT_TEXT("pnm", "P3 1 1 255 7 8 9");
    PUT_TEXT("pnm", "P4\n9 2\n\377\200\125\0");
    PUT_TEXT("pnm", "P5 2 1 1023\n\1\377\3\377");
    PUT_TEXT("pnm", "P6\n# by hand\n2 1\n255\n\1\2\3\4\5\6");
    PUT_TEXT("gif", "GIF89a\3\0\1\0\x80\0\0\x0a\x14\x1e\x28\x32\x3c!\xf9\4\1\0\0\1\0"
                    ",\0\0\0\0\3\0\1\0\x40\2\2\x44\x50\0;");
    PUT_TEXT("bmp", "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\2\0\0\0\1\0\x18\0\0\0\0\0"
                    "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2\3\0\4\5\6\0");
    PUT_TEXT("tga", "\0\0\3\0\0\0\0\0\0\0\0\0\2\0\1\0\x08\x20\x07\x09");
    PUT_TEXT("tga", "\0\0\x0a\0\0\0\0\0\0\0\0\0\2\0\2\0\x20\x28\x81\1\2\3\x80\1\1\2\3\4\5\6\7\x08");
    PUT_TEXT("tga", "\0\1\1\0\0\2\0\x18\0\0\0\0\2\0\1\0\x08\x20\1\2\3\4\5\6\0\1");
    PUT_TEXT("psd", "8BPS\0\1\0\0\0\0\0\0\0\3\0\0\0\1\0\0\0\2\0\x08\0\3\0\0\0\0\0\0\0\0\0\0\0\0"
                    "\0\0\1\2\3\4\5\6");
    PUT_TEXT("psd", "8BPS\0\1\0\0\0\0\0\0\0\4\0\0\0\1\0\0\0\1\0\x10\0\3\0\0\0\0\0\0\0\0\0\0\0\0"
                    "\0\0\1\2\3\4\5\6\7\x08");
    PUT_TEXT("csv", "path,label,\"split\"\na.png,\"x, \"\"y\"\"\",train\r\nb.png;2;\ttest\n");
    PUT_TEXT("list", "path,label,split\n/dev/null,3,train\n\"a\nb.png\",-1,test\n");
    PUT_TEXT("list", "\xef\xbb\xbf"
                     "class;file\r\nx;/bin/sh\r\ny;/\r\n");
    PUT_TEXT("list", "/bin/sh\ta dog\n/bin/cat\t\n");
    PUT_TEXT("list", "/bin/sh\n/bin/cat\n");
    /* Key, name, class, member, no bad files, files passed over. */
    PUT_TEXT("tar_cache", "\3\0\0\0\0\0\0\0key\4\0\0\0\0\0\0\0x.a\0\2\0\0\0\0\0\0\0"
                          "7\0"
                          "\x18\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                          "\0\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0");
    PUT_TEXT("idx", "\0\0\x08\3\0\0\0\1\0\0\0\2\0\0\0\2\1\2\3\4");
    PUT_TEXT("idx", "\0\0\x0d\1\0\0\0\1\0\0\x80\x3f");
    PUT_TEXT("npy", "\x93NUMPY\1\0\x46\0{'descr': '<u2', 'fortran_order': False, 'shape': (1, 1, 2)"
                    ", }     \n\1\2\3\4");
}

static void put_safetensors(void) {
    const float values[] = {1, 2, 3, 4, 5, 6};
    const clc_st_tensor tensors[] = {{"weight", CLC_F32, 2, {2, 3}, 0, values},
                                     {"count", CLC_I64, 0, {0}, 0, values}};
    const char *const metadata[][2] = {{"format", "pt"}, {"epoch", "3"}};
    for (int sum = 0; sum < 2; sum++)
        CHECK(clc_safetensors_write(next_path("safetensors"), tensors, 2, metadata, 2, sum));
}

static void put_checkpoint(void) {
    const float values[] = {1, 2, 3, 4};
    const clc_st_tensor tensor = {"encoder.conv1.weight", CLC_F32, 1, {4}, 0, values};
    clc_config config;
    char *text = NULL;
    size_t n;
    FILE *stream = open_memstream(&text, &n);
    assert_non_null(stream);
    CHECK(clc_config_load(NULL, NULL, 0, &config));
    CHECK(clc_config_write(&config, stream));
    assert_int_equal(fclose(stream), 0);
    const char *const metadata[][2] = {{"kind", "clcontrast checkpoint 1"},
                                       {"step", "7"},
                                       {"renumbered", "0"},
                                       {"images", "100"},
                                       {"best", "-inf"},
                                       {"epoch_loss", "1.5"},
                                       {"classes", "cat\ndog\\x0a"},
                                       {"config", "[training]\nbatch = 8\n"}};
    CHECK(clc_safetensors_write(next_path("checkpoint"), &tensor, 1, metadata, 8, true));
    const char *const whole[][2] = {
        {"kind", "clcontrast checkpoint 1"}, {"step", "7"}, {"config", text}};
    CHECK(clc_safetensors_write(next_path("checkpoint"), &tensor, 1, whole, 3, true));
    free(text);
}

static void put_pack(void) {
    const uint8_t pixels[] = {1, 2, 3, 4, 5, 6};
    uint32_t items[] = {0, 2};
    clc_place places[] = {{0, 1, 4}, {4, 2, 1}};
    uint64_t hashes[] = {3, 4};
    clc_store store = {.count = 2,
                       .channels = 1,
                       .items = items,
                       .places = places,
                       .hashes = hashes,
                       .bytes = sizeof pixels};
    clc_pack_writer writer;
    char path[1024];
    size_t n;
    assert_int_equal(setenv("XDG_CACHE_HOME", in_folder("cache"), 1), 0);
    clc_bad_item bad = {1, CLC_FORMAT};
    store.met = &bad;
    store.met_count = 1;
    CHECK(clc_names_add(&store.reasons, "cut short", 9));
    CHECK(clc_pack_begin(true, &writer));
    assert_int_equal(pwrite(writer.file, pixels, sizeof pixels, CLC_PACK_PIXELS_AT), 6);
    CHECK(clc_pack_finish(&writer, "seed.pack", &store));
    clc_pack_abort(&writer);
    assert_true(clc_cache_path("packs", "seed.pack", false, path, sizeof path));
    uint8_t *pack = get_file(path, &n);
    put_file(next_path("pack"), pack, n);
    free(pack);
    munmap(store.map, store.map_bytes);
    clc_names_free(&store.reasons);
}

static void put_texts(void) {
    PUT_TEXT("texts", "a line\n\nanother\n");
    PUT_TEXT("texts", "sent0;sent1;hard_neg\n\"a\n\"\"b\";c;d\n");
    PUT_TEXT("texts", "path\tcaption\tlabel\tsplit\nx.jpg\tc\t1\ttrain\nx.jpg\td\t2\ttest\n");
    PUT_TEXT("texts", "{\"a\": \"x\", \"b\": [\"y\", \"z\"], \"label\": 3}\n{\"a\": 1}\n");
    PUT_TEXT("texts", "[{\"image\": \"x.jpg\", \"text\": \"y\"}]");
    PUT_TEXT("texts", "{\"images\": [{\"id\": 1, \"file_name\": \"x\"}], \"annotations\": "
                      "[{\"image_id\": 1, \"caption\": \"y\"}]}");
}

static void put_series(void) {
    const float values[] = {1, 2, 3, 4, 5, NAN};
    PUT_TEXT("series",
             "id,time,x,y,label,split\na,1,2,3,u,train\na,0,4,5,u,train\nb,0,1,x,v,test\n");
    PUT_TEXT("series", "id;t;v\na;2024-01-02;1\na;2023-12-31;\"2\"\n");
    CHECK(clc_npy_write_f32(next_path("series"), values, 2, 3));
}

static clc_status next_text(void *texts, const char **text, size_t *n, bool *more) {
    int *left = texts;
    *more = --*left > 0;
    *text = "a b ab";
    *n = 6;
    return CLC_OK;
}

static void put_tokenizers(void) {
    for (int kind = 0; kind < 3; kind++) {
        const clc_tokenizer_options options = {
            .kind = (clc_tokenizer_kind)kind, .vocabulary = 262, .context = 7 * kind};
        clc_tokenizer *tokenizer;
        char *json;
        int left = 3;
        CHECK(clc_tokenizer_train(&options, next_text, &left, &tokenizer));
        CHECK(clc_tokenizer_to_json(tokenizer, &json));
        put_seed("tokenizer", bytes_copy(json, strlen(json)));
        free(json);
        clc_tokenizer_free(&tokenizer);
    }
}

static void write_seeds(void **state) {
    uint8_t samples[H * W * 5 * 4];
    uint16_t wide[H * W * 4];
    (void)state;
    for (size_t i = 0; i < sizeof samples; i++)
        samples[i] = (uint8_t)draw(256);
    for (int i = 0; i < H * W * 4; i++)
        wide[i] = (uint16_t)draw(65536);
    put_png(wide);
    put_jpeg_and_webp(samples);
    put_tiff(memset(samples, 0, sizeof samples));
    put_simple();
    put_safetensors();
    put_checkpoint();
    put_pack();
    put_texts();
    put_series();
    put_tokenizers();
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(write_seeds)};
    root = count == 2 ? arguments[1] : ".";
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
