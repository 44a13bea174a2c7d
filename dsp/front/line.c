// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/front/line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/kernel/wola.h"

#define WINDOWS     64          // of means kept: LINE_S and some, at any rate
#define SETS        256         // windows whose lines are kept: all rows the cells are kept for
#define SOME        16          // channels looked at together
#define MARGIN      32          // narrow channels at either edge where nothing is looked for
#define LEAST       7.0f        // three channels over floor: 3 of noise (sigma 0.6) and 6 dB
#define GONE        0.5f        // of its level: it has ended
#define CANCEL      3           // windows that something as strong as the line may hide it
#define JUMP        4.0f        // times its level: another has begun
#define AROUND      20          // narrow channels either side, but for LINE_REACH, that are quiet:
#define QUIET       2.0f        // over the floor at most,
#define QUIET_SHARE 3e-3f       // or 25 dB below the line: its phase noise
#define CLEAR       10          // windows in which that was so
#define FOLLOW      0.25f       // of the difference from one window to the next
// Row by row the power of a tone in noise varies by 2 / SNR of its mean squared; that of anything
// modulated like noise by a third and more.
#define STEADY      0.1f
#define STEADY_SNR  3.0f

// A narrow channel that may hold a line: windows since it began (0: none), those of them that were
// clear, power of three channels over floor.
struct hope { uint16_t low; uint32_t age, clear; float level; };

struct line { struct line_span span; float level; uint16_t low; bool gone; };

struct lines {
    struct grid     g;
    uint64_t        windows, seen;      // of this epoch: come, looked at
    unsigned        want;               // windows that make a line
    uint32_t        ids;
    uint64_t        version;            // changes with what a row's lines were said to be
    float          *mean;               // [WINDOWS][slow_n]
    float          *over;               // [slow_n], over floor
    struct hope    *hope;               // [slow_n]
    bool           *hopes;              // [slow_n / SOME]: is there any?
    struct line     line[LINES];
    unsigned        n;
    struct line_set set[SETS];
};

struct lines *lines_new(const struct grid *g)
{
    struct lines *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->g = *g;
    l->want = (unsigned)(LINE_S / (g->row_s * FLOOR_WINDOW));
    l->mean = calloc((size_t)WINDOWS * g->slow_n, sizeof *l->mean);
    l->over = calloc(g->slow_n, sizeof *l->over);
    l->hope = calloc(g->slow_n, sizeof *l->hope);
    l->hopes = calloc(g->slow_n / SOME, sizeof *l->hopes);
    if (!l->mean || !l->over || !l->hope || !l->hopes) {
        lines_free(l);
        return NULL;
    }
    return l;
}

void lines_free(struct lines *l)
{
    if (!l)
        return;
    free(l->mean);
    free(l->over);
    free(l->hope);
    free(l->hopes);
    free(l);
}

void lines_begin(struct lines *l)
{
    memset(l->hope, 0, l->g.slow_n * sizeof *l->hope);
    memset(l->hopes, 0, l->g.slow_n / SOME * sizeof *l->hopes);
    memset(l->set, 0, sizeof l->set);
    l->windows = l->seen = 0;
    l->n = 0;
    l->version++;
}

void lines_window(struct lines *l, const float *mean)
{
    memcpy(l->mean + (size_t)(l->windows++ % WINDOWS) * l->g.slow_n, mean,
           l->g.slow_n * sizeof *mean);
}

uint64_t lines_version(const struct lines *l) { return l->version; }

const struct line_set *lines_at(const struct lines *l, uint64_t row)
{
    uint64_t window = row / FLOOR_WINDOW;

    // Behind the last: as it was.
    return &l->set[(l->seen && window >= l->seen ? l->seen - 1 : window) % SETS];
}

// Is the mean of n values, none of them negative, less than `most`?
static bool mean_under(const float *x, int n, float most)
{
    float sum = 0;

    for (int i = 0; i < n; i += 4) {            // once over it stays over
        for (int k = i; k < i + 4 && k < n; k++)
            sum += x[k];
        if (sum / (float)n >= most)
            return false;
    }
    return sum / (float)n < most;               // not a number is not less
}

static float three(const float *x, int k) { return x[k - 1] + x[k] + x[k + 1]; }

