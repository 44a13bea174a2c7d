// SPDX-License-Identifier: GPL-3.0-or-later
// White Gaussian noise, n samples, power |X|^2 of one bin over the power of all: Beta(1, n - 1),
// exactly, whatever the noise's level; n times it has mean 1 and tends to an exponential.  The sum
// of k of them has no closed form: its law is folded together on a grid.
#include "dsp/stand/law.h"

#include <math.h>

#define CELLS 600               // of the sum; 0.1 each
#define CELL  0.1

double law_one_limit(unsigned n, double p)
{
    return n * (1 - pow(p, 1 / (double)(n - 1)));
}

double law_sum_limit(unsigned n, unsigned k, double p)
{
    double one[CELLS], sum[CELLS] = { 0 }, next[CELLS];
    for (unsigned i = 0; i < CELLS; i++) {
        double a = fmin(i * CELL / n, 1), b = fmin((i + 1) * CELL / n, 1);
        one[i] = pow(1 - a, n - 1) - pow(1 - b, n - 1);
    }
    sum[0] = 1;
    for (unsigned t = 0; t < k; t++) {
        for (unsigned i = 0; i < CELLS; i++) {
            next[i] = 0;
            for (unsigned j = 0; j <= i; j++)
                next[i] += one[j] * sum[i - j];
        }
        for (unsigned i = 0; i < CELLS; i++)
            sum[i] = next[i];
    }
    double tail = 0;            // mass of cell i stands on average at (i + k / 2) cells
    for (unsigned i = CELLS; i-- > 0;) {
        if (tail + sum[i] > p)
            return (i + k / 2.0 + 0.5 - (p - tail) / sum[i]) * CELL;
        tail += sum[i];
    }
    return 0;
}
