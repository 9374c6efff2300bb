/* A file of texts, with and without pictures and named columns: samples with texts, or a message.
 */
#include "data/texts.h"
#include "fuzz.h"

static void open_with(const char *path, const clc_texts_options *options) {
    clc_texts *t;
    size_t n;
    const clc_status status = clc_texts_open(path, options, &t);
    fuzz_require_status(status);
    fuzz_require((status == CLC_OK) == (t && t->count > 0), "samples");
    for (size_t s = 0; t && s < t->count; s++)
        for (size_t f = 0; f < t->fields.count; f++) {
            const clc_text_span *spans = clc_texts_of(t, s, f, &n);
            fuzz_require(n > 0, "a text of each field");
            for (size_t i = 0; i < n; i++)
                fuzz_touch(t->blob + spans[i].offset, spans[i].length);
            fuzz_require(!t->labels || t->labels[s] < (int64_t)t->classes.count, "a class");
        }
    clc_texts_close(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const char *path = fuzz_file(bytes, n);
    open_with(path, &(clc_texts_options){.split = CLC_SPLIT_ALL});
    open_with(path, &(clc_texts_options){.pictures = true, .split = CLC_SPLIT_TRAIN});
    open_with(path, &(clc_texts_options){.columns = "a,b", .split = CLC_SPLIT_ALL});
    return 0;
}
