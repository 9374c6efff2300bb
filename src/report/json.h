/* Bytes from outside as JSON, and JSON inside of HTML. */
#ifndef CLC_REPORT_JSON_H
#define CLC_REPORT_JSON_H

#include "core/status.h"

#include <jansson.h>

/* A string of `n` bytes; what is no UTF-8 becomes U+FFFD. NULL: no memory. */
json_t *clc_json_bytes(const char *bytes, size_t n);

/* The same of a file of a run's folder; *string is NULL where there is no such file. */
clc_status clc_json_file_text(const char *folder, const char *name, json_t **string);

/* "data:<type>;base64,..." of a file of the folder; *string is NULL where there is no such file. */
clc_status clc_json_file_uri(const char *folder, const char *name, const char *type,
                             json_t **string);

/* The same of bytes at hand; NULL: no memory. */
json_t *clc_json_uri(const char *type, const void *bytes, size_t n);

/* A finite number, or null: JSON has no other. */
json_t *clc_json_number(double value);

/* JSON as text that may stand in a <script> element: ASCII, without "<". The caller frees it; NULL:
 * no memory. */
char *clc_json_for_page(const json_t *value);

#endif
