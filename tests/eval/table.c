/* The text table. */
#include "report/table.h"

#include "harness.h"
#include "tap.h"

#include <stdlib.h>

static char *printed(clc_table *table) {
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    CHECK(clc_table_print(table, file));
    fclose(file);
    return text;
}

static void columns_fit_their_widest_cell(void **state) {
    (void)state;
    clc_table table;
    clc_table_begin(&table, "lr", 3);
    clc_table_cell(&table, "features");
    clc_table_cell(&table, "dim");
    clc_table_cell(&table, "kNN");
    clc_table_cell(&table, "raw pixels");
    clc_table_cell(&table, "%d", 784);
    clc_table_percent(&table, 0.85504);
    clc_table_cell(&table, "encoder");
    clc_table_cell(&table, "%d", 1024);
    clc_table_percent(&table, 1);
    char *text = printed(&table);
    assert_string_equal(text, "features     dim     kNN\n"
                              "------------------------\n"
                              "raw pixels   784   85.50\n"
                              "encoder     1024  100.00\n");
    free(text);
}

static void names_of_any_characters_keep_their_line(void **state) {
    (void)state;
    clc_table table;
    clc_table_begin(&table, "lr", 2);
    clc_table_cell(&table, "class");
    clc_table_cell(&table, "n");
    clc_table_cell(&table, "\u00e9t\u00e9");
    clc_table_cell(&table, "1");
    clc_table_cell(&table, "\u732b\u72ac");
    clc_table_cell(&table, "2");
    clc_table_cell(&table, "a\n\033b");
    clc_table_cell(&table, "3");
    char *text = printed(&table);
    assert_string_equal(text, "class  n\n"
                              "--------\n"
                              "\u00e9t\u00e9    1\n"
                              "\u732b\u72ac   2\n"
                              "a??b   3\n");
    free(text);
}

static void a_last_row_may_be_short(void **state) {
    (void)state;
    clc_table table;
    clc_table_begin(&table, "ll", 2);
    clc_table_cell(&table, "a");
    clc_table_cell(&table, "b");
    clc_table_cell(&table, "long");
    char *text = printed(&table);
    assert_string_equal(text, "a     b\n-------\nlong\n");
    free(text);
}

static void an_unprinted_table_is_freed(void **state) {
    (void)state;
    clc_table table;
    clc_table_begin(&table, "", 1);
    clc_table_cell(&table, "x");
    clc_table_free(&table);
    clc_table_free(&table);
    assert_null(table.cells);
}

static void a_failed_write_is_reported(void **state) {
    (void)state;
    clc_table table;
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    setvbuf(full, NULL, _IONBF, 0);
    clc_table_begin(&table, "l", 1);
    clc_table_cell(&table, "x");
    assert_int_equal(clc_table_print(&table, full), CLC_IO);
    fclose(full);
}

int main(void) {
    tap_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_fit_their_widest_cell),
        cmocka_unit_test(names_of_any_characters_keep_their_line),
        cmocka_unit_test(a_last_row_may_be_short),
        cmocka_unit_test(an_unprinted_table_is_freed),
        cmocka_unit_test(a_failed_write_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
