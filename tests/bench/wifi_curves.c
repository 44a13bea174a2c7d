// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/wifi_curves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dsp/stand/stand_in.h"
#include "tests/bench/confuser.h"
#include "tests/unit/dsss_made.h"
#include "tests/unit/wifi_made.h"

#define RATE_HZ   20e6
#define CENTRE_HZ 2437e6
#define CONF_HZ   30.72e6
#define SPAN_S    0.6e-3

struct score { unsigned seen, near, others; double t2, f2; };

static void score(const struct stand_list *l, enum stand_kind kind, double start, double f_hz,
                  struct score *s)
{
    bool hit = false;
    for (unsigned i = 0; i < l->n; i++) {
        double dt = (l->c[i].n0 - start) / RATE_HZ, df = l->c[i].f_hz - f_hz;
        if (l->c[i].kind != kind || hit || fabs(dt) > 4e-6 || fabs(df) > 100e3) {
            s->others++;
            continue;
        }
        hit = true;
        s->near += fabs(dt) < 0.5e-6;
        s->t2 += fabs(dt) < 0.5e-6 ? dt * dt : 0;
        s->f2 += df * df;
    }
    s->seen += hit;
}

// One frame: its start and carrier.
static double make(enum stand_kind kind, double snr_db, double echo, uint64_t n0, size_t n,
                   float complex *x, struct rng *r, double *ret_f_hz)
{
    double start = (double)n0 + 0.15e-3 * RATE_HZ + 200 * rng_uniform(r);
    double f = rng_between(r, -60e3, 60e3), clock = 1 + rng_between(r, -20e-6, 20e-6);
    double wide = kind == STAND_STF ? 20e6 : 11e6, a = sqrt(pow(10, snr_db / 10) * wide / RATE_HZ);
    for (size_t i = 0; i < n; i++)
        x[i] = rng_cnormal(r);
    if (kind == STAND_STF) {
        static struct wifi_made m;
        m = (struct wifi_made){ .rate_hz = RATE_HZ, .slow = 1, .symbols = 8, .start = start,
                                .f_hz = f, .clock = clock, .phase = rng_uniform(r),
                                .amplitude = a / sqrt(1 + echo * echo), .echo = echo,
                                .echo_s = 100e-9 };
        wifi_made_bits(&m, r);
        wifi_made_add(&m, (int64_t)n0, n, x);
    } else {
        static struct dsss_made m;
        m = (struct dsss_made){ .rate_hz = RATE_HZ, .symbols = 300, .preamble = true,
                                .start = start, .f_hz = f, .clock = clock,
                                .phase = rng_uniform(r), .amplitude = a };
        dsss_made_bits(&m, r);
        dsss_made_add(&m, (int64_t)n0, n, x);
    }
    *ret_f_hz = f;
    return start;
}

static void curve(enum stand_kind kind, double echo, double from_db, unsigned trials)
{
    size_t n = (size_t)(SPAN_S * RATE_HZ);
    float complex *x = malloc(n * sizeof *x);
    printf("\n%s, SNR in %d MHz, second path %.1f\n| SNR dB | found | others | start us rms, "
           "within 0.5 us | centre kHz rms |\n|---|---|---|---|---|\n",
           kind == STAND_STF ? "short training field" : "long preamble of DSSS",
           kind == STAND_STF ? 20 : 11, echo);
    for (double snr = from_db; snr < from_db + 7; snr++) {
        struct stand *s = stand_new(RATE_HZ, CENTRE_HZ);
        static struct stand_list list;
        struct score c = { 0 };
        struct rng r;
        rng_init(&r, (uint64_t)(500 + snr));
        s->lora.groups = 0;                     // not looked at
        for (unsigned k = 0; k < trials; k++) {
            double f, start = make(kind, snr, echo, k * 100 * n, n, x, &r, &f);
            struct iq_block b = { .n0 = k * 100 * n, .n = (uint32_t)n, .rate_hz = RATE_HZ,
                                  .centre_hz = CENTRE_HZ, .format = IQ_CF32, .data = x };
            list.n = 0;
            stand_block(s, &b, &list);
            stand_flush(s, &list);
            score(&list, kind, start, f, &c);
        }
        printf("| %+.0f | %.3f | %u | %.3f, %.2f | %.1f |\n", snr, c.seen / (double)trials,
               c.others, sqrt(c.t2 / (c.near + 1e-9)) * 1e6, c.near / (c.seen + 1e-9),
               sqrt(c.f2 / (c.seen + 1e-9)) / 1e3);
        fflush(stdout);
        stand_free(s);
    }
    free(x);
}

