// SPDX-License-Identifier: GPL-3.0-or-later
// Does the whole burst hold together?  Only then may it be reported without a CRC and without a
// second burst 640 ms later.
//
//     |cp|   0   |cp|   1   |cp|   2   |cp|  600  |cp|   4   |cp|  147  |cp|   6   |cp| ...
//      ~~     ~~  each prefix equals the end of its symbol, at the places and lengths of the burst
//          600 and 147 far over what chance gives, 600             symbols of equal power
//          at the standing correlator too
//
// How rarely anything else passes is measured by tests/bench/bench_false.c.
#include "dsp/droneid/rx.h"

#include <math.h>

// Each of the two roots has to do without the other: pilots of SC-FDMA, Zadoff-Chu of 113, 239, 479
// entries, correlate with root 147 up to 0.042 by their nature (0.052 with some luck), with root
// 600 up to 0.024, on their own grid, where prefixes and powers hold as well.  Hence also the sum:
// beside 0.05 of one the other needs 0.09 by chance, exp(-601 (0.09 - 0.035)) = 4e-15 of
// candidates.  In noise root 147 alone has 0.06 under its 4500 hypotheses in 4500 (1 - 0.06)^599 =
// 4e-13 of them.
// A burst loses next to nothing by it: where its prefixes show it has 0.1 and more of each, unless
// an echo as strong as the first path splits its peak.
#define RHO_A_MIN  0.06
#define RHO_B_MIN  0.06
#define RHO_SUM    0.14
// The standing correlator, which measured root 600 before and otherwise, has to agree: 0.05 is what
// 0.06 leaves at the worst centre between its slices (0.8 dB).  Of the candidates of all kinds of
// confuser few have that (a score of 30 against 21 that make a candidate), and a place with both
// roots and none of the correlator's strength is a mistake in one of the two: RX_CAND_MIN.
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

double rx_pair_margin(const struct rx_sync *s)
{
    double each = fmin(s->rho_a / RHO_A_MIN, s->rho_b / RHO_B_MIN);
    return fmin(each, (s->rho_a + s->rho_b) / RHO_SUM);
}

double rx_structure(const struct droneid_rx *rx, const struct rx_sync *s, const double *cover,
                    bool nine, double metric)
{
    struct prefixes cp = { 0 };
    double least = fmin(rx_pair_margin(s), metric / RX_CAND_MIN), signal = 0;
    int whole = 0;

    for (int i = nine ? 0 : 1; i < DID_SYMBOLS; i++) {
        if (cover[i] < COVER)
            continue;
        double p = power(rx, i);
        least = fmin(least, fmin(p / POWER_LO, POWER_HI / fmax(p, 1e-9)));
        whole++;
        add_prefix(rx, (int)lround(s->t) + did_symbol_at[i], prefix(i, nine), &cp);
    }
    if (whole < SYMBOLS || !(cp.energy > 0))
        return 0;
    // the carrier error turns from prefix to symbol's end: its fraction is known
    double turn = s->f_hz / DID_SPACING_HZ;
    double got = creal(cp.sum * cexp(-2 * M_PI * I * (turn - floor(turn)))) / cp.energy;
    for (int i = 0; i < DID_CARRIERS; i++)
        signal += creal(rx->now.h[i] * conjf(rx->now.h[i]));
    double expect = fmin(signal / DID_N / power_all(rx), 1);
    // a pass band of 12.3 in 15.36 MHz: four of five samples are independent
    double need = fmax(CP_SHARE * expect, CP_SIGMAS / sqrt(2 * 0.8 * cp.n));
    return fmax(fmin(least, got / need), 0);
}
