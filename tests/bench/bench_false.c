// SPDX-License-Identifier: GPL-3.0-or-later
// Bounds on false DroneID recognitions, by forcing candidates on the verifier.
//
// Wanted: fewer than one report without a valid CRC in 24 h, per kind of confuser, at 61.44 MS/s.
// Waiting for it would take days of samples for each.  But a report needs two rare things one after
// the other, and each can be measured by itself:
//
//     reports a day = candidates a day  x  chance that a candidate is verified
//
// 1. Candidates.  The standing correlator runs on a stream with its threshold lowered from 21 to 16
//    and its limit of faint ones lifted; what comes out over 21 gives the rate, with the upper end
//    of its Poisson interval.  In noise the score is exponential, so the count over 16 times
//    exp(-5) must agree: it is printed beside it, and where it falls short the confuser has a tail
//    of its own.  Everything over 16 goes to the verifier: candidates as the confuser makes them.
// 2. Pairs.  The verifier is forced at n places where the root-600 symbol is raised to what a
//    candidate has (force.c: in noise exactly the law of a candidate), at any time and frequency,
//    and again on the confuser's own symbol grid, where prefixes and equal powers prove nothing.
//    Counted: root 147 found (a sighting, which may form a pair 640 ms apart), and verified.
//    With root 147 planted as well just over its threshold it is seen what the rest of the
//    structure is worth by itself.
// 3. The tail, by splitting.  Verified is too rare to count, so the way there is cut into levels:
//    of root 147's correlation first, then of the margin of all tests (split.c, force.c).  Each is
//    reached by an eighth of those who reached the one before; from those who did, new ones are
//    made by drawing a part of their noise and data anew and keeping what does not sink below the
//    level, which leaves the conditional law as it is.  A pilot run fixes the levels; further runs,
//    independent of it and of each other, each give an unbiased estimate of the chance to reach the
//    last of them.  That chance bounds the chance to be verified, for nothing is verified that is
//    not over that level.  The interval is that of the mean of a lognormal, from the spread among
//    the runs.  The calculation for noise, 4500 hypotheses (1 - T)^599, is printed beside it.
//    Half of the places are on the confuser's grid, which is far more than chance would put there.
//    Only for noise does this enter the bound; see split_row().
// 4. Two sightings by chance at a multiple of 640 ms: r^2 x 13 windows of 2 ms x the share of
//    sightings on one centre (40 kHz), r being candidates x sightings per candidate, upper ends
//    both.  The share: candidates within 1.5 MHz of each other, times 80 kHz in the 3.2 MHz over
//    which the receiver looks for the carrier of each.  What repeats itself with a period is not
//    covered by that: classifier/dji.c refuses it, tests/unit/classifier_dji.c holds it to that.
//
// Upper ends multiplied are each at 95 %, so the product is on the safe side.  What this cannot
// say: that the world holds no signal unlike all of these.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "dsp/droneid/corr.h"
#include "dsp/droneid/rx.h"
#include "tests/bench/force.h"
#include "tests/bench/recorded.h"
#include "tests/bench/split.h"

static bool quick;

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// ---- Intervals ---------------------------------------------------------------------------------

// P(X <= k) of n trials of chance p.
static double binomial_below(unsigned k, double n, double p)
{
    double sum = 0;
    for (unsigned i = 0; i <= k; i++)
        sum += exp(lgamma(n + 1) - lgamma(i + 1.0) - lgamma(n - i + 1) + i * log(p) +
                   (n - i) * log1p(-p));
    return sum;
}

// Clopper-Pearson, one side, 95 %; 3/n where k is 0.
static double share_below(unsigned k, unsigned n)
{
    double lo = 0, hi = 1;
    if (k >= n)
        return 1;
    for (int i = 0; i < 60; i++) {
        double mid = (lo + hi) / 2;
        *(binomial_below(k, n, mid) > 0.05 ? &lo : &hi) = mid;
    }
    return hi;
}

