/* Winograd's algorithm (Lavin and Gray, arXiv 1509.09308) for 3x3 convolution with padding 1, on vectors of VW
 * channels: Y = A^T [ (G w G^T) . (B^T x B) ] A on tiles of 4x4 outputs. Needs H and W of the convolution's input, C
 * and K, the channels read and written, and, where they aren't 1 and 0, STRIDE and TURNED (winograd_lines.h). */
#ifndef WINOGRAD_H
#define WINOGRAD_H
#include "op/winograd_lines.h"

#define OH ((H + STRIDE - 1) / STRIDE)
#define OW ((W + STRIDE - 1) / STRIDE)
/* Tiles of an image. */
#define TY ((OH + 3) / 4)
#define TX ((OW + 3) / 4)
/* The images read and written, and the pixels from a tile to the next in them. */
#define READ_H (TURNED ? OH : H)
#define READ_W (TURNED ? OW : W)
#define WRITE_H (TURNED ? H : OH)
#define WRITE_W (TURNED ? W : OW)
#define READ_STEP (TURNED ? 4 : 4 * STRIDE)
#define WINDOW_FIRST (TURNED ? 0 : -1)
/* Lines one after the other: on CPUs their values have no registers anyway, and unrolled they are long to compile and
 * no faster (measured with 16 registers; with 32, stride 1 stays unrolled). GPUs keep them in registers. */
#if CPU_KERNELS && (VW < 16 || STRIDE > 1)
#define UNROLL_LINES(n) ROLLED
#else
#define UNROLL_LINES(n) UNROLL(n)
#endif
#define AHEAD 4 /* vectors of channels from a prefetch to its use */

/* Vectors of n channels; the last may be partly filled. */
#define VECTORS(n) (((n) + VW - 1) / VW)

/* Vector j of a pixel's n channels, filled up with zeros. */
INLINE vec load_channels(const int j, const global float *pixel, const int n) {
    if (n % VW == 0 || j < n / VW)
        return VLOAD(j, pixel);
    float lane[VW];
    for (int l = 0; l < VW; l++)
        lane[l] = j * VW + l < n ? pixel[j * VW + l] : 0.0f;
    return VLOAD(0, lane);
}

INLINE void store_channels(const vec value, const int j, global float *pixel, const int n) {
    if (n % VW == 0 || j < n / VW) {
        VSTORE(value, j, pixel);
        return;
    }
    float lane[VW];
    VSTORE(value, 0, lane);
    for (int l = 0; l < n % VW; l++)
        pixel[j * VW + l] = lane[l];
}

/* The first pixel of the tile that is read some vectors after vector j of tile `tile`: for prefetching, as the
 * pixels of a tile lie in many short pieces. */
INLINE const global float *pixel_ahead(const global float *x, const int tile, const int j,
                                       const int channels, const int h, const int w, const int step) {
    const int position = tile * VECTORS(channels) + j + AHEAD, next = position / VECTORS(channels);
    const size_t row = (size_t)(next / (TY * TX)) * h + next / TX % TY * step;
    return x + (row * w + next % TX * step) * channels + position % VECTORS(channels) * VW;
}

/* o (LINE,LINE) = B^T x B of the pixels around tile `tile`, vector j of their C channels; zero outside the image and
 * from tile `tiles` on. */
INLINE void winograd_input(const global float *x, vec *o, const int j, const int tile,
                           const int tiles) {
    const int y0 = tile / TX % TY * READ_STEP + WINDOW_FIRST, x0 = tile % TX * READ_STEP + WINDOW_FIRST;
    const global float *image = x + (size_t)(tile / (TY * TX)) * READ_H * READ_W * C;
    const global float *ahead = pixel_ahead(x, tile, j, C, READ_H, READ_W, READ_STEP);
    vec columns[WINDOW][LINE];
    UNROLL_LINES(WINDOW)
    for (int c = 0; c < WINDOW; c++) {
        vec d[WINDOW];
        UNROLL(WINDOW)
        for (int r = 0; r < WINDOW; r++) {
            if (c > 1)
                PREFETCH(ahead + ((r - 1) * READ_W + c - 1) * C);
            const int yy = y0 + r, xx = x0 + c;
            d[r] = tile < tiles && yy >= 0 && yy < READ_H && xx >= 0 && xx < READ_W
                       ? load_channels(j, image + (yy * READ_W + xx) * C, C)
                       : (vec)(0.0f);
        }
        line_input(columns[c], d);
    }
    UNROLL_LINES(LINE)
    for (int r = 0; r < LINE; r++) {
        vec d[WINDOW];
        UNROLL(WINDOW)
        for (int c = 0; c < WINDOW; c++)
            d[c] = columns[c][r];
        line_input(o + r * LINE, d);
    }
}

