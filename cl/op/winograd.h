/* The transforms of Winograd's F(4x4,3x3) (Lavin and Gray, arXiv 1509.09308), on vectors of VW channels:
 * Y = A^T [ (G w G^T) . (B^T x B) ] A. Needs H, W, C and K, the channels read and written. */
#ifndef WINOGRAD_H
#define WINOGRAD_H

/* Tiles of an image. */
#define TY ((H + 3) / 4)
#define TX ((W + 3) / 4)
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

/* o = B^T d for a column d0..d5. */
#define INPUT_TRANSFORM(o, d0, d1, d2, d3, d4, d5)                                                 \
    {                                                                                              \
        const vec p_ = d4 - 4.0f * d2, q_ = d3 - 4.0f * d1, r_ = d4 - d2, s_ = 2.0f * (d3 - d1);   \
        o[0] = 4.0f * d0 - 5.0f * d2 + d4;                                                         \
        o[1] = p_ + q_;                                                                            \
        o[2] = p_ - q_;                                                                            \
        o[3] = r_ + s_;                                                                            \
        o[4] = r_ - s_;                                                                            \
        o[5] = 4.0f * d1 - 5.0f * d3 + d5;                                                         \
    }
/* o = A^T m for a column m0..m5. */
#define OUTPUT_TRANSFORM(o, m0, m1, m2, m3, m4, m5)                                                \
    {                                                                                              \
        const vec p_ = m1 + m2, q_ = m1 - m2, r_ = m3 + m4, s_ = m3 - m4;                          \
        o[0] = m0 + p_ + r_;                                                                       \
        o[1] = q_ + 2.0f * s_;                                                                     \
        o[2] = p_ + 4.0f * r_;                                                                     \
        o[3] = q_ + 8.0f * s_ + m5;                                                                \
    }
/* o = A d for a column d0..d3: the adjoint of OUTPUT_TRANSFORM. */
#define OUTPUT_ADJOINT(o, d0, d1, d2, d3)                                                          \
    {                                                                                              \
        const vec p_ = d0 + d2, q_ = d1 + d3, r_ = d0 + 4.0f * d2, s_ = 2.0f * d1 + 8.0f * d3;     \
        o[0] = d0;                                                                                 \
        o[1] = p_ + q_;                                                                            \
        o[2] = p_ - q_;                                                                            \
        o[3] = r_ + s_;                                                                            \
        o[4] = r_ - s_;                                                                            \
        o[5] = d3;                                                                                 \
    }
/* o = G w for a column w0..w2. */
#define FILTER_TRANSFORM(o, w0, w1, w2)                                                            \
    {                                                                                              \
        const vec p_ = (w0 + w2) * (-1.0f / 6), q_ = w1 * (1.0f / 6);                              \
        const vec r_ = w0 * (1.0f / 24) + w2 * (1.0f / 6), s_ = w1 * (1.0f / 12);                  \
        o[0] = w0 * 0.25f;                                                                         \
        o[1] = p_ - q_;                                                                            \
        o[2] = p_ + q_;                                                                            \
        o[3] = r_ + s_;                                                                            \
        o[4] = r_ - s_;                                                                            \
        o[5] = w2;                                                                                 \
    }
/* o = G^T s for a column s0..s5: the adjoint of FILTER_TRANSFORM. */
#define FILTER_ADJOINT(o, s0, s1, s2, s3, s4, s5)                                                  \
    {                                                                                              \
        const vec p_ = s1 + s2, q_ = s2 - s1, r_ = s3 + s4, u_ = s3 - s4;                          \
        o[0] = 0.25f * s0 - p_ * (1.0f / 6) + r_ * (1.0f / 24);                                    \
        o[1] = q_ * (1.0f / 6) + u_ * (1.0f / 12);                                                 \
        o[2] = (r_ - p_) * (1.0f / 6) + s5;                                                        \
    }

/* The first pixel of the tile that is read some vectors after vector j of tile `tile`: for prefetching, as the
 * pixels of a tile lie in many short pieces. */
INLINE const global float *pixel_ahead(const global float *x, const int tile, const int j,
                                       const int channels) {
    const int position = tile * VECTORS(channels) + j + AHEAD, next = position / VECTORS(channels);
    return x + (((size_t)(next / (TY * TX)) * H + next / TX % TY * 4) * W + next % TX * 4) * channels +
           position % VECTORS(channels) * VW;
}

/* o (36) = B^T x B of the 6x6 pixels around tile `tile`, vector j of its C channels; zero outside the image and
 * from tile `tiles` on. */
