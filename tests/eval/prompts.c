/* Files of classes and templates. */
#include "eval/prompts.h"

#include "../data/support.h"
#include "tap.h"

static const char *put(const char *name, const char *text) {
    const char *path = in_folder(name);
    put_file(path, text, strlen(text));
    return path;
}

static void expect(const clc_names *names, size_t i, const char *want) {
    assert_true(i < names->count);
    assert_string_equal(clc_names_at(names, i), want);
}

static void each_class_stands_in_each_template(void **state) {
    (void)state;
    clc_prompts p;
    const char *classes =
        put("classes", "\xef\xbb\xbf"
                       "cat\r\n\n  n02084071\tdog, or hound \r\n\xd7\xa9\nlast one");
    const char *templates = put("templates", "a photo of a {}.\n \nno {} but {}\n");
    CHECK(clc_prompts_load(classes, templates, &p));
    assert_int_equal(p.templates, 2);
    assert_int_equal(p.classes.count, 4);
    expect(&p.classes, 0, "cat");
    expect(&p.classes, 1, "n02084071");
    expect(&p.classes, 3, "last one");
    assert_int_equal(p.texts.count, 8);
    expect(&p.texts, 0, "a photo of a cat.");
    expect(&p.texts, 1, "no cat but cat");
    expect(&p.texts, 2, "a photo of a dog, or hound.");
    expect(&p.texts, 5, "no \xd7\xa9 but \xd7\xa9");
    clc_prompts_free(&p);
    CHECK(clc_prompts_load(classes, NULL, &p));
    assert_int_equal(p.templates, 1);
    expect(&p.texts, 1, "dog, or hound");
    clc_prompts_free(&p);
}

static void what_is_wrong_is_named_with_its_line(void **state) {
    (void)state;
    clc_prompts p;
    const char *good = put("good", "a\nb\n");
    CHECK_FAILS(clc_prompts_load(put("x", "\n \n"), NULL, &p), CLC_FORMAT, "no class");
    CHECK_FAILS(clc_prompts_load(put("x", "a\n\nb\na\tc\n"), NULL, &p), CLC_FORMAT,
                "x:4: class 'a' is there already");
    CHECK_FAILS(clc_prompts_load(good, put("x", "{}\na {"), &p), CLC_FORMAT,
                "x:2: the template 'a {' lacks {}");
    CHECK_FAILS(clc_prompts_load(good, put("x", ""), &p), CLC_FORMAT, "no template");
    CHECK_FAILS(clc_prompts_load(in_folder("absent"), NULL, &p), CLC_IO, "absent");
    put_file(in_folder("x"), "a\0b\n", 4);
    CHECK_FAILS(clc_prompts_load(in_folder("x"), NULL, &p), CLC_FORMAT, "x:1: a zero byte");
    assert_null(p.classes.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_stands_in_each_template),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
    };
    return cmocka_run_group_tests_name("prompts", tests, make_test_folder, remove_test_folder);
}
