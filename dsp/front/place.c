// SPDX-License-Identifier: GPL-3.0-or-later
//
//   power   __________        ________
//    of    |          |      |        |           valley: 10 dB below the lower of its sides, and
//   band   |          |______|        |           at least 8 us or 4 / width long
//       ___|                          |____
//      noise   piece    valley  piece
#include "dsp/front/place.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALLEY_DB    10.0
#define VALLEY_WIDE_DB 9.5      // ... where so many degrees of freedom make one value certain
#define WIDE_DOF     30
#define GAP_S        8e-6       // the shortest pause: below a Wi-Fi frame space (10 us)
// A signal wider than the capture (LTE in 1.92 MS/s): symbols without data are no pauses of it.
#define WIDER_RATE_HZ 5e6       // above, a signal that wide may be Wi-Fi, whose pauses count
#define GAP_WIDER_S  0.35e-3    // between the reference symbols of an idle cell 0.21 ms
// A slice of a chirp at the capture's edge is seen once a sweep (of up to 0.32 ms, ExpressLRS).
#define SLICE_HZ      0.6e6
#define SLICE_SHARE   0.05
#define GAP_CYCLES   4.0        // ... and no shorter than 4 / width
// Smoothing of the band power: so many 1 / width that noise-like signals do not seem to pause
// (10 degrees of freedom fall to a tenth once in 1e8), and fewer for edges.
#define SMOOTH_CYCLES 10.0
#define EDGE_CYCLES   2.0
#define LEVEL_SPANS   16        // smoothing lengths over which the level before a pause is known
#define SMOOTH_MAX    48        // hops
#define SMOOTH_WEAK   192       // ... for weak ones
#define CUT_SIGMAS    10.0
#define EDGE_SIGMAS   10.0
#define EDGE_HOPS     32        // from which the level at an edge is taken
#define EDGE_LEAST    0.15f     // of the mean level: no edge lies lower
#define QUANTILE_OF   1024      // values: its rank is known to 2 %
#define STILL_THERE   0.35f     // of what the band held before it was covered
#define ROWS_AROUND   2         // looked at before and after the stretch
#define ALIKE_PIECE   96        // hops, some 0.3 ms or five lines of video
#define ALIKE_HOPS    3         // smoothing for correlations: some 10 us, a video line's blanking

struct placer *placer_new(const struct grid *g, double longest_s)
{
    struct placer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->g = *g;
    p->ops = band_ops();
    p->max_hops = (unsigned)(longest_s / g->hop_s) + 16 * ROW_HOPS;
    p->power = calloc(p->max_hops, sizeof *p->power);
    p->smooth = calloc(p->max_hops, sizeof *p->smooth);
    p->sum = calloc(p->max_hops + 1, sizeof *p->sum);
    p->sort = calloc(p->max_hops + BAND_READ, sizeof *p->sort);
    p->spec = calloc(g->slow_n, sizeof *p->spec);
    if (!p->power || !p->smooth || !p->sum || !p->sort || !p->spec) {
        placer_free(p);
        return NULL;
    }
    return p;
}

void placer_free(struct placer *p)
{
    if (!p)
        return;
    free(p->power);
    free(p->smooth);
    free(p->sum);
    free(p->sort);
    free(p->spec);
    free(p);
}

// ---- Band power over time -------------------------------------------------------------------

// Fast channel that holds narrow channel k (8c lies at the centre of c).
static int fast_of(const struct grid *g, int k)
{
    int c = (k + 4) / 8;
    return c < 0 ? 0 : c >= (int)g->fast_n ? (int)g->fast_n - 1 : c;
}

// A window of band power: hops [h0, h0 + n) of the epoch.
struct series {
    uint64_t h0;
    unsigned n;
    double   noise, sigma;      // of the band; of one smoothed value
    unsigned width;             // fast channels
};

