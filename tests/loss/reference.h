/* The losses in plain C and double precision: the specification that the kernels are held to. Only
 * the definitions stand here; gradients are their central differences. */
#ifndef TESTS_LOSS_REFERENCE_H
#define TESTS_LOSS_REFERENCE_H

#include "loss/loss.h"

/* A loss with its inputs. */
typedef struct reference_loss {
    const char *name;
    clc_loss_shape shape;
    clc_config_loss options;
    double *center, *codes;     /* dino: (dim); what reference_freeze computes */
    double *z, *target, *queue; /* as in clc_loss_buffers; NULL if there is none */
    int32_t *labels;
    double scale, bias; /* of the similarities */
} reference_loss;

/* L. */
double reference_value(const reference_loss *loss);

/* Computes what the gradient takes as constant: SwAV's and DINO's codes. */
void reference_freeze(reference_loss *loss);

/* Those that are not on all pairs. */
double reference_codes(const reference_loss *loss);
double reference_barlow(const reference_loss *loss);
double reference_vicreg(const reference_loss *loss);
double reference_cosine(const reference_loss *loss);
double reference_crossentropy(const reference_loss *loss);
double reference_distillation(const reference_loss *loss);

/* dL/dx for *x, one of the doubles that the loss depends on: by central differences of width h, of
 * error h^2 times the third derivative. */
double reference_slope(const reference_loss *loss, double *x, double h);

#endif