// The same for a Poisson count.
static double count_below(unsigned k)
{
    double lo = 0, hi = 10 + 3.0 * k;
    for (int i = 0; i < 60; i++) {
        double mid = (lo + hi) / 2, sum = 0;
        for (unsigned j = 0; j <= k; j++)
            sum += exp(j * log(mid) - mid - lgamma(j + 1.0));
        *(sum > 0.05 ? &lo : &hi) = mid;
    }
    return hi;
}

// ---- The standing correlator on a stream -------------------------------------------------------

#define STREAM_HZ 61.44e6
#define LOW       16.0                  // threshold of the run, against PASS_2 = 21
#define BLOCK     65536
#define RING      8

#define HZ_KEPT   4096

struct stream {
    double   s;
    unsigned at[8];                     // candidates over LOW, LOW + 1 ...
    unsigned seen, verified, n_hz, part[HZ_KEPT];
    double   best_b, hz[HZ_KEPT];
};

static void judge_list(struct droneid_rx *rx, const struct cand_list *l, const struct cut *cut,
                       double rate_hz, unsigned part, struct stream *t)
{
    for (unsigned i = 0; i < l->n; i++) {
        struct burst b = { .hyp = HYP_DRONEID, .rate_hz = rate_hz, .droneid = l->c[i],
                           .cut = *cut };
        struct finding f = { 0 };
        double score = l->c[i].metric * DID_ZC_LEN;
        for (int k = 0; k < 8; k++)
            t->at[k] += score > LOW + k;
        droneid_receive(rx, &b, DRONEID_RECOGNISE, &f);
        t->seen += f.droneid.seen;
        t->verified += f.droneid.verified;
        t->best_b = fmax(t->best_b, rx->trace.coarse_b);
        if (t->n_hz < HZ_KEPT) {
            t->part[t->n_hz] = part;
            t->hz[t->n_hz++] = l->c[i].zc_f_hz;
        }
    }
}

static void run_stream(enum conf_class cls, double seconds, struct stream *t)
{
    static struct cand_list list;
    memset(t, 0, sizeof(*t));
    struct dcorr *d = dcorr_new(STREAM_HZ);
    struct droneid_rx *rx = droneid_rx_new(STREAM_HZ);
    struct iq_block blk[RING] = { 0 };
    float complex *x[RING];
    struct conf *c = NULL;
    for (int i = 0; i < RING; i++)
        x[i] = malloc(BLOCK * sizeof(**x));
    d->pass = LOW;
    d->faint_per_s = 1e9;
    unsigned blocks = (unsigned)(seconds * STREAM_HZ / BLOCK), per = blocks / 8 + 1;
    for (unsigned k = 0; k < blocks; k++) {
        if (k % per == 0) {             // other cells, places and levels, eight times
            conf_free(c);
            c = conf_new(cls, STREAM_HZ, k / per + 1);
        }
        struct iq_block *b = &blk[k % RING];
        conf_make(c, (int64_t)k * BLOCK, BLOCK, x[k % RING]);
        *b = (struct iq_block){ .n0 = (uint64_t)k * BLOCK, .n = BLOCK, .rate_hz = STREAM_HZ,
                                .format = IQ_CF32, .data = x[k % RING] };
        list.n = 0;
        dcorr_block(d, b, &list);
        struct cut cut = { .n_blk = k < RING ? k + 1 : RING };
        for (unsigned j = 0; j < cut.n_blk; j++)
            cut.blk[j] = &blk[(k + 1 + RING - cut.n_blk + j) % RING];
        cut.n0 = cut.blk[0]->n0;
        cut.n = cut.n_blk * BLOCK;
        judge_list(rx, &list, &cut, STREAM_HZ, k / per, t);
    }
    t->s = blocks * (double)BLOCK / STREAM_HZ;
    for (int i = 0; i < RING; i++)
        free(x[i]);
    conf_free(c);
    dcorr_free(d);
    droneid_rx_free(rx);
}

