// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/front/track.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/kernel/wola.h"

#define BOXES       512         // open at once
#define SEGMENTS    1024        // in one row
#define BRIDGE      3           // narrow channels that a segment may miss: weak noise-like signals have holes
#define GAP_ROWS    2           // rows a box stays open without a segment; place.c splits what should not join
#define GAP_SHARE   0.2         // ... or this share of its length: weak ones have holes
#define GAP_MAX_S   1e-3
#define YOUNG       4           // rows: a box that has hardly begun may still change its width
#define SETTLED     60          // rows (2 ms): two such boxes are never merged by a segment over both
#define NARROW_HZ   360e3       // both below: widths need not be alike
#define WIDTH_RATIO 4.0
#define NEST_DB     8.0         // one on top of the other: told apart by their density
// What lies within SKIRT_WIDTH of its own widths beside something so much denser are its skirts;
// right beside it (a third of that) less will do: an OFDM signal that nobody filtered.
#define SKIRT_WIDTH 0.6
#define SKIRT_DB    20.0
#define SHOULDER_DB 13.0
#define KNOWN       8           // rows from which a box knows its density
#define REST_SHARE  0.3         // of a box's power beside a dense part of it: the rest has gone there
#define SAME_POWER  1.5
#define MUCH_SHARE  0.35
#define THIN_DB     8.0         // between rows of one narrow signal
#define PROMINENT   3.0         // denser than what surrounds it: something else
#define GROW_SHARE  1.2         // a step so small needs no proof
#define GROW_ROWS   3
#define JUMP_DB     10.0        // nothing changes level so much and width twofold at once
#define FLAT_DB     1.5         // so alike in density: one flat spectrum that changed its width
#define FLAT_HZ     150e3       // ... which a line is not: one block of LTE has 180 kHz
#define SAME_DB     3.0
#define JUMP_HZ     1.5e6       // farthest that a chirp or a tone jumps ...
#define JUMP_WIDTHS 8.0         // ... in widths of what one row shows of it
// Pieces that are none: too weak for their size to be told from noise (threefold standard error of
// their mean, and -6 dB), or an impulse (switching noise, sparks): shorter than any frame, the
// shortest being a Wi-Fi acknowledgement of 24 us, or short and filling most of the capture.
#define WEAK_SIGMAS 3.0
#define WEAK_LEAST  0.25
#define IMPULSE_S   20e-6
#define IMPULSE_WIDE_S 60e-6
#define IMPULSE_SHARE  0.5
#define IMPULSE_HZ  5e6         // above this a capture may hold a whole frame so short and wide
#define SAME_SHARE  0.6
#define TURNS       -0.35       // correlation of two boxes' powers: they take turns
#define TURNS_HZ    3e6
#define TURNS_S     0.004
#define CHECK_S     0.008       // how often an open box is looked at for pauses

// nested: on top of a wider one, or under a narrower one, in the same row.
// skirt: beside something far stronger.
struct seg { int lo, hi; double power, density; bool nested, skirt, taken; };

#define BIN          8          // narrow channels, one fast channel
#define SPLIT_DB     8.0        // a run with less on top is one segment
#define EMPTY        1.2        // mean over noise of a segment that is none ...
#define EMPTY_BINS   16         // ... where it is wide enough to tell: 64 degrees of freedom
#define STEP_DB      15.0       // below the top by so much, or by half of it: another signal, or skirts

// Sums over the cells of one bin of the row.
struct bin { float power, density; uint8_t taken; };

struct box {
    uint64_t start, last;       // first and last row with a segment
    uint64_t seen;              // last row with a segment of its own
    uint64_t full;              // last row that joined by width, not as a fading tail
    uint64_t checked;           // rows up to here hold no pause
    double   told;              // hop up to which pieces have been told
    int      lo, hi;
    int      now_lo, now_hi;    // this row's, now_hi < 0: none
    bool     now_full;
    double   now_cells, now_density, now_power;
    double   row_power;         // of all segments in its band this row
    bool     present;           // this row holds enough like it to be it, in however many pieces
    bool     covered;           // this row: under something wider
    double   width_sum, density_sum, power_sum;
    unsigned rows;
    unsigned grow;              // rows in a row that wanted it wider
    bool     wants;             // this row does
    uint32_t flags;
    uint64_t run;               // number of the run, 0: not one (yet)
    uint64_t run_n0;
    unsigned run_part;          // parts told so far
    uint64_t cover[COVER_ROWS / 64];    // rows it was covered in
};

