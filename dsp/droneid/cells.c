// SPDX-License-Identifier: GPL-3.0-or-later
// Who else was on the air: each cell, one symbol by some carriers, may have been hit by a narrow
// or short signal of somebody else (Bluetooth, most often) while the rest of the burst is clean.
//
//      carriers  . . . . . . . . .
//                . . . # # # # # #      # cells that a 1 MHz hop of 366 us or more spoils: they
//                . . . # # # # # #        count for what they are worth, noise / (noise + intruder)
//                . . . . . . . . .
//      symbols   0 1 2 3 4 5 6 7 8
#include "dsp/droneid/rx.h"

#include <math.h>
#include <string.h>

#define SIDE      6                     // carriers to either side that make a cell: 195 kHz in all
// Mean of 13 exponentials over 2.5 times the median: 1e-5 in noise.
#define OVER_TIME 2.5f                  // against the same carriers in other symbols
#define OVER_BAND 10.f                  // against all carriers: more than a channel's ripple
#define OVER_REST 3.f                   // what is left over, against the noise

static float norm2(float complex a) { return crealf(a) * crealf(a) + cimagf(a) * cimagf(a); }

float rx_median(float *v, int n)
{
    int lo = 0, hi = n - 1, k = n / 2;
    while (lo < hi) {                   // Hoare's selection
        float x = v[k];
        int i = lo, j = hi;
        do {
            while (v[i] < x)
                i++;
            while (x < v[j])
                j--;
            if (i <= j) {
                float t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        } while (i <= j);
        if (j < k)
            lo = i;
        if (k < i)
            hi = j;
    }
    return v[k];
}

// Mean of x over the used carriers around each.
static void around(const struct droneid_rx *rx, const float *x, float *mean)
{
    double sum[DID_CARRIERS + 1] = { 0 };
    int n[DID_CARRIERS + 1] = { 0 };
    for (int i = 0; i < DID_CARRIERS; i++) {
        sum[i + 1] = sum[i] + (rx->use[i] ? x[i] : 0);
        n[i + 1] = n[i] + rx->use[i];
    }
    for (int i = 0; i < DID_CARRIERS; i++) {
        int lo = i > SIDE ? i - SIDE : 0;
        int hi = i + SIDE + 1 < DID_CARRIERS ? i + SIDE + 1 : DID_CARRIERS;
        mean[i] = n[hi] > n[lo] ? (float)((sum[hi] - sum[lo]) / (n[hi] - n[lo])) : 0;
    }
}

void rx_cells_power(struct droneid_rx *rx)
{
    float p[DID_SYMBOLS][DID_CARRIERS], usual[DID_CARRIERS], all[DID_CARRIERS];
    int n_all = 0;
    for (int s = 0; s < DID_SYMBOLS; s++) {
        float x[DID_CARRIERS];
        for (int i = 0; i < DID_CARRIERS; i++)
            x[i] = norm2(rx->now.y[s][i]);
        around(rx, x, p[s]);
    }
    for (int i = 0; i < DID_CARRIERS; i++) {
        float v[DID_SYMBOLS];
        int n = 0;
        for (int s = 1; s < DID_SYMBOLS; s++)           // symbol 0 may not be there
            if (rx->now.weight[s] > 0)
                v[n++] = p[s][i];
        usual[i] = n ? rx_median(v, n) : 0;
        if (rx->use[i])
            all[n_all++] = usual[i];
    }
    float level = n_all ? rx_median(all, n_all) : 0;
    for (int s = 0; s < DID_SYMBOLS; s++)
        for (int i = 0; i < DID_CARRIERS; i++) {
            float base = fminf(usual[i], OVER_BAND * level);
            bool hit = p[s][i] > OVER_TIME * base;
            rx->now.intruder[s][i] = hit ? p[s][i] - fminf(usual[i], level) : 0;
            // until the noise is known: it is at most what is usual
            rx->now.clear[s][i] = hit ? 0.1f * base / p[s][i] : 1;
        }
}

void rx_cells_settle(struct droneid_rx *rx)
{
    for (int s = 0; s < DID_SYMBOLS; s++)
        for (int i = 0; i < DID_CARRIERS; i++) {
            float n = rx->now.noise[i];
            rx->now.clear[s][i] = n / (n + rx->now.intruder[s][i]);
        }
}

// From what is left over when what is believed is taken off - or, where little is believed yet,
// from the power beyond the channel's, whichever is less.
void rx_cells_residual(struct droneid_rx *rx)
{
    for (int s = 0; s < DID_SYMBOLS; s++) {
        float left[DID_CARRIERS], more[DID_CARRIERS], l[DID_CARRIERS], m[DID_CARRIERS];
        for (int i = 0; i < DID_CARRIERS; i++) {
            left[i] = rx_left_over(rx, s, i);
            more[i] = norm2(rx->now.y[s][i]) - norm2(rx->now.h[i]);
        }
        around(rx, left, l);
        around(rx, more, m);
        for (int i = 0; i < DID_CARRIERS; i++) {
            float rest = fminf(l[i], m[i]), n = rx->now.noise[i];
            rx->now.intruder[s][i] = rest > OVER_REST * n ? rest - n : 0;
        }
    }
    rx_cells_settle(rx);
}