// Puts what the band held before in the place of covered rows and their neighbours, which the wider
// signal's edges touch.
static void hold(struct placer *p, const struct stretch *s, const struct series *r)
{
    float mean = 0;
    bool known = false;

    for (int pass = 0; pass < 2; pass++)        // the second fills what was covered at the head
        for (unsigned at = 0; at + ROW_HOPS <= r->n; at += ROW_HOPS) {
            uint64_t row = r->h0 / ROW_HOPS + at / ROW_HOPS;
            bool hidden = stretch_hidden(s, row);
            float sum = 0;
            for (unsigned j = 0; j < ROW_HOPS; j++)
                sum += p->power[at + j];
            if (!hidden) {
                mean = known ? mean + 0.2f * (sum / ROW_HOPS - mean) : sum / ROW_HOPS;
                known = true;
            }
            if (hidden && sum < STILL_THERE * ROW_HOPS * mean)
                continue;               // less than it alone would be: it has ended, there is none
            for (unsigned j = 0; hidden && known && j < ROW_HOPS; j++)
                p->power[at + j] = mean;
            if (pass && known)
                return;
        }
}

// Running sums, for any smoothing.
static void sum_up(struct placer *p, unsigned n)
{
    double sum = 0;

    p->sum[0] = 0;
    for (unsigned i = 0; i < n; i++)
        p->sum[i + 1] = sum += p->power[i];
}

static struct series load(struct placer *p, const struct place_in *in, const struct stretch *s)
{
    const struct cells *c = in->cells;
    uint64_t from = s->row0 > ROWS_AROUND ? s->row0 - ROWS_AROUND : 0, to = s->row1 + ROWS_AROUND;
    int c0 = fast_of(&p->g, s->lo), c1 = fast_of(&p->g, s->hi - 1) + 1;
    struct series r = { .h0 = from * ROW_HOPS, .width = (unsigned)(c1 - c0) };

    if (c->rows > c->g.ring && from < c->rows - c->g.ring)
        from = c->rows - c->g.ring;
    r.h0 = from * ROW_HOPS;
    if (to > c->rows)
        to = c->rows;
    for (int k = c0; k < c1; k++)
        r.noise += in->floor_fast[k];
    for (uint64_t row = from; row < to && r.n + ROW_HOPS <= p->max_hops; row++) {
        p->ops->sums(cells_fast(c, row) + c0, p->g.fast_n, ROW_HOPS, r.width, (float)r.noise,
                     p->power + r.n);
        for (unsigned j = 0; j < ROW_HOPS && (double)(row * ROW_HOPS + j) + 0.5 < s->told; j++)
            p->power[r.n + j] = 0;
        r.n += ROW_HOPS;
    }
    if (s->cover)
        hold(p, s, &r);
    sum_up(p, r.n);
    return r;
}

static void smooth(const struct placer *p, unsigned n, unsigned by, float *ret)
{
    p->ops->means(p->sum, n, by, ret);
}

// Of a smoothed series, which changes little from one value to the next: some are enough.
static float quantile(struct placer *p, const float *x, unsigned n, double q)
{
    unsigned step = n / QUANTILE_OF + 1, m = 0;

    for (unsigned i = step / 2; i < n; i += step)
        p->sort[m++] = x[i];
    return p->ops->nth(p->sort, m, (unsigned)(q * (m - 1)));
}

static unsigned smoothing(const struct placer *p, double width_hz, double cycles)
{
    double n = ceil(cycles / (width_hz * p->g.hop_s));
    return n < 1 ? 1 : n > SMOOTH_MAX ? SMOOTH_MAX : (unsigned)n;
}

// ---- Pieces ---------------------------------------------------------------------------------

static double to_db(double x) { return 10 * log10(x); }

// Where x crosses level between index i-1 (below) and i (at or above), going either way.
static double cross(const float *x, unsigned i, int dir, unsigned n, float level)
{
    int j = (int)i - dir;
    if (j < 0 || j >= (int)n || x[j] >= level)
        return i;
    float t = (level - x[j]) / (x[i] - x[j]);
    return j + dir * (double)t;
}

