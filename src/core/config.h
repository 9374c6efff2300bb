/* The configuration of a run: what train.ini and the command line say, typed and checked. The keys,
 * with their meaning, are in config_keys.inc. */
#ifndef CLC_CORE_CONFIG_H
#define CLC_CORE_CONFIG_H

#include "core/status.h"
#include "core/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    CLC_CONFIG_TEXT_BYTES = 512, /* of a text, with its final zero */
    CLC_CONFIG_LIST_MAX = 16,    /* numbers in a list */
};

typedef struct clc_ints {
    size_t count;
    int values[CLC_CONFIG_LIST_MAX];
} clc_ints;

typedef struct clc_floats {
    size_t count;
    double values[CLC_CONFIG_LIST_MAX];
} clc_floats;

/* The words that a CHOICE may be, each with the value of its field. */
#define CLC_CONFIG_FORMAT_LIST(X)                                                                  \
    X(CLC_CONFIG_FORMAT_AUTO, "auto")                                                              \
    X(CLC_CONFIG_FORMAT_FOLDER, "folder")                                                          \
    X(CLC_CONFIG_FORMAT_LIST_FILE, "list")                                                         \
    X(CLC_CONFIG_FORMAT_TAR, "tar")                                                                \
    X(CLC_CONFIG_FORMAT_CIFAR, "cifar")                                                            \
    X(CLC_CONFIG_FORMAT_NPY, "npy")                                                                \
    X(CLC_CONFIG_FORMAT_IDX, "idx")

#define CLC_CONFIG_AS_LIST(X)                                                                      \
    X(CLC_CONFIG_AS_AUTO, "auto")                                                                  \
    X(CLC_CONFIG_AS_IMAGES, "images")                                                              \
    X(CLC_CONFIG_AS_TOKENS, "tokens")                                                              \
    X(CLC_CONFIG_AS_SERIES, "series")                                                              \
    X(CLC_CONFIG_AS_PAIRS, "pairs")

#define CLC_CONFIG_LABELS_LIST(X)                                                                  \
    X(CLC_CONFIG_LABELS_FIRST, "first")                                                            \
    X(CLC_CONFIG_LABELS_PATH, "path")                                                              \
    X(CLC_CONFIG_LABELS_NONE, "none")

#define CLC_CONFIG_BAD_LIST(X)                                                                     \
    X(CLC_CONFIG_BAD_SKIP, "skip")                                                                 \
    X(CLC_CONFIG_BAD_STOP, "stop")

#define CLC_CONFIG_RESIDENCY_LIST(X)                                                               \
    X(CLC_CONFIG_RESIDENCY_AUTO, "auto")                                                           \
    X(CLC_CONFIG_RESIDENCY_DEVICE, "device")                                                       \
    X(CLC_CONFIG_RESIDENCY_HOST, "host")                                                           \
    X(CLC_CONFIG_RESIDENCY_STREAM, "stream")

/* How evaluation makes a square of a picture. */
#define CLC_CONFIG_RESIZE_LIST(X)                                                                  \
    X(CLC_CONFIG_RESIZE_SQUARE, "square")                                                          \
    X(CLC_CONFIG_RESIZE_WHOLE, "whole")

/* What trains the linear probe. */
#define CLC_CONFIG_SOLVER_LIST(X)                                                                  \
    X(CLC_CONFIG_SOLVER_SGD, "sgd")                                                                \
    X(CLC_CONFIG_SOLVER_LBFGS, "lbfgs")

/* With the numbers of CROP_NONE and so on (cl/augment/view.h). */
#define CLC_CONFIG_CROP_LIST(X)                                                                    \
    X(CLC_CONFIG_CROP_NONE, "none")                                                                \
    X(CLC_CONFIG_CROP_RANDOM_RESIZED, "random_resized")                                            \
    X(CLC_CONFIG_CROP_RANDOM, "random")                                                            \
    X(CLC_CONFIG_CROP_CENTER, "center")                                                            \
    X(CLC_CONFIG_CROP_SQUARE, "square")

