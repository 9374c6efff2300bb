/* Random views of texts, a work-item each. Whole numbers, and products and sums that every device rounds alike (no
 * contraction), decide what is drawn: the same views everywhere. */
#include "common.h"
#pragma OPENCL FP_CONTRACT OFF
#include "augment/field.h"
#include "augment/token_view.h"

/* Tokens a view has at most; 1: a text's first and last token are its start and end, and stay. */
#ifndef CONTEXT
#define CONTEXT 64
#define ENDS 1
#define UNKNOWN 1
#define SYNONYMS 1 /* 1: there is a table */
/* Probability that a view is changed so; then the rate, or of a crop the part kept, is its low end and what to add at
 * most. */
#define P_CROP 0.5f
#define CROP_LOW 0.5f
#define CROP_SPAN 0.5f
#define P_DELETE 0.5f
#define DELETE_LOW 0.1f
#define DELETE_SPAN 0.1f
#define P_MASK 0.5f
#define MASK_LOW 0.1f
#define MASK_SPAN 0.1f
#define P_SYNONYM 0.5f
#define SYNONYM_LOW 0.1f
#define SYNONYM_SPAN 0.1f
#define P_SWAP 0.5f
#define SWAP_LOW 0.1f
#define SWAP_SPAN 0.1f
#endif

#define ROOM (CONTEXT - 2 * ENDS)

INLINE uint4 draw(uint2 key, uint4 counter, uint purpose) {
    counter.w = purpose;
    return philox(key, counter);
}

/* The rate of a change, 0 unless it is made. */
#define RATE(whether, amount, name)                                                                \
    (UNIFORM(whether) < P_##name ? name##_LOW + name##_SPAN * UNIFORM(amount) : 0.0f)

/* The span of the text that is kept: at least a token, if there is any. */
INLINE void crop_span(uint4 bits, int *begin, int *count) {
    if (!(UNIFORM(bits.x) < P_CROP))
        return;
    const int whole = *count;
    const float part = CROP_LOW + CROP_SPAN * UNIFORM(bits.y);
    *count = min(whole, max(1, (int)((float)whole * part + 0.5f)));
    *begin = BELOW(bits.z, whole - *count + 1);
}

/* Tokens of the text from `begin` to before `end` as the view has them; returns how many it has. No `restrict`: inlined,
 * it would leave scopes of aliasing behind, which Oclgrind doesn't know. */
INLINE int copy_tokens(uint2 key, uint4 counter, const global int *text, int begin, int end,
                       const global int *synonym_starts, const global int *synonyms,
                       global int *view) {
    const uint4 removal = draw(key, counter, PURPOSE_TOKENS_REMOVE);
    const float deletion = RATE(removal.x, removal.y, DELETE);
    const float mask = RATE(removal.z, removal.w, MASK);
#if SYNONYMS
    const uint4 change = draw(key, counter, PURPOSE_TOKENS_CHANGE);
    const float synonym = RATE(change.x, change.y, SYNONYM);
#else
    const float synonym = 0.0f;
#endif
    const bool changes = deletion + mask + synonym > 0.0f;
    int kept = 0;
    for (int t = begin; t < end && kept < ROOM; t++) {
        int token = text[t];
        if (changes) {
            const uint4 bits = draw(key, counter, PURPOSE_TOKENS_EACH + (uint)t);
            if (UNIFORM(bits.x) < deletion)
                continue;
#if SYNONYMS
            const int first = synonym_starts[token], n = synonym_starts[token + 1] - first;
            if (n > 0 && UNIFORM(bits.z) < synonym)
                token = synonyms[first + BELOW(bits.w, n)];
#endif
            if (UNIFORM(bits.y) < mask)
                token = UNKNOWN;
        }
        view[kept++] = token;
    }
    return kept;
}

/* Exchanges neighbours; none moves twice. */
INLINE void swap_tokens(uint2 key, uint4 counter, int count, global int *view) {
    const uint4 change = draw(key, counter, PURPOSE_TOKENS_CHANGE);
    const float swap = RATE(change.z, change.w, SWAP);
    for (int t = 0; swap > 0.0f && t + 1 < count; t++) {
        if (!(UNIFORM(draw(key, counter, PURPOSE_TOKENS_SWAP + (uint)t).x) < swap))
            continue;
        const int token = view[t];
        view[t] = view[t + 1];
        view[t + 1] = token;
        t++;
    }
}

/* View v of a sample's text is row first_row + v texts + i, i being the sample's place from first_text on; its number,
 * which decides the draws, is first_view + v. */
__attribute__((reqd_work_group_size(LS, 1, 1))) kernel void
tokens_view(const global int *restrict ids,             // all texts' tokens
            const global field_place *restrict places, // of all texts
            const global int *restrict firsts,         // (samples + 1): which texts are a sample's
            const global int *restrict indices,        // (texts): samples
            const global uint *restrict step_state,    // [0]: the epoch
            const global int *restrict synonym_starts, // (vocabulary + 1)
            const global int *restrict synonyms,       // those of token t from synonym_starts[t] on
            global int *restrict out,                  // (rows,CONTEXT): 0 behind a text
            global int *restrict lengths,              // (rows)
            const int texts, const int views_per_text, const int first_text, const int first_view,
            const int first_row, const uint seed_low, const uint seed_high) {
    const uint2 key = (uint2)(seed_low, seed_high);
    for (int i = (int)get_global_id(0); i < texts * views_per_text; i += (int)get_global_size(0)) {
        const int sample = indices[first_text + i % texts];
        const field_place at = places[choose_text(firsts, key, sample, step_state[0])];
        const global int *restrict text = ids + at.offset;
        const uint4 counter = (uint4)((uint)sample, step_state[0], (uint)(first_view + i / texts), 0);
        global int *restrict view = out + (size_t)(first_row + i) * CONTEXT;
        int begin = 0, count = at.length - 2 * ENDS;
        crop_span(draw(key, counter, PURPOSE_TOKENS_CROP), &begin, &count);
        int kept = copy_tokens(key, counter, text + ENDS, begin, begin + count, synonym_starts,
                               synonyms, view + ENDS);
        /* Something is left of every text that has something; no view is empty. */
        if (kept == 0 && count > 0)
            view[ENDS + kept++] = text[ENDS + begin];
#if !ENDS
        if (kept == 0)
            view[kept++] = UNKNOWN;
#endif
        swap_tokens(key, counter, kept, view + ENDS);
#if ENDS
        view[0] = text[0];
        view[ENDS + kept] = text[at.length - 1];
#endif
        lengths[first_row + i] = kept + 2 * ENDS;
        for (int t = kept + 2 * ENDS; t < CONTEXT; t++)
            view[t] = 0;
    }
}