struct tracker {
    struct grid    g;
    struct placer *placer;
    struct box     box[BOXES];
    unsigned       n_box;
    struct seg     seg[SEGMENTS];
    unsigned       n_seg;
    uint64_t       row, runs;
    bool           after_gap;
    struct piece   piece[PIECES_MAX];
    struct bin    *bin;             // [slow_n / BIN + 1]
    uint8_t       *strong;
};

struct tracker *tracker_new(const struct grid *g)
{
    struct tracker *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->g = *g;
    t->placer = placer_new(g, DSP_RUN_S + 2 * CHECK_S);
    t->bin = calloc(g->slow_n / BIN + 2, sizeof *t->bin);
    t->strong = calloc(g->slow_n / BIN + 2, 1);
    if (!t->placer || !t->bin || !t->strong) {
        tracker_free(t);
        return NULL;
    }
    return t;
}

void tracker_free(struct tracker *t)
{
    if (!t)
        return;
    placer_free(t->placer);
    free(t->bin);
    free(t->strong);
    free(t);
}

void tracker_begin(struct tracker *t, bool after_gap)
{
    t->n_box = 0;
    t->row = 0;
    t->after_gap = after_gap;
}

uint64_t tracker_done(const struct tracker *t)
{
    uint64_t done = t->row;

    for (unsigned i = 0; i < t->n_box; i++) {
        const struct box *b = &t->box[i];
        uint64_t from = b->run ? b->checked : b->start;
        done = from < done ? from : done;
    }
    return done > GAP_ROWS + 4 ? done - GAP_ROWS - 4 : 0;
}

static uint64_t rows_of(const struct tracker *t, double s) { return (uint64_t)(s / t->g.row_s); }

// ---- Candidates out -------------------------------------------------------------------------

static struct cand *add(struct cand_list *out, const struct box *b)
{
    if (out->n == CAND_MAX) {
        out->dropped++;
        return NULL;
    }
    struct cand *c = &out->c[out->n++];
    *c = (struct cand){ .hyp = HYP_ENERGY, .flags = b->flags, .run = b->run, .run_n0 = b->run_n0 };
    return c;
}

static struct stretch stretch_of(const struct box *b, uint64_t row0, uint64_t row1)
{
    return (struct stretch){ .row0 = row0, .row1 = row1, .lo = b->lo, .hi = b->hi,
                             .told = b->told, .cover = b->cover };
}

static bool is_nothing(const struct tracker *t, const struct cand *c)
{
    double len_s = (double)(c->n1 - c->n0) / t->g.rate_hz, bw = c->f_hi_hz - c->f_lo_hz;
    double least = fmax(WEAK_LEAST, WEAK_SIGMAS / sqrt(fmax(1, len_s * bw)));

    return pow(10, 0.1 * c->snr_db) < least ||
           len_s < IMPULSE_S || (len_s < IMPULSE_WIDE_S && t->g.rate_hz < IMPULSE_HZ &&
                                 bw > IMPULSE_SHARE * t->g.rate_hz);
}

static void tell_piece(struct tracker *t, const struct place_in *in, const struct box *b,
                       const struct stretch *s, const struct piece *e, enum burst_part part,
                       struct cand_list *out)
{
    struct cand *c = add(out, b);
    if (!c)
        return;
    c->part = part;
    place_measure(t->placer, in, s, e, c);
    if (part == BURST_WHOLE && is_nothing(t, c)) {
        out->n--;
        return;
    }
    // Flags of the box's ends belong to the pieces at its ends.
    uint64_t end = in->cells->origin + in->cells->samples;
    double row = t->g.row;
    if ((double)(c->n0 - in->cells->origin) > row || (c->run && part != BURST_RUN_FIRST))
        c->flags &= ~(uint32_t)BURST_AT_START;
    if ((double)(end - c->n1) > row)
        c->flags &= ~(uint32_t)BURST_AT_END;
    if (c->n0 - in->cells->origin > row && (double)(end - c->n1) > row)
        c->flags &= ~(uint32_t)BURST_TOUCHES_GAP;
    if (!c->run)
        c->run_n0 = c->n0;
}

// A part of a run: [from, to) in samples of the epoch.
static void tell_part(struct tracker *t, const struct place_in *in, struct box *b, double from,
                      double to, enum burst_part part, struct cand_list *out)
{
    struct piece e = { .h0 = from / t->g.hop, .h1 = to / t->g.hop };
    struct stretch s = stretch_of(b, (uint64_t)(from / t->g.row), (uint64_t)(to / t->g.row) + 1);

    tell_piece(t, in, b, &s, &e, part, out);
    b->run_part++;
}

