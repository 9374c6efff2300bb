/* Texts at hand as a field of tokens. */
#ifndef CLC_EVAL_TEXT_FIELD_H
#define CLC_EVAL_TEXT_FIELD_H

#include "core/names.h"
#include "data/field.h"
#include "text/tokenizer.h"

/* A text a sample, between start and end. Free it with clc_field_free. */
clc_status clc_text_field_make(clc_tokenizer *tokenizer, const clc_names *texts, clc_field *field);

#endif
