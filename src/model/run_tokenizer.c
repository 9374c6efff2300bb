#include "model/run_tokenizer.h"

#include "model/run_folder.h"
#include "model/weights.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

clc_status clc_run_tokenizer_save(const char *folder, const clc_tokenizer *tokenizer) {
    char path[CLC_PATH_BYTES];
    const clc_status status = clc_run_path(folder, CLC_RUN_TOKENIZER, path);
    if (status != CLC_OK)
        return status;
    if (tokenizer)
        return clc_tokenizer_save(tokenizer, path);
    return unlink(path) == 0 || errno == ENOENT ? CLC_OK : clc_fail_file("remove", path);
}

/* What the file carries; NULL if nothing. */
static clc_status load_carried(const char *weights, clc_tokenizer **tokenizer) {
    clc_status status = CLC_OK;
    clc_safetensors *st = NULL;
    CLC_TRY(clc_safetensors_open(weights, &st));
    const char *text = clc_safetensors_metadata(st, CLC_WEIGHTS_TOKENIZER);
    if (text)
        CLC_TRY(clc_tokenizer_from_json(text, strlen(text), weights, tokenizer));
fail:
    clc_safetensors_close(&st);
    return status;
}

clc_status clc_run_tokenizer_load(const char *path, clc_tokenizer **tokenizer) {
    clc_status status = CLC_OK;
    char weights[CLC_PATH_BYTES], beside[CLC_PATH_BYTES];
    *tokenizer = NULL;
    CLC_TRY(clc_weights_path(path, weights));
    CLC_TRY(load_carried(weights, tokenizer));
    if (*tokenizer)
        return CLC_OK;
    const char *name = strrchr(weights, '/');
    CLC_TRY(clc_path_format(beside, "%.*s" CLC_RUN_TOKENIZER, name ? (int)(name + 1 - weights) : 0,
                            weights));
    if (access(beside, F_OK) == 0)
        status = clc_tokenizer_load(beside, tokenizer);
fail:
    return status;
}
