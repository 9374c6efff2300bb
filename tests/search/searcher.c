/* An index that is searched through the public interface, beside cosines in plain C. */
#include "clcontrast/search.h"

#include "../data/support.h"
#include "../eval/saved_encoder.h"
#include "core/rng.h"
#include "search/search.h"
#include "tap.h"

#include <math.h>
#include <pthread.h>

enum { COUNT = 21, DIM = 16, SIDE = 8, QUERIES = 5 };

static const char settings[] = "[data]\nchannels = 1\nstore_side = 12\n"
                               "[augmentation]\nsize = 8\nmean = 0.5\nstd = 0.2\n"
                               "[encoder]\nname = custom\nblock = basic\nblocks = 1, 1\nwidth = 8\n"
                               "[training]\nbatch = 8\n[evaluation]\nbatch = 4\n";

static float features[COUNT * DIM], lengths[COUNT];

static void fill(float *values, size_t n, uint64_t seed) {
    clc_rng rng = clc_rng_make(seed, 0);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)clc_rng_below(&rng, 1000) / 1000 - 0.4f;
}

/* As an index holds them: of length 1, with the lengths that they had. */
static void scale_features(void) {
    for (int i = 0; i < COUNT; i++) {
        double squares = 0;
        for (int d = 0; d < DIM; d++)
            squares += (double)features[i * DIM + d] * features[i * DIM + d];
        lengths[i] = (float)sqrt(squares);
        for (int d = 0; d < DIM; d++)
            features[i * DIM + d] /= lengths[i];
    }
}

static void write_index(const char *path, const char *weights) {
    clc_names names = {0};
    uint64_t stamps[COUNT] = {0};
    const clc_index_contents contents = {.count = COUNT,
                                         .dim = DIM,
                                         .features = features,
                                         .lengths = lengths,
                                         .stamps = stamps,
                                         .names = &names,
                                         .encoder = in_folder("e.safetensors"),
                                         .weights = weights};
    char name[16];
    for (int i = 0; i < COUNT; i++) {
        const int n = snprintf(name, sizeof name, "%d.pgm", i);
        CHECK(clc_names_add(&names, name, (size_t)n));
    }
    CHECK(clc_index_write(path, &contents));
    clc_names_free(&names);
}

static int make_index(void **state) {
    char digits[17];
    if (make_test_folder(state))
        return 1;
    save_encoder(settings, NULL, in_folder("e.safetensors"));
    fill(features, COUNT * DIM, 1);
    scale_features();
    CHECK(clc_search_weights_hash(in_folder("e.safetensors"), digits));
    write_index(in_folder("i.index"), digits);
    write_index(in_folder("other.index"), "0123456789abcdef");
    return 0;
}

static clc_searcher *open_index(void) {
    clc_searcher *searcher = NULL;
    CHECK(clc_searcher_open(in_folder("i.index"), NULL, getenv("CLC_TEST_DEVICE"), &searcher));
    return searcher;
}

static double cosine(const float *a, const float *b) {
    double dot = 0, aa = 0, bb = 0;
    for (int d = 0; d < DIM; d++) {
        dot += (double)a[d] * b[d];
        aa += (double)a[d] * a[d];
        bb += (double)b[d] * b[d];
    }
    return dot / sqrt(aa * bb);
}

/* Each match has the cosine that it says, they fall, and nobody who isn't among them is nearer. */
static void expect_nearest(const float *query, const clc_match *matches, int k) {
    bool among[COUNT] = {false};
    for (int j = 0; j < k; j++) {
        assert_true(matches[j].sample < COUNT && !among[matches[j].sample]);
        among[matches[j].sample] = true;
        assert_true(fabs(cosine(query, features + matches[j].sample * DIM) -
                         (double)matches[j].similarity) <= 1e-5);
        assert_true(j == 0 || matches[j].similarity <= matches[j - 1].similarity);
    }
    for (int i = 0; i < COUNT; i++)
        assert_true(among[i] ||
                    cosine(query, features + i * DIM) <= (double)matches[k - 1].similarity + 1e-5);
}

