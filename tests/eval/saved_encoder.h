/* Encoder files of networks as they are before training. */
#ifndef TESTS_EVAL_SAVED_ENCODER_H
#define TESTS_EVAL_SAVED_ENCODER_H

#include "data/field.h"
#include "text/tokenizer.h"

/* Of images, by the settings of an .ini file's text, with the classes "a" and "b\nc" and, unless
 * NULL, a tokenizer. Fails the running test where that isn't possible. */
void save_encoder(const char *text, const clc_tokenizer *tokenizer, const char *path);

/* Of series with such channels, mean and deviation; without classes. */
void save_series_encoder(const char *text, const clc_field *like, const char *path);

#endif
