// SPDX-License-Identifier: GPL-3.0-or-later
// What the energy detector sees: probability of detection against the radiometer's bound, errors of
// place, false candidates in noise.  The floor has its own part, bench_detect_floor.c.
//
//   one stream of noise:  .....[burst]..........[burst]........   start, channel and phase drawn
//                         ..........[burst]....................   anew; up to four at once, apart
//
// A burst is Gaussian noise of exactly time * bandwidth independent values (random bins of one
// transform as long as it is), so that the ideal receiver's law is a gamma law.  SNR: in its own
// bandwidth.  Found: any candidate overlaps it in time and in frequency.
#include "tests/bench/detect.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/fft.h"
#include "dsp/front/front.h"
#include "dsp/front/tiles.h"

#define RATE     20e6
#define SPACE_S  2.5e-3         // behind each burst: they stay apart whatever is told of them
#define POINTS   8
#define GOAL_PFA 1e-6           // of the bounds that the goals are stated over
#define MOST     4096           // bursts at a point

// ---- The radiometer's bound -------------------------------------------------------------------

// Upper tail of a gamma variable of shape n (a whole number).
static double tail(double n, double x)
{
    double term = exp(-x + (n - 1) * log(x) - lgamma(n)), sum = 0;

    for (double k = n - 1; k >= 0 && term > 1e-30; k--) {       // Poisson's law, downwards
        sum += term;
        term *= k / x;
    }
    return sum;
}

static double tail_at(double n, double p)
{
    double lo = 0.01 * n, hi = 3 * n + 200;

    for (int i = 0; i < 80; i++)
        *(tail(n, (lo + hi) / 2) > p ? &lo : &hi) = (lo + hi) / 2;
    return lo;
}

// SNR in dB at which noise of n values over noise is found in 9 of 10, place and size known.
static double bound_db(double n, double pfa)
{
    return 10 * log10(tail_at(n, pfa) / tail_at(n, 0.9) - 1);
}

// ---- Streams ----------------------------------------------------------------------------------

struct truth { double n0, n1, f_lo, f_hi; unsigned hits; struct cand c; };

struct stream {
    struct rng     rng;
    struct front  *f;
    struct front_out *out;
    uint64_t       at;
    float complex *x;
    size_t         cap;
    struct truth   t[MOST];
    unsigned       n, false_ones;
};

static struct stream *stream_new(uint64_t seed, size_t cap)
{
    struct iq_info info = { .rate_hz = RATE, .format = IQ_CF32, .block_len = 16384 };
    struct stream *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    rng_init(&s->rng, seed);
    s->f = front_new(&info);
    s->out = calloc(1, sizeof *s->out);
    s->x = calloc(cap, sizeof *s->x);
    s->cap = cap;
    return s;
}

static void stream_free(struct stream *s)
{
    front_free(s->f);
    free(s->out);
    free(s->x);
    free(s);
}

static double overlap(double a0, double a1, double b0, double b1)
{
    return fmin(a1, b1) - fmax(a0, b0);
}

static void take(struct stream *s)
{
    for (unsigned i = 0; i < s->out->list.n; i++) {
        const struct cand *c = &s->out->list.c[i];
        bool mine = false;
        for (unsigned k = s->n > 64 ? s->n - 64 : 0; k < s->n; k++) {
            struct truth *t = &s->t[k];
            double guard = 200e-6 * RATE, wide = t->f_hi - t->f_lo;
            if (overlap((double)c->n0, (double)c->n1, t->n0 - guard, t->n1 + guard) <= 0 ||
                overlap(c->f_lo_hz, c->f_hi_hz, t->f_lo - wide, t->f_hi + wide) <= 0)
                continue;
            mine = true;
            if (overlap((double)c->n0, (double)c->n1, t->n0, t->n1) <= 0 ||
                overlap(c->f_lo_hz, c->f_hi_hz, t->f_lo, t->f_hi) <= 0)
                continue;
            if (!t->hits++ || c->n1 - c->n0 > t->c.n1 - t->c.n0)
                t->c = *c;
        }
        s->false_ones += !mine;
    }
}

static void feed(struct stream *s, size_t n)
{
    struct iq_block b = { .n0 = s->at, .n = (uint32_t)n, .format = IQ_CF32, .rate_hz = RATE,
                          .data = s->x };
    front_block(s->f, &b, s->out);
    take(s);
    s->at += n;
}

static void add_noise(struct stream *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->x[i] = rng_cnormal(&s->rng);         // power 1, all of it within the rate
}

// ---- One shape at one SNR ---------------------------------------------------------------------

struct shape { double len_s, width_hz; };

struct maker { struct dft *fft; float complex *spec, *y; size_t n; unsigned bins; };

static struct maker maker_new(struct shape h)
{
    struct maker m = { .n = (size_t)lrint(h.len_s * RATE) };

    m.bins = (unsigned)lrint(h.len_s * h.width_hz);
    m.fft = dft_new((unsigned)m.n, DFT_BACKWARD, 1);
    m.spec = dft_alloc(m.n);
    m.y = dft_alloc(m.n);
    return m;
}

