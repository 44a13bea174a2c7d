// SPDX-License-Identifier: GPL-3.0-or-later
// Standing detectors: probability of detection against SNR, false alarms on noise and on signals
// that are nothing of the kind, cost.  Packets come from a formula of their own
// (tests/unit/lora_made.h), confusers from confuser.c; nothing is told to the detector.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dsp/burst.h"
#include "dsp/stand/stand_in.h"
#include "tests/bench/confuser.h"
#include "tests/bench/wifi_curves.h"
#include "tests/unit/gfsk_made.h"
#include "tests/unit/lora_made.h"

#define CURVE_HZ  20e6
#define CENTRE_HZ 2441e6
#define CONF_HZ   30.72e6

static bool quick;

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Wilson's 95 % interval of k out of n.
static void print_share(unsigned k, unsigned n)
{
    double z = 1.96, p = (double)k / n, a = 1 + z * z / n, b = p + z * z / (2.0 * n);
    double c = z * sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));
    printf(" %.3f (%.3f-%.3f) |", p, fmax(0, (b - c) / a), fmin(1, (b + c) / a));
}

// ---- Probability of detection ------------------------------------------------------------------

struct curve {
    struct rng       rng;
    struct stand    *stand;
    struct stand_list list;
    uint64_t         at;
    float complex   *x;
    size_t           room;
    unsigned         preamble, seen, sent, ended, false_ones;
    double           t_err, f_err;      // sums of squares
};

static struct lora_made random_packet(struct curve *c, unsigned sf, double snr_db, double f_hz)
{
    double n = ldexp(1, (int)sf), bw = 812.5e3;
    struct lora_made m = {
        .rate_hz = CURVE_HZ, .bw_hz = bw, .sf = sf, .preamble = c->preamble, .payload = 16,
        .down = rng_u64(&c->rng) & 1, .phase = rng_uniform(&c->rng),
        .f_hz = f_hz + rng_between(&c->rng, -25e3, 25e3),
        .clock = 1 + rng_between(&c->rng, -10e-6, 10e-6),
        .amplitude = sqrt(pow(10, snr_db / 10) * bw / CURVE_HZ),
    };
    m.start = (double)c->at + (4 + 6 * rng_uniform(&c->rng)) * n / bw * CURVE_HZ + 1e-3 * CURVE_HZ;
    return m;
}

static void score(struct curve *c, const struct lora_made *m, unsigned n_made)
{
    for (unsigned k = 0; k < n_made; k++) {
        double symbol = ldexp(1, (int)m[k].sf) / m[k].bw_hz * CURVE_HZ;
        c->sent++;
        for (unsigned i = 0; i < c->list.n; i++) {
            const struct stand_cand *d = &c->list.c[i];
            double dt = d->n0 - m[k].start, df = d->f_hz - m[k].f_hz;
            double end = d->n1 - m[k].start - lora_made_samples(&m[k]);
            if (d->sf != (int)m[k].sf || d->down != m[k].down || fabs(df) > m[k].bw_hz / 4 ||
                fabs(dt) > 4 * symbol)
                continue;
            c->seen++;
            c->ended += fabs(dt) < 0.5 * symbol && fabs(end) < 0.5 * symbol;
            c->false_ones--;
            break;
        }
    }
    c->false_ones += c->list.n;
}

// One packet in every channel, at once.
static void batch(struct curve *c, unsigned sf, double snr_db)
{
    struct raster_channel ch[64];
    struct lora_made m[64];
    unsigned n_ch = raster_channels(CENTRE_HZ, CURVE_HZ, 64, ch);
    double symbols = 12 + c->preamble + 4.25 + 16;
    size_t n = (size_t)(symbols * ldexp(1, (int)sf) / 812.5e3 * CURVE_HZ + 2e-3 * CURVE_HZ);
    if (n > c->room) {
        free(c->x);
        c->x = malloc(n * sizeof *c->x);
        c->room = n;
    }
    for (size_t i = 0; i < n; i++)
        c->x[i] = rng_cnormal(&c->rng);
    for (unsigned i = 0; i < n_ch; i++) {
        m[i] = random_packet(c, sf, snr_db, ch[i].f_hz);
        lora_made_add(&m[i], &c->rng, (int64_t)c->at, n, c->x);
    }
    struct iq_block b = { .n0 = c->at, .n = (uint32_t)n, .rate_hz = CURVE_HZ,
                          .centre_hz = CENTRE_HZ, .format = IQ_CF32, .data = c->x };
    c->list.n = 0;
    stand_block(c->stand, &b, &c->list);
    stand_flush(c->stand, &c->list);
    c->at += n + (uint64_t)CURVE_HZ;
    score(c, m, n_ch);
}