static void begin_run(struct tracker *t, const struct place_in *in, struct box *b,
                      const struct piece *e, struct cand_list *out)
{
    double from = fmax(e->h0, 0) * t->g.hop;

    b->run = ++t->runs;
    b->run_n0 = in->cells->origin + (uint64_t)from;
    b->run_part = 0;
    tell_part(t, in, b, from, from + DSP_RUN_PART_S * t->g.rate_hz, BURST_RUN_FIRST, out);
}

static void run_parts(struct tracker *t, const struct place_in *in, struct box *b,
                      struct cand_list *out)
{
    double start = (double)(b->run_n0 - in->cells->origin);
    double from = start + b->run_part * DSP_RUN_STEP_S * t->g.rate_hz;
    double to = from + DSP_RUN_PART_S * t->g.rate_hz;

    if (to <= (double)b->checked * t->g.row)
        tell_part(t, in, b, from, to, BURST_RUN_MORE, out);
}

static void end_run(struct tracker *t, const struct place_in *in, struct box *b, double end,
                    struct cand_list *out)
{
    double start = (double)(b->run_n0 - in->cells->origin);
    double from = fmax(start, end - DSP_RUN_PART_S * t->g.rate_hz);

    tell_part(t, in, b, from, fmax(end, from + 1), BURST_RUN_END, out);
    b->run = 0;
}

// Looks for pauses in rows [.., upto) of a box and tells what they close.  closing: the box ends
// there.  A box that stays open keeps its last piece.
static void check(struct tracker *t, const struct place_in *in, struct box *b, uint64_t upto,
                  bool closing, struct cand_list *out)
{
    uint64_t from = b->start;
    if (b->run)             // look back far enough to know what its power was
        from = b->checked > b->start + rows_of(t, CHECK_S) ? b->checked - rows_of(t, CHECK_S)
                                                           : b->start;
    struct stretch s = stretch_of(b, from, upto);
    unsigned n = place_split(t->placer, in, &s, t->piece);
    unsigned keep = !closing && n && (t->piece[n - 1].open_end ||
                    t->piece[n - 1].h1 >= ((double)upto - 2) * ROW_HOPS);

    for (unsigned i = 0; i < n; i++) {
        struct piece *e = &t->piece[i];
        bool open = keep && i == n - 1;
        if (b->run && i == 0 && open)
            break;
        if (!open)
            b->told = e->h1 + 1;
        if (b->run && i == 0) {
            end_run(t, in, b, e->h1 * t->g.hop, out);
            continue;
        }
        double len_s = (e->h1 - e->h0) * t->g.hop_s;
        if (open) {
            b->start = (uint64_t)fmax(0, e->h0 / ROW_HOPS);
            if (len_s > DSP_RUN_S)
                begin_run(t, in, b, e, out);
        } else if (len_s > DSP_RUN_S) {
            begin_run(t, in, b, e, out);
            end_run(t, in, b, e->h1 * t->g.hop, out);
        } else {
            tell_piece(t, in, b, &s, e, BURST_WHOLE, out);
        }
    }
    if (!keep && n)
        b->start = (uint64_t)fmax(0, ceil(t->piece[n - 1].h1 / ROW_HOPS));
    if (!n && b->run && closing)
        end_run(t, in, b, (double)upto * t->g.row, out);
    b->checked = upto;
}

// ---- Segments of a row ----------------------------------------------------------------------

static void profile(struct tracker *t, const struct place_in *in, int lo, int hi)
{
    const uint16_t *x = cells_slow(in->cells, t->row);
    const float *f = in->floor_slow;

    for (int at = lo, j = 0; at < hi; at += BIN, j++) {
        int end = at + BIN < hi ? at + BIN : hi;
        float power = 0, density = 0;
        for (int k = at; k < end; k++) {
            float p = wola_unpack(x[k]);
            power += p - f[k];
            density += p / f[k];
        }
        t->bin[j] = (struct bin){ .power = power, .density = density / (float)(end - at) };
    }
}

// Bins [a, b) as one segment, without those taken.
static void add_segment(struct tracker *t, int lo, int hi, int a, int b, bool nested)
{
    int end = lo + b * BIN;
    if (t->n_seg == SEGMENTS)
        return;
    struct seg *s = &t->seg[t->n_seg++];

    *s = (struct seg){ .lo = lo + a * BIN, .hi = end < hi ? end : hi, .nested = nested };
    int n = 0;
    for (int j = a; j < b; j++)
        if (!t->bin[j].taken) {
            s->power += t->bin[j].power;
            s->density += t->bin[j].density;
            n++;
        }
    s->density /= n ? n : 1;
    // A wide tile that its neighbours' skirts lifted over the threshold: nothing there in this row.
    if (s->density < EMPTY && n >= EMPTY_BINS)
        t->n_seg--;
}

