/* Words a person typed, and what they probably meant. */
#ifndef CLC_CORE_TEXT_H
#define CLC_CORE_TEXT_H

#include <stddef.h>

/* The index of the candidate that `word` is most likely a misspelling or beginning of; `n` if none
 * comes near. Letter case and '-' for '_' don't count. NULL candidates are passed over. */
size_t clc_closest(const char *word, const char *const *candidates, size_t n);

#endif
