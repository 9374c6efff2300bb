/* Filters of the CPU's Winograd kernels, transformed: NV vectors of channels written lie together. */
#ifndef WINOGRAD_FILTER_H
#define WINOGRAD_FILTER_H

/* u (blocks of NR filters,36,C,NR) from nine vectors of one c. */
INLINE void store_filter(global float *u, const vec *w, const int k, const int c) {
    vec o[36];
    winograd_transform_filter(w, o);
    UNROLL(36)
    for (int xi = 0; xi < 36; xi++)
        VSTORE(o[xi], k % NV, u + (((size_t)(k / NV) * 36 + xi) * C + c) * NR);
}

/* Filters of the forward pass, w (3,3,C,K), to u at `offset` floats. Groups: vectors of K. */
TILE_KERNEL void winograd_filter(const global float *restrict w, global float *restrict u, const int offset) {
    const int k = (int)get_group_id(0);
    for (int c = 0; c < C; c++) {
        vec taps[9];
        UNROLL(9)
        for (int i = 0; i < 9; i++)
            taps[i] = load_channels(k, w + ((size_t)i * C + c) * K, K);
        store_filter(u + offset, taps, k, c);
    }
}

/* Filters of the backward pass over data: w is (3,3,K,C) in this kernel's terms, turned round. */
TILE_KERNEL void winograd_filter_turned(const global float *restrict w, global float *restrict u,
                                        const int offset) {
    const int k = (int)get_group_id(0);
    for (int c = 0; c < C; c++) {
        vec taps[9];
        UNROLL(9)
        for (int i = 0; i < 9; i++) {
            float lane[VW];
            for (int l = 0; l < VW; l++)
                lane[l] = k * VW + l < K ? w[((size_t)(8 - i) * K + k * VW + l) * C + c] : 0.0f;
            taps[i] = VLOAD(0, lane);
        }
        store_filter(u + offset, taps, k, c);
    }
}

#endif