static void curves(unsigned preamble)
{
    // ideal receiver, eight chirps' powers added, place known, 1e-9 (goals)
    static const double bound[] = { -7.4, -10.3, -13.3, -16.2 };
    static const double above[] = { -1, 0, 0.5, 1, 1.5, 2, 4 };
    unsigned trials = quick ? 200 : 2000;
    printf("\nPreambles of %u, carriers up to 25 kHz and clocks up to 10 ppm off, both\n"
           "directions; dB above the bound of eight chirps.\n\n| SF |", preamble);
    for (size_t i = 0; i < sizeof above / sizeof *above; i++)
        printf(" %+.1f |", above[i]);
    printf("\n|---|---|---|---|---|---|---|---|\n");
    for (unsigned sf = 5; sf <= 8; sf++) {
        printf("| %u |", sf);
        unsigned ended = 0, seen = 0, wrong = 0;
        for (size_t i = 0; i < sizeof above / sizeof *above; i++) {
            struct curve c = { .preamble = preamble };
            rng_init(&c.rng, 1000 * preamble + 10 * sf + i);
            c.stand = stand_new(CURVE_HZ, CENTRE_HZ);
            while (c.sent < trials)
                batch(&c, sf, bound[sf - 5] + above[i]);
            print_share(c.seen, c.sent);
            fflush(stdout);
            wrong += c.false_ones;
            ended = c.ended;
            seen = c.seen;
            stand_free(c.stand);
            free(c.x);
        }
        printf("\n");
        printf("  at the last: start and end within half a symbol %.2f; others told in all: %u\n",
               (double)ended / seen, wrong);
    }
}

// ---- Advertisements -----------------------------------------------------------------------------

