// SPDX-License-Identifier: GPL-3.0-or-later
// A short training field in the streams of lines and gaps.
//
// Screen: over a window of 8 us the lines of either half of a channel hold more than the gaps, and
// all lines so much more that noise does it once in a thousand windows.
//
// Match: line m's samples, taken back to one point in time, are its sign times a tone of m times
// 1.25 MHz: where in its 0.8 us the field is.  The carrier's error turns all lines alike from
// sample to sample.
//
//     |rho|^2 = |sum of all lines' samples, turned back|^2 / (12 window * power of lines and gaps)
//
// In white noise of any level that is Beta(1, N - 1), N = 18 window, for one phase and one error;
// with so many of both tried, P(> x) <= K (1 - x)^(N - 1).  What has the wrong signs, one strong
// line or few of them, has little of it however strong: a carrier 1/12.
#include <math.h>
#include <string.h>

#include "dsp/stand/comb.h"

#define FIRST     4             // windows begin there; before and behind are samples for the place
#define ASIDE     3             // that many to either side
#define HALF      1.3           // least of either half's power, of the gaps'
#define BESIDE    0.7           // of a neighbouring channel's power: else it is that one's
#define TRIES     32            // a block
#define LIKE      0.5           // of what the lines hold over noise: a neighbour's lines have 0.42
#define OFF_HZ    160e3         // of a carrier: 20 ppm and the receiver's own, at 5.8 GHz
#define FIELD_S   8e-6
#define PERIOD_S  0.8e-6
#define LEAST_S   28e-6         // the shortest frame
#define WIDE_HZ   16.25e6
#define ONE_S     10e-6         // hits so near are of one field
#define SETTLED_S 16e-6         // nothing behind that is
#define HEAD_S    22e-6         // until then no other frame's field begins ...
#define SECOND_S  36e-6         // ... and until then 11n's and later ones' second, of 4 us, does
#define SECOND    0.5           // it has less of a metric, ...
#define WEAKER    0.7           // and less power
#define OVERLAP   16e6          // centres nearer share lines
#define FAINT     0.003         // beside one that strong at the same time, anywhere: its splatter

static const signed char signs[13] = { 1, -1, 1, -1, -1, 1, 0, -1, -1, 1, 1, 1, 1 };

struct window {
    float complex x[13][COMB_WINDOW + 2 * ASIDE];   // lines' samples, taken back
    double        on, off;
};

static double samples(const struct comb *c, double s) { return s * c->rate_hz; }

// The channel's samples around window `at`, turned to the time of its first.
static void gather(const struct comb *c, unsigned channel, unsigned at, struct window *w)
{
    int guard = (COMB_POINTS - COMB_HOP) / 2;
    for (unsigned m = 0; m < 13; m++) {
        unsigned row = 4 * channel + m;
        for (unsigned k = 0; k < c->window + 2 * ASIDE; k++) {
            unsigned i = at - ASIDE + k;
            // place in its block's transform, to whose start the row's centre is turned
            int j = guard + (int)i - COMB_BEFORE + (i < COMB_BEFORE ? COMB_HOP : 0);
            unsigned turn = (unsigned)(c->k0[row] * j) & (COMB_POINTS - 1);
            w->x[m][k] = c->x[row * COMB_ROW + i] * c->turn[turn] * c->back[row][k];
        }
    }
}

// Turn of the carrier's error from a sample to the next, of length one.
static float complex carrier(const struct comb *c, const struct window *w)
{
    float complex sum = 0;
    for (unsigned m = 0; m < 13; m++)
        for (unsigned k = ASIDE; signs[m] && k + 1 < ASIDE + c->window; k++)
            sum += w->x[m][k + 1] * conjf(w->x[m][k]);
    float a = cargf(sum);
    return cosf(a) + I * sinf(a);
}

