#include "reference_linear.h"

#include <stddef.h>

void reference_linear_forward(const reference_linear *l) {
    for (int i = 0; i < l->n; i++)
        for (int o = 0; o < l->outputs; o++) {
            double sum = l->bias ? l->bias[o] : 0;
            for (int c = 0; c < l->inputs; c++)
                sum += l->x[i * l->inputs + c] * l->weight[o * l->inputs + c];
            l->before[i * l->outputs + o] = sum;
            l->y[i * l->outputs + o] = l->relu && sum < 0 ? 0 : sum;
        }
}

void reference_linear_backward(const reference_linear *l) {
    for (int o = 0; o < l->outputs; o++) {
        l->dbias[o] = 0;
        for (int c = 0; c < l->inputs; c++)
            l->dweight[o * l->inputs + c] = 0;
    }
    for (int i = 0; i < l->n; i++)
        for (int o = 0; o < l->outputs; o++) {
            const int at = i * l->outputs + o;
            const double d = l->relu && l->before[at] <= 0 ? 0 : l->dy[at];
            l->dbias[o] += d;
            for (int c = 0; c < l->inputs; c++) {
                l->dx[i * l->inputs + c] += d * l->weight[o * l->inputs + c];
                l->dweight[o * l->inputs + c] += d * l->x[i * l->inputs + c];
            }
        }
}