INLINE void winograd_input(const global float *x, vec *o, const int j, const int tile,
                           const int tiles) {
    const int y0 = tile / TX % TY * 4 - 1, x0 = tile % TX * 4 - 1;
    const global float *image = x + (size_t)(tile / (TY * TX)) * H * W * C;
    const global float *ahead = pixel_ahead(x, tile, j, C);
    vec rows[6][6];
    UNROLL(6)
    for (int c = 0; c < 6; c++) {
        vec d[6];
        UNROLL(6)
        for (int r = 0; r < 6; r++) {
            if (c > 1)
                PREFETCH(ahead + ((r - 1) * W + c - 1) * C);
            const int yy = y0 + r, xx = x0 + c;
            d[r] = tile < tiles && yy >= 0 && yy < H && xx >= 0 && xx < W
                       ? load_channels(j, image + (yy * W + xx) * C, C)
                       : (vec)(0.0f);
        }
        INPUT_TRANSFORM(rows[c], d[0], d[1], d[2], d[3], d[4], d[5]);
    }
    UNROLL(6)
    for (int r = 0; r < 6; r++)
        INPUT_TRANSFORM((o + r * 6), rows[0][r], rows[1][r], rows[2][r], rows[3][r], rows[4][r],
                        rows[5][r]);
}

/* o (36) = A dy A^T of the 4x4 pixels of tile `tile`, vector j of its K channels. */
INLINE void winograd_gradient(const global float *dy, vec *o, const int j, const int tile,
                              const int tiles) {
    const int y0 = tile / TX % TY * 4, x0 = tile % TX * 4;
    const global float *image = dy + (size_t)(tile / (TY * TX)) * H * W * K;
    const global float *ahead = pixel_ahead(dy, tile, j, K);
    vec rows[4][6];
    UNROLL(4)
    for (int c = 0; c < 4; c++) {
        vec d[4];
        UNROLL(4)
        for (int r = 0; r < 4; r++)
            PREFETCH(ahead + (r * W + c) * K);
        UNROLL(4)
        for (int r = 0; r < 4; r++)
            d[r] = tile < tiles && y0 + r < H && x0 + c < W
                       ? load_channels(j, image + ((y0 + r) * W + x0 + c) * K, K)
                       : (vec)(0.0f);
        OUTPUT_ADJOINT(rows[c], d[0], d[1], d[2], d[3]);
    }
    UNROLL(6)
    for (int r = 0; r < 6; r++)
        OUTPUT_ADJOINT((o + r * 6), rows[0][r], rows[1][r], rows[2][r], rows[3][r]);
}

/* Writes, or adds, the 4x4 pixels of tile `tile`, vector j of its K channels: A^T m A, with m's 36 vectors
 * `plane` apart. */
INLINE void winograd_output(const vec *m, const int plane, global float *y, const int j,
                            const int tile, const int accumulate) {
    const int y0 = tile / TX % TY * 4, x0 = tile % TX * 4;
    global float *image = y + (size_t)(tile / (TY * TX)) * H * W * K;
    vec rows[6][4];
    UNROLL(6)
    for (int c = 0; c < 6; c++)
        OUTPUT_TRANSFORM(rows[c], m[c * plane], m[(6 + c) * plane], m[(12 + c) * plane],
                         m[(18 + c) * plane], m[(24 + c) * plane], m[(30 + c) * plane]);
    UNROLL(4)
    for (int r = 0; r < 4; r++) {
        vec o[4];
        OUTPUT_TRANSFORM(o, rows[0][r], rows[1][r], rows[2][r], rows[3][r], rows[4][r], rows[5][r]);
        UNROLL(4)
        for (int c = 0; c < 4; c++)
            if (y0 + r < H && x0 + c < W) {
                global float *to = image + ((y0 + r) * W + x0 + c) * K;
                store_channels(accumulate ? o[c] + load_channels(j, to, K) : o[c], j, to, K);
            }
    }
}

/* dw (3,3,C,K), vector k of channel c: G^T s G, with s's 36 vectors `plane` apart. */
INLINE void winograd_filter_gradient(const vec *s, const int plane, global float *dw,
                                     const int c, const int k) {
    vec t[6][3];
    UNROLL(6)
    for (int x = 0; x < 6; x++)
        FILTER_ADJOINT(t[x], s[x * plane], s[(6 + x) * plane], s[(12 + x) * plane],
                       s[(18 + x) * plane], s[(24 + x) * plane], s[(30 + x) * plane]);
    UNROLL(3)
    for (int y = 0; y < 3; y++) {
        vec o[3];
        FILTER_ADJOINT(o, t[0][y], t[1][y], t[2][y], t[3][y], t[4][y], t[5][y]);
        UNROLL(3)
        for (int x = 0; x < 3; x++)
            store_channels(o[x], k, dw + ((size_t)(y * 3 + x) * C + c) * K, K);
    }
}

/* u (36) = G w G^T of nine taps. */
INLINE void winograd_transform_filter(const vec *w, vec *u) {
    vec t[3][6];
    UNROLL(3)
    for (int x = 0; x < 3; x++)
        FILTER_TRANSFORM(t[x], w[x], w[3 + x], w[6 + x]);
    UNROLL(6)
    for (int y = 0; y < 6; y++)
        FILTER_TRANSFORM((u + y * 6), t[0][y], t[1][y], t[2][y]);
}

#endif
