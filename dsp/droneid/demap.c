// SPDX-License-Identifier: GPL-3.0-or-later
// Carriers to soft bits and back.  Only the decode path comes here: a receiver that recognises
// never computes a payload bit.
#include "dsp/droneid/rx.h"

#include <math.h>

void rx_demap(struct droneid_rx *rx)
{
    for (int s = 0; s < DID_SYMBOLS; s++) {
        if (did_symbol_data[s] < 0)
            continue;
        float *out = rx->air + 2 * DID_CARRIERS * did_symbol_data[s];
        for (int i = 0; i < DID_CARRIERS; i++) {
            // amplitudes +-1/sqrt 2: LLR = 4 Re(y h*) / (sqrt 2 noise)
            float worth = rx->now.weight[s] * rx->now.clear[s][i];
            float per = rx->use[i] ? worth / rx->now.noise[i] : 0;
            float scale = (float)(4 * M_SQRT1_2) * per;
            float complex v = rx->now.y[s][i] * conjf(rx->now.h[i]) * scale;
            out[2 * i] = crealf(v);
            out[2 * i + 1] = cimagf(v);
        }
    }
    // beyond this a bit is sure; keeps float sums exact whatever the level
    for (int e = 0; e < DID_CODED; e++)
        rx->air[e] = fmaxf(-60, fminf(60, rx->air[e]));
}

void rx_remap(struct droneid_rx *rx)
{
    did_turbo_soft(rx->turbo, rx->soft);
    did_rate_match(&rx->tables, (const float (*)[DID_STREAM])rx->soft, rx->air);
    for (int s = 0; s < DID_SYMBOLS; s++) {
        if (did_symbol_data[s] < 0)
            continue;
        const float *in = rx->air + 2 * DID_CARRIERS * did_symbol_data[s];
        for (int i = 0; i < DID_CARRIERS; i++)
            rx->now.ref[s][i] = (float)M_SQRT1_2 * (in[2 * i] + I * in[2 * i + 1]);
    }
}