// Packets of the shortest kind at 10 MS/s, carriers up to 100 kHz off, SNR in 1 MHz.
static void ble_curve(void)
{
    static const double snr[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
    unsigned trials = quick ? 200 : 2000;
    double rate = 10e6;
    size_t n = (size_t)(0.4e-3 * rate);
    float complex *x = malloc(n * sizeof *x);
    printf("\n| SNR dB |\n");
    for (size_t i = 0; i < sizeof snr / sizeof *snr; i++) {
        struct stand *s = stand_new(rate, 2427e6);
        struct stand_list list = { .n = 0 };
        struct rng r;
        unsigned seen = 0, others = 0;
        double t2 = 0, f2 = 0;
        rng_init(&r, 900 + i);
        for (unsigned k = 0; k < trials; k++) {
            struct gfsk_made m = {
                .rate_hz = rate, .bits = 128, .address = true, .phase = rng_uniform(&r),
                .start = 0.1e-3 * rate + 10 * rng_uniform(&r),
                .f_hz = -1e6 + rng_between(&r, -100e3, 100e3),
                .clock = 1 + rng_between(&r, -40e-6, 40e-6),
                .amplitude = sqrt(pow(10, snr[i] / 10) * 1e6 / rate),
            };
            gfsk_made_bits(&m, &r);
            for (size_t j = 0; j < n; j++)
                x[j] = rng_cnormal(&r);
            gfsk_made_add(&m, 0, n, x);
            struct iq_block b = { .n0 = k * 100 * n, .n = (uint32_t)n, .rate_hz = rate,
                                  .centre_hz = 2427e6, .format = IQ_CF32, .data = x };
            list.n = 0;
            stand_block(s, &b, &list);
            stand_flush(s, &list);
            bool hit = false;
            for (unsigned j = 0; j < list.n; j++) {
                double dt = (list.c[j].n0 - (double)b.n0 - m.start) / rate;
                if (list.c[j].kind != STAND_BLE || hit || fabs(dt) > 2e-6) {
                    others++;
                    continue;
                }
                hit = true;
                t2 += dt * dt;
                f2 += pow(list.c[j].f_hz - m.f_hz, 2);
            }
            seen += hit;
        }
        printf("| %.0f |", snr[i]);
        print_share(seen, trials);
        printf(" start %.2f us, centre %.1f kHz rms; others %u\n", sqrt(t2 / (seen + 1e-9)) * 1e6,
               sqrt(f2 / (seen + 1e-9)) / 1e3, others);
        stand_free(s);
    }
    free(x);
}

// ---- False alarms -------------------------------------------------------------------------------

#define BINS 40
struct tail { uint64_t over[BINS]; };

static void judged(void *arg, double t)
{
    struct tail *h = arg;
    for (int k = 0; k < BINS && k < t; k++)
        h->over[k]++;
}

// Samples of streams times spreading factors and directions, a second.
static double tried_per_s(const struct lora *l)
{
    double sum = 0;
    for (unsigned i = 0; i < l->groups; i++)
        sum += l->group[i].s.lanes * l->group[i].s.bw_hz *
               (__builtin_popcount(l->group[i].use[0]) + __builtin_popcount(l->group[i].use[1]));
    return sum;
}

static void false_alarms(void)
{
    printf("\n| signal | seconds | judged | told | largest | over 14 / exp(-14) | 17 | 20 |\n"
           "|---|---|---|---|---|---|---|---|\n");
    size_t n = 1 << 16;
    float complex *x = malloc(n * sizeof *x);
    for (int cls = 0; cls < CONF_CLASSES; cls++) {
        struct conf *conf = conf_new((enum conf_class)cls, CONF_HZ, 77);
        struct stand *s = stand_new(CONF_HZ, CENTRE_HZ);
        struct stand_list list = { .n = 0 };
        struct tail h = { { 0 } };
        double seconds = (quick ? 0.5 : 10) * (cls == CONF_NOISE ? 4 : 1);
        uint64_t told = 0, end = (uint64_t)(seconds * CONF_HZ);
        s->lora.on_judge = judged;
        s->lora.on_judge_arg = &h;
        for (uint64_t at = 0; at < end; at += n) {
            conf_make(conf, (int64_t)at, n, x);
            struct iq_block b = { .n0 = at, .n = (uint32_t)n, .rate_hz = CONF_HZ,
                                  .centre_hz = CENTRE_HZ, .format = IQ_CF32, .data = x };
            list.n = 0;
            stand_block(s, &b, &list);
            told += list.n;
        }
        double tried = tried_per_s(&s->lora) * seconds;
        printf("| %s | %.1f | %llu | %llu | %.1f | %.2f | %.2f | %.2f |\n",
               conf_name((enum conf_class)cls), seconds, (unsigned long long)s->lora.judged,
               (unsigned long long)told, s->lora.top, (double)h.over[14] / tried * exp(14),
               (double)h.over[17] / tried * exp(17), (double)h.over[20] / tried * exp(20));
        fflush(stdout);
        stand_free(s);
        conf_free(conf);
    }
    free(x);
}

// ---- Cost ---------------------------------------------------------------------------------------

static void cost(void)
{
    static const struct { double rate, centre; } at[] = {
        { 20e6, 2441e6 }, { 30.72e6, 2441e6 }, { 61.44e6, 2441e6 }, { 20e6, 866e6 },
        { 30.72e6, 915e6 }, { 61.44e6, 890e6 },
    };
    size_t n = 1 << 16;
    struct rng r;
    float complex *pool = malloc(8 * n * sizeof *pool);
    rng_init(&r, 3);
    for (size_t i = 0; i < 8 * n; i++)
        pool[i] = rng_cnormal(&r);
    printf("\n| MS/s | at MHz | channels | DroneID, cores | LoRa | both on one transform |\n"
           "|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct iq_info info = { .rate_hz = at[i].rate, .centre_hz = at[i].centre };
        struct stand *s = stand_new(at[i].rate, at[i].centre);
        struct dcorr *d = dcorr_new(at[i].rate);
        struct standing *both = standing_new(&info, true);
        struct stand_list list = { .n = 0 };
        static struct cand_list cands;
        double took[3] = { 0 }, seconds = quick ? 0.2 : 1;
        unsigned channels = 0;
        for (unsigned k = 0; k < s->lora.groups; k++)
            channels += s->lora.group[k].s.lanes;
        for (uint64_t n0 = 0; n0 < seconds * at[i].rate; n0 += n) {
            struct iq_block b = { .n0 = n0, .n = (uint32_t)n, .rate_hz = at[i].rate,
                                  .centre_hz = at[i].centre, .format = IQ_CF32,
                                  .data = pool + rng_below(&r, (uint32_t)(7 * n)) };
            double t[4] = { cpu_s() };
            list.n = cands.n = 0;
            dcorr_block(d, &b, &cands);
            t[1] = cpu_s();
            stand_block(s, &b, &list);
            t[2] = cpu_s();
            cands.n = 0;
            standing_block(both, &b, &cands);
            t[3] = cpu_s();
            for (int k = 0; k < 3; k++)
                took[k] += (t[k + 1] - t[k]) / seconds;
        }
        printf("| %.2f | %.0f | %u | %.2f | %.2f | %.2f |\n", at[i].rate / 1e6,
               at[i].centre / 1e6, channels, took[0], took[1], took[2]);
        stand_free(s);
        dcorr_free(d);
        standing_free(both);
    }
    free(pool);
}

int main(void)
{
    const char *q = getenv("QUICK"), *part = getenv("STAND");
    quick = q && *q;
    if (!part || part[0] == 'c')
        cost();
    if (!part || part[0] == 'p')
        curves(8);
    if (!part || part[0] == 'p')
        curves(12);
    if (!part || part[0] == 'b')
        ble_curve();
    if (!part || part[0] == 'w')
        wifi_curves(quick);
    if (!part || part[0] == 'f')
        false_alarms();
    return 0;
}
