// SPDX-License-Identifier: GPL-3.0-or-later
// Level, exact start and end, envelope.
//
// The extents a burst comes with are rough.  Its first sample is the one that maximises the
// likelihood of "noise before, signal after" (both exponential in power):
//
//     d[i] = p[i] (1/P0 - 1/P1) - ln(P1/P0)        log-likelihood ratio of one sample
//
//     sum of d from the middle outward:    ________/\        maximum = edge
//                                         /          \____
//
// Uncertainty: with B independent samples a second and divergences I0, I1 of the two laws, the
// argmax of such a walk spreads by about 1/I samples on either side:
//     sigma_t = 1/B sqrt(0.1 + 2.5/I0^2 + 2.5/I1^2)
// (0.1: a filter's edge is known to a third of 1/B; 2.5: spread of the argmax, found by drawing
// from the two laws, P1/P0 1.5 to 30).
#include "dsp/measure/measure.h"

#define EDGE_RATIO 30.0     // P1/P0 is held to this: a ramp, a leaking carrier or phase noise 15 dB
                            // down is not the burst
#define EDGE_DROP  20.0     // walk outside the rough extents ends after falling so far: e^-20

static double mean_power(const struct measurer *m, size_t a, size_t b)
{
    size_t from = (a + LOOK_BLOCK - 1) / LOOK_BLOCK, to = b / LOOK_BLOCK;
    if (b <= a)
        return 0;
    if (from >= to)
        return m->op->sum(m->p + a, b - a) / (double)(b - a);
    double s = m->op->sum(m->p + a, from * LOOK_BLOCK - a) +
               m->op->sum(m->blocks + from, to - from) +
               m->op->sum(m->p + to * LOOK_BLOCK, b - to * LOOK_BLOCK);
    return s / (double)(b - a);
}

// Noise per Hz: what the burst was told; what the margins hold when they are quieter, or when it
// was told nothing.
static double noise_density(const struct measurer *m, const struct look *l)
{
    double told = pow(10, l->b->noise_dbfs_hz / 10), band = look_noise_band(l);
    size_t guard = (size_t)(10e-6 * l->fs) + 2;     // rough extents: keep off the edges
    double least = INFINITY;
    if (l->i0 > 2 * guard + 32)
        least = mean_power(m, 2, l->i0 - guard) / band;
    if (l->whole && l->n > l->i1 + 2 * guard + 32)
        least = fmin(least, mean_power(m, l->i1 + guard, l->n - 2) / band);
    if (!isfinite(told) || told <= 0)
        return isfinite(least) ? least : 0;
    // Margins are short: believe them only where they say clearly less.
    return least > 0 && least < 0.7 * told ? least : told;
}

// Quietest stretch of [a, b): what is beside the burst when another transmission is near.  Two
// blocks are noise-like to 18 %.
static double quiet_power(const struct measurer *m, size_t a, size_t b)
{
    float least = INFINITY;
    for (size_t i = (a + LOOK_BLOCK - 1) / LOOK_BLOCK; (i + 2) * LOOK_BLOCK <= b; i++) {
        float now = m->blocks[i] + m->blocks[i + 1];
        least = now < least ? now : least;
    }
    return isfinite(least) ? (double)least / (2 * LOOK_BLOCK) : 0;
}

struct edge { double p0, p1, err_s; };

static void edge_laws(const struct look *l, double p1, struct edge *e)
{
    double r = e->p0 > 0 ? p1 / e->p0 : EDGE_RATIO;
    r = fmin(r, EDGE_RATIO);
    e->p1 = p1;
    e->p0 = p1 / r;
    double i1 = r - 1 - log(r), i0 = log(r) - 1 + 1 / r;
    double band = fmin(fmin(l->fs, l->in_fs), fmax(l->b->f_hi_hz - l->b->f_lo_hz, l->fs / 4));
    e->err_s = r > 1.05 ? sqrt(0.1 + 2.5 / (i0 * i0) + 2.5 / (i1 * i1)) / band : 1;
}