static void maker_free(struct maker *m)
{
    dft_free(m->fft);
    free(m->spec);
    free(m->y);
}

static void add_burst(struct stream *s, struct maker *m, size_t at, double f_hz, double snr_db)
{
    double width = m->bins * RATE / (double)m->n;
    float a = (float)sqrt(pow(10, 0.1 * snr_db) / (double)m->n);
    double w = 2 * M_PI * f_hz / RATE;

    for (unsigned k = 0; k < m->bins; k++)      // around zero
        m->spec[(k + m->n - m->bins / 2) % m->n] = a * rng_cnormal(&s->rng);
    dft_run(m->fft, m->spec, m->y);
    for (size_t i = 0; i < m->n; i++) {
        double p = fmod(w * (double)i, 2 * M_PI);
        s->x[at + i] += m->y[i] * ((float)cos(p) + I * (float)sin(p));
    }
    // Bins k have their middles at k spacings: the outermost reach half a spacing further.
    double mid = f_hz + (m->bins % 2 ? 0 : -0.5) * RATE / (double)m->n;
    s->t[s->n++] = (struct truth){ .n0 = (double)(s->at + at), .n1 = (double)(s->at + at + m->n),
                                   .f_lo = mid - width / 2, .f_hi = mid + width / 2 };
}

// `trials` bursts, several at a time where they are narrow.
static struct stream *run_point(struct shape h, double snr_db, unsigned trials, uint64_t seed)
{
    struct maker m = maker_new(h);
    unsigned at_once = h.width_hz < 0.06 * RATE ? 4 : 1;
    size_t slot = m.n + (size_t)(SPACE_S * RATE);
    struct stream *s = stream_new(seed, slot);
    double slice = 0.9 * RATE / at_once;

    for (int i = 0; i < 20; i++) {      // the floor learns
        add_noise(s, slot);
        feed(s, slot);
    }
    while (s->n + at_once <= trials) {
        add_noise(s, slot);
        for (unsigned k = 0; k < at_once; k++) {
            double room = slice - 3 * h.width_hz > 0 ? slice - 3 * h.width_hz : slice - h.width_hz;
            double f = -0.45 * RATE + slice * (k + 0.5) + room * (rng_uniform(&s->rng) - 0.5);
            add_burst(s, &m, rng_below(&s->rng, (uint32_t)(slot - m.n)), f, snr_db);
        }
        feed(s, slot);
    }
    front_flush(s->f, s->out);
    take(s);
    maker_free(&m);
    return s;
}

static unsigned found(const struct stream *s)
{
    unsigned r = 0;
    for (unsigned i = 0; i < s->n; i++)
        r += s->t[i].hits > 0;
    return r;
}

// ---- Tables -----------------------------------------------------------------------------------

static void curve(struct shape h, unsigned trials, double goal_db)
{
    double n = h.len_s * h.width_hz, at = bound_db(n, GOAL_PFA), last = 0, last_db = 0, p90 = NAN;

    printf("| %.0f | %.0f us x %.2f MHz |", n, h.len_s * 1e6, h.width_hz / 1e6);
    for (int i = 0; i < POINTS; i++) {
        double db = at - 0.5 + 0.5 * i;
        struct stream *s = run_point(h, db, trials, 100 + (uint64_t)i);
        struct range r = range_of(found(s), s->n);
        printf(" %.2f (%.2f-%.2f) |", r.p, r.lo, r.hi);
        if (isnan(p90) && i && r.p >= 0.9)
            p90 = last_db + (db - last_db) * (0.9 - last) / (r.p - last);
        last = r.p;
        last_db = db;
        stream_free(s);
    }
    printf(" %.1f | %.1f | %.1f | %.1f |\n", at, p90 - at, goal_db, p90 - bound_db(n, TILE_PFA));
    fflush(stdout);
}

