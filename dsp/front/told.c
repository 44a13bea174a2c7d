// SPDX-License-Identifier: GPL-3.0-or-later
// What boxes have become, as candidates: pieces between pauses, runs in parts.
#include <math.h>

#include "dsp/front/box.h"

// Pieces that are none: too weak for their size to be told from noise (threefold standard error of
// their mean, and -6 dB), or an impulse (switching noise, sparks): shorter than any frame, the
// shortest being a Wi-Fi acknowledgement of 24 us, or short and filling most of the capture.
#define WEAK_SIGMAS 3.0
#define WEAK_LEAST  0.25
#define IMPULSE_S   20e-6
#define IMPULSE_WIDE_S 60e-6
#define IMPULSE_SHARE  0.5
#define IMPULSE_HZ  5e6         // above this a capture may hold a whole frame so short and wide
#define CHECK_S     0.008       // how often an open box is looked at for pauses

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

static struct stretch box_stretch(const struct box *b, uint64_t row0, uint64_t row1)
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
    struct stretch s = box_stretch(b, (uint64_t)(from / t->g.row), (uint64_t)(to / t->g.row) + 1);

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

void run_parts(struct tracker *t, const struct place_in *in, struct box *b,
                      struct cand_list *out)
{
    double start = (double)(b->run_n0 - in->cells->origin);
    double from = start + b->run_part * DSP_RUN_STEP_S * t->g.rate_hz;
    double to = from + DSP_RUN_PART_S * t->g.rate_hz;

    if (to <= (double)b->checked * t->g.row)
        tell_part(t, in, b, from, to, BURST_RUN_MORE, out);
}

void run_end(struct tracker *t, const struct place_in *in, struct box *b, double end,
                    struct cand_list *out)
{
    double start = (double)(b->run_n0 - in->cells->origin);
    double from = fmax(start, end - DSP_RUN_PART_S * t->g.rate_hz);

    tell_part(t, in, b, from, fmax(end, from + 1), BURST_RUN_END, out);
    b->run = 0;
}

// Looks for pauses in rows [.., upto) of a box and tells what they close.  closing: the box ends
// there.  A box that stays open keeps its last piece.
void box_check(struct tracker *t, const struct place_in *in, struct box *b, uint64_t upto,
                  bool closing, struct cand_list *out)
{
    uint64_t from = b->start;
    if (b->run)             // look back far enough to know what its power was
        from = b->checked > b->start + rows_of(t, CHECK_S) ? b->checked - rows_of(t, CHECK_S)
                                                           : b->start;
    struct stretch s = box_stretch(b, from, upto);
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
            run_end(t, in, b, e->h1 * t->g.hop, out);
            continue;
        }
        double len_s = (e->h1 - e->h0) * t->g.hop_s;
        if (open) {
            b->start = (uint64_t)fmax(0, e->h0 / ROW_HOPS);
            if (len_s > DSP_RUN_S)
                begin_run(t, in, b, e, out);
        } else if (len_s > DSP_RUN_S) {
            begin_run(t, in, b, e, out);
            run_end(t, in, b, e->h1 * t->g.hop, out);
        } else {
            tell_piece(t, in, b, &s, e, BURST_WHOLE, out);
        }
    }
    if (!keep && n)
        b->start = (uint64_t)fmax(0, ceil(t->piece[n - 1].h1 / ROW_HOPS));
    if (!n && b->run && closing)
        run_end(t, in, b, (double)upto * t->g.row, out);
    b->checked = upto;
}
