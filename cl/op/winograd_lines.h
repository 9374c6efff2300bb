/* The one-dimensional transforms of Winograd's algorithm (Lavin and Gray, arXiv 1509.09308), on vectors.
 *
 * Stride 1: F(4,3) at the points 0, 1, -1, 2, -2 and infinity. Stride 2: of the three taps w, the outer ones meet odd
 * pixels only, one after the other, which is F(4,2) at the points 0, 1, -1, 2 and infinity, and the middle one even
 * pixels only: 5 + 4 products instead of 12, the last four of which share a filter. TURNED is the adjoint of that
 * over pixels, the backward pass over data: 8 pixels from 5.
 *
 *                WINDOW pixels read    LINE products    OUTPUTS pixels written
 * stride 1       6, from -1 on         6                4
 * stride 2       9, from -1 on         9                4
 * turned         5, from 0 on          9                8                           */
#ifndef WINOGRAD_LINES_H
#define WINOGRAD_LINES_H

#ifndef STRIDE
#define STRIDE 1
#endif
#ifndef TURNED
#define TURNED 0
#endif

#if STRIDE == 1
#define LINE 6
#define WINDOW 6
#define OUTPUTS 4

/* o (LINE) = B^T d. */
INLINE void line_input(vec *o, const vec *d) {
    const vec p = d[4] - 4.0f * d[2], q = d[3] - 4.0f * d[1];
    const vec r = d[4] - d[2], s = 2.0f * (d[3] - d[1]);
    o[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
    o[1] = p + q;
    o[2] = p - q;
    o[3] = r + s;
    o[4] = r - s;
    o[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}

/* o (OUTPUTS) = A^T m. */
INLINE void line_output(vec *o, const vec *m) {
    const vec p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], s = m[3] - m[4];
    o[0] = m[0] + p + r;
    o[1] = q + 2.0f * s;
    o[2] = p + 4.0f * r;
    o[3] = q + 8.0f * s + m[5];
}

/* o (LINE) = A d: the adjoint of line_output. */
INLINE void line_gradient(vec *o, const vec *d) {
    const vec p = d[0] + d[2], q = d[1] + d[3];
    const vec r = d[0] + 4.0f * d[2], s = 2.0f * d[1] + 8.0f * d[3];
    o[0] = d[0];
    o[1] = p + q;
    o[2] = p - q;
    o[3] = r + s;
    o[4] = r - s;
    o[5] = d[3];
}

/* o (6) = G w. */
INLINE void line_filter(vec *o, const vec *w) {
    const vec p = (w[0] + w[2]) * (-1.0f / 6), q = w[1] * (1.0f / 6);
    const vec r = w[0] * (1.0f / 24) + w[2] * (1.0f / 6), s = w[1] * (1.0f / 12);
    o[0] = w[0] * 0.25f;
    o[1] = p - q;
    o[2] = p + q;
    o[3] = r + s;
    o[4] = r - s;
    o[5] = w[2];
}

/* o (3) = G^T s: the adjoint of line_filter. */
INLINE void line_filter_gradient(vec *o, const vec *s) {
    const vec p = s[1] + s[2], q = s[2] - s[1], r = s[3] + s[4], u = s[3] - s[4];
    o[0] = 0.25f * s[0] - p * (1.0f / 6) + r * (1.0f / 24);
    o[1] = q * (1.0f / 6) + u * (1.0f / 12);
    o[2] = (r - p) * (1.0f / 6) + s[5];
}

#else
#define LINE 9
#define WINDOW (TURNED ? 5 : 9)
#define OUTPUTS (TURNED ? 8 : 4)

INLINE void line_input(vec *o, const vec *d) {
    const int step = TURNED ? 1 : 2, even = TURNED ? 0 : 1;
    const vec q0 = d[0], q1 = d[step], q2 = d[2 * step], q3 = d[3 * step], q4 = d[4 * step];
    const vec r = q3 - q1;
    o[0] = r + 2.0f * (q0 - q2);
    o[1] = q3 - q2 - 2.0f * q1;
    o[2] = q3 - 3.0f * q2 + 2.0f * q1;
    o[3] = r;
    o[4] = q4 - q2 - 2.0f * r;
    UNROLL(4)
    for (int i = 0; i < 4; i++)
        o[5 + i] = d[even + i * step];
}

INLINE void line_output(vec *o, const vec *m) {
    const vec p = m[1] + m[2], q = m[1] - m[2];
    const vec odd[4] = {m[0] + p + m[3], q + 2.0f * m[3], p + 4.0f * m[3], q + 8.0f * m[3] + m[4]};
    UNROLL(4)
    for (int i = 0; i < 4; i++)
        if (TURNED) {
            o[2 * i] = m[5 + i];
            o[2 * i + 1] = odd[i];
        } else {
            o[i] = odd[i] + m[5 + i];
        }
}

INLINE void line_gradient(vec *o, const vec *d) {
    const vec p = d[0] + d[2], q = d[1] + d[3];
    o[0] = d[0];
    o[1] = p + q;
    o[2] = p - q;
    o[3] = d[0] + 2.0f * d[1] + 4.0f * d[2] + 8.0f * d[3];
    o[4] = d[3];
    UNROLL(4)
    for (int i = 0; i < 4; i++)
        o[5 + i] = d[i];
}

INLINE void line_filter(vec *o, const vec *w) {
    o[0] = w[0] * 0.5f;
    o[1] = (w[0] + w[2]) * -0.5f;
    o[2] = (w[2] - w[0]) * (1.0f / 6);
    o[3] = w[0] * (1.0f / 6) + w[2] * (1.0f / 3);
    o[4] = w[2];
    o[5] = w[1];
}

INLINE void line_filter_gradient(vec *o, const vec *s) {
    o[0] = (s[0] - s[1]) * 0.5f + (s[3] - s[2]) * (1.0f / 6);
    o[1] = s[5];
    o[2] = s[2] * (1.0f / 6) - s[1] * 0.5f + s[3] * (1.0f / 3) + s[4];
}
#endif

/* Product p of the LINE x LINE takes this one of the 6 x 6 filters. */
#define FILTER_OF(p) (min((p) / LINE, 5) * 6 + min((p) % LINE, 5))

#endif