// Upper end, 95 %, of the mean of a lognormal of which k values are known (Cox).
static double mean_below(const double *p, unsigned k)
{
    static const double t95[] = { 0, 0, 6.31, 2.92, 2.35, 2.13, 2.02, 1.94, 1.89 };
    double m = 0, v = 0;
    for (unsigned i = 0; i < k; i++)
        m += log(p[i]) / k;
    for (unsigned i = 0; i < k; i++)
        v += pow(log(p[i]) - m, 2) / (k - 1);
    return exp(m + v / 2 + t95[k] * sqrt(v / k + v * v / (2.0 * (k - 1))));
}

// ---- Tables ------------------------------------------------------------------------------------

#define PAIR_MIN 0.06                   // of structure.c
#define RUNS     4                      // independent ones behind an interval

struct bound { double cand_s, seen, alone, one_centre; };

// Share of candidate pairs of one signal within 1.5 MHz, as a share on one centre.
static double one_centre(const struct stream *t)
{
    double near = 1, all = 1;           // one more than seen: no pair at all is no proof of none
    for (unsigned i = 0; i < t->n_hz; i++)
        for (unsigned j = 0; j < i; j++)
            if (t->part[i] == t->part[j]) {
                all++;
                near += fabs(t->hz[i] - t->hz[j]) < 1.5e6;
            }
    return near / all * 80e3 / 3.2e6;
}

static void stream_row(enum conf_class c, struct bound *b)
{
    static struct stream t;
    run_stream(c, quick ? 0.5 : 8, &t);
    b->cand_s = count_below(t.at[5]) / t.s;
    b->one_centre = one_centre(&t);
    printf("| %s | %.1f | %u | %u | %.2f | %.2f | %.2f | %u | %u |\n", conf_name(c), t.s, t.at[0],
           t.at[5], t.at[5] / t.s, b->cand_s, t.at[0] * exp(LOW - PASS_2) / t.s, t.seen,
           t.verified);
    fflush(stdout);
}

static void force_row(enum conf_class c, bool grid, struct bound *b)
{
    struct force f;
    unsigned n = quick ? 400 : 4000, seen = 0, verified = 0, both = 0, some = n / 8;
    double most = 0;
    if (force_init(&f, c, 1 + grid) < 0)
        return;
    for (unsigned i = 0; i < n; i++) {
        struct force_place p = force_draw(&f, grid);
        struct force_result r = force_run(&f, &p, FORCE_A);
        seen += r.seen;
        verified += r.verified;
        most = fmax(most, r.level);
        both += i < some && force_run(&f, &p, FORCE_AB).verified;
    }
    b->seen = fmax(b->seen, share_below(seen, n));
    b->alone = fmax(b->alone, share_below(verified, n));
    printf("| %s%s | %u | %u | %.1e | %u | %.3f | %u of %u |\n", conf_name(c),
           grid ? ", on its grid" : "", n, seen, share_below(seen, n), verified,
           PAIR_MIN * fmin(most, 1), both, some);
    fflush(stdout);
    force_done(&f);
}

static void split_row(enum conf_class c, struct bound *b)
{
    const struct split_effort e = quick ? (struct split_effort){ 240, 32, 6, 1e-6 }
                                        : (struct split_effort){ 600, 64, 10, 2e-9 };
    struct force f;
    struct split_levels l = { .n = 0 };
    double p[RUNS], t = cpu_s(), mean = 0, lo = 1, hi = 0;
    if (force_init(&f, c, 3) < 0)
        return;
    split_run(&f, &e, &l);
    for (int i = 0; i < RUNS; i++) {
        p[i] = split_run(&f, &e, &l);
        mean += p[i] / RUNS;
        lo = fmin(lo, p[i]);
        hi = fmax(hi, p[i]);
    }
    double last = l.at[l.n - 1], rho = PAIR_MIN * fmin(last, 1), top = fmin(mean_below(p, RUNS), 1);
    // half of the places were on the grid: were it all that half, twice the chance
    top *= conf_has_grid(c) ? 2 : 1;
    // Only in noise are all places alike.  Where one in some thousand holds pilots that resemble
    // root 147, runs that miss those agree with each other and are all far too low.
    if (c == CONF_NOISE)
        b->alone = fmin(b->alone, top);
    printf("| %s | %.4f%s | %.1e (%.0e to %.0e) | %.1e | %.1e | %.0f |\n", conf_name(c), rho,
           last >= 2 ? ", verified" : "", mean, lo, hi, top, 4500 * pow(1 - rho, 599), cpu_s() - t);
    fflush(stdout);
    force_done(&f);
}