// Is nothing else near channel k in the window (over floor) x?
static bool is_quiet(const float *x, int k)
{
    int n = AROUND - LINE_REACH;
    float most = fmaxf(QUIET, QUIET_SHARE * x[k]);

    return mean_under(x + k + LINE_REACH + 1, n, most) && mean_under(x + k - AROUND, n, most);
}

static bool is_clear(const float *x, int k)
{
    return 2 * x[k] >= x[k - 1] && 2 * x[k] >= x[k + 1] && is_quiet(x, k);
}

// Power s of three channels at k is less than `least`: for certain where nothing else is there,
// which could cancel a line for a while; else after some windows.
static bool has_ended(const float *x, int k, float s, float least, uint16_t *low)
{
    *low = s < least ? (uint16_t)(*low + 1) : 0;
    return *low && (*low > CANCEL || is_quiet(x, k));
}

// Of channels [a, b).
static void make_over(struct lines *l, uint64_t window, const float *inverse, int a, int b)
{
    const float *x = l->mean + (size_t)(window % WINDOWS) * l->g.slow_n;

    for (int k = a; k < b; k++)
        l->over[k] = x[k] * inverse[k];
}

// ---- What a line adds ------------------------------------------------------------------------

// Takes `share` of what this window shows over the floor into a line's levels.
static void learn(struct lines *l, const struct cells *c, const struct floor_view *f,
                  uint64_t window, struct line_span *s, float share)
{
    const float *x = l->mean + (size_t)(window % WINDOWS) * l->g.slow_n;
    uint64_t row = window * FLOOR_WINDOW, end = row + FLOOR_WINDOW;

    for (int i = 0; i <= 2 * LINE_REACH; i++) {
        int k = s->k + i - LINE_REACH;
        s->slow[i] += share * (x[k] - f->slow[k] - s->slow[i]);
    }
    if (end > c->rows)
        end = c->rows;
    for (int i = 0; i <= 2 * LINE_FAST; i++) {
        int at = s->c + i - LINE_FAST;
        float sum = 0;
        if (at < 0 || at >= (int)l->g.fast_n || end <= row)
            continue;
        for (uint64_t r = row; r < end; r++)
            for (unsigned j = 0; j < ROW_HOPS; j++)
                sum += wola_unpack(cells_fast(c, r)[j * l->g.fast_n + (unsigned)at]);
        sum /= (float)(ROW_HOPS * (end - row));
        s->fast[i] += share * (sum - f->fast[at] - s->fast[i]);
    }
}

// Squared deviation over mean squared, of three channels around k in the rows of a window.
static float unsteady(const struct cells *c, const float *inverse, uint64_t window, int k)
{
    float sum = 0, square = 0, n = FLOOR_WINDOW;

    for (uint64_t r = window * FLOOR_WINDOW; r < (window + 1) * FLOOR_WINDOW; r++) {
        const uint16_t *x = cells_slow(c, r);
        float s = 0;
        for (int i = k - 1; i <= k + 1; i++)
            s += wola_unpack(x[i]) * inverse[i];
        sum += s;
        square += s * s;
    }
    return square * n / (sum * sum) - 1;
}

static struct line_span span_at(int k)
{
    return (struct line_span){ .k = k, .c = (k + 4) / 8 };
}

// ---- Lines that begin ------------------------------------------------------------------------

// What stood at channel k for so long: is it a tone?  Then it is one since it began, and in the
// window before, where it may have begun late.
static void begin_line(struct lines *l, const struct cells *c, const struct floor_view *f,
                       uint64_t window, int k)
{
    struct hope *h = &l->hope[k];
    uint64_t age = h->age < WINDOWS - 2 ? h->age : WINDOWS - 2, from = window + 1 - age;
    struct line new = { .span = span_at(k), .level = h->level };
    float sum = 0, n = 0;

    for (uint64_t w = from; w <= window; w++) {
        make_over(l, w, f->inverse_slow, k - AROUND, k + AROUND + 1);
        if ((w + 1) * FLOOR_WINDOW > c->rows || !is_clear(l->over, k) ||
            fabsf(three(l->over, k) / h->level - 1) > 0.5f)
            continue;
        sum += unsteady(c, f->inverse_slow, w, k);
        learn(l, c, f, w, &new.span, 1 / ++n);
    }
    make_over(l, window, f->inverse_slow, k - AROUND, k + AROUND + 1);
    float snr = h->level - 3;
    *h = (struct hope){ 0 };
    if (n < 1 || sum / n > STEADY + STEADY_SNR / snr || l->n == LINES)
        return;
    new.span.id = ++l->ids;
    l->line[l->n++] = new;
    l->version++;
    for (uint64_t w = from ? from - 1 : 0; w <= window; w++) {
        struct line_set *s = &l->set[w % SETS];
        if (s->n < LINES)
            s->s[s->n++] = new.span;
    }
}