// Mean density over three bins.
static float around(const struct tracker *t, int j, int a, int b)
{
    float sum = 0, n = 0;
    for (int i = j > a ? j - 1 : a; i <= j + 1 && i < b; i++)
        if (!t->bin[i].taken) {
            sum += t->bin[i].density;
            n++;
        }
    return n > 0 ? sum / n : 0;
}

// One run of marked cells is one signal, or a strong one on a wide weak one, or one with skirts:
//
//        ___                     ________
//    ___|   |____________      _|        |_       a step of 15 dB tells them apart
//    ^ pedestal: own segment     ^ skirts: nobody's
static void split_run(struct tracker *t, int lo, int hi, int a, int b, int depth)
{
    float top = 0;
    int n_strong = 0, n_weak = 0;

    for (int j = a; j < b; j++)
        if (!t->bin[j].taken)
            top = fmaxf(top, around(t, j, a, b));
    double top_db = 10 * log10(fmax(top, 1));
    float cut = (float)pow(10, 0.1 * fmax(top_db - STEP_DB, top_db / 2));
    for (int j = a; j < b; j++) {
        t->strong[j] = !t->bin[j].taken && around(t, j, a, b) >= cut;
        n_strong += t->strong[j];
        n_weak += !t->bin[j].taken && !t->strong[j];
    }
    if (top_db < SPLIT_DB || n_weak < 2 || depth == 3 || b - a < 4) {
        add_segment(t, lo, hi, a, b, depth > 0);
        return;
    }
    bool pedestal = n_weak > 2 * n_strong;
    int first = -1, last = -1, runs = 0;
    for (int j = a; j <= b; j++) {
        bool on = j < b && t->strong[j];
        if (on && first < 0)
            first = j;
        if (on)
            last = j;
        // A notch narrower than what lies left of it belongs to it.
        bool gap = j == b || j - last > (pedestal ? 1 : last - first + 1);
        if (first >= 0 && !on && gap) {
            add_segment(t, lo, hi, first, last + 1, pedestal);
            runs++;
            for (int i = first; i <= last; i++)
                t->bin[i].taken = 1;
            if (!pedestal && runs == 1 && first - a > n_strong)
                split_run(t, lo, hi, a, first, depth + 1);
            first = -1;
        }
    }
    if (pedestal)
        split_run(t, lo, hi, a, b, depth + 1);
    else if (b - last - 1 > n_strong)
        split_run(t, lo, hi, last + 1, b, depth + 1);
}

static void add_run(struct tracker *t, const struct place_in *in, int lo, int hi)
{
    profile(t, in, lo, hi);
    split_run(t, lo, hi, 0, (hi - lo + BIN - 1) / BIN, 0);
}

static void find_segments(struct tracker *t, const struct place_in *in)
{
    const uint8_t *m = cells_mask(in->cells, t->row);
    int n = (int)t->g.slow_n, lo = -1, last = 0;

    t->n_seg = 0;
    for (int k = 0; k < n; k++) {
        if (!m[k]) {
            // Eight empty cells at once; slow_n is a multiple of 8.
            uint64_t eight;
            if (k % 8 == 0) {
                memcpy(&eight, m + k, 8);
                if (!eight)
                    k += 7;
            }
            continue;
        }
        if (lo >= 0 && k - last > BRIDGE + 1) {
            add_run(t, in, lo, last + 1);
            lo = -1;
        }
        if (lo < 0)
            lo = k;
        last = k;
    }
    if (lo >= 0)
        add_run(t, in, lo, last + 1);
}

static double distance(int lo1, int hi1, int lo2, int hi2)
{
    return lo1 >= hi2 ? lo1 - hi2 : lo2 >= hi1 ? lo2 - hi1 : 0;
}

// How much denser y must be for x at distance d (narrow channels) to be its skirts, in dB.
static double skirt_db(const struct tracker *t, const struct seg *x, const struct seg *y, double d)
{
    double w = y->hi - y->lo, hz = t->g.slow_hz;

    if (x->hi - x->lo < w && d > 0 && d < SKIRT_WIDTH * w)
        return d < SKIRT_WIDTH / 3 * w ? SHOULDER_DB : SKIRT_DB;
    if (d * hz < 2 * w * hz + 300e3)
        return 28;
    return d * hz < 10 * w * hz + 1e6 ? 38 : 60;
}

// Segments beside, or under, a stronger one in the same row.
static void find_skirts(struct tracker *t)
{
    for (unsigned i = 0; i < t->n_seg; i++)
        for (unsigned k = 0; k < t->n_seg && !t->seg[i].skirt; k++) {
            const struct seg *x = &t->seg[i], *y = &t->seg[k];
            double d = distance(x->lo, x->hi, y->lo, y->hi);
            t->seg[i].skirt = y->density > x->density &&
                              y->density > x->density * pow(10, 0.1 * skirt_db(t, x, y, d));
        }
}