/* o (LINE,LINE) = A dy A^T of the 4x4 pixels of tile `tile`, vector j of its K channels. */
INLINE void winograd_gradient(const global float *dy, vec *o, const int j, const int tile,
                              const int tiles) {
    const int y0 = tile / TX % TY * 4, x0 = tile % TX * 4;
    const global float *image = dy + (size_t)(tile / (TY * TX)) * OH * OW * K;
    const global float *ahead = pixel_ahead(dy, tile, j, K, OH, OW, 4);
    vec columns[4][LINE];
    UNROLL_LINES(4)
    for (int c = 0; c < 4; c++) {
        vec d[4];
        UNROLL(4)
        for (int r = 0; r < 4; r++)
            PREFETCH(ahead + (r * OW + c) * K);
        UNROLL(4)
        for (int r = 0; r < 4; r++)
            d[r] = tile < tiles && y0 + r < OH && x0 + c < OW
                       ? load_channels(j, image + ((y0 + r) * OW + x0 + c) * K, K)
                       : (vec)(0.0f);
        line_gradient(columns[c], d);
    }
    UNROLL_LINES(LINE)
    for (int r = 0; r < LINE; r++) {
        vec d[4];
        UNROLL(4)
        for (int c = 0; c < 4; c++)
            d[c] = columns[c][r];
        line_gradient(o + r * LINE, d);
    }
}

/* Writes, or adds, the OUTPUTS x OUTPUTS pixels of tile `tile`, vector j of its K channels: A^T m A, with the
 * LINE x LINE vectors of m `plane` apart. */
INLINE void winograd_output(const vec *m, const int plane, global float *y, const int j,
                            const int tile, const int accumulate) {
    const int y0 = tile / TX % TY * OUTPUTS, x0 = tile % TX * OUTPUTS;
    global float *image = y + (size_t)(tile / (TY * TX)) * WRITE_H * WRITE_W * K;
    vec columns[LINE][OUTPUTS];
    UNROLL_LINES(LINE)
    for (int c = 0; c < LINE; c++) {
        vec d[LINE];
        UNROLL(LINE)
        for (int r = 0; r < LINE; r++)
            d[r] = m[(r * LINE + c) * plane];
        line_output(columns[c], d);
    }
    UNROLL_LINES(OUTPUTS)
    for (int r = 0; r < OUTPUTS; r++) {
        vec d[LINE], o[OUTPUTS];
        UNROLL(LINE)
        for (int c = 0; c < LINE; c++)
            d[c] = columns[c][r];
        line_output(o, d);
        UNROLL(OUTPUTS)
        for (int c = 0; c < OUTPUTS; c++)
            if (y0 + r < WRITE_H && x0 + c < WRITE_W) {
                global float *to = image + ((y0 + r) * WRITE_W + x0 + c) * K;
                store_channels(accumulate ? o[c] + load_channels(j, to, K) : o[c], j, to, K);
            }
    }
}

/* dw (3,3,C,K), vector k of channel c: G^T s G, with s's 36 vectors `plane` apart. */
INLINE void winograd_filter_gradient(const vec *s, const int plane, global float *dw,
                                     const int c, const int k) {
    vec columns[6][3];
    UNROLL(6)
    for (int x = 0; x < 6; x++) {
        vec d[6];
        UNROLL(6)
        for (int y = 0; y < 6; y++)
            d[y] = s[(y * 6 + x) * plane];
        line_filter_gradient(columns[x], d);
    }
    UNROLL(3)
    for (int y = 0; y < 3; y++) {
        vec d[6], o[3];
        UNROLL(6)
        for (int x = 0; x < 6; x++)
            d[x] = columns[x][y];
        line_filter_gradient(o, d);
        UNROLL(3)
        for (int x = 0; x < 3; x++)
            store_channels(o[x], k, dw + ((size_t)(y * 3 + x) * C + c) * K, K);
    }
}

/* u (36) = G w G^T of nine taps. */
INLINE void winograd_transform_filter(const vec *w, vec *u) {
    vec columns[3][6];
    UNROLL(3)
    for (int x = 0; x < 3; x++) {
        const vec d[3] = {w[x], w[3 + x], w[6 + x]};
        line_filter(columns[x], d);
    }
    UNROLL(6)
    for (int y = 0; y < 6; y++) {
        const vec d[3] = {columns[0][y], columns[1][y], columns[2][y]};
        line_filter(u + y * 6, d);
    }
}

#endif