#define CLC_CONFIG_ENCODER_WORD(X, word) X(CLC_CONFIG_ENCODER_##word, #word)
#define CLC_CONFIG_ENCODER_LIST(X)                                                                 \
    X(CLC_CONFIG_ENCODER_RESNET10, "resnet10")                                                     \
    X(CLC_CONFIG_ENCODER_RESNET18, "resnet18")                                                     \
    X(CLC_CONFIG_ENCODER_RESNET34, "resnet34")                                                     \
    X(CLC_CONFIG_ENCODER_RESNET50, "resnet50")                                                     \
    X(CLC_CONFIG_ENCODER_CUSTOM, "custom")                                                         \
    X(CLC_CONFIG_ENCODER_VIT_TINY, "vit_tiny")                                                     \
    X(CLC_CONFIG_ENCODER_VIT_SMALL, "vit_small")                                                   \
    X(CLC_CONFIG_ENCODER_VIT_BASE, "vit_base")                                                     \
    CLC_NAMED_NETS(CLC_CONFIG_ENCODER_WORD, X)

#define CLC_CONFIG_HEAD_LIST(X)                                                                    \
    X(CLC_CONFIG_HEAD_LINEAR, "linear")                                                            \
    X(CLC_CONFIG_HEAD_CONV, "conv")

#define CLC_CONFIG_STEM_LIST(X)                                                                    \
    X(CLC_CONFIG_STEM_SMALL, "small")                                                              \
    X(CLC_CONFIG_STEM_LARGE, "large")

#define CLC_CONFIG_BLOCK_LIST(X)                                                                   \
    X(CLC_CONFIG_BLOCK_AUTO, "auto")                                                               \
    X(CLC_CONFIG_BLOCK_BASIC, "basic")                                                             \
    X(CLC_CONFIG_BLOCK_BOTTLENECK, "bottleneck")

#define CLC_CONFIG_NORM_LIST(X)                                                                    \
    X(CLC_CONFIG_NORM_BATCH, "batch")                                                              \
    X(CLC_CONFIG_NORM_FIXED, "fixed")

#define CLC_CONFIG_POOLING_LIST(X)                                                                 \
    X(CLC_CONFIG_POOLING_AUTO, "auto")                                                             \
    X(CLC_CONFIG_POOLING_MEAN, "mean")                                                             \
    X(CLC_CONFIG_POOLING_LAST, "last")                                                             \
    X(CLC_CONFIG_POOLING_FIRST, "first")                                                           \
    X(CLC_CONFIG_POOLING_CLASS, "class")

#define CLC_CONFIG_ACTIVATION_LIST(X)                                                              \
    X(CLC_CONFIG_ACTIVATION_GELU, "gelu")                                                          \
    X(CLC_CONFIG_ACTIVATION_QUICK_GELU, "quick_gelu")

#define CLC_CONFIG_COLLAPSE_LIST(X)                                                                \
    X(CLC_CONFIG_COLLAPSE_WARN, "warn")                                                            \
    X(CLC_CONFIG_COLLAPSE_STOP, "stop")

#define CLC_CONFIG_LOSS_WORD(X, word) X(CLC_CONFIG_LOSS_##word, #word)
#define CLC_CONFIG_LOSS_LIST(X)                                                                    \
    X(CLC_CONFIG_LOSS_auto, "auto")                                                                \
    CLC_LOSSES(CLC_CONFIG_LOSS_WORD, X)

#define CLC_CONFIG_METHOD_WORD(X, word) X(CLC_CONFIG_METHOD_##word, #word)
#define CLC_CONFIG_METHOD_LIST(X)       CLC_METHODS(CLC_CONFIG_METHOD_WORD, X)

#define CLC_CONFIG_NEGATIVES_LIST(X)                                                               \
    X(CLC_CONFIG_NEGATIVES_AUTO, "auto")                                                           \
    X(CLC_CONFIG_NEGATIVES_BATCH, "batch")                                                         \
    X(CLC_CONFIG_NEGATIVES_QUEUE, "queue")                                                         \
    X(CLC_CONFIG_NEGATIVES_BOTH, "both")

#define CLC_CONFIG_LEARN_LIST(X)                                                                   \
    X(CLC_CONFIG_LEARN_FALSE, "false")                                                             \
    X(CLC_CONFIG_LEARN_TRUE, "true")                                                               \
    X(CLC_CONFIG_LEARN_AUTO, "auto")

#define CLC_CONFIG_DISTANCE_LIST(X)                                                                \
    X(CLC_CONFIG_DISTANCE_EUCLIDEAN, "euclidean")                                                  \
    X(CLC_CONFIG_DISTANCE_SQUARED, "squared")                                                      \
    X(CLC_CONFIG_DISTANCE_COSINE, "cosine")
#define CLC_CONFIG_MINING_LIST(X)                                                                  \
    X(CLC_CONFIG_MINING_ALL, "all")                                                                \
    X(CLC_CONFIG_MINING_SEMIHARD, "semihard")                                                      \
    X(CLC_CONFIG_MINING_HARD, "hard")