// ---- Joining --------------------------------------------------------------------------------

static double mean_width(const struct box *b) { return b->rows ? b->width_sum / b->rows : 1; }
static double mean_density(const struct box *b) { return b->rows ? b->density_sum / b->rows : 1; }
static double mean_power(const struct box *b) { return b->rows ? b->power_sum / b->rows : 0; }

static bool within_db(double a, double b, double db)
{
    return a > 0 && b > 0 && fabs(10 * log10(a / b)) <= db;
}

static double density_of(const struct tracker *t, const struct place_in *in, int lo, int hi)
{
    const uint16_t *x = cells_slow(in->cells, t->row);
    double sum = 0;

    for (int k = lo; k < hi; k++)
        sum += wola_unpack(x[k]) / in->floor_slow[k];
    return hi > lo ? sum / (hi - lo) : 0;
}

// Does segment s look like box b going on, although one is much wider than the other?
static bool same_signal(const struct tracker *t, const struct place_in *in, const struct box *b,
                        const struct seg *s)
{
    double ws = s->hi - s->lo, wb = mean_width(b);

    if (within_db(s->power, mean_power(b), SAME_DB)) {
        // The same power spread otherwise: FM.  Under a wider signal the narrow one would still
        // stand at its own place.
        double core = density_of(t, in, b->lo, b->hi);
        if (ws < wb || core < 0.35 * mean_density(b))
            return true;
    }
    if (t->row - b->start > rows_of(t, 0.010) || fmin(ws, wb) * t->g.slow_hz < FLAT_HZ)
        return false;
    if (ws < wb)
        return false;
    double core = density_of(t, in, b->lo, b->hi);
    double all = s->density * ws, rest = (all - core * (b->hi - b->lo)) / fmax(1, ws - (b->hi - b->lo));
    return within_db(core, rest, FLAT_DB) && within_db(core, mean_density(b), SAME_DB);
}

// Is segment s, much wider than young box b, only what b begins to be?  Not where b stands out of it.
static bool swallows(const struct tracker *t, const struct place_in *in, const struct box *b,
                     const struct seg *s)
{
    double own = b->hi - b->lo, core = density_of(t, in, b->lo, b->hi);
    double rest = (s->density * (s->hi - s->lo) - core * own) / fmax(1, s->hi - s->lo - own);

    return core < PROMINENT * rest;
}

static bool fits(const struct tracker *t, const struct place_in *in, const struct box *b,
                 const struct seg *s)
{
    double ws = s->hi - s->lo, wb = mean_width(b), narrow = NARROW_HZ / t->g.slow_hz;

    bool thin = ws <= narrow && wb <= narrow;

    if (!b->rows)
        return true;
    // The same power, more or less spread: a tone that dwells or moves, a carrier that rests.
    if (ws < wb && within_db(s->power, mean_power(b), SAME_DB) &&
        (!s->nested || b->row_power - s->power < REST_SHARE * mean_power(b)))
        return true;
    // All of the band's power is no more than ever, and much of it is here: it has moved, not grown.
    if (ws < wb && b->rows >= YOUNG && b->row_power < SAME_POWER * mean_power(b) &&
        s->power > MUCH_SHARE * mean_power(b))
        return true;
    if (!s->nested && thin && within_db(s->power, mean_power(b), THIN_DB))
        return true;
    if (s->nested && b->rows >= 2 && !within_db(s->density, mean_density(b), NEST_DB))
        return false;
    if (b->rows >= KNOWN && !within_db(s->density, mean_density(b), JUMP_DB) &&
        (ws > 2 * wb || wb > 2 * ws))
        return false;
    if (b->rows < YOUNG)
        return ws <= WIDTH_RATIO * wb || swallows(t, in, b, s);
    if (thin || (ws <= WIDTH_RATIO * wb && wb <= WIDTH_RATIO * ws))
        return true;
    if (ws < wb && b->present && within_db(s->density, mean_density(b), JUMP_DB))
        return true;            // one of its fragments
    return same_signal(t, in, b, s);
}

// A box that knows itself widens only for what lasts: the first and last row of a wider signal come
// in fragments, and some of them look like it.
static void grow(struct box *b, const struct seg *s)
{
    int lo = s->lo < b->lo ? s->lo : b->lo, hi = s->hi > b->hi ? s->hi : b->hi;
    bool more = hi - lo > b->hi - b->lo + 2 && hi - lo > GROW_SHARE * (b->hi - b->lo);

    b->wants = b->wants || more;
    if (more && b->rows >= KNOWN && b->grow < GROW_ROWS)
        return;
    b->lo = lo;
    b->hi = hi;
}

