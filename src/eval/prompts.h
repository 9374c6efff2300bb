/* What a text encoder is asked for zero-shot classification: each class in each template. */
#ifndef CLC_EVAL_PROMPTS_H
#define CLC_EVAL_PROMPTS_H

#include "core/names.h"

typedef struct clc_prompts {
    clc_names classes; /* names, in the file's order */
    clc_names texts;   /* (classes * templates): a class's texts follow each other */
    size_t templates;
} clc_prompts;

/* Reads a file of classes and one of templates (NULL: "{}", the words alone). A class a line: its
 * name, and behind a tab the words for it where these are others. A template a line: a text with {}
 * where the words go. White space around both is dropped, and so are empty lines. CLC_IO, or
 * CLC_FORMAT with file and line. */
clc_status clc_prompts_load(const char *classes, const char *templates, clc_prompts *prompts);

void clc_prompts_free(clc_prompts *prompts);

#endif