// Lines' sums at the phase where together they are most; in turns of 0.8 us.
static double best_phase(const struct comb *c, const float complex line[13], double *ret_power)
{
    double p[COMB_PHASES], best = 0;
    unsigned at = 0;
    for (unsigned t = 0; t < COMB_PHASES; t++) {
        float complex sum = 0;
        for (unsigned m = 0; m < 13; m++)
            sum += signs[m] * line[m] * c->phase[(m * t) & (COMB_PHASES - 1)];
        p[t] = crealf(sum) * crealf(sum) + cimagf(sum) * cimagf(sum);
        if (p[t] > best) {
            best = p[t];
            at = t;
        }
    }
    double a = p[(at + COMB_PHASES - 1) % COMB_PHASES], b = p[(at + 1) % COMB_PHASES];
    double den = a - 2 * best + b;
    *ret_power = best;
    return (at + (den < 0 ? 0.5 * (a - b) / den : 0)) / COMB_PHASES;
}

// Middle of what is there in the field's signs, in samples behind the window's first.
static double middle(const struct comb *c, const struct window *w, double phase, double noise)
{
    double sum = 0, at = 0;
    for (unsigned k = 0; k < c->window + 2 * ASIDE; k++) {
        float complex z = 0;
        for (unsigned m = 0; m < 13; m++) {
            double a = -2 * M_PI * m * phase;
            z += signs[m] * w->x[m][k] * ((float)cos(a) + I * (float)sin(a));
        }
        double p = crealf(z) * crealf(z) + cimagf(z) * cimagf(z) - 24 * noise;
        sum += fmax(p, 0);
        at += fmax(p, 0) * ((double)k - ASIDE);
    }
    return sum > 0 ? at / sum : (c->window - 1) / 2.0;
}

// False: it is none.  zero: capture index of sample 0 of the rows.
static bool match(const struct comb *c, unsigned channel, unsigned at, double zero,
                  struct window *w, struct comb_hit *ret)
{
    float complex line[13], off, back = 1;
    double rate = c->rate_hz / c->per, power, all = w->on + w->off, n = 12 * c->window;
    gather(c, channel, at, w);
    off = carrier(c, w);
    double off_hz = cargf(off) / (2 * M_PI) * rate;
    memset(line, 0, sizeof line);
    for (unsigned k = 0; k < c->window; k++, back *= conjf(off))
        for (unsigned m = 0; m < 13; m++)
            line[m] += w->x[m][ASIDE + k] * back;
    double phase = best_phase(c, line, &power);
    double own = power / n, metric = own / all;
    if (c->on_try)
        c->on_try(c->on_try_arg, metric);
    // the negations: samples that overflow a float make a NaN of it
    if (!(metric >= c->limit && metric <= 1.01) || !(fabs(off_hz) <= OFF_HZ) ||
        !(own >= LIKE * (w->on - 2 * w->off)))
        return false;
    double noise = (all - own) / (1.5 * n - 1), snr = own / n / fmax(noise, 1e-3 * own / n);
    double mid = zero + (at + middle(c, w, phase, noise)) * c->per;
    if (!isfinite(mid))
        return false;
    double n0 = mid - samples(c, FIELD_S) / 2, period = samples(c, PERIOD_S);
    // the first that was gathered is `phase` periods behind the field's start, and whole ones
    double first = zero + ((double)at - ASIDE) * c->per - phase * period;
    n0 = first + round((n0 - first) / period) * period;
    *ret = (struct comb_hit){
        .n0 = n0, .f_hz = c->f0_hz + 5e6 * channel + off_hz, .power = own, .metric = metric,
        // of a sample of a line, the twelve of which are all there is
        .snr_db = 10 * log10(fmax(snr - 1 / n, 1e-3) * 12 * rate / WIDE_HZ),
    };
    return true;
}

static void forget(struct comb *c, unsigned i)
{
    memmove(&c->hit[i], &c->hit[i + 1], (--c->hits - i) * sizeof *c->hit);
}

// Of hits on one field the strongest stays.
static void add(struct comb *c, const struct comb_hit *h)
{
    for (unsigned i = 0; i < c->hits; i++) {
        const struct comb_hit *o = &c->hit[i];
        double dt = (h->n0 - o->n0) / c->rate_hz;
        bool near = fabs(h->f_hz - o->f_hz) < OVERLAP;
        if (fabs(dt) < ONE_S && (near ? h->power <= o->power || o->told
                                      : h->power < FAINT * o->power))
            return;
        if (near && dt >= ONE_S && h->power < WEAKER * o->power &&
            (dt < HEAD_S || (dt < SECOND_S && h->metric < SECOND)))
            return;
    }
    for (unsigned i = c->hits; i-- > 0;) {
        const struct comb_hit *o = &c->hit[i];
        bool near = fabs(h->f_hz - o->f_hz) < OVERLAP;
        if (!o->told && fabs(h->n0 - o->n0) < samples(c, ONE_S) &&
            (near || o->power < FAINT * h->power))
            forget(c, i);
    }
    if (c->hits == COMB_HITS)
        forget(c, 0);
    c->hit[c->hits++] = *h;
}

