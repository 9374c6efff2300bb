/* Texts in arrays, and words a person typed with what they probably meant. */
#ifndef CLC_CORE_TEXT_H
#define CLC_CORE_TEXT_H

#include "core/status.h"

/* As snprintf, but fails with CLC_INVALID where the text doesn't fit: names that are cut could be
 * the same. */
clc_status clc_text_format(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The index of the candidate that `word` is most likely a misspelling or beginning of; `n` if none
 * comes near. Letter case and '-' for '_' don't count. NULL candidates are passed over. */
size_t clc_closest(const char *word, const char *const *candidates, size_t n);

#endif
