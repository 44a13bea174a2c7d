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
//    and its limit of faint ones lifted.  What comes out over 21 may form pairs; what comes out
//    over 30 (RX_CAND_MIN) may be told alone.  Rates with the upper end of their Poisson interval.
//    In noise the score is exponential, so the count over 16 times exp(-5) must agree with that
//    over 21: where it falls short the confuser has a tail of its own.  Everything over 16 goes to
//    the verifier as if it had over 30: candidates as the confuser makes them.
// 2. Told alone.  The verifier is forced at n places (bulk.c): root 600 is raised to what a
//    candidate over 30 has (force.c: in noise exactly the law of one), at any time and carrier; and
//    again on the confuser's own symbol grid, where prefixes and equal powers prove nothing; and
//    again with root 147's place on a pilot of SC-FDMA, the signal most like it.  Each of these is
//    a stratum of its own with n places, and the worst of them is what counts, so that it does not
//    matter how candidates are shared out among them.  A verified one is counted; none in n gives
//    3/n.  "root 147 alone" counts those that would fail only for root 600 or the rest.
//    n was chosen beforehand so that 3/n times the candidates of 10 s without one over 30 comes
//    below one a day; for LTE-V2X it was doubled once, when 200000 without a failure gave 1.10.
// 3. With root 147 planted as well just over its threshold it is seen what the rest of the
//    structure is worth by itself.
// 4. Two sightings by chance at a multiple of 640 ms: r^2 x 13 windows of 2 ms x the share of
//    sightings on one centre (40 kHz), r being candidates over 21 x sightings per candidate, upper
//    ends both.  The share: candidates within 1.5 MHz of each other, times that of the fullest
//    80 kHz of the carriers found against the candidate's.  What repeats itself with a period is
//    not covered by that: classifier/dji.c refuses it, tests/unit/classifier_dji.c holds it to it.
//
// CLASS=NAME runs one class: confusers are independent of each other.
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
#include "tests/bench/bulk.h"
#include "tests/bench/recorded.h"

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
    unsigned low, pass, sure;           // candidates over LOW, PASS_2, RX_CAND_MIN
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
        t->low++;
        t->pass += score > PASS_2;
        t->sure += b.droneid.metric >= (float)RX_CAND_MIN;
        b.droneid.metric = 1;           // as if it were one of those
        droneid_receive(rx, &b, DRONEID_RECOGNISE, &f);
        t->seen += f.droneid.seen;
        t->verified += f.droneid.verified;
        t->best_b = fmax(t->best_b, rx->trace.coarse_b);
        if (t->n_hz < HZ_KEPT && score > PASS_2) {
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

// ---- Tables ------------------------------------------------------------------------------------

struct bound { double cand_s, sure_s, seen, alone, one_centre, fullest; };

// Share of candidate pairs of one signal within 1.5 MHz.
static double near_share(const struct stream *t)
{
    double near = 1, all = 1;           // one more than seen: no pair at all is no proof of none
    for (unsigned i = 0; i < t->n_hz; i++)
        for (unsigned j = 0; j < i; j++)
            if (t->part[i] == t->part[j]) {
                all++;
                near += fabs(t->hz[i] - t->hz[j]) < 1.5e6;
            }
    return near / all;
}

static void stream_row(enum conf_class c, struct bound *b)
{
    static struct stream t;
    double seconds = quick ? 0.5 : c == CONF_V2X ? 20 : 10;     // V2X has a tail
    run_stream(c, seconds, &t);
    b->cand_s = count_below(t.pass) / t.s;
    b->sure_s = count_below(t.sure) / t.s;
    b->one_centre = near_share(&t);
    printf("| %s | %.1f | %u | %u | %.2f | %.2f | %.2f | %u | %.2f | %u | %u |\n", conf_name(c),
           t.s, t.low, t.pass, t.pass / t.s, b->cand_s, t.low * exp(LOW - PASS_2) / t.s, t.sure,
           b->sure_s, t.seen, t.verified);
    fflush(stdout);
}

static unsigned both_planted(enum conf_class c, bool grid, unsigned n)
{
    struct force f;
    unsigned verified = 0;
    if (force_init(&f, c, 1 + grid) < 0)
        return 0;
    for (unsigned i = 0; i < n; i++) {
        struct force_place p = force_draw(&f, grid);
        verified += force_run(&f, &p, FORCE_AB).verified;
    }
    force_done(&f);
    return verified;
}

static void force_row(enum conf_class c, enum bulk_where where, struct bound *b)
{
    static const char *const word[] = { "", ", on its grid", ", on its pilots" };
    struct bulk k = { 0 };
    unsigned n = quick ? 4000 : c == CONF_V2X ? 200000 : 100000, some = quick ? 50 : 300;
    unsigned parts = c == CONF_V2X ? 2 : 1;             // its candidates over 30 want 400000
    double t = cpu_s();
    for (unsigned i = 0; i < parts; i++)
        if (bulk_run(c, where, n, 1 + (uint64_t)where + 100 * i, &k) < 0)
            return;
    t = cpu_s() - t;
    b->seen = fmax(b->seen, share_below(k.seen, k.sample));
    b->alone = fmax(b->alone, share_below(k.verified, k.n));
    b->fullest = fmax(b->fullest, bulk_one_centre(&k));
    printf("| %s%s | %u | %u | %u of %u | %.3f | %.3f | %u | %.1e | %u of %u | %.0f |\n",
           conf_name(c), word[where], k.n, k.over, k.seen, k.sample, k.most, k.behind, k.verified,
           share_below(k.verified, k.n), both_planted(c, where != BULK_ANY, some), some,
           1e6 * t / k.n);
    fflush(stdout);
}

static void force_rows(enum conf_class c, struct bound *b)
{
    force_row(c, BULK_ANY, b);
    if (conf_has_grid(c))
        force_row(c, BULK_GRID, b);
    if (conf_has_pilots(c))
        force_row(c, BULK_PILOT, b);
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

static void sum_row(enum conf_class c, const struct bound *b)
{
    double r = b->cand_s * b->seen, share = b->one_centre * b->fullest;
    printf("| %s | %.2f | %.1e | %.2f | %.2f | %.1e | %.1e | %.1e |\n", conf_name(c), b->sure_s,
           b->alone, 86400 * b->sure_s * b->alone, b->cand_s, b->seen, share,
           86400 * r * r * 13 * 2e-3 * share);
}

static bool wanted(int c)
{
    const char *only = getenv("CLASS");
    return !only || !*only || strcmp(only, conf_name((enum conf_class)c)) == 0;
}

int main(void)
{
    const char *q = getenv("QUICK");
    struct bound b[CONF_CLASSES] = { 0 };
    quick = q && *q;
    printf("Candidates at 61.44 MS/s, three transmitters, eight draws of place and level:\n\n"
           "| confuser | s | over 16 | over 21 | per s | 95 %% below | per s, from the count over"
           " 16 | over 30 | per s, 95 %% below | of those over 16: pair found | verified |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (int c = 0; c < CONF_CLASSES; c++)
        if (wanted(c))
            stream_row((enum conf_class)c, &b[c]);
    printf("\nForced candidates:\n\n| confuser | forced | root 147 alone | pair found | most of"
           " root 147's rho^2 | of those left out | verified | 95 %% below | verified with both"
           " roots planted | us each |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (int c = 0; c < CONF_CLASSES; c++)
        if (wanted(c))
            force_rows((enum conf_class)c, &b[c]);
    if (!getenv("CLASS"))
        recorded_table();
    printf("\nFalse recognitions in 24 h without a CRC, upper ends (95 %% each factor):\n\n"
           "| confuser | candidates over 30 per s | verified per candidate | told alone | over"
           " 21 per s | pair per candidate | on one centre | pairs 640 ms apart |\n"
           "|---|---|---|---|---|---|---|---|\n");
    for (int c = 0; c < CONF_CLASSES; c++)
        if (wanted(c))
            sum_row((enum conf_class)c, &b[c]);
    return 0;
}
