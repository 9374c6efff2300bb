/* The words of a configuration that name a file each. A list is used as LIST(F, X) with a macro
 * F(X, word). */
#ifndef CLC_CORE_WORDS_H
#define CLC_CORE_WORDS_H

/* src/method/<word>.c: defines clc_method_<word>. */
#define CLC_METHODS(F, X)                                                                          \
    F(X, simclr)                                                                                   \
    F(X, pair)                                                                                     \
    F(X, supcon)                                                                                   \
    F(X, mocov1)                                                                                   \
    F(X, mocov2)                                                                                   \
    F(X, mocov3)                                                                                   \
    F(X, byol)                                                                                     \
    F(X, simsiam)                                                                                  \
    F(X, barlow)                                                                                   \
    F(X, vicreg)                                                                                   \
    F(X, nnclr)                                                                                    \
    F(X, swav)                                                                                     \
    F(X, dino)

/* src/loss/<word>.c: defines clc_loss_<word>. */
#define CLC_LOSSES(F, X)                                                                           \
    F(X, ntxent)                                                                                   \
    F(X, infonce)                                                                                  \
    F(X, supcon)                                                                                   \
    F(X, npair)                                                                                    \
    F(X, clip)                                                                                     \
    F(X, logistic)                                                                                 \
    F(X, contrastive)                                                                              \
    F(X, triplet)                                                                                  \
    F(X, cosine)                                                                                   \
    F(X, barlow)                                                                                   \
    F(X, vicreg)                                                                                   \
    F(X, swav)                                                                                     \
    F(X, dino)

#endif
