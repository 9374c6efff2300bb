#include "eval/text_field.h"

#include <stdio.h>

clc_status clc_text_field_make(clc_tokenizer *tokenizer, const clc_names *texts, clc_field *field) {
    clc_status status = CLC_OK;
    clc_ids ids = {0};
    *field = (clc_field){.kind = CLC_KIND_TOKENS,
                         .count = texts->count,
                         .vocabulary = clc_tokenizer_vocabulary(tokenizer)};
    snprintf(field->name, sizeof field->name, "texts");
    CLC_NEW(field->firsts, texts->count + 1);
    CLC_NEW(field->extents, texts->count);
    for (size_t i = 0; i < texts->count; i++) {
        const size_t before = ids.n;
        CLC_TRY(clc_tokenizer_encode(tokenizer, clc_names_at(texts, i), clc_names_length(texts, i),
                                     0, true, &ids));
        if (ids.n - before > INT32_MAX)
            CLC_TRY(clc_fail(CLC_FORMAT, "a text of %zu tokens", ids.n - before));
        field->extents[i] = (clc_extent){before, (int32_t)(ids.n - before), 0};
        field->firsts[i + 1] = (int32_t)i + 1;
    }
    field->total = ids.n;
    field->ids = ids.data;
    ids.data = NULL;
    CLC_TRY(clc_field_measure(field));
fail:
    clc_ids_free(&ids);
    if (status != CLC_OK)
        clc_field_free(field);
    return status;
}