// Mean power near one end of [a, b): over up to EDGE_HOPS from the outermost hop that clearly holds
// power.  The level may fade along a burst; its edge is half of what it is there.
static float end_level(const float *x, unsigned a, unsigned b, int dir, float clear)
{
    unsigned n = 0, len = (b - a) / 3 + 1 < EDGE_HOPS ? (b - a) / 3 + 1 : EDGE_HOPS;
    float sum = 0;

    for (unsigned k = 0; k < b - a && n < len; k++) {
        float v = x[dir > 0 ? a + k : b - 1 - k];
        if (v > clear) {
            sum += v;
            n++;
        }
    }
    return n ? sum / (float)n : clear;
}

// Edges of the burst whose power lies within [a, b) of the smoothed series.
static struct piece edges(struct placer *p, const struct series *s, const float *x, unsigned a,
                          unsigned b, double ground)
{
    struct piece r = { 0 };
    float top = quantile(p, x + a, b - a, 0.9), sum = 0;
    unsigned i = a, j = b - 1, n = 0;

    for (unsigned k = a; k < b; k++)
        if (x[k] > 0.25f * top) {
            sum += x[k];
            n++;
        }
    r.level = n ? sum / (float)n : top;
    float clear = fmaxf(EDGE_LEAST * r.level, fminf(0.5f * r.level, (float)ground));
    float up = 0.5f * end_level(x, a, b, 1, clear), down = 0.5f * end_level(x, a, b, -1, clear);
    up = fmaxf(up, EDGE_LEAST * r.level);
    down = fmaxf(down, EDGE_LEAST * r.level);
    while (i < j && x[i] < up)
        i++;
    while (j > i && x[j] < down)
        j--;
    // Hop h is centred on h + 1/2.
    r.h0 = (double)s->h0 + cross(x, i, 1, s->n, up) + 0.5;
    r.h1 = (double)s->h0 + cross(x, j, -1, s->n, down) + 0.5;
    return r;
}

bool place_wider(const struct grid *g, int lo, int hi)
{
    return g->rate_hz <= WIDER_RATE_HZ && (hi - lo) * g->slow_hz > 0.85 * g->rate_hz;
}

// ... or on one, and little of it is seen?
static bool is_slice(const struct grid *g, int lo, int hi)
{
    double width = (hi - lo) * g->slow_hz;

    return (lo < g->edge + 2 || hi > (int)g->slow_n - g->edge - 2) && width < SLICE_HZ &&
           width < SLICE_SHARE * g->rate_hz;
}

// Hops to smooth over so that `top` stands out by so many standard errors; `one`: of one hop.
static unsigned enough(unsigned n, double one, double top, double sigmas)
{
    double need = top > 0 ? sigmas * one / top : 0;

    need = fmin(ceil(need * need), SMOOTH_WEAK);
    return need > n ? (unsigned)need : n;
}

unsigned place_split(struct placer *p, const struct place_in *in, const struct stretch *s,
                     struct piece *ret)
{
    double width = (s->hi - s->lo) * p->g.slow_hz;
    struct series r = load(p, in, s);
    unsigned by = smoothing(p, width, SMOOTH_CYCLES), fine = smoothing(p, width, EDGE_CYCLES);
    unsigned n = 0;

