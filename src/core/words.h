/* Words of a configuration that others than it have, too. */
#ifndef CLC_CORE_WORDS_H
#define CLC_CORE_WORDS_H

/* Words that name a file each. A list is used as LIST(F, X) with a macro F(X, word).
 *
 * src/method/<word>.c: defines clc_method_<word>. */
#define CLC_METHODS(F, X)                                                                          \
    F(X, simclr)                                                                                   \
    F(X, pair)                                                                                     \
    F(X, supcon)                                                                                   \
    F(X, clip)                                                                                     \
    F(X, simcse)                                                                                   \
    F(X, mocov1)                                                                                   \
    F(X, mocov2)                                                                                   \
    F(X, mocov3)                                                                                   \
    F(X, byol)                                                                                     \
    F(X, simsiam)                                                                                  \
    F(X, barlow)                                                                                   \
    F(X, vicreg)                                                                                   \
    F(X, nnclr)                                                                                    \
    F(X, swav)                                                                                     \
    F(X, dino)                                                                                     \
    F(X, supervised)

/* src/net/<word>.c: defines clc_net_<word>. The resnet goes by its sizes' names, the others are
 * names of an encoder themselves. */
#define CLC_NETS(F, X)                                                                             \
    F(X, resnet)                                                                                   \
    CLC_NAMED_NETS(F, X)

#define CLC_NAMED_NETS(F, X)                                                                       \
    F(X, vit)                                                                                      \
    F(X, transformer)                                                                              \
    F(X, gru)                                                                                      \
    F(X, lstm)                                                                                     \
    F(X, conv1d)

/* src/loss/<word>.c: defines clc_loss_<word>. */
#define CLC_LOSSES(F, X)                                                                           \
    F(X, ntxent)                                                                                   \
    F(X, infonce)                                                                                  \
    F(X, supcon)                                                                                   \
    F(X, npair)                                                                                    \
    F(X, simcse)                                                                                   \
    F(X, clip)                                                                                     \
    F(X, logistic)                                                                                 \
    F(X, contrastive)                                                                              \
    F(X, triplet)                                                                                  \
    F(X, cosine)                                                                                   \
    F(X, crossentropy)                                                                             \
    F(X, distillation)                                                                             \
    F(X, barlow)                                                                                   \
    F(X, vicreg)                                                                                   \
    F(X, swav)                                                                                     \
    F(X, dino)

/* src/eval/task_<word>.c: defines clc_task_<word>. In the order in which they run and are printed:
 * first what costs little. */
#define CLC_TASKS(F, X)                                                                            \
    F(X, classifier)                                                                               \
    F(X, knn)                                                                                      \
    F(X, linear)                                                                                   \
    F(X, finetune)                                                                                 \
    F(X, retrieval)                                                                                \
    F(X, sts)                                                                                      \
    F(X, cost)                                                                                     \
    F(X, class_retrieval)                                                                          \
    F(X, robustness)                                                                               \
    F(X, structure)                                                                                \
    F(X, cka)                                                                                      \
    F(X, clustering)                                                                               \
    F(X, segmentation)                                                                             \
    F(X, detection)

/* Words with a value each, as LIST(X, prefix) with a macro X(value, word): those of a section
 * (CLC_CONFIG_PROFILE_ ...) and of what does the work (CLC_PROFILE_ ...) are the same numbers. */
#define CLC_WORD_VALUE(value, word) value,

#define CLC_PROFILES(X, prefix)                                                                    \
    X(prefix##AUTO, "auto")                                                                        \
    X(prefix##CPU, "cpu")                                                                          \
    X(prefix##GPU, "gpu")

#define CLC_GEMMS(X, prefix)                                                                       \
    X(prefix##AUTO, "auto")                                                                        \
    X(prefix##OWN, "own")                                                                          \
    X(prefix##CLBLAST, "clblast")

#define CLC_TOKENIZERS(X, prefix)                                                                  \
    X(prefix##BYTES, "bytes")                                                                      \
    X(prefix##WORDS, "words")                                                                      \
    X(prefix##BPE, "bpe")

#define CLC_CONVOLUTIONS(X, prefix)                                                                \
    X(prefix##AUTO, "auto")                                                                        \
    X(prefix##DIRECT, "direct")                                                                    \
    X(prefix##WINOGRAD, "winograd")                                                                \
    X(prefix##WINOGRAD_STAGED, "winograd_staged")                                                  \
    X(prefix##WINOGRAD_GEMM, "winograd_gemm")                                                      \
    X(prefix##POINTWISE, "pointwise")                                                              \
    X(prefix##IMPLICIT_GEMM, "implicit_gemm")                                                      \
    X(prefix##IM2COL, "im2col")

#endif
