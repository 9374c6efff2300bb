/* Example: prints the features of a grey picture of 16 x 16 by an encoder file or run, a line.
 *
 *     cc embed.c $(pkg-config --cflags --libs clcontrast) && ./a.out encoder.safetensors */
#include <clcontrast/encoder.h>

#include <stdio.h>
#include <stdlib.h>

static int fail(void) {
    fprintf(stderr, "%s\n", clc_error());
    return 1;
}

int main(int argc, char **argv) {
    enum { SIDE = 16 };
    unsigned char pixels[SIDE * SIDE];
    clc_encoder *encoder = NULL;
    if (argc < 2 || clc_encoder_open(argv[1], getenv("CLC_TEST_DEVICE"), &encoder) != CLC_OK)
        return fail();
    for (int i = 0; i < SIDE * SIDE; i++)
        pixels[i] = (unsigned char)(7 * i % 256);
    const int dim = clc_encoder_features(encoder);
    float *features = (float *)malloc((size_t)dim * sizeof *features);
    if (!features || clc_encoder_embed(encoder, pixels, 1, SIDE, SIDE, 1, features) != CLC_OK)
        return fail();
    for (int i = 0; i < dim; i++)
        printf("%.6g%c", features[i], i + 1 < dim ? ' ' : '\n');
    free(features);
    clc_encoder_close(&encoder);
    return 0;
}
