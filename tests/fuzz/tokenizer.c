/* A tokenizer's JSON: one that is taken can encode and decode any bytes, and writes itself as it
 * was read. The bytes are the file and, behind a zero, the text. */
#include "fuzz.h"
#include "text/tokenizer.h"

#include <string.h>

static void use(clc_tokenizer *tokenizer, const char *text, size_t n) {
    clc_ids ids = {0};
    clc_bytes back = {0};
    const int vocabulary = clc_tokenizer_vocabulary(tokenizer);
    fuzz_require_status(clc_tokenizer_encode(tokenizer, text, n, 0, true, &ids));
    fuzz_require(ids.n >= 2 && ids.data[ids.n - 1] == vocabulary - 1, "the end");
    for (size_t i = 0; i < ids.n; i++)
        fuzz_require(ids.data[i] >= 0 && ids.data[i] < vocabulary, "a token");
    fuzz_require_status(clc_tokenizer_decode(tokenizer, ids.data, ids.n, &back));
    fuzz_touch(back.data, back.n);
    clc_ids_free(&ids);
    clc_bytes_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    clc_tokenizer *tokenizer, *again;
    char *json;
    const uint8_t *zero = n ? memchr(bytes, 0, n) : NULL;
    const size_t length = zero ? (size_t)(zero - bytes) : n;
    const clc_status status =
        clc_tokenizer_from_json((const char *)bytes, length, "it", &tokenizer);
    fuzz_require_status(status);
    if (status != CLC_OK)
        return 0;
    use(tokenizer, (const char *)bytes, n);
    use(tokenizer, (const char *)bytes + length, n - length);
    fuzz_require_status(clc_tokenizer_to_json(tokenizer, &json));
    fuzz_require(clc_tokenizer_from_json(json, strlen(json), "it", &again) == CLC_OK, "its own");
    clc_tokenizer_free(&again);
    clc_tokenizer_free(&tokenizer);
    free(json);
    return 0;
}
