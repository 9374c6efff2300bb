/* report.html: a run, or a comparison of runs, as one page that needs no other file and loads
 * nothing. */
#ifndef CLC_REPORT_PAGE_H
#define CLC_REPORT_PAGE_H

#include "core/status.h"

#include <jansson.h>

/* The page around the data: its head, then "{{data}}", then the rest. Made of page/ when built. */
extern const char clc_page_html[];
/* The same of what was found in an index (report/found.h). */
extern const char clc_found_html[];

/* Writes a page with these data in it, atomically. */
clc_status clc_page_put(const char *html, const json_t *data, const char *path);

/* Writes <folder>/report.html from what the run's folder holds: metrics.jsonl, config.ini,
 * evaluation.json, samples.json with thumbs.jpg, views.jpg and views.txt; without metrics and
 * evaluation, from compare.json. Whatever is missing is missing in the page, what can't be read is
 * said there. CLC_IO if there is none of the three. */
clc_status clc_page_write(const char *folder);

#endif
