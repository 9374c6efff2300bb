#include "data/exif.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    int (*const readers[])(const uint8_t *, size_t) = {clc_exif_orientation, clc_exif_of_jpeg,
                                                       clc_exif_of_png};
    for (int i = 0; i < 3; i++) {
        const int orientation = readers[i](bytes, n);
        fuzz_require(orientation >= 1 && orientation <= 8, "an orientation");
    }
    return 0;
}
