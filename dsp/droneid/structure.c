// SPDX-License-Identifier: GPL-3.0-or-later
// Does the whole burst hold together?  Only then may it be reported without a CRC and without a
// second burst 640 ms later.
//
//     |cp|   0   |cp|   1   |cp|   2   |cp|  600  |cp|   4   |cp|  147  |cp|   6   |cp| ...
//      ~~     ~~  each prefix equals the end of its symbol, at the places and lengths of the burst
//                  600 and 147 far over what chance gives         symbols of equal power
#include "dsp/droneid/rx.h"

#include <math.h>

// Chance of noise: candidates pass 1e-9 a sample; of 61.44 MS/s on 33 centres that is 5e4 a day.
// Root 147 under its 4500 hypotheses: 4500 exp(-600 T) = 4e-10 for T = 0.05, so 2e-5 a day.
#define RHO_A_MIN  0.035
#define RHO_B_MIN  0.05
#define CP_SIGMAS  3.5                  // prefixes against chance: 2e-4 more
#define CP_SHARE   0.5                  // ... and against what the SNR lets expect
#define CP_SKIP    8                    // of a prefix: echoes of the symbol before
#define POWER_LO   0.5                  // a symbol's power against the preambles', 3 dB
#define POWER_HI   2.0
#define COVER      0.98
#define CLEAN      0.99
#define SYMBOLS    6                    // whole ones to be there at least

static int prefix(int symbol, bool nine) { return symbol == 8 || (symbol == 0 && nine) ? 80 : 72; }

struct prefixes { double complex sum; double energy; int n; };

static void add_prefix(const struct droneid_rx *rx, int at, int len, struct prefixes *p)
{
    for (int i = at - len + CP_SKIP; i < at; i++) {
        if (i < 0 || i + DID_N >= RX_LEN)
            continue;
        float complex a = rx->x[i], b = rx->x[i + DID_N];
        p->sum += b * conjf(a);
        p->energy += 0.5 * (creal(a * conjf(a)) + creal(b * conjf(b)));
        p->n++;
    }
}

static double norm2(float complex a) { return creal(a * conjf(a)); }

// Power of symbol s against the preambles', over carriers where none of them was hit.
static double power(const struct droneid_rx *rx, int s)
{
    double p = 0, known = 0;
    for (int i = 0; i < DID_CARRIERS; i++) {
        if (!rx->use[i] || rx->now.clear[s][i] < CLEAN || rx->now.clear[DID_SYM_A][i] < CLEAN ||
            rx->now.clear[DID_SYM_B][i] < CLEAN)
            continue;
        p += norm2(rx->now.y[s][i]);
        known += (norm2(rx->now.y[DID_SYM_A][i]) + norm2(rx->now.y[DID_SYM_B][i])) / 2;
    }
    return known > 0 ? p / known : 0;
}

static double power_all(const struct droneid_rx *rx)
{
    double p = 0;
    for (int i = 0; i < RX_LEN; i++)
        p += creal(rx->x[i] * conjf(rx->x[i]));
    return p / RX_LEN;
}

bool rx_structure(const struct droneid_rx *rx, const struct rx_sync *s, const double *cover,
                  bool nine)
{
    struct prefixes cp = { 0 };
    double signal = 0;
    int whole = 0;

    if (s->rho_a < RHO_A_MIN || s->rho_b < RHO_B_MIN)
        return false;
    for (int i = nine ? 0 : 1; i < DID_SYMBOLS; i++) {
        if (cover[i] < COVER)
            continue;
        double p = power(rx, i);
        if (p < POWER_LO || p > POWER_HI)
            return false;
        whole++;
        add_prefix(rx, (int)lround(s->t) + did_symbol_at[i], prefix(i, nine), &cp);
    }
    if (whole < SYMBOLS || !(cp.energy > 0))
        return false;
    // the carrier error turns from prefix to symbol's end: its fraction is known
    double turn = s->f_hz / DID_SPACING_HZ;
    double got = creal(cp.sum * cexp(-2 * M_PI * I * (turn - floor(turn)))) / cp.energy;
    for (int i = 0; i < DID_CARRIERS; i++)
        signal += creal(rx->now.h[i] * conjf(rx->now.h[i]));
    double expect = fmin(signal / DID_N / power_all(rx), 1);
    // a pass band of 12.3 in 15.36 MHz: four of five samples are independent
    return got > CP_SHARE * expect && got > CP_SIGMAS / sqrt(2 * 0.8 * cp.n);
}
