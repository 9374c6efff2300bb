/* A file of series, an array or a table: finite values of whole series, or a message. */
#include "core/config.h"
#include "data/series.h"
#include "fuzz.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const char *path = fuzz_file(bytes, n);
    static clc_config config;
    clc_series *s;
    fuzz_require(clc_config_load(NULL, NULL, 0, &config) == CLC_OK, "the defaults");
    const clc_series_options options = {
        .config = &config.data, .lengths = "", .labels = "", .split = CLC_SPLIT_TRAIN};
    clc_series_recognise(&config.data, path);
    const clc_status status = clc_series_open(path, &options, &s);
    fuzz_require_status(status);
    fuzz_require((status == CLC_OK) == (s && s->count > 0), "series");
    for (size_t i = 0; s && i < s->count; i++) {
        const clc_extent *e = &s->extents[i];
        const size_t channels = (size_t)s->channels;
        fuzz_require(e->length > 0 && e->offset + (size_t)e->length <= s->steps, "steps");
        for (size_t k = 0; k < (size_t)e->length * channels; k++)
            fuzz_require(isfinite(s->values[e->offset * channels + k]), "a finite value");
        fuzz_require(!s->labels || s->labels[i] < (int64_t)s->classes.count, "a class");
    }
    clc_series_close(&s);
    return 0;
}
