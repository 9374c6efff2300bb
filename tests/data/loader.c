/* Stores, packs and batches: the same pictures from wherever they come. */
#include "data/loader.h"

#include "core/cache.h"
#include "core/log.h"
#include "data/pack.h"
#include "source_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PICTURES = 23, BATCH = 5 };

/* A grey picture (PGM) of that size, whose pixels are its number and their place. */
static void put_numbered(const char *folder, int number, int height, int width) {
    char name[64];
    uint8_t file[1024];
    snprintf(name, sizeof name, "%s/%02d.pgm", folder, number);
    int n = snprintf((char *)file, sizeof file, "P5 %d %d 255\n", width, height);
    for (int i = 0; i < height * width; i++)
        file[n++] = (uint8_t)(10 * number + i % 10);
    put_folder(folder);
    put_file(in_folder(name), file, (size_t)n);
}

static void put_all(const char *folder) {
    for (int i = 0; i < PICTURES; i++)
        put_numbered(folder, i, 2 + i % 7, 3 + i % 4);
}

static void use_cache(const char *name) {
    assert_int_equal(setenv("XDG_CACHE_HOME", in_folder(name), 1), 0);
}

static clc_config config_of(const char *folder) {
    clc_config config;
    CHECK(clc_config_load(NULL, NULL, 0, &config));
    snprintf(config.data.train, sizeof config.data.train, "%s", in_folder(folder));
    config.data.channels = 1;
    config.data.store_side = 16;
    config.data.bad_limit = 1;
    config.data.threads = 3;
    return config;
}

static clc_dataset *open_data(const clc_config *config) {
    clc_dataset *data;
    CHECK(clc_dataset_open(config, CLC_SPLIT_TRAIN, NULL, &data));
    return data;
}

static void expect_decoded(const clc_dataset *data) {
    for (size_t i = 0; i < data->count; i++) {
        clc_image image;
        const clc_place *place = &data->places[i];
        CHECK(clc_source_read(data->source, data->items[i], &data->image, &image));
        assert_int_equal(place->height, image.height);
        assert_int_equal(place->width, image.width);
        assert_memory_equal(data->pixels + place->offset, image.pixels,
                            (size_t)(image.height * image.width));
        clc_image_free(&image);
    }
}

static int packs_in(const char *cache, char path[1024]) {
    char folder[512];
    struct dirent *entry;
    int count = 0;
    snprintf(folder, sizeof folder, "%s/clcontrast/packs", in_folder(cache));
    DIR *stream = opendir(folder);
    while (stream && (entry = readdir(stream)))
        if (*entry->d_name != '.' && ++count)
            snprintf(path, 1024, "%s/%.255s", folder, entry->d_name);
    if (stream)
        closedir(stream);
    return count;
}

static void stored_pictures_are_the_decoded_ones(void **state) {
    char path[1024];
    (void)state;
    put_all("plain");
    use_cache("cache_plain");
    clc_config config = config_of("plain");
    for (int pack = 0; pack < 2; pack++)
        for (config.data.threads = 1; config.data.threads < 6; config.data.threads += 2) {
            config.data.pack = pack;
            clc_dataset *data = open_data(&config);
            assert_int_equal(data->count, PICTURES);
            assert_false(data->uniform);
            expect_decoded(data);
            clc_dataset_free(&data);
            assert_int_equal(packs_in("cache_plain", path), pack);
        }
}

/* Changes the bytes but neither size nor time: who reads it again sees other pixels. */
static void change_unseen(const char *name) {
    struct stat info;
    size_t n;
    uint8_t *bytes = get_file(in_folder(name), &n);
    assert_int_equal(stat(in_folder(name), &info), 0);
    bytes[n - 1] ^= 255;
    put_file(in_folder(name), bytes, n);
    free(bytes);
    const struct timespec times[2] = {info.st_atim, info.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, in_folder(name), times, 0), 0);
}

static uint8_t last_byte(const clc_dataset *data) {
    const clc_place *p = &data->places[0];
    return data->pixels[p->offset + (uint64_t)(p->height * p->width) - 1];
}

/* The first picture's last pixel as the next start has it. */
static uint8_t next_start(const clc_config *config) {
    clc_dataset *data = open_data(config);
    const uint8_t byte = last_byte(data);
    assert_int_equal(data->count, PICTURES);
    clc_dataset_free(&data);
    return byte;
}