    if (r.n < 2)
        return 0;
    double one = r.noise / sqrt(0.5 * r.width), top = 0;
    // As long again as a weak one needs to stand out of its noise; twice, since what little
    // smoothing leaves of the noise makes the top seem higher.
    for (int pass = 0; pass < 2; pass++) {
        smooth(p, r.n, by, p->smooth);
        top = fmax(quantile(p, p->smooth, r.n, 0.95), 0);
        // The signal beats with the noise: its own power is the less certain the stronger it is.
        by = enough(by, one * sqrt(1 + 2 * top / (r.noise + 1e-30)), top, CUT_SIGMAS);
    }
    fine = enough(fine, one, top, EDGE_SIGMAS);
    smooth(p, r.n, by, p->smooth);
    double sigma = one / sqrt(by);
    double ground = fmax(fmax(0.1 * r.noise, 3 * sigma), 1e-5 * top) + 1e-30;
    double most = 0.5 * r.width * by > WIDE_DOF ? VALLEY_WIDE_DB : VALLEY_DB;
    double depth = fmin(most, fmax(3, 0.7 * to_db((top + ground) / ground)));
    double ratio = fmin(pow(10, -0.1 * depth), 1 - 6 * sigma / (top + ground));
    double gap = fmax(GAP_S, GAP_CYCLES / width) / p->g.hop_s;
    if (place_wider(&p->g, s->lo, s->hi) || is_slice(&p->g, s->lo, s->hi))
        gap = GAP_WIDER_S / p->g.hop_s;

    // A valley begins `depth` below the mean of what was before it and ends once the power has
    // risen `depth` above its lowest.  cut[] are the deepest points of valleys.
    unsigned cut[PIECES_MAX + 1], n_cut = 0, low_at = 0, since = 0;
    double level = 0, low = 0, share = 1.0 / (LEVEL_SPANS * by);
    bool falling = false;
    for (unsigned i = 0; i < r.n; i++) {
        double x = fmax(p->smooth[i], 0) + ground;
        if (!falling) {
            if (x * ratio > level)              // a rise: begin anew
                since = 0;
            since += since < LEVEL_SPANS * by;
            level += (x - level) * (since < LEVEL_SPANS * by ? 1.0 / since : share);
            if (x < level * ratio) {
                falling = true;
                low = x;
                low_at = i;
            }
        } else if (x < low) {
            low = x;
            low_at = i;
        } else if (x * ratio > low) {
            if (n_cut < PIECES_MAX - 1)
                cut[n_cut++] = low_at;
            falling = false;
            since = 1;
            level = x;
        }
    }
    cut[n_cut] = r.n;

    smooth(p, r.n, fine, p->smooth);
    unsigned from = 0;
    for (unsigned i = 0; i <= n_cut; i++) {
        unsigned to = cut[i];
        if (to <= from)
            continue;
        struct piece e = edges(p, &r, p->smooth, from, to, ground);
        from = to;
        if (e.level <= 0 || e.h1 <= e.h0)
            continue;
        if (n && e.h0 - ret[n - 1].h1 < gap - 1) {      // no pause worth the name
            ret[n - 1].h1 = e.h1;
            continue;
        }
        ret[n++] = e;
    }
    if (n) {
        double end = (double)s->row1 * ROW_HOPS;
        ret[n - 1].open_end = !falling && ret[n - 1].h1 >= end - 2;
    }
    return n;
}

// Of n pairs.
static double correlate(const float *a, const float *b, unsigned n)
{
    double x = 0, y = 0, xx = 0, yy = 0, xy = 0;

    for (unsigned i = 0; i < n; i++) {
        x += a[i];
        y += b[i];
    }
    x /= n;
    y /= n;
    for (unsigned i = 0; i < n; i++) {
        double u = a[i] - x, v = b[i] - y;
        xx += u * u;
        yy += v * v;
        xy += u * v;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

double place_correlation(struct placer *p, const struct place_in *in, const struct stretch *a,
                         const struct stretch *b)
{
    struct series r = load(p, in, a);
    smooth(p, r.n, ALIKE_HOPS, p->sort);
    struct series q = load(p, in, b);
    smooth(p, q.n, ALIKE_HOPS, p->smooth);
    unsigned n = r.n < q.n ? r.n : q.n, pieces = 0;
    double sum = 0;

    // Piece by piece: two packets one after the other take turns once, video in every piece.
    for (unsigned at = 0; at + ALIKE_PIECE <= n; at += ALIKE_PIECE) {
        sum += correlate(p->sort + at, p->smooth + at, ALIKE_PIECE);
        pieces++;
    }
    return pieces ? sum / pieces : 0;
}