#define CLC_CONFIG_MOMENTUM_LIST(X)                                                                \
    X(CLC_CONFIG_MOMENTUM_CONSTANT, "constant")                                                    \
    X(CLC_CONFIG_MOMENTUM_COSINE, "cosine")

#define CLC_CONFIG_OPTIMIZER_LIST(X)                                                               \
    X(CLC_CONFIG_OPTIMIZER_SGD, "sgd")                                                             \
    X(CLC_CONFIG_OPTIMIZER_LARS, "lars")                                                           \
    X(CLC_CONFIG_OPTIMIZER_ADAMW, "adamw")

#define CLC_CONFIG_START_LIST(X)                                                                   \
    X(CLC_CONFIG_START_RUN, "run")                                                                 \
    X(CLC_CONFIG_START_SCRATCH, "scratch")

#define CLC_CONFIG_RATE_SCALE_LIST(X)                                                              \
    X(CLC_CONFIG_RATE_SCALE_NONE, "none")                                                          \
    X(CLC_CONFIG_RATE_SCALE_LINEAR, "linear")                                                      \
    X(CLC_CONFIG_RATE_SCALE_SQRT, "sqrt")

#define CLC_CONFIG_SCHEDULE_LIST(X)                                                                \
    X(CLC_CONFIG_SCHEDULE_COSINE, "cosine")                                                        \
    X(CLC_CONFIG_SCHEDULE_STEP, "step")                                                            \
    X(CLC_CONFIG_SCHEDULE_CONSTANT, "constant")

#define CLC_CONFIG_PROFILE_LIST(X)     CLC_PROFILES(X, CLC_CONFIG_PROFILE_)
#define CLC_CONFIG_CONVOLUTION_LIST(X) CLC_CONVOLUTIONS(X, CLC_CONFIG_CONVOLUTION_)
#define CLC_CONFIG_GEMM_LIST(X)        CLC_GEMMS(X, CLC_CONFIG_GEMM_)
#define CLC_CONFIG_SYNC_LIST(X)                                                                    \
    X(CLC_CONFIG_SYNC_NONE, "none")                                                                \
    X(CLC_CONFIG_SYNC_EVERY, "every")
#define CLC_CONFIG_TOKENIZER_LIST(X)   CLC_TOKENIZERS(X, CLC_CONFIG_TOKENIZER_)

#define CLC_CONFIG_LISTS(X)                                                                        \
    X(AS)                                                                                          \
    X(FORMAT)                                                                                      \
    X(LABELS)                                                                                      \
    X(BAD)                                                                                         \
    X(RESIDENCY)                                                                                   \
    X(RESIZE)                                                                                      \
    X(SOLVER)                                                                                      \
    X(CROP)                                                                                        \
    X(TOKENIZER)                                                                                   \
    X(ENCODER)                                                                                     \
    X(HEAD)                                                                                        \
    X(STEM)                                                                                        \
    X(BLOCK)                                                                                       \
    X(NORM)                                                                                        \
    X(POOLING)                                                                                     \
    X(ACTIVATION)                                                                                  \
    X(LOSS)                                                                                        \
    X(METHOD)                                                                                      \
    X(NEGATIVES)                                                                                   \
    X(LEARN)                                                                                       \
    X(DISTANCE)                                                                                    \
    X(MINING)                                                                                      \
    X(MOMENTUM)                                                                                    \
    X(COLLAPSE)                                                                                    \
    X(OPTIMIZER)                                                                                   \
    X(START)                                                                                       \
    X(RATE_SCALE)                                                                                  \
    X(SCHEDULE)                                                                                    \
    X(PROFILE)                                                                                     \
    X(CONVOLUTION)                                                                                 \
    X(GEMM)                                                                                        \
    X(SYNC)

#define CLC_CONFIG_ENUM(list) enum { CLC_CONFIG_##list##_LIST(CLC_WORD_VALUE) };
CLC_CONFIG_LISTS(CLC_CONFIG_ENUM)
#undef CLC_CONFIG_ENUM

/* One struct a section, clc_config_<section>, one field a key: config->training.batch. A CHOICE is
 * an int, one of the constants above. Plain values: they own nothing and may be copied. */
