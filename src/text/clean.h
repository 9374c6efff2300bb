/* What a text goes through before it is cut into pieces. */
#ifndef CLC_TEXT_CLEAN_H
#define CLC_TEXT_CLEAN_H

#include "text/utf8.h"

typedef struct clc_cleaner {
    bool compose;   /* NFC: an accent is part of its letter */
    bool lowercase; /* then each character by itself, as Unicode's default mapping says */
    clc_bytes valid, out;
} clc_cleaner;

/* Puts what becomes of the text in the place of cleaner->out: valid UTF-8. */
clc_status clc_clean(clc_cleaner *cleaner, const char *text, size_t n);
void clc_cleaner_free(clc_cleaner *cleaner);

/* Whether a character is a whole composed one that none follows or precedes as a part: a text of
 * such characters is its own NFC. Says so of common scripts only. */
bool clc_is_composed(uint32_t character);

#endif
