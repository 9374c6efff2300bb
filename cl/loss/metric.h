/* Distances between embeddings for margin losses, from what similarity() gives. */

/* d of squared distances or cosines s. */
vec metric(const vec s) {
#if METRIC == 0
    return sqrt(s);
#elif METRIC == 1
    return s;
#else
    return 1.0f - s;
#endif
}

/* The weight w of a pair (pairs_backward.h) from g = dL/dd. Equal embeddings have no direction: 0. */
vec weight_of(const vec d, const vec g) {
#if METRIC == 0
    return d > 0.0f ? -g / d : (d == d ? (vec)(0.0f) : d);
#elif METRIC == 1
    return -2.0f * g;
#else
    return -g;
#endif
}
