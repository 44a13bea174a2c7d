// SPDX-License-Identifier: GPL-3.0-or-later
// What a hopper's packets say for and against a mode.
//
// A mode is exact to the firmware's constants, so it can be excluded: a grid whose next slot is
// never used, a channel change inside a block, centres off the raster.  Each such fault alone ends
// the hypothesis, whatever else fits, because somebody's own hopper may share all the rest.  What
// is not excluded gains with every packet, but each kind of evidence saturates: a thousand packets
// on a grid say nothing about the raster.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "classifier/hop.h"

struct view {                   // ring sorted by slot, with channels
    unsigned n, twins;
    int64_t  slot[HOP_RING];
    int      channel[HOP_RING];
    bool     on_raster[HOP_RING];
};

// Two transmitters in one radio send each packet on two channels half a set apart: one packet of
// the lower channel for all that follows.
static void join_twins(struct view *v, const struct sig_mode *m)
{
    int half = (int)m->channel_count / 2;
    unsigned n = 0;

    v->twins = 0;
    for (unsigned i = 0; i < v->n; i++) {
        bool twin = n && half && v->slot[n - 1] == v->slot[i] &&
                    abs(v->channel[n - 1] - v->channel[i]) == half;
        v->twins += twin;
        if (twin)
            continue;
        v->slot[n] = v->slot[i];
        v->channel[n] = v->channel[i];
        v->on_raster[n++] = v->on_raster[i];
    }
    v->n = n;
    for (unsigned i = 0; i < n && v->twins >= 4; i++)
        v->channel[i] %= half;
}

