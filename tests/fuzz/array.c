/* An array file, its header parsed by PARSE. */
#include "data/array_file.h"
#include "fuzz.h"

#define ITEM_MOST (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    clc_array_file file = {.file = -1};
    const clc_status status = clc_array_open(fuzz_file(bytes, n), PARSE, &file);
    fuzz_require_status(status);
    if (status == CLC_OK) {
        const clc_array *array = &file.array;
        fuzz_require(array->rank >= 1 && array->rank <= CLC_ARRAY_RANK, "a rank");
        fuzz_require(clc_element_bytes(array->element) > 0, "an element");
        uint8_t *item = file.item <= ITEM_MOST ? malloc(file.item ? file.item : 1) : NULL;
        for (uint64_t i = 0; item && i < array->shape[0] && i < 16; i++) {
            fuzz_require(clc_array_read(&file, i, 1, item) == CLC_OK, "an item that is there");
            fuzz_touch(item, file.item);
        }
        free(item);
    }
    clc_array_close(&file);
    return 0;
}
