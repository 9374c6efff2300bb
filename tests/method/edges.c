/* Settings and data at the edge of what a method can learn from: what lies beyond is refused with
 * the numbers and what to set. */
#include "method/fixture.h"

#include <stdlib.h>
#include <string.h>

/* Opens `method` on `data`; NULL for `wanted`: it must be accepted. Else the message must have it.
 */
static void expect(clc_dataset *data, const char *method, const char *const overrides[3],
                   const char *wanted) {
    fixture f;
    size_t n = 0;
    while (n < 3 && overrides[n])
        n++;
    const clc_status status = fixture_try(&f, data, method, overrides, n);
    if (wanted && (status != CLC_INVALID || !strstr(clc_error(), wanted)))
        fail_msg("%s, %s: '%s' lacks '%s'", method, overrides[0],
                 status == CLC_OK ? "accepted" : clc_error(), wanted);
    if (!wanted && status != CLC_OK)
        fail_msg("%s, %s: %s", method, overrides[0], clc_error());
    fixture_close(&f);
}

typedef struct edge {
    const char *method;
    const char *overrides[3];
    const char *wanted;
} edge;

static void expect_all(const edge *edges, size_t count) {
    for (size_t i = 0; i < count; i++)
        expect(fixture_noise(), edges[i].method, edges[i].overrides, edges[i].wanted);
}
#define EXPECT_ALL(edges) expect_all(edges, sizeof(edges) / sizeof *(edges))

/* 48 images, batches of 8: behind 40 others comes an image's own key of the epoch before. */
static void a_queue_has_no_keys_of_the_batch(void **state) {
    (void)state;
    static const edge edges[] = {
        {"mocov1", {"method.norm_parts=2", "method.queue=40"}, NULL},
        {"mocov1", {"method.norm_parts=2", "method.queue=41"}, "set method.queue to 40 or less"},
        {"mocov2", {"method.norm_parts=2", "method.queue=4096"}, "among its negatives"},
        {"nnclr", {"method.queue=80"}, NULL},
        {"nnclr", {"method.queue=81"}, "nearest neighbour would be itself"},
        {"swav", {"method.queue=96"}, NULL},
    };
    EXPECT_ALL(edges);
}

static void batch_norm_sees_two_images(void **state) {
    (void)state;
    static const edge edges[] = {
        {"simclr", {"training.micro_batch=1"}, "training.micro_batch = 1: with views in 1 part"},
        {"barlow", {"training.micro_batch=1"}, "use at least 2"},
        {"simclr", {"training.micro_batch=2"}, NULL},
        {"simclr", {"training.micro_batch=1", "encoder.norm=fixed"}, NULL},
        {"mocov2", {"method.norm_parts=8"}, "training.batch = 8: with views in 8 parts"},
        {"mocov2", {"method.norm_parts=4"}, NULL},
        {"barlow", {"method.norm_parts=2", "training.micro_batch=2"}, "use at least 4"},
    };
    EXPECT_ALL(edges);
}

/* Else nothing would be written where their gradient is read. */
static void only_a_loss_that_moves_targets_gets_them(void **state) {
    (void)state;
    static const edge edges[] = {
        {"simsiam", {"method.stop_gradient=false", "loss.name=infonce"}, "loss.name = cosine"},
        {"simsiam", {"method.stop_gradient=false"}, NULL},
        {"simsiam", {"loss.name=infonce"}, NULL},
    };
    EXPECT_ALL(edges);
}

static clc_dataset *relabelled(int32_t (*label)(int)) {
    clc_dataset *data = fixture_noise();
    for (int i = 0; i < FIXTURE_IMAGES; i++)
        data->labels[i] = label(i);
    return data;
}

static int32_t same(int i) {
    (void)i;
    return 2;
}

static int32_t but_one(int i) {
    return i != FIXTURE_IMAGES - 1;
}

static int32_t number(int i) {
    return i;
}

static int32_t every_third(int i) {
    return i % 3 ? -1 : i % 2;
}

/* One class has no negatives. A class an image has its views for positives. */
static void labels_are_of_two_classes(void **state) {
    (void)state;
    const char *const none[3] = {NULL};
    const char *const labels[3] = {"method.labels=true"};
    expect(relabelled(same), "supcon", none, "all 48 have label 2");
    expect(relabelled(same), "pair", labels, "all 48 have label 2");
    expect(relabelled(same), "simclr", none, NULL);
    expect(relabelled(but_one), "supcon", none, NULL);
    expect(relabelled(number), "supcon", none, NULL);
}

/* Images without a label are not of one class. */
static void the_unlabelled_are_positives_of_nobody(void **state) {
    (void)state;
    fixture f;
    CHECK(fixture_try(&f, relabelled(every_third), "supcon", NULL, 0));
    int32_t got[FIXTURE_IMAGES];
    CHECK(clc_buffer_read(f.session.device, f.session.step.wiring.all_labels, 0, sizeof got, got));
    for (int i = 0; i < FIXTURE_IMAGES; i++)
        for (int k = 0; k < i; k++)
            assert_int_equal(got[i] == got[k], i % 3 == 0 && k % 3 == 0 && i % 2 == k % 2);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_has_no_keys_of_the_batch),
        cmocka_unit_test(batch_norm_sees_two_images),
        cmocka_unit_test(only_a_loss_that_moves_targets_gets_them),
        cmocka_unit_test(labels_are_of_two_classes),
        cmocka_unit_test(the_unlabelled_are_positives_of_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