static void recorded_table(void)
{
    static const char *const name[] = {
        "ltev2x_uxm_15.36M.cf32", "ltev2x_cmw500_11.52M_5920MHz.cf32", "wifi_11a_6M_20M.ci16",
        "wifi_11a_24M_20M.ci16", "wifi_11n_65M_20M.ci16", "lte_tdd_1.92M_1890MHz.cu8",
        "lte_tdd_clipped_1.92M_2585MHz.cu8",
    };
    printf("\nForced on recordings by others:\n\n"
           "| recording | ms | forced | pair found | verified | most of root 147's rho^2 |\n"
           "|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
        struct recorded r;
        if (recorded_run(name[i], quick ? 200 : 2000, &r))
            printf("| %s | %.1f | %u | %u | %u | %.3f |\n", name[i], 1e3 * r.s, r.forced, r.seen,
                   r.verified, r.most);
        else
            printf("| %s | not on this machine | | | | |\n", name[i]);
        fflush(stdout);
    }
}

int main(void)
{
    const char *q = getenv("QUICK");
    struct bound b[CONF_CLASSES] = { 0 };
    quick = q && *q;
    printf("Candidates at 61.44 MS/s, three transmitters, eight draws of place and level:\n\n"
           "| confuser | s | over 16 | over 21 | per s | 95 %% below | per s, from the"
           " count over 16 | of those over 16: pair found | verified |\n"
           "|---|---|---|---|---|---|---|---|---|\n");
    for (int c = 0; c < CONF_CLASSES; c++)
        stream_row((enum conf_class)c, &b[c]);
    printf("\nForced candidates:\n\n| confuser | forced | pair found | 95 %% below | verified |"
           " most of root 147's rho^2 | verified with both roots planted |\n"
           "|---|---|---|---|---|---|---|\n");
    for (int c = 0; c < CONF_CLASSES; c++)
        for (int grid = 0; grid < (conf_has_grid((enum conf_class)c) ? 2 : 1); grid++)
            force_row((enum conf_class)c, grid, &b[c]);
    recorded_table();
    printf("\nSplitting, %d runs each; verified is what has 0.06 and the rest of the structure:\n\n"
           "| confuser | root 147's rho^2 | chance to reach it (least, most) | 95 %% below |"
           " noise, calculated | s |\n|---|---|---|---|---|---|\n", RUNS);
    for (int c = 0; c < CONF_CLASSES; c++)
        split_row((enum conf_class)c, &b[c]);
    printf("\nFalse recognitions in 24 h without a CRC, upper ends (95 %% each factor):\n\n"
           "| confuser | candidates per s | verified per candidate | told alone | pair per"
           " candidate | on one centre | pairs 640 ms apart |\n|---|---|---|---|---|---|---|\n");
    for (int c = 0; c < CONF_CLASSES; c++) {
        double r = b[c].cand_s * b[c].seen;
        printf("| %s | %.2f | %.1e | %.1e | %.1e | %.1e | %.1e |\n", conf_name((enum conf_class)c),
               b[c].cand_s, b[c].alone, 86400 * b[c].cand_s * b[c].alone, b[c].seen,
               b[c].one_centre, 86400 * r * r * 13 * 2e-3 * b[c].one_centre);
    }
    return 0;
}