static void confused(bool quick)
{
    size_t n = 1 << 16;
    float complex *x = malloc(n * sizeof *x);
    printf("\n| signal, 30.72 MS/s | seconds | fields told | preambles told | screened, share |\n"
           "|---|---|---|---|---|\n");
    for (int cls = 0; cls < CONF_CLASSES; cls++) {
        struct conf *conf = conf_new((enum conf_class)cls, CONF_HZ, 78);
        struct stand *s = stand_new(CONF_HZ, 2441e6);
        static struct stand_list list;
        double seconds = quick ? 0.2 : 4;
        unsigned told[STAND_KINDS] = { 0 };
        s->lora.groups = 0;
        for (uint64_t at = 0; at < (uint64_t)(seconds * CONF_HZ); at += n) {
            conf_make(conf, (int64_t)at, n, x);
            struct iq_block b = { .n0 = at, .n = (uint32_t)n, .rate_hz = CONF_HZ,
                                  .centre_hz = 2441e6, .format = IQ_CF32, .data = x };
            list.n = 0;
            stand_block(s, &b, &list);
            for (unsigned i = 0; i < list.n; i++)
                told[list.c[i].kind]++;
        }
        printf("| %s | %.1f | %u | %u | %.4f, %.4f |\n", conf_name((enum conf_class)cls), seconds,
               told[STAND_STF], told[STAND_DSSS],
               (double)s->comb.screened / (double)s->comb.tried,
               (double)s->dsss.screened / (double)s->dsss.tried);
        fflush(stdout);
        stand_free(s);
        conf_free(conf);
    }
    free(x);
}

// ---- Cost ---------------------------------------------------------------------------------------

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct cost { struct stand *s; struct stand_list list; double comb, dsss; };

static void told(void *arg, const struct wide_spec *spec)
{
    struct cost *c = arg;
    double t0 = cpu_s();
    comb_spec(&c->s->comb, spec, &c->list);
    double t1 = cpu_s();
    dsss_spec(&c->s->dsss, spec, &c->list);
    c->dsss += cpu_s() - t1;
    c->comb += t1 - t0;
    c->list.n = 0;
}

static void cost(double rate)
{
    static struct cost c;
    size_t n = 1 << 16;
    struct rng r;
    struct wide *w = wide_new(rate);
    float complex *x = malloc(n * sizeof *x);
    double seconds = 0.1, all = 0;
    rng_init(&r, 3);
    for (size_t i = 0; i < n; i++)
        x[i] = rng_cnormal(&r);
    c = (struct cost){ .s = stand_new(rate, 2441e6) };
    comb_restart(&c.s->comb);
    dsss_restart(&c.s->dsss);
    for (uint64_t at = 0; at < (uint64_t)(seconds * rate); at += n) {
        struct iq_block b = { .n0 = at, .n = (uint32_t)n, .rate_hz = rate, .centre_hz = 2441e6,
                              .format = IQ_CF32, .data = x };
        if (!at)
            wide_restart(w, &b);
        double t = cpu_s();
        wide_block(w, &b, told, &c);
        all += cpu_s() - t;
    }
    printf("| %.2f | %.3f | %u: %.3f | %u of %u: %.3f |\n", rate / 1e6,
           (all - c.comb - c.dsss) / seconds, c.s->comb.channels, c.comb / seconds,
           c.s->dsss.last - c.s->dsss.first, c.s->dsss.streams ? c.s->dsss.streams - 1 : 0,
           c.dsss / seconds);
    wide_free(w);
    stand_free(c.s);
    free(x);
}

void wifi_curves(bool quick)
{
    unsigned trials = quick ? 200 : 2000;
    curve(STAND_STF, 0, -6, trials);
    curve(STAND_STF, 0.5, -4, trials);
    curve(STAND_DSSS, 0, -4, trials);
    confused(quick);
    printf("\n| MS/s | forward transform, cores | fields: channels, cores | preambles |\n"
           "|---|---|---|---|\n");
    cost(20e6);
    cost(30.72e6);
    cost(61.44e6);
}