static void a_pack_spares_reading_pictures(void **state) {
    (void)state;
    put_all("spared");
    use_cache("cache_spared");
    clc_config config = config_of("spared");
    const uint8_t before = next_start(&config);
    change_unseen("spared/00.pgm");
    assert_int_equal(next_start(&config), before);
    config.data.pack = false;
    assert_int_equal(next_start(&config), before ^ 255);
    config.data.pack = true;
    put_numbered("spared", 0, 3, 3); /* another size */
    assert_int_not_equal(next_start(&config), before ^ 255);
}

static void a_torn_pack_is_made_anew(void **state) {
    char path[1024];
    size_t n;
    (void)state;
    put_all("torn");
    use_cache("cache_torn");
    clc_config config = config_of("torn");
    const uint8_t before = next_start(&config);
    change_unseen("torn/00.pgm");
    assert_int_equal(packs_in("cache_torn", path), 1);
    uint8_t *whole = get_file(path, &n);
    uint8_t *torn = malloc(n + 1);
    assert_non_null(torn);
    torn[n] = 0;
    const size_t cuts[] = {0, 1, 300, 4095, 4096, 4100, n - 100, n - 1, n + 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        memcpy(torn, whole, n);
        put_file(path, torn, cuts[i]);
        assert_int_equal(next_start(&config), before ^ 255);
    }
    /* Bytes all over the header and the tables, which hold 28 bytes a picture. */
    const size_t header = 64, tables = n - (size_t)PICTURES * 28;
    for (size_t at = 0; at < n; at += 13) {
        if (at >= header && at < tables)
            at = tables;
        memcpy(torn, whole, n);
        torn[at] ^= 1;
        put_file(path, torn, n);
        assert_int_equal(next_start(&config), before ^ 255);
    }
    put_file(path, whole, n);
    assert_int_equal(next_start(&config), before);
    free(torn);
    free(whole);
}

/* ---- batches ---- */

typedef struct loading {
    clc_loader *loader;
    clc_loader_options options;
} loading;

static loading start_loading(clc_dataset *data, int threads, int slots, int held, bool shuffle,
                             int64_t first) {
    loading l = {.options = {.batch = BATCH,
                             .shuffle = shuffle,
                             .sample_count = data->count,
                             .seed = 3,
                             .first_step = first,
                             .slots = slots,
                             .held = held}};
    data->threads = threads;
    l.options.room = clc_dataset_most_bytes(data, BATCH);
    for (int i = 0; i < slots; i++) {
        l.options.memory[i] = malloc(l.options.room);
        assert_non_null(l.options.memory[i]);
    }
    CHECK(clc_loader_open(data, &l.options, &l.loader));
    return l;
}

static void stop_loading(loading *l) {
    clc_loader_close(&l->loader);
    for (int i = 0; i < l->options.slots; i++)
        free(l->options.memory[i]);
}

/* Each sample is its picture of `all`, whatever holds it. */
static void expect_batch(const clc_batch *batch, const clc_dataset *all, const int32_t *indices) {
    for (int i = 0; i < BATCH; i++) {
        const clc_place *got = &batch->places[i], *want = &all->places[batch->indices[i]];
        const uint8_t *pixels = batch->pixels ? batch->pixels : all->pixels;
        assert_int_equal(batch->indices[i], indices[i]);
        assert_int_equal(got->height, want->height);
        assert_int_equal(got->width, want->width);
        assert_memory_equal(pixels + got->offset, all->pixels + want->offset,
                            (size_t)(want->height * want->width));
    }
}

static void batches_depend_on_neither_threads_nor_slots_nor_where_pictures_are(void **state) {
    enum { STEPS = 11 };
    int32_t want[STEPS][BATCH];
    clc_batch batch;
    (void)state;
    put_all("batches");
    use_cache("cache_batches");
    clc_config config = config_of("batches");
    clc_dataset *all = open_data(&config);
    config.data.residency = CLC_CONFIG_RESIDENCY_STREAM;
    clc_dataset *streamed = open_data(&config);
    assert_null(streamed->pixels);
    /* The specification: those in the device's memory. */
    clc_loader_options resident = {
        .batch = BATCH, .shuffle = true, .seed = 3, .resident = true, .slots = 3, .held = 1};
    clc_loader *loader;
    CHECK(clc_loader_open(all, &resident, &loader));
    assert_int_equal(clc_loader_steps(loader), PICTURES / BATCH);
    for (int step = 0; step < STEPS; step++) {
        CHECK(clc_loader_next(loader, &batch));
        memcpy(want[step], batch.indices, sizeof want[step]);
    }
    clc_loader_close(&loader);
    const int kinds[][4] = {{1, 2, 1, 0}, {2, 4, 1, 3}, {5, 16, 5, 0}, {3, 8, 5, 7}, {5, 2, 1, 10}};
    for (size_t i = 0; i < 2 * sizeof kinds / sizeof *kinds; i++) {
        const int *k = kinds[i / 2];
        loading l = start_loading(i % 2 ? all : streamed, k[0], k[1], k[2], true, k[3]);
        for (int step = k[3]; step < STEPS; step++) {
            CHECK(clc_loader_next(l.loader, &batch));
            assert_int_equal(batch.step, step);
            assert_int_equal(batch.epoch, step / (PICTURES / BATCH));
            expect_batch(&batch, all, want[step]);
        }
        stop_loading(&l);
    }
    clc_dataset_free(&streamed);
    clc_dataset_free(&all);
}