// What nothing can be one with any more is told; `done`: all before has been looked into.
static void tell(struct comb *c, double done, struct stand_list *out)
{
    for (unsigned i = 0; i < c->hits; i++) {
        struct comb_hit *h = &c->hit[i];
        if (!h->told && h->n0 + samples(c, SETTLED_S) < done) {
            h->told = true;
            if (out->n == STAND_MAX)
                out->dropped++;
            else
                out->c[out->n++] = (struct stand_cand){
                    .kind = STAND_STF, .n0 = h->n0, .n1 = h->n0 + samples(c, LEAST_S),
                    .f_hz = h->f_hz, .bw_hz = WIDE_HZ, .metric = h->metric, .snr_db = h->snr_db,
                };
        }
        if (h->told && h->n0 + samples(c, SECOND_S + SETTLED_S) < done)
            forget(c, i--);
    }
}

struct screened { float lo[COMB_HOP], hi[COMB_HOP], off[COMB_HOP]; };

static bool passes(const struct comb *c, const struct screened *s, unsigned i)
{
    float on = s->lo[i] + s->hi[i], off = s->off[i];
    return on * (1 - c->on_share) > off * c->on_share && s->lo[i] > (float)HALF * off &&
           s->hi[i] > (float)HALF * off;
}

static bool greatest(const struct comb *c, const struct screened *s, unsigned channel, unsigned i)
{
    float on = s[channel].lo[i] + s[channel].hi[i];
    for (int d = -1; d <= 1; d += 2) {
        unsigned k = channel + (unsigned)d;
        if (k < c->channels && passes(c, &s[k], i) && (s[k].lo[i] + s[k].hi[i]) * BESIDE > on)
            return false;
    }
    return true;
}

static void look(struct comb *c, const struct screened *s, double zero)
{
    unsigned tries = 0;
    for (unsigned i = 0; i < COMB_HOP; i++)
        for (unsigned ch = 0; ch < c->channels && tries < TRIES; ch++) {
            if (!passes(c, &s[ch], i) || !greatest(c, s, ch, i))
                continue;
            struct window w = { .on = (double)s[ch].lo[i] + s[ch].hi[i], .off = s[ch].off[i] };
            struct comb_hit h;
            tries++;
            if (match(c, ch, FIRST + i, zero, &w, &h))
                add(c, &h);
        }
    c->tried += COMB_HOP * (uint64_t)c->channels;
    c->screened += tries;
}

void comb_spec(struct comb *c, const struct wide_spec *s, struct stand_list *out)
{
    struct screened sums[COMB_CHANNELS];
    if (!c->channels)
        return;
    comb_rows(c, s);
    for (unsigned ch = 0; ch < c->channels; ch++) {
        const float *p = c->p + 4 * ch * COMB_ROW + FIRST;
        const float *off = c->p + (c->lines + 2 * ch) * COMB_ROW + FIRST;
        c->sums->sums(p, COMB_ROW, 6, c->window, COMB_HOP, sums[ch].lo);
        c->sums->sums(p + 7 * COMB_ROW, COMB_ROW, 6, c->window, COMB_HOP, sums[ch].hi);
        c->sums->sums(off, COMB_ROW, 6, c->window, COMB_HOP, sums[ch].off);
    }
    double guard = (COMB_POINTS - COMB_HOP) / 2;
    double zero = (double)s->at + (guard - COMB_BEFORE) * c->per;
    look(c, sums, zero);
    tell(c, zero + (FIRST + COMB_HOP) * (double)c->per, out);
}

void comb_end(struct comb *c, struct stand_list *out)
{
    tell(c, INFINITY, out);
    c->hits = 0;
}
