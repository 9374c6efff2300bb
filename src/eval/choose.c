#include "eval/choose.h"

#include "core/log.h"
#include "eval/holdout.h"
#include "eval/knn.h"
#include "eval/linear.h"

#include <math.h>
#include <stdlib.h>

/* ---- kNN ---- */

static const int ks[] = {1, 5, 10, 20, 50, 100, 200};
static const double temperatures[] = {0.02, 0.05, 0.07, 0.1, 0.2, 0.5};
enum { KS = sizeof ks / sizeof *ks, TEMPERATURES = sizeof temperatures / sizeof *temperatures };

/* Neighbours of the held-out rows, and room for votes. */
typedef struct ballot {
    const clc_holdout *holdout;
    int most; /* neighbours of each */
    float *cosines;
    int32_t *rows;
    double *votes; /* (classes) */
    int32_t *predictions;
} ballot;

/* As knn_vote of cl/eval/knn.cl. */
static int32_t vote(const ballot *b, size_t query, int k, double temperature) {
    const float *cosines = b->cosines + query * (size_t)b->most;
    const int32_t *rows = b->rows + query * (size_t)b->most;
    const int classes = b->holdout->rest.classes;
    int32_t best = 0;
    for (int c = 0; c < classes; c++)
        b->votes[c] = 0;
    for (int i = 0; i < k && i < b->most && rows[i] >= 0; i++)
        b->votes[b->holdout->rest.labels[rows[i]]] +=
            exp(((double)cosines[i] - (double)cosines[0]) / temperature);
    for (int32_t c = 1; c < classes; c++)
        best = b->votes[c] > b->votes[best] ? c : best;
    return best;
}

static void try_knn(const ballot *b, int k, double temperature, clc_config_evaluation *options,
                    clc_choice *choice) {
    const clc_features *held = &b->holdout->held;
    for (size_t i = 0; i < held->rows; i++)
        b->predictions[i] = vote(b, i, k, temperature);
    const double accuracy = clc_accuracy(held->labels, b->predictions, held->rows);
    if (!choice->tried++ || accuracy > choice->accuracy) {
        choice->accuracy = accuracy;
        options->knn_k = k;
        options->knn_temperature = temperature;
    }
}

static clc_status find_neighbours(clc_device *device, int given, ballot *b) {
    clc_status status = CLC_OK;
    const clc_holdout *h = b->holdout;
    b->most = ks[KS - 1] > given ? ks[KS - 1] : given;
    if ((size_t)b->most > h->rest.rows)
        b->most = (int)h->rest.rows;
    CLC_NEW(b->cosines, h->held.rows * (size_t)b->most);
    CLC_NEW(b->rows, h->held.rows * (size_t)b->most);
    CLC_NEW(b->votes, h->rest.classes);
    CLC_NEW(b->predictions, h->held.rows);
    CLC_TRY(clc_knn_find(device, &h->rest, &h->held, b->most, 0,
                         &(clc_knn_found){.cosines = b->cosines, .rows = b->rows}));
fail:
    return status;
}

clc_status clc_choose_knn(clc_device *device, const clc_features *train, uint64_t seed,
                          clc_config_evaluation *options, clc_choice *choice) {
    clc_status status = CLC_OK;
    clc_holdout holdout = {0};
    ballot b = {.holdout = &holdout};
    CLC_TRY(clc_holdout_make(device, train, seed, &holdout));
    CLC_TRY(find_neighbours(device, options->knn_k, &b));
    *choice = (clc_choice){.held = holdout.held.rows};
    try_knn(&b, options->knn_k, options->knn_temperature, options, choice);
    for (int k = 0; k < KS; k++)
        for (int t = 0; t < TEMPERATURES; t++)
            if (ks[k] <= b.most)
                try_knn(&b, ks[k], temperatures[t], options, choice);
fail:
    clc_holdout_release(device, &holdout);
    free(b.cosines);
    free(b.rows);
    free(b.votes);
    free(b.predictions);
    return status;
}

/* ---- linear probe ---- */

static const double rates[] = {0.01, 0.1, 1}, decays[] = {0, 1e-4, 1e-2};
enum { RATES = sizeof rates / sizeof *rates, DECAYS = sizeof decays / sizeof *decays };

static clc_status try_linear(clc_device *device, const clc_holdout *h, uint64_t seed,
                             const clc_config_evaluation *given, double rate, double decay,
                             int32_t *predictions, clc_config_evaluation *options,
                             clc_choice *choice) {
    clc_config_evaluation o = *given;
    o.linear_learning_rate = rate;
    o.linear_weight_decay = decay;
    const clc_status status =
        clc_linear_probe(device, &h->rest, &h->held, &o, seed, predictions, NULL);
    if (status != CLC_OK)
        return status;
    const double accuracy = clc_accuracy(h->held.labels, predictions, h->held.rows);
    if (!choice->tried++ || accuracy > choice->accuracy) {
        choice->accuracy = accuracy;
        *options = o;
    }
    return CLC_OK;
}

clc_status clc_choose_linear(clc_device *device, const clc_features *train, uint64_t seed,
                             clc_config_evaluation *options, clc_choice *choice) {
    clc_status status = CLC_OK;
    const clc_config_evaluation given = *options;
    clc_holdout h = {0};
    int32_t *predictions = NULL;
    CLC_TRY(clc_holdout_make(device, train, seed, &h));
    CLC_NEW(predictions, h.held.rows);
    *choice = (clc_choice){.held = h.held.rows};
    CLC_TRY(try_linear(device, &h, seed, &given, given.linear_learning_rate,
                       given.linear_weight_decay, predictions, options, choice));
    const int rate_count = given.linear_solver == CLC_CONFIG_SOLVER_LBFGS ? 1 : RATES;
    for (int r = 0; r < rate_count; r++)
        for (int d = 0; d < DECAYS; d++) {
            clc_live("choosing rate and decay of the linear probe: %d of %d", r * DECAYS + d + 1,
                     rate_count * DECAYS);
            CLC_TRY(try_linear(device, &h, seed, &given, rates[r], decays[d], predictions, options,
                               choice));
        }
fail:
    clc_holdout_release(device, &h);
    free(predictions);
    return status;
}