// A walk outward from the middle: sample by sample beyond the rough extents, where a fall by
// EDGE_DROP ends it; within them block by block, and by samples only where its top may lie.
//
//     mid --> |..|block|block| .. |block|..rough..............n
struct walk { const float *p; double a, c, sum, best; size_t at; };

static void walk_samples(struct walk *w, size_t from, size_t to, int step, double drop)
{
    for (size_t i = from; i != to; i += (size_t)step) {
        w->sum += w->p[i] * w->a - w->c;
        if (w->sum > w->best) {
            w->best = w->sum;
            w->at = i;
        }
        if (w->sum < w->best - drop)
            break;
    }
}

// Blocks from..to, the last of them left out.
static void walk_blocks(struct walk *w, const float *blocks, size_t from, size_t to, int step)
{
    double sum = w->sum, most = w->best, fall = LOOK_BLOCK * w->c;     // most: at blocks' ends
    double up = w->a > 0 ? w->a : 0, drift = w->c < 0 ? -fall : 0;      // of the most it may rise
    for (size_t i = from; i != to; i += (size_t)step) {
        sum += blocks[i] * w->a - fall;
        most = sum > most ? sum : most;
    }
    for (size_t i = from; i != to; i += (size_t)step) {
        size_t first = i * LOOK_BLOCK, last = first + LOOK_BLOCK - 1;
        double reach = w->sum + blocks[i] * up + drift + 0.1;           // 0.1: rounding
        if (reach > most && reach > w->best)
            walk_samples(w, step > 0 ? first : last, step > 0 ? last + 1 : first - 1, step,
                         INFINITY);
        else
            w->sum += blocks[i] * w->a - fall;
    }
}

// Walks from `mid` by step +-1; returns the last index that belongs to the burst.
static size_t edge_walk(const struct measurer *m, size_t mid, size_t n, size_t rough, int step,
                        const struct edge *e)
{
    struct walk w = { .p = m->p, .a = 1 / e->p0 - 1 / e->p1, .c = log(e->p1 / e->p0), .at = mid };
    size_t up = (mid + LOOK_BLOCK - 1) / LOOK_BLOCK, down = mid / LOOK_BLOCK;   // first blocks
    size_t i = mid;
    if (step > 0 && rough / LOOK_BLOCK > up) {
        walk_samples(&w, mid, up * LOOK_BLOCK, 1, INFINITY);
        i = rough / LOOK_BLOCK * LOOK_BLOCK;
        walk_blocks(&w, m->blocks, up, i / LOOK_BLOCK, 1);
    } else if (step < 0 && rough / LOOK_BLOCK + 1 < down) {
        walk_samples(&w, mid, down * LOOK_BLOCK - 1, -1, INFINITY);
        i = (rough / LOOK_BLOCK + 1) * LOOK_BLOCK - 1;
        walk_blocks(&w, m->blocks, down - 1, i / LOOK_BLOCK, -1);
    }
    size_t out = step > 0 ? (rough < n ? rough + 1 : n) : rough - 1;
    walk_samples(&w, i, out, step, INFINITY);
    walk_samples(&w, out, step > 0 ? n : (size_t)-1, step, EDGE_DROP);
    return w.at;
}

