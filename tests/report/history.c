/* What is read of metrics.jsonl. */
#include "report/history.h"

#include "../device/folder.h"
#include "harness.h"
#include "report/json.h"
#include "report/live.h"
#include "tap.h"

#include <math.h>
#include <string.h>

static const char *folder(void) {
    static char path[512];
    snprintf(path, sizeof path, "%s", in_folder("metrics.jsonl"));
    *strrchr(path, '/') = '\0';
    return path;
}

static clc_history *open_text(const char *text) {
    clc_history *h = NULL;
    put_file(in_folder("metrics.jsonl"), text, strlen(text));
    CHECK(clc_history_open(folder(), &h));
    return h;
}

static void rows_of_a_resumed_run_replace_the_former(void **state) {
    (void)state;
    clc_history *h = open_text("{\"step\":1,\"loss\":5,\"time\":10}\n"
                               "{\"step\":2,\"loss\":4,\"time\":11}\n"
                               "{\"event\":\"evaluation\",\"step\":2,\"knn_accuracy\":0.1}\n"
                               "{\"step\":3,\"loss\":3,\"time\":12}\n"
                               "{\"event\":\"resume\",\"step\":1,\"time\":100}\n"
                               "{\"step\":2,\"loss\":2.5,\"rank\":7,\"time\":101}\n"
                               "{\"step\":3,\"loss\":2,\"time\":103}\n");
    const int loss = clc_history_column(h, "loss"), rank = clc_history_column(h, "rank");
    assert_int_equal(h->count, 3);
    assert_true(clc_history_at(h, 0, loss) == 5 && clc_history_at(h, 1, loss) == 2.5);
    assert_true(isnan(clc_history_at(h, 0, rank)) && clc_history_at(h, 1, rank) == 7);
    assert_int_equal(clc_history_column(h, "time"), -1);
    assert_int_equal(json_array_size(h->events), 1); /* the evaluation was of what is gone */
    assert_true(fabs(h->seconds - 4) < 1e-9);        /* the night between sessions isn't counted */
    clc_history_free(&h);
}

static void damaged_lines_are_counted_and_a_part_of_one_waits(void **state) {
    (void)state;
    clc_history *h = open_text("{\"step\":1,\"loss\":5}\nnonsense\n[]\n{\"step\":2,\"lo");
    assert_int_equal(h->count, 1);
    assert_int_equal(h->broken, 2);
    FILE *file = fopen(in_folder("metrics.jsonl"), "a");
    fputs("ss\":4}\n{\"step\":3,\"loss\":1}\n", file);
    fclose(file);
    CHECK(clc_history_read(h));
    assert_int_equal(h->count, 3);
    assert_int_equal(h->broken, 2);
    assert_true(clc_history_at(h, 1, clc_history_column(h, "loss")) == 4);
    clc_history_free(&h);
}

static double value(const json_t *rows, const char *key, size_t i) {
    return json_number_value(json_array_get(json_object_get(rows, key), i));
}

static void many_rows_become_means_with_extremes(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    for (int i = 1; i <= 10; i++)
        fprintf(file, "{\"step\":%d,\"loss\":%d%s}\n", i, i * i, i == 7 ? ",\"rank\":2" : "");
    fclose(file);
    clc_history *h = open_text(text);
    json_t *rows = clc_history_json(h, 3); /* rows 1..3, 4..6, 7..10 */
    assert_int_equal(json_array_size(json_object_get(rows, "step")), 3);
    assert_true(value(rows, "step", 0) == 3 && value(rows, "step", 2) == 10);
    assert_true(fabs(value(rows, "loss", 2) - (49 + 64 + 81 + 100) / 4.0) < 1e-9);
    assert_true(value(json_object_get(rows, "low"), "loss", 2) == 49);
    assert_true(value(json_object_get(rows, "high"), "loss", 1) == 36);
    assert_true(json_is_null(json_array_get(json_object_get(rows, "rank"), 0)));
    assert_true(value(rows, "rank", 2) == 2);
    json_decref(rows);
    rows = clc_history_json(h, 10);
    assert_int_equal(json_object_size(json_object_get(rows, "low")), 0);
    assert_true(value(rows, "loss", 9) == 100);
    json_decref(rows);
    clc_history_free(&h);
    free(text);
}

