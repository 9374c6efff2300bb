#include "reference_recurrent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a sequence in one direction remembers of each step. */
typedef struct trace {
    double *gates; /* (steps,4,hidden): behind the activation; of GRU the last is h W_hn + b_hn */
    double *h;     /* (steps + 1,hidden), from the initial state on */
    double *c;     /* the same of LSTM's cell */
} trace;

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static int gates_of(const reference_recurrent *r) {
    return r->lstm ? 4 : 3;
}

static int length_of(const reference_recurrent *r, int i) {
    return r->lengths ? r->lengths[i] : r->steps;
}

/* Where step s of sequence i lies. */
static int place(const reference_recurrent *r, int direction, int i, int s) {
    return i * r->steps + (direction ? length_of(r, i) - 1 - s : s);
}

static double dot(const double *weight, const double *bias, int row, const double *values,
                  int count) {
    double sum = bias[row];
    for (int k = 0; k < count; k++)
        sum += weight[row * count + k] * values[k];
    return sum;
}

static void step_forward(const reference_recurrent *r, int direction, const double *x,
                         double *gates, const double *h, const double *c, double *next_h,
                         double *next_c) {
    const reference_recurrent_params *p = &r->params[direction];
    const int n = r->hidden;
    for (int j = 0; j < n; j++) {
        double input[4] = {0}, state[4] = {0};
        for (int g = 0; g < gates_of(r); g++) {
            input[g] = dot(p->weight_ih, p->bias_ih, g * n + j, x, r->inputs);
            state[g] = dot(p->weight_hh, p->bias_hh, g * n + j, h, n);
        }
        double *gate = gates + j;
        if (r->lstm) {
            for (int g = 0; g < 4; g++)
                gate[g * n] = g == 2 ? tanh(input[g] + state[g]) : sigmoid(input[g] + state[g]);
            next_c[j] = gate[n] * c[j] + gate[0] * gate[2 * n];
            next_h[j] = gate[3 * n] * tanh(next_c[j]);
        } else {
            gate[0] = sigmoid(input[0] + state[0]);
            gate[n] = sigmoid(input[1] + state[1]);
            gate[2 * n] = tanh(input[2] + gate[0] * state[2]);
            gate[3 * n] = state[2];
            next_h[j] = (1 - gate[n]) * gate[2 * n] + gate[n] * h[j];
        }
    }
}

/* Gradients in front of the gates, of the inputs' part and the state's; dh and dc become what
 * reaches the step before without passing W_hh. */
static void step_gates(const reference_recurrent *r, const double *gates, const double *h,
                       const double *c, const double *next_c, double *dh, double *dc, double *input,
                       double *state) {
    const int n = r->hidden;
    for (int j = 0; j < n; j++) {
        const double *gate = gates + j;
        if (r->lstm) {
            const double i = gate[0], f = gate[n], g = gate[2 * n], o = gate[3 * n];
            const double t = tanh(next_c[j]), e = dc[j] + dh[j] * o * (1 - t * t);
            input[j] = e * g * i * (1 - i);
            input[n + j] = e * c[j] * f * (1 - f);
            input[2 * n + j] = e * i * (1 - g * g);
            input[3 * n + j] = dh[j] * t * o * (1 - o);
            for (int k = 0; k < 4; k++)
                state[k * n + j] = input[k * n + j];
            dc[j] = e * f;
            dh[j] = 0;
        } else {
            const double reset = gate[0], z = gate[n], v = gate[2 * n], m = gate[3 * n];
            const double dv = dh[j] * (1 - z) * (1 - v * v);
            input[j] = state[j] = dv * m * reset * (1 - reset);
            input[n + j] = state[n + j] = dh[j] * (h[j] - v) * z * (1 - z);
            input[2 * n + j] = dv;
            state[2 * n + j] = dv * reset;
            dh[j] *= z;
        }
    }
}

static void step_weights(const reference_recurrent *r, int direction, const double *x, double *dx,
                         const double *h, double *dh, const double *input, const double *state) {
    const reference_recurrent_params *p = &r->params[direction], *grads = &r->grads[direction];
    for (int row = 0; row < gates_of(r) * r->hidden; row++) {
        for (int k = 0; k < r->inputs; k++) {
            grads->weight_ih[row * r->inputs + k] += input[row] * x[k];
            dx[k] += input[row] * p->weight_ih[row * r->inputs + k];
        }
        for (int k = 0; k < r->hidden; k++) {
            grads->weight_hh[row * r->hidden + k] += state[row] * h[k];
            dh[k] += state[row] * p->weight_hh[row * r->hidden + k];
        }
        grads->bias_ih[row] += input[row];
        grads->bias_hh[row] += state[row];
    }
}

static void run_forward(const reference_recurrent *r, int direction, int i, const trace *t) {
    const int n = r->hidden;
    for (int k = 0; k < n; k++)
        t->h[k] = t->c[k] = 0;
    for (int s = 0; s < length_of(r, i); s++) {
        const int at = place(r, direction, i, s);
        step_forward(r, direction, r->x + at * r->inputs, t->gates + s * 4 * n, t->h + s * n,
                     t->c + s * n, t->h + (s + 1) * n, t->c + (s + 1) * n);
        memcpy(r->y + (at * r->directions + direction) * n, t->h + (s + 1) * n,
               (size_t)n * sizeof *r->y);
    }
}

static void run_backward(const reference_recurrent *r, int direction, int i, const trace *t) {
    const int n = r->hidden;
    double *work = calloc((size_t)n * 10, sizeof *work);
    double *dh = work, *dc = work + n, *input = work + 2 * n, *state = work + 6 * n;
    for (int s = length_of(r, i) - 1; s >= 0; s--) {
        const int at = place(r, direction, i, s);
        for (int j = 0; j < n; j++)
            dh[j] += r->dy[(at * r->directions + direction) * n + j];
        step_gates(r, t->gates + s * 4 * n, t->h + s * n, t->c + s * n, t->c + (s + 1) * n, dh, dc,
                   input, state);
        step_weights(r, direction, r->x + at * r->inputs, r->dx + at * r->inputs, t->h + s * n, dh,
                     input, state);
    }
    free(work);
}

void reference_recurrent_run(const reference_recurrent *r) {
    const size_t n = (size_t)r->hidden, steps = (size_t)r->steps;
    const trace t = {calloc(steps * 4 * n, sizeof(double)), calloc((steps + 1) * n, sizeof(double)),
                     calloc((steps + 1) * n, sizeof(double))};
    memset(r->y, 0, (size_t)(r->n * r->steps * r->directions) * n * sizeof *r->y);
    for (int i = 0; i < r->n; i++)
        for (int direction = 0; direction < r->directions; direction++) {
            run_forward(r, direction, i, &t);
            if (r->dy)
                run_backward(r, direction, i, &t);
        }
    free(t.gates);
    free(t.h);
    free(t.c);
}