static int up(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void places(struct shape h, unsigned trials)
{
    struct stream *s = run_point(h, 10, trials, 7);
    double edge = fmax(20e-6, 0.5 / h.width_hz), *start = calloc(s->n, sizeof *start);
    double *end = calloc(s->n, sizeof *end), *mid = calloc(s->n, sizeof *mid);
    unsigned one = 0, n = 0, ok[3] = { 0 };

    for (unsigned i = 0; i < s->n; i++) {
        const struct truth *t = &s->t[i];
        if (!t->hits)
            continue;
        one += t->hits == 1;
        start[n] = fabs((double)t->c.n0 - t->n0) / RATE;
        end[n] = fabs((double)t->c.n1 - t->n1) / RATE;
        mid[n] = fabs((t->c.f_lo_hz + t->c.f_hi_hz) - (t->f_lo + t->f_hi)) / 2 / h.width_hz;
        ok[0] += start[n] <= edge;
        ok[1] += end[n] <= edge;
        ok[2] += mid[n] <= 0.02;
        n++;
    }
    qsort(start, n, sizeof *start, up);
    qsort(end, n, sizeof *end, up);
    qsort(mid, n, sizeof *mid, up);
    printf("| %.0f us x %.2f MHz | %u of %u, %u whole | %.1f / %.1f | %.1f / %.1f | %.0f | %.1f / "
           "%.1f | %.1f %.1f %.1f |\n", h.len_s * 1e6, h.width_hz / 1e6, n, s->n, one,
           start[n / 2] * 1e6, start[n * 95 / 100] * 1e6, end[n / 2] * 1e6, end[n * 95 / 100] * 1e6,
           edge * 1e6, mid[n / 2] * 100, mid[n * 95 / 100] * 100, 100.0 * ok[0] / n,
           100.0 * ok[1] / n, 100.0 * ok[2] / n);
    free(start);
    free(end);
    free(mid);
    stream_free(s);
}

// ---- Noise alone ------------------------------------------------------------------------------

// Rates at thresholds that noise does reach, and where the line through them comes down to at the
// product's: the logarithm of the rate is straight in that of the probability if the tail is
// what the thresholds take it for (then its slope is 1).
static void false_ones(double seconds)
{
    const double pfa[] = { 1e-5, 1e-6, 1e-7, TILE_PFA };
    enum { N = sizeof pfa / sizeof *pfa };
    struct stream *s[N];
    size_t len = 1 << 17;
    double count[N], bands = RATE / 100e6;

    for (int i = 0; i < N; i++) {
        s[i] = stream_new(5, len);
        front_set_pfa(s[i]->f, pfa[i]);
    }
    for (double t = 0; t < seconds; t += (double)len / RATE) {
        add_noise(s[0], len);
        for (int i = 0; i < N; i++) {
            if (i)
                memcpy(s[i]->x, s[0]->x, len * sizeof *s[i]->x);
            feed(s[i], len);
        }
    }
    printf("\n| false alarms of a tile | candidates in %.0f s of %.0f MHz | a second in 100 MHz |\n"
           "|---|---|---|\n", seconds, RATE / 1e6);
    for (int i = 0; i < N; i++) {
        count[i] = s[i]->false_ones;
        printf("| %.0e | %.0f | %.3g |\n", pfa[i], count[i], count[i] / seconds / bands);
        stream_free(s[i]);
    }
    // Slope and its standard error from the ends (Poisson), then on from the last.
    double a = log10(fmax(count[0], 1)), b = log10(fmax(count[2], 1));
    double slope = (a - b) / 2, way = 7 + log10(TILE_PFA) * -1 - 14;
    double err_a = 0.434 / sqrt(fmax(count[0], 1)), err_b = 0.434 / sqrt(fmax(count[2], 1));
    double far = log10(count[2] > 0 ? count[2] / seconds / bands * 3600 : NAN) - slope * way;
    double err = 1.96 * sqrt(pow(err_b * (1 + way / 2), 2) + pow(err_a * way / 2, 2));
    printf("\nSlope %.3f decades a decade; at %.0e that is %.2g candidates an hour in 100 MHz "
           "(95 %%: %.1g to %.1g); goal 1.\n", slope, TILE_PFA, pow(10, far), pow(10, far - err),
           pow(10, far + err));
}

int main(void)
{
    const struct { struct shape h; double goal_db; } of[] = {
        { { 64e-6, 1e6 }, 1.5 },    { { 400e-6, 160e3 }, 1.5 },
        { { 256e-6, 1e6 }, 1.2 },   { { 64e-6, 4e6 }, 1.2 },   { { 1.6e-3, 160e3 }, 1.2 },
        { { 1.024e-3, 1e6 }, 1.0 }, { { 128e-6, 8e6 }, 1.0 },  { { 5.12e-3, 200e3 }, 1.0 },
    };
    enum { N = sizeof of / sizeof *of };
    bool quick = bench_quick();
    unsigned trials = quick ? 200 : 2000;

    printf("%.0f MS/s, %u bursts a point, probability (95 %% interval) at SNRs over the bound for "
           "a false alarm of %.0e\n\n| time x bandwidth | burst |", RATE / 1e6, trials, GOAL_PFA);
    for (int i = 0; i < POINTS; i++)
        printf(" %+.1f |", -0.5 + 0.5 * i);
    printf(" bound dB | loss at 0.9 | goal | loss over the bound for %.0e |\n|---|---|", TILE_PFA);
    for (int i = 0; i < POINTS + 4; i++)
        printf("---|");
    printf("\n");
    for (int i = 0; i < N; i++)
        curve(of[i].h, trials, of[i].goal_db);
    printf("\n| burst at 10 dB | found | start off, median / 95 %%, us | end | goal | centre off, "
           "%% of width | within the goals, %%: start, end, centre |\n"
           "|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < N; i++)
        places(of[i].h, trials / 2);
    false_ones(quick ? 3 : 40);
    bench_floor(quick ? 0.4 : 1);
    return 0;
}
