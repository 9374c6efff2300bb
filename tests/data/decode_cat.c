/* decode_cat FILE [side [channels]]: writes "WIDTH HEIGHT CHANNELS\n" and the pixels; for judges of
 * decoders and by hand. Exits with 1 and a message for what is no picture. */
#include "data/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *read_all(const char *path, size_t *n) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long size;
    if (file && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0) {
        rewind(file);
        bytes = malloc((size_t)size + 1);
        *n = bytes ? fread(bytes, 1, (size_t)size, file) : 0;
    }
    if (file)
        fclose(file);
    return bytes;
}

int main(int count, char **arguments) {
    clc_image_options options = {
        .background = {255, 255, 255}, .orientation = true, .max_pixels = 100e6};
    clc_image_info info;
    clc_image image;
    size_t n = 0;
    int result = 0;
    uint8_t *bytes = count > 1 ? read_all(arguments[1], &n) : NULL;
    options.side = count > 2 ? atoi(arguments[2]) : 0;
    options.channels = count > 3 ? atoi(arguments[3]) : 0;
    if (!bytes) {
        fprintf(stderr, "%s: %s\n", count > 1 ? arguments[1] : "no file", strerror(errno));
        return 1;
    }
    const clc_status header = clc_image_probe(bytes, n, &options, &info);
    if (clc_image_decode(bytes, n, &options, &image) != CLC_OK) {
        fprintf(stderr, "%s: %s\n", arguments[1], clc_error());
        result = 1;
    } else if (header != CLC_OK) {
        fprintf(stderr, "%s: decoded, but its header was refused\n", arguments[1]);
        result = 1;
    } else {
        printf("%d %d %d\n", image.width, image.height, image.channels);
        fwrite(image.pixels, (size_t)image.channels, (size_t)image.height * (size_t)image.width,
               stdout);
    }
    clc_image_free(&image);
    free(bytes);
    return result;
}