static void join(struct tracker *t, struct box *b, struct seg *s, bool full)
{
    s->taken = true;
    if (b->now_hi < 0) {
        b->now_lo = s->lo;
        b->now_hi = s->hi;
    }
    b->now_lo = s->lo < b->now_lo ? s->lo : b->now_lo;
    b->now_hi = s->hi > b->now_hi ? s->hi : b->now_hi;
    grow(b, s);
    b->last = b->seen = t->row;
    if (full)
        b->full = t->row;
    b->now_full = b->now_full || full;
    b->now_cells += s->hi - s->lo;
    b->now_density += s->density * (s->hi - s->lo);
    b->now_power += s->power;
}

// The row is complete: what the box was in it goes into its means.
static void end_row(struct box *b)
{
    if (!b->now_full || b->now_cells <= 0)
        return;
    b->width_sum += b->now_cells;
    b->density_sum += b->now_density / b->now_cells;
    b->power_sum += b->now_power;
    b->rows++;
}

// b takes over a.
static void merge(struct tracker *t, struct box *b, struct box *a)
{
    if (a->run && (!b->run || a->run_n0 < b->run_n0)) {
        // Runs are told apart by number; the older goes on, the younger ends silently in it.
        b->run = a->run;
        b->run_n0 = a->run_n0;
        b->run_part = a->run_part;
        b->checked = a->checked;
    }
    if (a->start < b->start) {          // what the older one has told counts
        b->start = a->start;
        b->told = a->told;
    }
    b->last = a->last > b->last ? a->last : b->last;
    b->seen = a->seen > b->seen ? a->seen : b->seen;
    b->full = a->full > b->full ? a->full : b->full;
    b->lo = a->lo < b->lo ? a->lo : b->lo;
    b->hi = a->hi > b->hi ? a->hi : b->hi;
    if (a->now_hi >= 0) {
        b->now_lo = b->now_hi < 0 || a->now_lo < b->now_lo ? a->now_lo : b->now_lo;
        b->now_hi = a->now_hi > b->now_hi ? a->now_hi : b->now_hi;
    }
    b->now_full = b->now_full || a->now_full;
    b->now_cells += a->now_cells;
    b->now_density += a->now_density;
    b->now_power += a->now_power;
    // Side by side or one after the other: widths and powers add up where rows are shared.
    b->width_sum += a->width_sum;
    b->power_sum += a->power_sum;
    b->density_sum = b->rows + a->rows ? (b->density_sum + a->density_sum) *
                     fmax(b->rows, a->rows) / (b->rows + a->rows) : 0;
    b->rows = b->rows > a->rows ? b->rows : a->rows;
    b->flags |= a->flags;
    *a = t->box[--t->n_box];
}

static bool overlaps(const struct box *b, const struct seg *s)
{
    return s->lo < b->hi + BRIDGE && s->hi > b->lo - BRIDGE;
}

static void find_present(const struct tracker *t, struct box *b)
{
    double cells = 0;

    b->row_power = 0;
    for (unsigned i = 0; i < t->n_seg; i++)
        b->row_power += overlaps(b, &t->seg[i]) ? t->seg[i].power : 0;
    for (unsigned i = 0; i < t->n_seg; i++)
        if (overlaps(b, &t->seg[i]) && within_db(t->seg[i].density, mean_density(b), JUMP_DB))
            cells += t->seg[i].hi - t->seg[i].lo;
    b->present = cells * WIDTH_RATIO >= mean_width(b);
}

// Skirts only go to what was there, as weak, before.
static bool holds_weak(const struct box *b, const struct seg *s)
{
    return b->rows >= YOUNG && within_db(s->density, mean_density(b), NEST_DB);
}

static bool alike(const struct box *a, const struct box *b)
{
    double wa = mean_width(a), wb = mean_width(b);
    return wa <= WIDTH_RATIO * wb && wb <= WIDTH_RATIO * wa;
}

// May a segment that fits both make them one?  Not two that lived side by side for long, nor a line
// and something wide.
static bool may_merge(const struct box *a, const struct box *b)
{
    if ((a->run && b->run) || (a->rows > SETTLED && b->rows > SETTLED))
        return false;
    if (a->rows < YOUNG && b->rows < YOUNG)
        return true;
    return alike(a, b) && (a->rows < KNOWN || b->rows < KNOWN ||
                           within_db(mean_density(a), mean_density(b), JUMP_DB));
}