static void view_of(struct view *v, const struct hop *h)
{
    v->n = 0;
    for (unsigned i = 0; i < h->n; i++) {
        double off;
        int ch;
        if (!mode_channel(h->mode, h->ring[i].freq_hz - h->offset_hz, &ch, &off))
            continue;
        unsigned j = v->n++;    // insertion: the ring is nearly sorted
        for (; j > 0 && v->slot[j - 1] > h->ring[i].slot; j--) {
            v->slot[j] = v->slot[j - 1];
            v->channel[j] = v->channel[j - 1];
            v->on_raster[j] = v->on_raster[j - 1];
        }
        v->slot[j] = h->ring[i].slot;
        v->channel[j] = ch;
        v->on_raster[j] = fabs(off) <= h->raster_tol_hz;
    }
    join_twins(v, h->mode);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

struct blocks {
    unsigned n, filled, consistent, spanning, adjacent, adjacent_same;
    int64_t  first, last;
};

// Counts blocks when the first slot of a block is phase modulo per.
static struct blocks blocks_at(const struct view *v, int64_t per, int64_t phase)
{
    struct blocks b = { 0 };
    int64_t before = 0;
    int before_ch = -1;

    for (unsigned i = 0; i < v->n;) {
        int64_t blk = floor_div(v->slot[i] - phase, per);
        unsigned j = i, same = 0;
        for (; j < v->n && floor_div(v->slot[j] - phase, per) == blk; j++)
            same += v->channel[j] == v->channel[i];
        if (b.n && blk == before + 1) {
            b.adjacent++;
            b.adjacent_same += v->channel[i] == before_ch;
        }
        if (!b.n)
            b.first = blk;
        b.last = blk;
        b.n++;
        if (j - i >= 2) {
            b.filled++;
            b.consistent += same == j - i;
            b.spanning += 2 * (v->slot[j - 1] - v->slot[i]) >= per;     // more than half of it
        }
        before = blk;
        before_ch = v->channel[j - 1];
        i = j;
    }
    return b;
}

static struct blocks best_blocks(const struct view *v, int64_t per)
{
    struct blocks best = { 0 };
    unsigned best_cost = 0;

    for (int64_t p = 0; p < per; p++) {
        struct blocks b = blocks_at(v, per, p);
        // few blocks and few mixed ones: a wrong boundary splits blocks or mixes them
        unsigned cost = b.n + 2 * (b.filled - b.consistent);
        if (p == 0 || cost < best_cost) {
            best_cost = cost;
            best = b;
        }
    }
    return best;
}

// Share of packets with a neighbour in the slot before or behind, on the same channel.
static double fill_of(const struct view *v)
{
    unsigned hit = 0;
    for (unsigned i = 0; i < v->n; i++) {
        bool f = false;
        for (unsigned j = i + 1; j < v->n && v->slot[j] <= v->slot[i] + 1; j++)
            f |= v->slot[j] == v->slot[i] + 1 && v->channel[j] == v->channel[i];
        for (unsigned j = i; j-- > 0 && v->slot[j] >= v->slot[i] - 1;)
            f |= v->slot[j] == v->slot[i] - 1 && v->channel[j] == v->channel[i];
        hit += f;
    }
    return v->n ? (double)hit / v->n : 0;
}

static unsigned channels_of(const struct view *v)
{
    unsigned n = 0;
    for (unsigned i = 0; i < v->n; i++) {
        bool seen = !v->on_raster[i];
        for (unsigned j = 0; j < i && !seen; j++)
            seen = v->on_raster[j] && v->channel[j] == v->channel[i];
        n += !seen;
    }
    return n;
}

__attribute__((format(printf, 2, 3)))
static void because(struct hop_evidence *e, const char *fmt, ...)
{
    va_list ap;
    if (e->n_why == HOP_WHY)
        return;
    va_start(ap, fmt);
    vsnprintf(e->why[e->n_why++], sizeof e->why[0], fmt, ap);
    va_end(ap);
}

static const char *reason_to_exclude(const struct hop_evidence *e, unsigned per)
{
    if (per >= 2 && e->packets >= 6 && e->fill < 0.35)
        return "the next slot of the grid is hardly ever used";
    if (per >= 2 && e->filled >= 3 && e->consistent < 0.85)
        return "the channel changes within what should be one hop";
    if (per >= 3 && e->filled >= 3 && e->spanning < 0.25)
        return "it leaves a channel after half of the packets a hop should have";
    if (e->adjacent >= 3 && e->adjacent_same > 0.34)
        return "it stays on a channel longer than one hop";
    if (e->packets >= 6 && e->on_raster < 0.8)
        return "its centres do not lie on the raster";
    // The receiver's crystal shifts clock and carrier alike; what is left are the sender's two.
    if (fabs(e->crystals_ppm) > 60)
        return "its clock and its carriers are off by too different amounts";
    if (e->blocks >= 6 && e->visible >= 4) {
        double expect = e->visible * (1 - pow(1 - 1.0 / e->visible, e->blocks));
        if (e->channels < 0.4 * expect)
            return "it uses fewer channels than the hop set has";
    }
    if (e->blocks >= 8 && (e->block_ratio > (e->twins >= 4 ? 2.4 : 1.7) || e->block_ratio < 0.12))
        return "it visits the capture more or less often than its hop set would";
    return NULL;
}

static void measure(struct hop_evidence *e, const struct hop *h)
{
    const struct sig_mode *m = h->mode;
    unsigned per = m->packets_per_hop, raster = 0;
    struct view v;

    view_of(&v, h);
    struct blocks b = best_blocks(&v, per);
    for (unsigned i = 0; i < v.n; i++)
        raster += v.on_raster[i];
    e->packets = v.n;
    e->twins = v.twins;
    e->blocks = b.n;
    e->filled = b.filled;
    e->consistent = b.filled ? (double)b.consistent / b.filled : 0;
    e->spanning = b.filled ? (double)b.spanning / b.filled : 0;
    e->adjacent = b.adjacent;
    e->adjacent_same = b.adjacent ? (double)b.adjacent_same / b.adjacent : 0;
    e->fill = fill_of(&v);
    e->on_raster = v.n ? (double)raster / v.n : 0;
    e->channels = channels_of(&v);
    e->visible = mode_channels_within(m, h->lo_hz, h->hi_hz);
    double span = v.n ? (double)(v.slot[v.n - 1] - v.slot[0]) * m->period_s : 0;
    if (span > 0.5)             // shorter, and the clock is not known well enough
        e->crystals_ppm = h->grid.ppm + 1e6 * h->offset_hz / h->ring[0].freq_hz;
    unsigned all = m->channel_step_hz > 0 ? m->channel_count : m->n_channels;
    double expect = (double)(b.last - b.first + 1) * e->visible / fmax(all, 1);
    e->block_ratio = expect > 0 ? b.n / expect : 1;
}

void hop_judge(const struct hop *h, struct hop_evidence *e)
{
    const struct sig_mode *m = h->mode;
    unsigned per = m->packets_per_hop;

    *e = (struct hop_evidence){ 0 };
    measure(e, h);
    const char *fault = reason_to_exclude(e, per);
    if (fault) {
        e->excluded = true;
        e->llr = -12;
        because(e, "not %s: %s", m->link, fault);
        return;
    }
    // One sweep over the spectrum and a second visit, or a second channel, before a name is given:
    // a few packets in a row are what anybody's radio might send.
    e->enough = e->blocks >= 3 && e->packets >= 6 && (e->channels >= 2 || e->visible <= 1) &&
                (per < 2 || e->filled >= 2);
    double packet = log(0.45 * m->period_s / (2 * h->tol_s));   // gain of one more on the grid
    e->llr = 1.5 + fmin(5, fmax(packet, 0.2) * (e->packets - 2) / 3) +
             (per >= 2 ? fmin(3.5, 0.9 * e->filled) : fmin(1.5, 0.3 * e->blocks)) +
             fmin(2.5, 0.6 * e->blocks * (2 * e->on_raster - 1)) + fmin(2, 0.4 * e->channels);
    because(e, "%.3f ms packet grid, clock %+.1f ppm, spread %.0f us over %u packets",
            m->period_s * 1e3, h->grid.ppm, h->grid.sigma_s * 1e6, e->packets);
    if (per >= 2)
        because(e, "%u packets a hop: %.0f %% of %u hops keep their channel%s", per,
                100 * e->consistent, e->filled,
                e->twins >= 4 ? "; each sent on two channels half a set apart" : "");
    else
        because(e, "a new channel for every packet, %u hops", e->blocks);
    if (m->kind == KIND_LORA)
        because(e, "%.1f kHz chirps, SF%u, %.2f ms long", m->bw_hz / 1e3, m->sf,
                h->dur_s * 1e3);
    else
        because(e, "%.0f kBd, packets of %.2f ms", m->symbol_rate_bd / 1e3, h->dur_s * 1e3);
    because(e, "%u of %u channels inside the capture on the raster %.3f + n x %.3f MHz, offset "
            "%+.1f kHz", e->channels, e->visible, m->channel_start_hz / 1e6,
            m->channel_step_hz / 1e6, h->offset_hz / 1e3);
}
