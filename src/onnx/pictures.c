/* Pictures of any size to what a network reads, as nodes: what data/image.c does when pictures are
 * read, then what views of evaluation are. */
#include "onnx/inputs.h"
#include "onnx/parts.h"

/* "kept" (2): height and width that are kept of "extent" (2); clc_image_fitted in whole numbers. */
static clc_status add_fitted(clc_onnx_tape *tape, int side) {
    clc_status status = CLC_OK;
    char one[CLC_ONNX_NAME_BYTES], two[CLC_ONNX_NAME_BYTES], once[CLC_ONNX_NAME_BYTES],
        twice[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_need_int(tape, 1, one));
    CLC_TRY(clc_onnx_need_int(tape, 2, two));
    CLC_TRY(clc_onnx_need_int(tape, side, once));
    CLC_TRY(clc_onnx_need_int(tape, 2 * side, twice));
    const clc_onnx_node nodes[] = {{"ReduceMin", {"extent"}, "shorter", NULL},
                                   {"ReduceMax", {"extent"}, "longer", NULL},
                                   {"Mul", {"shorter", two}, "shorter.twice", NULL},
                                   {"Greater", {"longer", "shorter.twice"}, "long", NULL},
                                   {"Where", {"long", twice, once}, "over", NULL},
                                   {"Where", {"long", "longer", "shorter"}, "under", NULL},
                                   {"Mul", {"extent", two}, "extent.twice", NULL},
                                   {"Mul", {"extent.twice", "over"}, "product", NULL},
                                   {"Add", {"product", "under"}, "rounded", NULL},
                                   {"Mul", {"under", two}, "under.twice", NULL},
                                   {"Div", {"rounded", "under.twice"}, "share", NULL},
                                   {"Max", {"share", one}, "share.some", NULL},
                                   {"GreaterOrEqual", {"over", "under"}, "fits", NULL},
                                   {"Where", {"fits", "extent", "share.some"}, "kept", NULL}};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        CLC_TRY(clc_onnx_add(tape->model, &nodes[i]));
fail:
    return status;
}

/* Elements of a side and of what becomes of it, as numbers: "<out>.from" and "<out>.to". */
static clc_status add_lengths(clc_onnx_tape *tape, const char *extent, const char *sizes, int side,
                              const char *out, char names[2][CLC_ONNX_NAME_BYTES]) {
    clc_status status = CLC_OK;
    char which[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_need_int(tape, side, which));
    CLC_TRY(clc_onnx_inner(names[0], out, "from"));
    CLC_TRY(clc_onnx_inner(names[1], out, "to"));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Gather", {extent, which}, names[0], NULL}));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Gather", {sizes, which}, names[1], NULL}));
fail:
    return status;
}

/* Middles of so many elements: 0.5, 1.5 ... (n), doubles. */
static clc_status add_middles(clc_onnx_tape *tape, const char *n, const char *out) {
    clc_status status = CLC_OK;
    const clc_onnx_attr to[] = {clc_onnx_int("to", CLC_ONNX_FLOAT64), {0}};
    char zero[CLC_ONNX_NAME_BYTES], one[CLC_ONNX_NAME_BYTES], order[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_need_int(tape, 0, zero));
    CLC_TRY(clc_onnx_need_int(tape, 1, one));
    CLC_TRY(clc_onnx_inner(order, out, "order"));
    clc_onnx_node nodes[] = {{"Cast", {NULL}, "numbers", to},
                             {"Add", {NULL, "double.half"}, NULL, NULL}};
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Range", {zero, n, one}, order, NULL}));
    CLC_TRY(clc_onnx_chain(tape->model, order, nodes, 2, out));
fail:
    return status;
}

/* Middles of the results among those of the elements (to,1), and half of a triangle's width. */
static clc_status add_centres(clc_onnx_tape *tape, char lengths[2][CLC_ONNX_NAME_BYTES],
                              const char *centres, const char *width) {
    clc_status status = CLC_OK;
    const clc_onnx_attr to[] = {clc_onnx_int("to", CLC_ONNX_FLOAT64), {0}};
    char scale[CLC_ONNX_NAME_BYTES], results[CLC_ONNX_NAME_BYTES], count[CLC_ONNX_NAME_BYTES],
        axis[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_inner(scale, centres, "scale"));
    CLC_TRY(clc_onnx_inner(results, centres, "results"));
    CLC_TRY(clc_onnx_inner(count, centres, "count"));
    CLC_TRY(clc_onnx_need_axes(tape, 1, (int64_t[]){1}, axis));
    clc_onnx_node ratio[] = {{"Cast", {NULL}, "elements", to}, {"Div", {NULL, count}, NULL, NULL}};
    clc_onnx_node places[] = {{"Mul", {NULL, scale}, "places", NULL},
                              {"Unsqueeze", {NULL, axis}, NULL, NULL}};
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Cast", {lengths[1]}, count, to}));
    CLC_TRY(clc_onnx_chain(tape->model, lengths[0], ratio, 2, scale));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Max", {scale, "double.one"}, width, NULL}));
    CLC_TRY(add_middles(tape, lengths[1], results));
    CLC_TRY(clc_onnx_chain(tape->model, results, places, 2, centres));
fail:
    return status;
}

