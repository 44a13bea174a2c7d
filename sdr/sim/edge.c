// SPDX-License-Identifier: GPL-3.0-or-later
// A symmetric low-pass, flat up to (1 - rolloff) / 2 of the rate and 60 dB down at 1/2.  It delays
// nothing, as it looks as far ahead as back:
//
//     | half | step: the present | step: the next |
//     |<--- half + 1 + half --->|                    one output each
#include "sdr/sim/edge.h"

#include <liquid/liquid.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STOP_DB 60.0f

struct edge {
    int            half;
    size_t         step;
    float         *c;           // half + 1 of them: the middle first
    float complex *line;
};

struct edge *edge_new(double rolloff, size_t step)
{
    struct edge *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    // Kaiser's rule for the length: (stop - 8) / (2.285 * 2 pi * width of the edge).
    e->half = (int)ceil((STOP_DB - 8) / (14.36 * rolloff / 2) / 2);
    e->step = step;
    size_t n = 2 * (size_t)e->half + 1;
    e->c = malloc(n * sizeof *e->c);
    e->line = calloc((size_t)e->half + 2 * step, sizeof *e->line);
    if (!e->c || !e->line) {
        edge_free(e);
        return NULL;
    }
    liquid_firdes_kaiser((unsigned)n, (float)(0.5 - rolloff / 4), STOP_DB, 0, e->c);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)e->c[i];
    memmove(e->c, e->c + e->half, ((size_t)e->half + 1) * sizeof *e->c);
    for (int i = 0; i <= e->half; i++)
        e->c[i] = (float)((double)e->c[i] / sum);
    return e;
}

void edge_free(struct edge *e)
{
    if (!e)
        return;
    free(e->c);
    free(e->line);
    free(e);
}

int edge_half(const struct edge *e) { return e->half; }
float complex *edge_past(struct edge *e) { return e->line; }
float complex *edge_present(struct edge *e) { return e->line + e->half; }
float complex *edge_next(struct edge *e) { return e->line + e->half + e->step; }

void edge_run(struct edge *e, float complex *x)
{
    const float *mid = (const float *)(e->line + e->half);
    float *restrict out = (float *)x;
    size_t n = 2 * e->step;
    for (size_t i = 0; i < n; i++)
        out[i] = e->c[0] * mid[i];
    for (int k = 1; k <= e->half; k++) {
        const float *before = mid - 2 * k, *behind = mid + 2 * k;
        float c = e->c[k];
        for (size_t i = 0; i < n; i++)
            out[i] += c * (before[i] + behind[i]);
    }
    memmove(e->line, e->line + e->step, ((size_t)e->half + e->step) * sizeof *e->line);
}
