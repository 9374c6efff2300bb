/* tokenize_cat KIND VOCABULARY LOWERCASE CONTEXT JSON < TEXTS > IDS: learns from the texts on
 * stdin, writes the tokenizer to the file JSON, reads it again, and writes the tokens of each text.
 * Texts and lists of tokens are a uint32 that counts bytes or tokens, then these: for judges. With
 * KIND "load" the tokenizer is the one of the file; CLC_TIMES makes it say on stderr how long
 * learning and encoding took. */
#include "core/clock.h"
#include "core/file.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <string.h>

typedef struct input {
    const char *bytes;
    size_t n, at;
} input;

static clc_status next_text(void *texts, const char **text, size_t *n, bool *more) {
    input *in = texts;
    uint32_t length;
    *more = in->n - in->at >= sizeof length;
    if (!*more)
        return CLC_OK;
    memcpy(&length, in->bytes + in->at, sizeof length);
    *text = in->bytes + in->at + sizeof length;
    *n = length;
    in->at += sizeof length + length;
    return CLC_OK;
}

static clc_status encode_all(clc_tokenizer *tokenizer, input *in) {
    clc_status status = CLC_OK;
    clc_ids ids = {0};
    const char *text;
    size_t n;
    const size_t limit = (size_t)clc_tokenizer_settings(tokenizer)->context;
    for (bool more = true;;) {
        CLC_TRY(next_text(in, &text, &n, &more));
        if (!more)
            break;
        ids.n = 0;
        CLC_TRY(clc_tokenizer_encode(tokenizer, text, n, limit, true, &ids));
        const uint32_t count = (uint32_t)ids.n;
        fwrite(&count, sizeof count, 1, stdout);
        fwrite(ids.data, sizeof *ids.data, ids.n, stdout);
    }
fail:
    clc_ids_free(&ids);
    return status;
}

int main(int count, char **arguments) {
    clc_status status = CLC_OK;
    clc_tokenizer *tokenizer = NULL;
    void *bytes = NULL;
    input in = {0};
    double begin, learned;
    if (count != 6)
        return 2;
    const char *kind = arguments[1], *json = arguments[5];
    const clc_tokenizer_options options = {.kind = !strcmp(kind, "words") ? CLC_TOKENIZER_WORDS
                                                   : !strcmp(kind, "bpe") ? CLC_TOKENIZER_BPE
                                                                          : CLC_TOKENIZER_BYTES,
                                           .vocabulary = atoi(arguments[2]),
                                           .lowercase = atoi(arguments[3]) != 0,
                                           .context = atoi(arguments[4])};
    CLC_TRY(clc_file_read_all("/dev/stdin", (size_t)1 << 32, &bytes, &in.n));
    in.bytes = bytes;
    begin = clc_seconds();
    if (strcmp(kind, "load")) {
        CLC_TRY(clc_tokenizer_train(&options, next_text, &in, &tokenizer));
        CLC_TRY(clc_tokenizer_save(tokenizer, json));
        clc_tokenizer_free(&tokenizer);
    }
    CLC_TRY(clc_tokenizer_load(json, &tokenizer));
    learned = clc_seconds();
    in.at = 0;
    CLC_TRY(encode_all(tokenizer, &in));
    if (getenv("CLC_TIMES"))
        fprintf(stderr, "%d tokens learned in %.2f s, %.1f MB encoded at %.1f MB/s\n",
                clc_tokenizer_vocabulary(tokenizer), learned - begin, (double)in.n / 1e6,
                (double)in.n / 1e6 / (clc_seconds() - learned));
fail:
    free(bytes);
    clc_tokenizer_free(&tokenizer);
    if (status != CLC_OK)
        fprintf(stderr, "%s\n", clc_error());
    return status != CLC_OK;
}