static void a_run_without_rows_has_no_points(void **state) {
    (void)state;
    clc_history *h = open_text("");
    json_t *rows = clc_history_json(h, 5);
    assert_int_equal(json_array_size(json_object_get(rows, "step")), 0);
    assert_non_null(json_object_get(rows, "step"));
    json_decref(rows);
    clc_history_free(&h);
    assert_int_equal(clc_history_open(in_folder("nowhere"), &h), CLC_IO);
    assert_non_null(strstr(clc_error(), "is no folder of a run"));
}

static void any_bytes_become_text_that_ends_no_script(void **state) {
    (void)state;
    static const char bytes[] = "a\xff</script>\xc3\xa9\xe2\x82z";
    json_t *string = clc_json_bytes(bytes, sizeof bytes - 1);
    assert_string_equal(json_string_value(string), "a\xef\xbf\xbd</script>\xc3\xa9\xef\xbf\xbdz");
    char *text = clc_json_for_page(string);
    assert_string_equal(text, "\"a\\uFFFD\\u003c/script>\\u00E9\\uFFFDz\"");
    free(text);
    json_decref(string);
    assert_true(json_is_null(clc_json_number((double)NAN)));
}

static void files_become_uris(void **state) {
    (void)state;
    static const struct {
        const char *text, *uri;
    } cases[] = {{"", "data:x/y;base64,"},
                 {"f", "data:x/y;base64,Zg=="},
                 {"fo", "data:x/y;base64,Zm8="},
                 {"foo", "data:x/y;base64,Zm9v"},
                 {"foob", "data:x/y;base64,Zm9vYg=="},
                 {"\xff\xfe\xfd", "data:x/y;base64,//79"}}; /* RFC 4648, 10 */
    json_t *uri;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_file(in_folder("file"), cases[i].text, strlen(cases[i].text));
        CHECK(clc_json_file_uri(folder(), "file", "x/y", &uri));
        assert_string_equal(json_string_value(uri), cases[i].uri);
        json_decref(uri);
    }
    CHECK(clc_json_file_uri(folder(), "no file", "x/y", &uri));
    assert_null(uri);
}

static char *drawn(const clc_history *h, int columns, int lines) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    CHECK(clc_live_draw(h, columns, lines, file));
    fclose(file);
    return text;
}

static int lines_of(const char *text) {
    int n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void curves_fit_the_terminal(void **state) {
    (void)state;
    clc_history *h = open_text("{\"step\":1,\"epoch\":1,\"loss\":1,\"learning_rate\":0.5}\n"
                               "{\"step\":2,\"epoch\":1,\"loss\":2,\"learning_rate\":0.5}\n");
    char *text = drawn(h, 30, 100);
    assert_int_equal(lines_of(text), 1 + 2 * 7);
    assert_non_null(strstr(text, "epoch 1, step 2\nloss  2\n        2 "));
    assert_non_null(strstr(text, "learning rate  0.5\n"));
    /* 20 characters: low for the first 10, at the bottom, then high, at the top. */
    assert_non_null(strstr(text, "        2 "
                                 "\u2800\u2800\u2800\u2800\u2800\u2800\u2800\u2800\u2800\u2800"
                                 "\u2809\u2809\u2809\u2809\u2809\u2809\u2809\u2809\u2809\u2809\n"));
    assert_non_null(strstr(text, "        1 "
                                 "\u28c0\u28c0\u28c0\u28c0\u28c0\u28c0\u28c0\u28c0\u28c0\u28c0"
                                 "\u2800\u2800\u2800\u2800\u2800\u2800\u2800\u2800\u2800\u2800\n"));
    free(text);
    text = drawn(h, 1, 1); /* too small for any: the first, narrow */
    assert_int_equal(lines_of(text), 1 + 7);
    free(text);
    clc_history_free(&h);
    h = open_text("");
    text = drawn(h, 80, 24);
    assert_string_equal(text, "no steps yet\n");
    free(text);
    clc_history_free(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_resumed_run_replace_the_former),
        cmocka_unit_test(damaged_lines_are_counted_and_a_part_of_one_waits),
        cmocka_unit_test(many_rows_become_means_with_extremes),
        cmocka_unit_test(a_run_without_rows_has_no_points),
        cmocka_unit_test(any_bytes_become_text_that_ends_no_script),
        cmocka_unit_test(files_become_uris),
        cmocka_unit_test(curves_fit_the_terminal),
    };
    tap_begin();
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