// Is s more like a than like b?
static bool closer(const struct seg *s, const struct box *a, const struct box *b)
{
    double w = s->hi - s->lo;
    return fabs(log(w / mean_width(a))) <= fabs(log(w / mean_width(b)));
}

// Gives a segment to the boxes it overlaps.
static void place_segment(struct tracker *t, const struct place_in *in, struct seg *s)
{
    struct box *home = NULL;

    for (unsigned i = 0; i < t->n_box; i++) {
        struct box *b = &t->box[i];
        if (b == home || !overlaps(b, s) || (s->skirt && !holds_weak(b, s)))
            continue;
        if (!fits(t, in, b, s)) {
            if (s->hi - s->lo > mean_width(b)) {
                b->covered = true;
                b->last = t->row;
            }
            continue;
        }
        if (!home) {
            home = b;
            continue;
        }
        if (!may_merge(home, b)) {
            struct box *rest = closer(s, home, b) ? b : home;
            home = rest == b ? home : b;
            if (home->rows > SETTLED && rest->rows > SETTLED && alike(home, rest))
                rest->last = rest->seen = rest->full = t->row;      // both go on, side by side
            continue;
        }
        struct box *older = home->start <= b->start ? home : b, *other = older == home ? b : home;
        struct box *moved = &t->box[t->n_box - 1];
        merge(t, older, other);
        home = older == moved ? other : older;      // the last box moved into the gap
        i = (unsigned)-1;                           // the table changed: look again
        home->last = t->row;
    }
    if (home) {
        join(t, home, s, true);
        return;
    }
    // What is left of something wide that fades: weaker and narrower, right after it.
    for (unsigned i = 0; i < t->n_box; i++) {
        struct box *b = &t->box[i];
        if (!s->skirt && overlaps(b, s) && b->full + 2 >= t->row && s->density <= 1.4 * mean_density(b) &&
            s->hi - s->lo < mean_width(b)) {
            join(t, b, s, false);
            return;
        }
    }
}

static bool near(const struct tracker *t, double d, double w1, double w2)
{
    double most = JUMP_WIDTHS * fmax(w1, w2), cap = JUMP_HZ / t->g.slow_hz;
    return d <= fmin(most, cap) && w1 <= 3 * w2 && w2 <= 3 * w1;
}

// A chirp that wraps, a tone that jumps: what begins where something like it just stopped.
static bool jump(struct tracker *t, struct seg *s)
{
    struct box *best = NULL;
    double least = HUGE_VAL;

    for (unsigned i = 0; i < t->n_box; i++) {
        struct box *b = &t->box[i];
        double d = distance(s->lo, s->hi, b->lo, b->hi);
        if (b->now_hi >= 0 || b->covered || b->last + 2 < t->row || d >= least ||
            !near(t, d, s->hi - s->lo, mean_width(b)) ||
            !within_db(s->density, mean_density(b), 2 * SAME_DB))
            continue;
        least = d;
        best = b;
    }
    if (best)
        join(t, best, s, true);
    return best;
}

static void open_box(struct tracker *t, struct seg *s, struct cand_list *out)
{
    if (t->n_box == BOXES) {
        out->dropped++;
        return;
    }
    struct box *b = &t->box[t->n_box++];
    *b = (struct box){ .start = t->row, .lo = s->lo, .hi = s->hi, .now_hi = -1,
                       .checked = t->row };
    if (t->row < 2)
        b->flags |= t->after_gap ? BURST_TOUCHES_GAP : BURST_AT_START;
    join(t, b, s, true);
}

// A box that has just stopped, and one like it that began as it did: one signal.
static void join_jumped(struct tracker *t)
{
    for (unsigned i = 0; i < t->n_box; i++) {
        struct box *a = &t->box[i];
        if (a->now_hi >= 0 || a->covered || a->last + 1 != t->row || a->run)
            continue;
        for (unsigned k = 0; k < t->n_box; k++) {
            struct box *b = &t->box[k];
            double d = distance(a->lo, a->hi, b->lo, b->hi);
            if (k == i || b->now_hi < 0 || b->start + 2 < t->row || b->start <= a->start ||
                !near(t, d, mean_width(a), mean_width(b)) ||
                !within_db(mean_density(a), mean_density(b), 2 * SAME_DB))
                continue;
            merge(t, a, b);
            return;
        }
    }
}

// ---- Rows -----------------------------------------------------------------------------------

static void close_box(struct tracker *t, const struct place_in *in, unsigned i,
                      struct cand_list *out)
{
    check(t, in, &t->box[i], t->box[i].seen + 1, true, out);
    t->box[i] = t->box[--t->n_box];
}