/* Of more pictures than are measured. */
static void mean_and_deviation_are_the_same_stored_or_decoded_when_needed(void **state) {
    enum { MANY = 2100 };
    (void)state;
    for (int i = 0; i < MANY; i++)
        put_numbered("many", i, 1, 1 + i % 3);
    put_file(in_folder("many/07.pgm"), "P5 none", 7);
    use_cache("cache_many");
    clc_config config = config_of("many");
    clc_dataset *sets[3];
    sets[0] = open_data(&config);
    sets[1] = open_data(&config); /* the pack */
    config.data.residency = CLC_CONFIG_RESIDENCY_STREAM;
    sets[2] = open_data(&config);
    for (int i = 1; i < 3; i++) {
        assert_memory_equal(sets[i]->mean, sets[0]->mean, sizeof(double));
        assert_memory_equal(sets[i]->deviation, sets[0]->deviation, sizeof(double));
    }
    for (int i = 0; i < 3; i++)
        clc_dataset_free(&sets[i]);
}

/* Takes the batches of two epochs with `threads`; no batch may hold a picture twice, or one of the
 * bad ones. */
static void load_damaged(clc_dataset *data, int threads, int32_t (*indices)[BATCH]) {
    loading l = start_loading(data, threads, 4, 1, true, 0);
    clc_batch batch;
    for (int step = 0; step < 2 * (PICTURES / BATCH); step++) {
        CHECK(clc_loader_next(l.loader, &batch));
        memcpy(indices[step], batch.indices, sizeof *indices);
        for (int i = 0; i < BATCH; i++) {
            assert_true(batch.indices[i] % 3 != 1);
            assert_true(batch.pixels[batch.places[i].offset] == (uint8_t)(10 * batch.indices[i]));
            for (int j = 0; j < i; j++)
                assert_int_not_equal(batch.indices[i], batch.indices[j]);
        }
    }
    assert_in_range(clc_loader_bad_count(l.loader), 1, 8);
    stop_loading(&l);
}

static void vanished_pictures_are_replaced_alike_and_never_twice(void **state) {
    enum { STEPS = 2 * (PICTURES / BATCH) };
    int32_t one[STEPS][BATCH], more[STEPS][BATCH];
    char name[64];
    (void)state;
    put_all("vanish");
    clc_config config = config_of("vanish");
    config.data.residency = CLC_CONFIG_RESIDENCY_STREAM;
    clc_dataset *data = open_data(&config);
    for (int i = 1; i < PICTURES; i += 3) {
        snprintf(name, sizeof name, "vanish/%02d.pgm", i);
        assert_int_equal(unlink(in_folder(name)), 0);
    }
    load_damaged(data, 1, one);
    for (int threads = 2; threads < 6; threads++) {
        load_damaged(data, threads, more);
        assert_memory_equal(one, more, sizeof one);
    }
    clc_dataset_free(&data);
}

/* Those with a label, of which each epoch takes all in an order of its own; one that vanished is
 * replaced by another of them. */
