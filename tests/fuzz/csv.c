#include "data/csv.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const char separators[] = {',', ';', '\t', 0};
    for (int i = 0; i < 4; i++) {
        clc_csv csv = clc_csv_start(bytes, n, separators[i]);
        clc_names fields = {0};
        clc_status status;
        bool more = true;
        size_t records = 0;
        while ((status = clc_csv_next(&csv, &fields, &more)) == CLC_OK && more) {
            fuzz_require(fields.count > 0 && ++records <= n, "a record");
            fuzz_touch(fields.text, fields.bytes);
        }
        fuzz_require_status(status);
        clc_names_free(&fields);
    }
    return 0;
}