/* What makes a side of `sizes` out of one of `extent`: triangles as wide as the scale, at least of
 * one element, cut at the ends (data/scale.h), a matrix (to,from). */
static clc_status add_triangles(clc_onnx_tape *tape, const char *extent, const char *sizes,
                                int side, const char *out) {
    clc_status status = CLC_OK;
    const clc_onnx_attr to[] = {clc_onnx_int("to", CLC_ONNX_FLOAT32), {0}};
    char lengths[2][CLC_ONNX_NAME_BYTES], middles[CLC_ONNX_NAME_BYTES],
        centres[CLC_ONNX_NAME_BYTES], width[CLC_ONNX_NAME_BYTES], shares[CLC_ONNX_NAME_BYTES],
        sums[CLC_ONNX_NAME_BYTES], height[CLC_ONNX_NAME_BYTES], axis[CLC_ONNX_NAME_BYTES];
    CLC_TRY(add_lengths(tape, extent, sizes, side, out, lengths));
    CLC_TRY(clc_onnx_inner(middles, out, "middles"));
    CLC_TRY(clc_onnx_inner(centres, out, "centres"));
    CLC_TRY(clc_onnx_inner(width, out, "width"));
    CLC_TRY(clc_onnx_inner(height, out, "height"));
    CLC_TRY(clc_onnx_inner(shares, out, "shares"));
    CLC_TRY(clc_onnx_inner(sums, out, "sums"));
    CLC_TRY(clc_onnx_need_axes(tape, 1, (int64_t[]){1}, axis));
    CLC_TRY(add_middles(tape, lengths[0], middles));
    CLC_TRY(add_centres(tape, lengths, centres, width));
    clc_onnx_node distance[] = {{"Sub", {NULL, centres}, "way", NULL},
                                {"Abs", {NULL}, "distance", NULL},
                                {"Div", {NULL, width}, NULL, NULL}};
    clc_onnx_node triangle[] = {{"Max", {NULL, "double.zero"}, NULL, NULL}};
    clc_onnx_node part[] = {{"Div", {NULL, sums}, "parts", NULL}, {"Cast", {NULL}, NULL, to}};
    CLC_TRY(clc_onnx_chain(tape->model, middles, distance, 3, height));
    CLC_TRY(clc_onnx_inner(middles, out, "fall"));
    CLC_TRY(
        clc_onnx_add(tape->model, &(clc_onnx_node){"Sub", {"double.one", height}, middles, NULL}));
    CLC_TRY(clc_onnx_chain(tape->model, middles, triangle, 1, shares));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"ReduceSum", {shares, axis}, sums, NULL}));
    CLC_TRY(clc_onnx_chain(tape->model, shares, part, 2, out));
fail:
    return status;
}

/* Height and width of `from` (N,C,H,W) become the values of `sizes` (2). Not the operator Resize,
 * whose antialiasing isn't the same in all runtimes. */
static clc_status resize(clc_onnx_tape *tape, const char *from, const char *sizes,
                         const char *out) {
    clc_status status = CLC_OK;
    const clc_onnx_attr sides[] = {clc_onnx_int("start", 2), clc_onnx_int("end", 4), {0}};
    char extent[CLC_ONNX_NAME_BYTES], down[CLC_ONNX_NAME_BYTES], across[CLC_ONNX_NAME_BYTES],
        turned[CLC_ONNX_NAME_BYTES], lower[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_inner(extent, out, "extent"));
    CLC_TRY(clc_onnx_inner(down, out, "down"));
    CLC_TRY(clc_onnx_inner(across, out, "across"));
    CLC_TRY(clc_onnx_inner(turned, out, "turned"));
    CLC_TRY(clc_onnx_inner(lower, out, "lower"));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Shape", {from}, extent, sides}));
    CLC_TRY(add_triangles(tape, extent, sizes, 0, down));
    CLC_TRY(add_triangles(tape, extent, sizes, 1, across));
    const clc_onnx_node nodes[] = {{"MatMul", {down, from}, lower, NULL},
                                   {"Transpose", {across}, turned, NULL},
                                   {"MatMul", {lower, turned}, out, NULL}};
    for (int i = 0; i < 3; i++)
        CLC_TRY(clc_onnx_add(tape->model, &nodes[i]));
fail:
    return status;
}

