#include "data/safetensors.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    clc_safetensors *st = NULL;
    const clc_status status = clc_safetensors_open(fuzz_file(bytes, n), &st);
    fuzz_require_status(status);
    fuzz_require((status == CLC_OK) == (st != NULL), "a file in spite of a failure");
    for (size_t i = 0; st && i < st->count; i++) {
        const clc_st_tensor *tensor = &st->tensors[i];
        size_t count = 1;
        for (int d = 0; d < tensor->rank; d++)
            count *= tensor->shape[d];
        fuzz_require(count == tensor->count, "the count of a shape");
        fuzz_require(clc_safetensors_find(st, tensor->name) != NULL, "a tensor by its name");
        fuzz_touch(tensor->data, tensor->count * clc_dtype_bytes(tensor->dtype));
    }
    for (size_t i = 0; st && i < st->metadata_count; i++)
        fuzz_touch(st->metadata[i][1], strlen(st->metadata[i][1]));
    clc_safetensors_close(&st);
    return 0;
}