// A carrier that moves between two bands all the time (the sync tips of video and its picture, two
// tones) looks like two boxes: they are on in turn.
static bool takes_turns(struct tracker *t, const struct place_in *in, const struct box *a,
                        const struct box *b)
{
    double d = distance(a->lo, a->hi, b->lo, b->hi) * t->g.slow_hz;
    uint64_t span = rows_of(t, TURNS_S), from = t->row > span ? t->row - span : 0;

    if (a->rows < SETTLED || b->rows < SETTLED || d > TURNS_HZ)
        return false;
    from = a->start > from ? a->start : from;
    from = b->start > from ? b->start : from;
    if (t->row < from + SETTLED)
        return false;
    struct stretch x = { .row0 = from, .row1 = t->row, .lo = a->lo, .hi = a->hi };
    struct stretch y = { .row0 = from, .row1 = t->row, .lo = b->lo, .hi = b->hi };
    return place_correlation(t->placer, in, &x, &y) < TURNS;
}

// Two boxes over one band, for long.
static bool same_place(const struct box *a, const struct box *b)
{
    double in = fmin(a->hi, b->hi) - fmax(a->lo, b->lo), all = fmax(a->hi, b->hi) - fmin(a->lo, b->lo);

    return a->rows > SETTLED && b->rows > SETTLED && in > SAME_SHARE * all && alike(a, b) &&
           within_db(mean_density(a), mean_density(b), NEST_DB);
}

// Looks for what takes turns with box i and joins it; true when the table changed.
static bool join_turns(struct tracker *t, const struct place_in *in, unsigned i,
                       struct cand_list *out)
{
    for (unsigned k = 0; k < t->n_box; k++) {
        struct box *a = &t->box[i], *b = &t->box[k];
        if (k == i || !(same_place(a, b) || takes_turns(t, in, a, b)))
            continue;
        if (a->run && b->run)           // of two runs the younger ends
            end_run(t, in, a->run_n0 > b->run_n0 ? a : b, (double)t->row * t->g.row, out);
        merge(t, a, b);
        return true;
    }
    return false;
}

static void note_cover(struct box *b, uint64_t row)
{
    uint64_t *word = &b->cover[row % COVER_ROWS / 64], bit = (uint64_t)1 << row % 64;
    *word = b->covered ? *word | bit : *word & ~bit;
}

static uint64_t patience(const struct tracker *t, const struct box *b)
{
    uint64_t most = rows_of(t, GAP_MAX_S), gap = (uint64_t)(GAP_SHARE * (double)(b->last - b->start));
    if (place_wider(&t->g, b->lo, b->hi))
        gap = most;
    gap = gap < most ? gap : most;
    return gap > GAP_ROWS ? gap : GAP_ROWS;
}

// False: the table changed, look at this place again.
static bool watch_box(struct tracker *t, const struct place_in *in, unsigned i,
                      struct cand_list *out)
{
    struct box *b = &t->box[i];

    if (t->row + 1 - b->checked >= rows_of(t, CHECK_S) && b->last + 1 >= t->row) {
        if (join_turns(t, in, i, out))
            return false;
        check(t, in, b, t->row + 1, false, out);
    }
    if (b->run)
        run_parts(t, in, b, out);
    return true;
}

void tracker_row(struct tracker *t, const struct place_in *in, struct cand_list *out)
{
    for (unsigned i = 0; i < t->n_box; i++) {
        struct box *b = &t->box[i];
        b->now_hi = -1;
        b->now_full = b->covered = false;
        b->now_cells = b->now_density = b->now_power = 0;
        b->grow = b->wants ? b->grow + 1 : 0;
        b->wants = false;
    }
    find_segments(t, in);
    find_skirts(t);
    for (unsigned i = 0; i < t->n_box; i++)
        find_present(t, &t->box[i]);
    for (unsigned i = 0; i < t->n_seg; i++)
        place_segment(t, in, &t->seg[i]);
    for (unsigned i = 0; i < t->n_seg; i++)
        if (!t->seg[i].taken && !t->seg[i].skirt && !jump(t, &t->seg[i]))
            open_box(t, &t->seg[i], out);
    join_jumped(t);
    for (unsigned i = 0; i < t->n_box; i++) {
        end_row(&t->box[i]);
        note_cover(&t->box[i], t->row);
    }
    for (unsigned i = 0; i < t->n_box;) {
        if (t->box[i].last + patience(t, &t->box[i]) < t->row) {
            close_box(t, in, i, out);
            continue;
        }
        if (watch_box(t, in, i, out))
            i++;
    }
    t->row++;
}

void tracker_end(struct tracker *t, const struct place_in *in, uint32_t flags, struct cand_list *out)
{
    while (t->n_box) {
        t->box[0].flags |= flags;
        close_box(t, in, 0, out);
    }
}
