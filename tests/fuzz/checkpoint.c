/* Checkpoints and encoder files, whose checksum is mended, else nothing behind it would be met. */
#include "data/safetensors_format.h"
#include "fuzz.h"
#include "model/weights.h"
#include "train/checkpoint.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

static void mend(uint8_t *bytes, size_t n) {
    uint8_t *digits = bytes + CLC_ST_LENGTH_BYTES + CLC_ST_CHECKSUM_AT;
    char sum[CLC_ST_CHECKSUM_DIGITS + 1];
    if (n < CLC_ST_LENGTH_BYTES + CLC_ST_CHECKSUM_AT + CLC_ST_CHECKSUM_DIGITS ||
        memcmp(bytes + CLC_ST_LENGTH_BYTES, CLC_ST_CHECKSUM_START, CLC_ST_CHECKSUM_AT))
        return;
    memcpy(digits, CLC_ST_CHECKSUM_ZEROS, CLC_ST_CHECKSUM_DIGITS);
    snprintf(sum, sizeof sum, "%016llx", (unsigned long long)XXH3_64bits(bytes, n));
    memcpy(digits, sum, CLC_ST_CHECKSUM_DIGITS);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    uint8_t *mended = malloc(n + 1);
    clc_checkpoint *checkpoint = NULL;
    clc_config config;
    clc_names classes = {0};
    fuzz_require(mended, "memory for a copy");
    if (n)
        memcpy(mended, bytes, n);
    mend(mended, n);
    const char *path = fuzz_file(mended, n);
    const clc_status status = clc_checkpoint_open(path, &checkpoint);
    fuzz_require_status(status);
    fuzz_require((status == CLC_OK) == (checkpoint != NULL), "a checkpoint in spite of a failure");
    clc_checkpoint_close(&checkpoint);
    fuzz_require_status(clc_encoder_config(path, NULL, 0, &config, &classes));
    for (size_t i = 0; i < classes.count; i++)
        fuzz_touch(clc_names_at(&classes, i), clc_names_length(&classes, i));
    clc_names_free(&classes);
    free(mended);
    return 0;
}
