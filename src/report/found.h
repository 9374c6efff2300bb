/* A page of samples that were found in an index: groups of pictures with their similarities, one
 * file that loads nothing, in report.html's clothes. */
#ifndef CLC_REPORT_FOUND_H
#define CLC_REPORT_FOUND_H

#include "core/status.h"

#include <stdbool.h>

typedef struct clc_found_page clc_found_page;

/* An empty page of `command`, headed by `title`. Texts of a page may be any bytes. */
clc_status clc_found_page_open(const char *command, const char *title, clc_found_page **page);

/* What stands of a sample on the page. Its name is a path, or what it is: a picture that can be
 * read there is drawn, else the name stands in its place. */
typedef struct clc_found_sample {
    const char *name;
    double value;     /* NaN: none */
    const char *note; /* NULL: none */
    bool mark;        /* draw a frame */
} clc_found_sample;

/* Begins a group; heading NULL: none. */
clc_status clc_found_page_group(clc_found_page *page, const char *heading);

/* Adds a sample to the last group; or what was asked, which stands before its samples. */
clc_status clc_found_page_add(clc_found_page *page, const clc_found_sample *sample);
clc_status clc_found_page_ask(clc_found_page *page, const char *name);

/* Reads the pictures and writes the file, below 4 MB; of many samples the pictures are smaller, and
 * those that have no room any more are named only, which the page says. Ctrl-C: CLC_INTERRUPTED. */
clc_status clc_found_page_write(clc_found_page *page, const char *path, const char *summary);

/* Accepts NULL. */
void clc_found_page_free(clc_found_page **page);

#endif
