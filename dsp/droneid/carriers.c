// SPDX-License-Identifier: GPL-3.0-or-later
// Samples to carriers: turns the carrier error away and transforms all nine symbols.
#include "dsp/droneid/rx.h"

#include <math.h>

// 1024 samples from x[at], turned by -f cycles per sample counted from x[zero].
static void turn_in(struct droneid_rx *rx, int at, double zero, double f)
{
    double ph = f * (at - zero);
    float complex turn = cexpf(-2 * (float)M_PI * I * (float)(ph - floor(ph)));
    float complex step = cexpf(-2 * (float)M_PI * I * (float)f);
    for (int n = 0; n < DID_N; n++) {
        bool in = at + n >= 0 && at + n < RX_LEN;
        rx->w[n] = in ? rx->x[at + n] * turn : 0;
        turn *= step;
    }
}

void rx_carriers(struct droneid_rx *rx, const struct rx_sync *s)
{
    int first = (int)floor(s->t) - RX_ADVANCE;
    double delay = s->t - first;
    float complex step = cexpf(2 * (float)M_PI * I * (float)(delay / DID_N));
    for (int i = 0; i < DID_SYMBOLS; i++) {
        turn_in(rx, first + did_symbol_at[i], s->t, s->f_hz / DID_RATE_HZ);
        dft_run(rx->fwd, rx->w, rx->v);
        float complex turn = cexpf(2 * (float)M_PI * I * (float)(delay * did_carrier(0) / DID_N));
        for (int k = 0; k < DID_CARRIERS; k++) {
            if (k == DID_CARRIERS / 2)
                turn *= step;
            rx->now.y[i][k] = rx->v[did_carrier(k) & (DID_N - 1)] * turn / sqrtf(DID_N);
            turn *= step;
        }
    }
}