#define CLC_FIELD_TEXT(key)                                     char key[CLC_CONFIG_TEXT_BYTES];
#define CLC_FIELD_INT(key)                                      int key;
#define CLC_FIELD_SEED(key)                                     uint64_t key;
#define CLC_FIELD_FLOAT(key)                                    double key;
#define CLC_FIELD_BOOL(key)                                     bool key;
#define CLC_FIELD_CHOICE(key)                                   int key;
#define CLC_FIELD_INTS(key)                                     clc_ints key;
#define CLC_FIELD_FLOATS(key)                                   clc_floats key;
#define CLC_SECTION(section, change, meaning)                   typedef struct clc_config_##section {
#define CLC_KEY(type, section, key, fallback, allowed, meaning) CLC_FIELD_##type(key)
#define CLC_SECTION_END(section)                                                                   \
    }                                                                                              \
    clc_config_##section;
#define CLC_TWIN(section, model, change, meaning) typedef clc_config_##model clc_config_##section;
#define CLC_TYPES_ALONE
#include "core/config_keys.inc"
#undef CLC_TYPES_ALONE
#undef CLC_TWIN
#undef CLC_SECTION
#undef CLC_KEY
#undef CLC_SECTION_END
#undef CLC_FIELD_TEXT
#undef CLC_FIELD_INT
#undef CLC_FIELD_SEED
#undef CLC_FIELD_FLOAT
#undef CLC_FIELD_BOOL
#undef CLC_FIELD_CHOICE
#undef CLC_FIELD_INTS
#undef CLC_FIELD_FLOATS

typedef struct clc_config {
#define CLC_SECTION(section, change, meaning)
#define CLC_KEY(type, section, key, fallback, allowed, meaning)
#define CLC_SECTION_END(section) clc_config_##section section;
#define CLC_TWIN(section, model, change, meaning)
#include "core/config_keys.inc"
#undef CLC_TWIN
#undef CLC_SECTION
#undef CLC_KEY
#undef CLC_SECTION_END
} clc_config;

/* Sets every key: the defaults, then the .ini file at `path` (NULL: none), then the overrides, each
 * "section.key=value", the later ones over the earlier. Then checks it as clc_config_validate does.
 * CLC_INVALID: the message begins with "<path>:<line>: " or "--set <override>: "; CLC_IO: the file
 * could not be read. On failure *config holds nothing of use. Not while another thread uses inih.
 */
clc_status clc_config_load(const char *path, const char *const *overrides, size_t n_overrides,
                           clc_config *config);

/* The same on a loaded configuration, whose keys stay where neither gives them. */
clc_status clc_config_add(const char *path, const char *const *overrides, size_t n_overrides,
                          clc_config *config);

/* The configuration that clc_config_write wrote, from its text; keys that have come since have
 * their defaults. Values are not held against each other. `name` stands for the path in messages.
 */
clc_status clc_config_load_text(const char *text, const char *name, clc_config *config);

/* Applies overrides to a loaded configuration and checks it, as clc_config_load does. */
clc_status clc_config_override(const char *const *overrides, size_t n_overrides,
                               clc_config *config);

/* What differs between the configuration of a run and one with which it is to be resumed, each key
 * as "section.key = value (was value)", with commas between; NULL where there is none. */
typedef struct clc_config_changes {
    char *free;    /* a resumed run may have these */
    char *fixed;   /* with these it would be another training */
    char *network; /* with these its weights wouldn't fit */
} clc_config_changes;

/* Compares key by key. Free it also after a failure. */
clc_status clc_config_compare(const clc_config *was, const clc_config *now,
                              clc_config_changes *changes);
void clc_config_changes_free(clc_config_changes *changes);

/* Fails with CLC_INVALID, naming both keys, if values that are right by themselves contradict each
 * other. For a configuration that a program changed; ranges are not checked again. */
clc_status clc_config_validate(const clc_config *config);

/* Fails with CLC_INVALID unless there are training images. Loading doesn't ask for them: not every
 * command needs data. */
clc_status clc_config_require_data(const clc_config *config);

/* What finetune.labels says: a share of the samples or, with *each above 0, so many of each class.
 * False if it's neither. */
bool clc_config_labels(const clc_config_finetune *finetune, double *share, int *each);

/* The word of a CHOICE, such as "resnet18" of ("encoder", "name"); a static string. */
const char *clc_config_choice(const clc_config *config, const char *section, const char *key);

/* Prints every key with its default, type, range and meaning. */
void clc_config_print_options(FILE *stream);

/* Writes all keys as an .ini file that loads back to the same values, bit for bit. */
clc_status clc_config_write(const clc_config *config, FILE *stream);

/* The same as text of *size bytes (NULL: not asked for) and a final zero. The caller frees it, also
 * after a failure. */
clc_status clc_config_text(const clc_config *config, char **text, size_t *size);

#endif
