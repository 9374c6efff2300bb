/* A temporary folder of the test, and processes of the test program itself. */
#ifndef TESTS_DEVICE_FOLDER_H
#define TESTS_DEVICE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* cmocka's group setup; remove_folder deletes it with its contents. */
int make_folder(void **state);
int remove_folder(void **state);

/* The path of `name` in the folder; valid for the next seven calls. */
const char *in_folder(const char *name);

/* Whole files. */
void put_file(const char *path, const void *data, size_t size);
unsigned char *get_file(const char *path, size_t *size);

/* Number of files in a folder (0 if there is none); the path of the first goes to `path` (512), if
 * not NULL. */
int list_folder(const char *folder, char *path);

/* Starts this program with one argument; its output is read with pclose at the end. */
FILE *start_child(const char *argument);

/* Runs it to the end; what it printed goes to `output` (NUL-terminated). Fails the test unless it
 * exits with status 0. */
void run_child(const char *argument, char *output, size_t size);

#endif
