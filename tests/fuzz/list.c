/* A list of pictures: whatever its header and rows, it is a source or a message. */
#include "data/source.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static clc_config config;
    static bool loaded;
    clc_source *source = NULL;
    if (!loaded)
        fuzz_require(clc_config_load(NULL, NULL, 0, &config) == CLC_OK, "the configuration");
    loaded = true;
    config.data.format = CLC_CONFIG_FORMAT_LIST_FILE;
    const char *path = fuzz_file(bytes, n);
    for (size_t i = 0; (config.data.train[i] = path[i]); i++)
        fuzz_require(i + 2 < sizeof config.data.train, "a short path");
    const clc_status status = clc_source_open(&config.data, CLC_SPLIT_TRAIN, NULL, &source);
    fuzz_require(status == CLC_OK || status == CLC_FORMAT || status == CLC_IO, clc_error());
    fuzz_require((status == CLC_OK) == (source && source->count > 0), "items");
    for (size_t i = 0; source && source->labels && i < source->count; i++)
        fuzz_require(source->labels[i] < (int64_t)source->classes.count, "a label");
    clc_source_close(&source);
    return 0;
}
