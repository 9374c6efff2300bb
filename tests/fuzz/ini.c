#include "core/config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    clc_config config;
    const clc_status status = clc_config_load(fuzz_file(bytes, n), NULL, 0, &config);
    fuzz_require_status(status);
    if (status == CLC_OK)
        fuzz_require(clc_config_validate(&config) == CLC_OK, "loaded, but not valid");
    return 0;
}