void level_edges(struct measurer *m, struct look *l, struct fingerprint *fp)
{
    const struct burst *b = l->b;
    m->op->power((const float *)l->x, l->n, m->p);
    m->op->sum_blocks(m->p, l->n / LOOK_BLOCK, m->blocks);
    l->n0_psd = noise_density(m, l);
    l->noise = l->n0_psd * look_noise_band(l);
    bool has_start = b->part == BURST_WHOLE || b->part == BURST_RUN_FIRST;
    bool has_end = (b->part == BURST_WHOLE || b->part == BURST_RUN_END) && l->whole;

    // The quarter in the middle is inside whatever the rough extents; its mean is the signal's
    // level.
    size_t len = l->i1 - l->i0, mid = l->i0 + len / 2;
    double p1 = mean_power(m, l->i0 + len / 8, l->i1 - len / 8);
    struct edge before = { .p0 = l->noise }, after = { .p0 = l->noise };
    size_t far = (size_t)(20e-6 * l->fs);           // local level beside the burst: other traffic
    if (l->i0 > far)
        before.p0 = fmax(before.p0, quiet_power(m, 0, l->i0 - far / 4));
    if (l->n > l->i1 + far)
        after.p0 = fmax(after.p0, quiet_power(m, l->i1 + far / 4, l->n));
    edge_laws(l, p1, &before);
    edge_laws(l, p1, &after);

    double start = (double)b->n0 / b->rate_hz, end = (double)b->n1 / b->rate_hz;
    double err0 = 0, err1 = 0;
    if (has_start && len > 8) {
        l->i0 = edge_walk(m, mid, l->n, l->i0, -1, &before);
        // On the air from the recording's first sample: nothing to be unsure of.
        bool near = (double)l->i0 < 2 + 4 * before.err_s * l->fs;
        bool cut_off = l->t0 <= 0 && near && (b->flags & BURST_AT_START);
        start = cut_off ? start : look_time(l, (double)l->i0 - 0.5);
        err0 = cut_off ? 0 : before.err_s;
    }
    if (has_end && len > 8) {
        l->i1 = edge_walk(m, mid, l->n, l->i1, +1, &after) + 1;
        bool near = (double)(l->n - l->i1) < 2 + 4 * after.err_s * l->fs;
        bool cut_off = near && (b->flags & BURST_AT_END);
        end = cut_off ? end : look_time(l, (double)l->i1 - 0.5);
        err1 = cut_off ? 0 : after.err_s;
    }
    if (b->part == BURST_RUN_END)
        start = (double)b->run_n0 / b->rate_hz;
    if (!l->whole && b->part == BURST_WHOLE)
        err1 = 20e-6;                               // its end lies outside the look: the rough one
    // A look's first sample covers half a sample before it: never before the recording's own.
    start = fmax(start, 0);
    end = fmax(end, start);
    fp->t_s = (struct meas){ start, err0 };
    fp->dur_s = (struct meas){ end - start, sqrt(err0 * err0 + err1 * err1) };
    l->power = fmax(0, mean_power(m, l->i0, l->i1) - l->noise);
}

// Envelope moments with the noise taken out.  For signal power S and noise N, independent:
// E p = S + N and var p = var s + 2 S N + N^2, so the coefficient of variation of the signal's
// power is known even at 0 dB; of the amplitude it is half of that while small.
void level_envelope(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e)
{
    size_t n = l->i1 - l->i0;
    double on = 0, s = l->power, nz = l->noise;
    if (n < 16 || !(s > 0))
        return;
    struct look_moments mo = m->op->moments(m->p + l->i0, n);
    // Share above half: over a short mean, so that noise and OFDM's own swing do not count.
    size_t w = (size_t)(4e-6 * l->fs);
    w = w < 4 ? 4 : w;
    for (size_t i = l->i0; i + w <= l->i1; i += w)
        on += mean_power(m, i, i + w) - nz > 0.5 * s;
    double mean = mo.sum / (double)n, var = mo.sum2 / (double)n - mean * mean;
    double sig = (var - 2 * s * nz - nz * nz) / (s * s);
    double band = fmax(l->occ_hi - l->occ_lo, l->fs / 16), indep = (double)n * band / l->fs + 1;
    // Spread of a sample variance of a noise-like power: sqrt(8/n) of (s+n)^2.
    double err = sqrt(8 / indep) * mean * mean / (s * s);
    double cv = 0.5 * sqrt(fmax(0, sig));
    fp->env_cv = (struct meas){ cv, fmin(1, err / (4 * fmax(cv, 0.25))) };
    fp->papr_db = (struct meas){ db_of(mo.top / mean), 4.34 / sqrt(indep) * 2 };
    fp->on_fraction = (struct meas){ on / fmax(1, floor((double)n / (double)w)),
                                     (double)w / (double)n };
    e->const_env = sig;
    e->const_env_err = err;
}
