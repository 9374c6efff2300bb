/* Cuts a text into the pieces that become tokens, each by itself. */
#ifndef CLC_TEXT_PIECES_H
#define CLC_TEXT_PIECES_H

#include "text/utf8.h"

/* The next piece of valid UTF-8 from *at on is text[*start, *at); false: there is none. */
typedef bool (*clc_next_piece)(const char *text, size_t n, size_t *at, size_t *start);

/* GPT-2's: nothing is left out. The first of these that fits, as long as it can be:
 *   's 't 're 've 'm 'll 'd
 *   letters, or numbers, or symbols and marks; a space (U+0020) before them belongs to them
 *   white space; where something follows, the last of several is left to the next piece */
bool clc_next_gpt2(const char *text, size_t n, size_t *at, size_t *start);

/* Words: letters, marks and numbers, also joined by single apostrophes (' or U+2019) within them;
 * an ideograph by itself; any other character that is no white space by itself. */
bool clc_next_word(const char *text, size_t n, size_t *at, size_t *start);

/* The words as a regular expression of Oniguruma. */
#define CLC_IDEOGRAPHS                                                                             \
    "\\x{3400}-\\x{4DBF}\\x{4E00}-\\x{9FFF}\\x{F900}-\\x{FAFF}\\x{20000}-\\x{2FA1F}"
#define CLC_WORD_LETTERS "[\\p{L}\\p{M}\\p{N}&&[^" CLC_IDEOGRAPHS "]]"
#define CLC_WORD_PATTERN                                                                           \
    "[" CLC_IDEOGRAPHS "]|" CLC_WORD_LETTERS "+(?:['\\x{2019}]" CLC_WORD_LETTERS                   \
    "+)*|[^\\s\\p{L}\\p{M}\\p{N}]"

#endif