static void only_the_samples_named_are_drawn(void **state) {
    static const int32_t named[] = {0, 3, 4, 8, 11, 12, 13, 19, 20, 22};
    enum { NAMED = sizeof named / sizeof *named, STEPS = NAMED / BATCH };
    (void)state;
    put_all("named");
    clc_config config = config_of("named");
    config.data.residency = CLC_CONFIG_RESIDENCY_STREAM;
    clc_dataset *data = open_data(&config);
    for (int vanished = 0; vanished < 2; vanished++) {
        loading l = start_loading(data, 2, 3, 1, true, 0);
        clc_loader_options options = l.options;
        clc_batch batch;
        options.samples = named;
        options.sample_count = NAMED;
        clc_loader_close(&l.loader);
        CHECK(clc_loader_open(data, &options, &l.loader));
        assert_int_equal(clc_loader_steps(l.loader), STEPS);
        int seen[PICTURES] = {0};
        for (int step = 0; step < 6 * STEPS; step++) {
            CHECK(clc_loader_next(l.loader, &batch));
            for (int i = 0; i < BATCH; i++)
                seen[batch.indices[i]]++;
        }
        for (int i = 0, n = 0; i < PICTURES; i++) {
            const bool drawn = n < NAMED && named[n] == i;
            n += drawn;
            if (!vanished)
                assert_int_equal(seen[i], drawn ? 6 : 0);
            else
                assert_true(drawn && i != 8 ? seen[i] >= 6 : !seen[i]);
        }
        stop_loading(&l);
        assert_true(vanished || unlink(in_folder("named/08.pgm")) == 0);
    }
    clc_dataset_free(&data);
}

static void bad_pictures_are_marked_where_order_counts(void **state) {
    clc_batch batch;
    int seen = 0;
    (void)state;
    put_all("marked");
    clc_config config = config_of("marked");
    config.data.residency = CLC_CONFIG_RESIDENCY_STREAM;
    clc_dataset *data = open_data(&config);
    assert_int_equal(unlink(in_folder("marked/04.pgm")), 0);
    assert_int_equal(unlink(in_folder("marked/22.pgm")), 0);
    loading l = start_loading(data, 3, 3, 1, false, 0);
    for (int step = 0; step < (PICTURES + BATCH - 1) / BATCH; step++) {
        CHECK(clc_loader_next(l.loader, &batch));
        assert_int_equal(batch.count, step < PICTURES / BATCH ? BATCH : PICTURES % BATCH);
        for (size_t i = 0; i < batch.count; i++, seen++) {
            assert_int_equal(batch.indices[i], seen);
            assert_int_equal(batch.bad[i], seen == 4 || seen == 22);
        }
    }
    assert_int_equal(seen, PICTURES);
    assert_int_equal(clc_loader_next(l.loader, &batch), CLC_INVALID);
    clc_bad_files bad = {0};
    CHECK(clc_loader_bad(l.loader, &bad));
    assert_int_equal(bad.count, 2);
    clc_names_free(&bad.entries);
    stop_loading(&l);
    clc_dataset_free(&data);
}

static void a_file_that_changes_is_named(void **state) {
    clc_batch batch;
    clc_status status = CLC_OK;
    (void)state;
    put_all("changed");
    clc_config config = config_of("changed");
    config.data.residency = CLC_CONFIG_RESIDENCY_STREAM;
    config.data.on_bad = CLC_CONFIG_BAD_STOP;
    clc_dataset *data = open_data(&config);
    put_numbered("changed", 9, 11, 11);
    loading l = start_loading(data, 2, 4, 1, true, 0);
    for (int step = 0; step < 2 * (PICTURES / BATCH) && status == CLC_OK; step++)
        status = clc_loader_next(l.loader, &batch);
    assert_int_equal(status, CLC_FORMAT);
    assert_non_null(strstr(clc_error(), "changed/09.pgm: has changed"));
    stop_loading(&l);
    clc_dataset_free(&data);
}

static void too_few_pictures_make_no_batch(void **state) {
    clc_loader *loader;
    (void)state;
    put_numbered("few", 0, 2, 2);
    use_cache("cache_few");
    clc_config config = config_of("few");
    clc_dataset *data = open_data(&config);
    const clc_loader_options options = {
        .batch = 2, .shuffle = true, .resident = true, .slots = 2, .held = 1};
    assert_int_equal(clc_loader_open(data, &options, &loader), CLC_INVALID);
    assert_null(loader);
    clc_dataset_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_pictures_are_the_decoded_ones),
        cmocka_unit_test(a_pack_spares_reading_pictures),
        cmocka_unit_test(a_torn_pack_is_made_anew),
        cmocka_unit_test(batches_depend_on_neither_threads_nor_slots_nor_where_pictures_are),
        cmocka_unit_test(mean_and_deviation_are_the_same_stored_or_decoded_when_needed),
        cmocka_unit_test(vanished_pictures_are_replaced_alike_and_never_twice),
        cmocka_unit_test(only_the_samples_named_are_drawn),
        cmocka_unit_test(bad_pictures_are_marked_where_order_counts),
        cmocka_unit_test(a_file_that_changes_is_named),
        cmocka_unit_test(too_few_pictures_make_no_batch),
    };
    clc_log_quiet(true);
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
