/* Pictures in a .npy file. */
#include "data/bare.h"

#include <stdio.h>
#include <string.h>

static bool recognise(const char *path) {
    char head[6];
    FILE *stream = fopen(path, "rb");
    size_t n = stream ? fread(head, 1, sizeof head, stream) : 0;
    if (stream)
        fclose(stream);
    return n == sizeof head && !memcmp(head, "\x93NUMPY", sizeof head);
}

static clc_status open_part(const clc_config_data *config, const char *path, clc_listing *listing,
                            clc_source_part *part) {
    return clc_bare_open(config, path, clc_npy_parse, listing->labels_path, listing, part);
}

const clc_format clc_format_npy = {
    .name = "npy",
    .takes_labels = true,
    .recognise = recognise,
    .open = open_part,
    .read = clc_bare_read,
    .probe = clc_bare_probe,
    .close = clc_bare_close,
};
