/* What tests of sources share. */
#ifndef TESTS_DATA_SOURCE_SUPPORT_H
#define TESTS_DATA_SOURCE_SUPPORT_H

#include "data/source.h"
#include "support.h"

/* A list of strings with its NULL. */
#define NAMES(...)                                                                                 \
    (const char *const[]) {                                                                        \
        __VA_ARGS__, NULL                                                                          \
    }

/* The defaults, but for the format, which is found out, and data.train. */
clc_config_data train_on(const char *path);

/* The same on the file or folder of that name in the test's folder. */
clc_config_data train_in(const char *name);

/* Options that change nothing. */
clc_image_options plain_options(void);

/* In the test's folder: makes a folder and those above; writes a picture of one pixel (BMP), or
 * text, with the folders that it needs; a symbolic link. */
void put_folder(const char *name);
void put_picture(const char *name, uint8_t grey);
void put_text(const char *name, const char *text);
void put_link(const char *name, const char *target);

/* Opens what is trained on, and fails the test if that fails. */
clc_source *open_train(const clc_config_data *config);

/* Fails unless the items' names are these, each behind `root` (a name in the test's folder, or NULL
 * for names as they are) and a slash; the last is NULL. */
void expect_items(const clc_source *source, const char *root, const char *const *names);

/* Fails unless the classes are these; the last is NULL. */
void expect_classes(const clc_source *source, const char *const *names);

/* Fails unless the class of each item is the named one; "" is none. */
void expect_labels(const clc_source *source, const char *const *names);

/* Fails unless a bad file's name ends with `name` and has a reason that contains `reason`. */
void expect_bad(const clc_source *source, const char *name, const char *reason);

/* The item whose name ends with this. */
size_t item_of(const clc_source *source, const char *name);

/* The first byte of the item's pixels. */
int first_byte(const clc_source *source, size_t item);

#endif