/* "stored" (N,C,H,W): planes as large as they are kept, whole numbers again. */
static clc_status add_stored(clc_onnx_tape *tape, int side) {
    clc_status status = CLC_OK;
    const clc_onnx_attr real[] = {clc_onnx_int("to", CLC_ONNX_FLOAT32), {0}};
    const clc_onnx_attr planes[] = {clc_onnx_order(4, 0, 3, 1, 2, 0), {0}};
    const clc_onnx_attr sides[] = {clc_onnx_int("start", 2), clc_onnx_int("end", 4), {0}};
    const float half = 0.5f, black = 0, white = 255;
    const double real_half = 0.5, real_one = 1, real_zero = 0;
    clc_onnx_node input[] = {{"Cast", {NULL}, "numbers", real},
                             {"Transpose", {NULL}, NULL, planes}};
    clc_onnx_node whole[] = {{"Add", {NULL, "tone.half"}, "raised", NULL},
                             {"Floor", {NULL}, "floor", NULL},
                             {"Clip", {NULL, "tone.black", "tone.white"}, NULL, NULL}};
    CLC_TRY(clc_onnx_doubles(tape->model, "double.half", 0, NULL, &real_half));
    CLC_TRY(clc_onnx_doubles(tape->model, "double.one", 0, NULL, &real_one));
    CLC_TRY(clc_onnx_doubles(tape->model, "double.zero", 0, NULL, &real_zero));
    CLC_TRY(clc_onnx_exact(tape->model, "tone.half", 0, NULL, &half));
    CLC_TRY(clc_onnx_exact(tape->model, "tone.black", 0, NULL, &black));
    CLC_TRY(clc_onnx_exact(tape->model, "tone.white", 0, NULL, &white));
    CLC_TRY(clc_onnx_chain(tape->model, "pictures", input, 2, "planes"));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Shape", {"planes"}, "extent", sides}));
    CLC_TRY(add_fitted(tape, side));
    CLC_TRY(resize(tape, "planes", "kept", "scaled"));
    CLC_TRY(clc_onnx_chain(tape->model, "scaled", whole, 3, "stored"));
fail:
    return status;
}

/* The part of `from` (N,C,H,W) from `begins` (2) on, as large as `sides` (2 or 1). */
static clc_status cut(clc_onnx_tape *tape, const char *from, const char *begins, const char *sides,
                      const char *out) {
    clc_status status = CLC_OK;
    char axes[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_need_axes(tape, 2, (int64_t[]){2, 3}, axes));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Add", {begins, sides}, "ends", NULL}));
    CLC_TRY(clc_onnx_add(tape->model,
                         &(clc_onnx_node){"Slice", {from, begins, "ends", axes}, out, NULL}));
fail:
    return status;
}

/* Half of what "kept" has beyond `sides`, to which `shift` (may be NULL) is added: "begins" (2). */
static clc_status add_begins(clc_onnx_tape *tape, const char *sides, const char *shift) {
    clc_status status = CLC_OK;
    char two[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_need_int(tape, 2, two));
    clc_onnx_node nodes[3] = {{"Sub", {NULL, sides}, "rest", NULL},
                              {"Div", {NULL, two}, "half", NULL}};
    if (shift)
        nodes[2] = (clc_onnx_node){"Add", {NULL, shift}, NULL, NULL};
    CLC_TRY(clc_onnx_chain(tape->model, "kept", nodes, shift ? 3 : 2, "begins"));
fail:
    return status;
}

static clc_status add_square(clc_onnx_tape *tape, const char *out) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"ReduceMin", {"kept"}, "square", NULL}));
    CLC_TRY(add_begins(tape, "square", NULL));
    CLC_TRY(cut(tape, "stored", "begins", "square", out));
fail:
    return status;
}

/* As many pixels in the middle, black where the picture is smaller. */
static clc_status add_centre(clc_onnx_tape *tape, int size, const char *out) {
    clc_status status = CLC_OK;
    const int64_t border[] = {0, 0, size, size, 0, 0, size, size};
    char side[CLC_ONNX_NAME_BYTES], pads[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_need_int(tape, size, side));
    CLC_TRY(clc_onnx_put_ints(tape, out, "border", 8, border, pads));
    CLC_TRY(clc_onnx_add(tape->model,
                         &(clc_onnx_node){"Pad", {"stored", pads, "tone.black"}, "padded", NULL}));
    CLC_TRY(add_begins(tape, side, side));
    CLC_TRY(cut(tape, "padded", "begins", side, out));
fail:
    return status;
}

clc_status clc_onnx_add_pictures(clc_onnx_tape *tape, const clc_embedder *e, const char *out) {
    clc_status status = CLC_OK;
    const int size = e->augment.settings.size;
    const clc_onnx_dim dims[] = {
        {0, "batch"}, {0, "height"}, {0, "width"}, {e->augment.channels, NULL}};
    char sizes[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_input(tape->model, "pictures", CLC_ONNX_UINT8, 4, dims));
    CLC_TRY(add_stored(tape, clc_embedder_side(e->config)));
    if (e->augment.settings.crop == CLC_CONFIG_CROP_CENTER)
        return add_centre(tape, size, out);
    CLC_TRY(clc_onnx_put_ints(tape, out, "sizes", 2, (int64_t[]){size, size}, sizes));
    if (e->augment.settings.crop != CLC_CONFIG_CROP_NONE)
        CLC_TRY(add_square(tape, "cut"));
    CLC_TRY(resize(tape, e->augment.settings.crop == CLC_CONFIG_CROP_NONE ? "stored" : "cut", sizes,
                   out));
fail:
    return status;
}