static void the_nearest_are_those_of_plain_cosines(void **state) {
    (void)state;
    clc_searcher *searcher = open_index();
    float queries[QUERIES * DIM];
    clc_match matches[QUERIES * COUNT];
    const int sizes[] = {1, 3, COUNT};
    fill(queries, QUERIES * DIM, 2);
    assert_int_equal(clc_searcher_count(searcher), COUNT);
    assert_string_equal(clc_searcher_name(searcher, 20), "20.pgm");
    assert_null(clc_searcher_name(searcher, COUNT));
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        CHECK(clc_searcher_find(searcher, queries, QUERIES, sizes[s], matches));
        for (int q = 0; q < QUERIES; q++)
            expect_nearest(queries + q * DIM, matches + q * sizes[s], sizes[s]);
    }
    CHECK(clc_searcher_find(searcher, NULL, 0, 1, NULL));
    clc_searcher_close(&searcher);
    assert_null(searcher);
    clc_searcher_close(&searcher);
}

static void a_file_is_a_query(void **state) {
    (void)state;
    clc_searcher *searcher = open_index();
    char file[64 + SIDE * SIDE];
    const int head = snprintf(file, 64, "P5 %d %d 255\n", SIDE, SIDE);
    float query[DIM];
    clc_match matches[4], same[4];
    for (int i = 0; i < SIDE * SIDE; i++)
        file[head + i] = (char)(37 * i % 251);
    put_file(in_folder("q.pgm"), file, (size_t)head + SIDE * SIDE);
    CHECK(clc_searcher_find_file(searcher, in_folder("q.pgm"), 4, matches));
    CHECK(clc_encoder_embed(clc_searcher_encoder(searcher), (uint8_t *)file + head, 1, SIDE, SIDE,
                            1, query));
    CHECK(clc_searcher_find(searcher, query, 1, 4, same));
    for (int j = 0; j < 4; j++)
        assert_true(matches[j].sample == same[j].sample &&
                    matches[j].similarity == same[j].similarity);
    CHECK_FAILS(clc_searcher_find_file(searcher, in_folder("absent.pgm"), 4, matches), CLC_IO,
                "absent.pgm");
    CHECK_FAILS(clc_searcher_find_text(searcher, "a cat", 4, matches), CLC_INVALID, "no texts");
    clc_searcher_close(&searcher);
}

static void what_cannot_be_is_refused(void **state) {
    (void)state;
    clc_searcher *searcher = open_index();
    clc_match matches[COUNT + 1];
    CHECK_FAILS(clc_searcher_find(searcher, features, 1, 0, matches), CLC_INVALID, "holds 21");
    CHECK_FAILS(clc_searcher_find(searcher, features, 1, COUNT + 1, matches), CLC_INVALID,
                "22 nearest");
    clc_searcher_close(&searcher);
    CHECK_FAILS(clc_searcher_open(in_folder("other.index"), NULL, NULL, &searcher), CLC_INVALID,
                "other weights");
    assert_null(searcher);
    CHECK_FAILS(clc_searcher_open(in_folder("i.index"), in_folder("gone"), NULL, &searcher), CLC_IO,
                "gone");
    CHECK_FAILS(clc_searcher_open(in_folder("e.safetensors"), NULL, NULL, &searcher), CLC_FORMAT,
                "no index");
    assert_null(searcher);
}

typedef struct task {
    clc_searcher *searcher;
    float query[DIM];
    clc_match alone[3];
    bool same;
} task;

static void *find_often(void *context) {
    task *t = context;
    clc_match found[3];
    t->same = true;
    for (int i = 0; i < 20; i++) {
        t->same = t->same && clc_searcher_find(t->searcher, t->query, 1, 3, found) == CLC_OK;
        for (int j = 0; j < 3; j++)
            t->same = t->same && found[j].sample == t->alone[j].sample;
    }
    return NULL;
}

static void threads_share_it(void **state) {
    (void)state;
    task tasks[3] = {{.searcher = open_index()}};
    pthread_t threads[3];
    for (int t = 0; t < 3; t++) {
        tasks[t].searcher = tasks[0].searcher;
        fill(tasks[t].query, DIM, 7 + (uint64_t)t);
        CHECK(clc_searcher_find(tasks[t].searcher, tasks[t].query, 1, 3, tasks[t].alone));
    }
    for (int t = 0; t < 3; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, find_often, &tasks[t]), 0);
    for (int t = 0; t < 3; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
        assert_true(tasks[t].same);
    }
    clc_searcher_close(&tasks[0].searcher);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_are_those_of_plain_cosines),
        cmocka_unit_test(a_file_is_a_query),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests_name("searcher", tests, make_index, remove_test_folder);
}
