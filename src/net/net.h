/* Networks: builders only. One that can be an encoder is a row of the registry: a file that defines
 * clc_net_<word>, and the word in CLC_NETS (core/words.h). */
#ifndef CLC_NET_NET_H
#define CLC_NET_NET_H

#include "core/config.h"
#include "core/kind.h"
#include "op/ops.h"

/* What a network reads. */
typedef struct clc_net_input {
    clc_kind kind;
    clc_tensor *values;  /* images (N,H,W,C); tokens int32 (N,T); series (N,T,C) */
    clc_tensor *lengths; /* int32 (N): valid steps, 1 to T; NULL for images */
    int vocabulary;      /* of tokens: ids are less */
} clc_net_input;

static inline clc_net_input clc_net_images(clc_tensor *images) {
    return (clc_net_input){.kind = CLC_KIND_IMAGES, .values = images};
}

/* Feature maps of a network, fine ones first. */
enum { CLC_TAPS_MOST = 4 };
typedef struct clc_taps {
    int count;
    clc_tensor *maps[CLC_TAPS_MOST]; /* (N,H,W,C) */
} clc_taps;

/* features (N,F). Parameters get the ecosystem's names behind `prefix`. */
typedef struct clc_net {
    const char *name;
    const char *const
        *sizes; /* other names of an encoder that it goes by, NULL at the end; or NULL */
    bool takes[CLC_KINDS];
    clc_status (*build)(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                        const clc_net_input *in, clc_tensor **features);
    /* The same network up to its maps and not beyond, with parameters as `build` gives them; those
     * of the stages that are listed, where it has several. NULL: it has no maps. */
    clc_status (*taps)(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                       const clc_net_input *in, const clc_ints *stages, clc_taps *taps);
    /* How many stages it has whose maps `taps` gives; NULL: none. */
    int (*stages)(const clc_config_encoder *encoder);
} clc_net;

/* The network that an encoder of that name is, or NULL. */
const clc_net *clc_net_find(const char *name);

/* Builds it; refuses an input that it doesn't take. Of what is trained, the first
 * encoder->frozen_layers layers (stages of a resnet) and what is in front of them are frozen. */
clc_status clc_net_build(clc_graph *graph, const char *prefix, const char *name,
                         const clc_config_encoder *encoder, const clc_net_input *in,
                         clc_tensor **features);

/* Builds it up to its maps; refuses a network that has none. */
clc_status clc_net_taps(clc_graph *graph, const char *prefix, const char *name,
                        const clc_config_encoder *encoder, const clc_net_input *in,
                        const clc_ints *stages, clc_taps *taps);

#define CLC_NET_DECLARE(unused, word) extern const clc_net clc_net_##word;
CLC_NETS(CLC_NET_DECLARE, )
#undef CLC_NET_DECLARE

/* For a network's builder, in front of its layer number `layer` from 0 on: ends the frozen part of
 * the graph there, if encoder->frozen_layers says so. */
void clc_net_layer(clc_graph *graph, const clc_config_encoder *encoder, int layer);

/* The same behind the last of `layers` layers; refuses to freeze more than there are. */
clc_status clc_net_layers_end(clc_graph *graph, const char *prefix,
                              const clc_config_encoder *encoder, int layers);

/* Linear layers with batch-norm (then without bias) and ReLU between them. */
typedef struct clc_mlp {
    const clc_ints *hidden; /* widths of the hidden layers */
    int output;
    int only;            /* stop behind so many hidden layers; 0: build all */
    bool batchnorm;      /* after hidden layers */
    bool last_batchnorm; /* after the output */
    bool last_frozen;    /* that one keeps scale 1 and shift 0 */
    bool unbiased;       /* the last linear layer has no bias */
    int group;           /* clc_optim_group of all its parameters */
} clc_mlp;

/* in (N,1,1,C), out (N,1,1,output). Names are those of a PyTorch Sequential: "<prefix>.0.weight".
 */
clc_status clc_mlp_build(clc_graph *graph, const char *prefix, const clc_mlp *mlp, clc_tensor *in,
                         clc_tensor **out);

#endif