static bool near_line(const struct lines *l, int k)
{
    for (unsigned i = 0; i < l->n; i++)
        if (abs(l->line[i].span.k - k) <= LINE_REACH)
            return true;
    return false;
}

static void look_at(struct lines *l, const struct cells *c, const struct floor_view *f,
                    uint64_t window, int k)
{
    struct hope *h = &l->hope[k];
    float s = three(l->over, k);

    if ((h->age && has_ended(l->over, k, s, fmaxf(GONE * h->level, LEAST), &h->low)) ||
        near_line(l, k))
        *h = (struct hope){ 0 };
    if ((s < LEAST && !h->age) || near_line(l, k))
        return;
    bool clear = is_clear(l->over, k);
    if (h->low)
        clear = false;
    if (clear && h->age && s > JUMP * h->level)
        *h = (struct hope){ 0 };
    if (!clear && !h->age)
        return;
    h->age++;
    if (!clear)
        return;
    h->clear++;
    h->level += fmaxf(FOLLOW, 1 / (float)h->clear) * (s - h->level);
    if (h->age >= l->want && h->clear >= CLEAR)
        begin_line(l, c, f, window, k);
}

// ---- Lines that go on ------------------------------------------------------------------------

static void follow(struct lines *l, const struct cells *c, const struct floor_view *f,
                   uint64_t window, struct line *x)
{
    int k = x->span.k;
    float s = three(l->over, k);

    x->gone = has_ended(l->over, k, s, fmaxf(GONE * x->level, (LEAST + 3) / 2), &x->low);
    if (x->low || !is_clear(l->over, k))          // under something else: as it was
        return;
    int to = l->over[k + 1] > 1.2f * l->over[k] ? k + 1 : l->over[k - 1] > 1.2f * l->over[k] ? k - 1
                                                                                               : k;
    bool moved = to != k && to > MARGIN && to < (int)l->g.slow_n - MARGIN;
    if (moved) {
        uint32_t id = x->span.id;
        x->span = span_at(to);
        x->span.id = id;
        s = three(l->over, to);
    }
    float share = moved || s > JUMP * x->level ? 1 : FOLLOW;
    x->level += share * (s - x->level);
    learn(l, c, f, window, &x->span, share);
}

// Is any of SOME channels worth a look?
static bool is_over(const float *x)
{
    bool r = false;

    for (int i = 0; i < SOME; i++)
        r |= x[i] >= LEAST / 3;
    return r;
}

static void look_at_some(struct lines *l, const struct cells *c, const struct floor_view *f,
                         uint64_t window, int from)
{
    bool hopes = false;

    for (int k = from; k < from + SOME; k++) {
        if (l->over[k] >= LEAST / 3 || l->hope[k].age)
            look_at(l, c, f, window, k);
        hopes |= l->hope[k].age > 0;
    }
    l->hopes[from / SOME] = hopes;
}

static void look(struct lines *l, const struct cells *c, const struct floor_view *f,
                 uint64_t window)
{
    struct line_set *set = &l->set[window % SETS];
    unsigned kept = 0;

    make_over(l, window, f->inverse_slow, 0, (int)l->g.slow_n);
    set->n = 0;
    for (unsigned i = 0; i < l->n; i++) {
        follow(l, c, f, window, &l->line[i]);
        set->s[set->n++] = l->line[i].span;     // one that ends too: somewhere in it
        if (!l->line[i].gone)
            l->line[kept++] = l->line[i];
    }
    l->n = kept;
    for (int k = MARGIN; k < (int)l->g.slow_n - MARGIN; k += SOME)
        if (l->hopes[k / SOME] || is_over(l->over + k))
            look_at_some(l, c, f, window, k);
}

void lines_look(struct lines *l, const struct cells *c, const struct floor_view *floor)
{
    for (; l->seen < l->windows; l->seen++)
        look(l, c, floor, l->seen);
}
