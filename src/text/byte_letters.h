/* The letter that stands for a byte in files of byte-level tokens (GPT-2's table): a printable one
 * of Latin-1 stands for itself, the others in their order are U+0100 and so on. */
#ifndef CLC_TEXT_BYTE_LETTERS_H
#define CLC_TEXT_BYTE_LETTERS_H

#include "text/utf8.h"

/* Writes bytes as letters, each of at most two bytes, into `to` of 2 n + 1; a zero follows. */
void clc_bytes_to_letters(const char *bytes, size_t n, char *to);

/* The bytes that letters stand for, at most as many as `n`; false if one stands for none. */
bool clc_letters_to_bytes(const char *letters, size_t n, char *to, size_t *count);

#endif
