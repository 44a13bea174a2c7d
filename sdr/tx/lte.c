// SPDX-License-Identifier: GPL-3.0-or-later
// Transmitter model: an LTE base station.  Grid, prefixes, synchronisation and reference signals
// are the real ones; what they carry is random (no scheduler, no coding), loaded as wanted.
//
//      one subframe, 1 ms     | CP0 | CP | CP | CP | CP | CP | CP | CP0 | CP | ... 14 symbols
//      FDD   without an end, PSS and SSS in subframes 0 and 5
//      TDD   D S U U D D S U U D: on for D and the first 10 symbols of S, silent for the phones
//
// mode: 1.4 3 5 10 15 20 (MHz).  variant: fdd, tdd.  uid: cell identity.  duty: share of the
// resource blocks that carry data, 0.5.
#include "sdr/tx/lte.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/ofdm15.h"

enum { SYMBOLS = 14, MOST_BLOCKS = 100, DWPTS = 10, CONTROL = 2 };

static const struct width { const char *word, *mhz; unsigned blocks, n; } widths[] = {
    { "10MHz", "10", 50, 1024 }, { "1.4MHz", "1.4", 6, 128 },  { "3MHz", "3", 15, 256 },
    { "5MHz", "5", 25, 512 },    { "15MHz", "15", 75, 2048 },  { "20MHz", "20", 100, 2048 },
};
enum { WIDTHS = sizeof widths / sizeof *widths };

struct lte {
    struct tx_args args;
    struct rng     rng;
    unsigned       blocks, n, cell;
    bool           tdd, was_on;
    double         load, scale, rate_hz;
    uint64_t       subframe, subframe0;         // subframe0: where in a frame time 0 falls
    struct ofdm    ofdm;
    double complex grid[SYMBOLS][12 * MOST_BLOCKS + 1];     // the middle one is 0 Hz, empty
    double complex wave[30720];
    float complex  iq[30720];
};

// Place in a row of carrier k, counted from the lowest: 0 Hz does not count.
static unsigned place(const struct lte *e, unsigned k) { return k + (k >= 6 * e->blocks); }

static double complex draw(struct rng *rng, unsigned side)
{
    double scale = sqrt(1.5 / (side * side - 1.0));
    double re = 2.0 * rng_below(rng, side) + 1 - side, im = 2.0 * rng_below(rng, side) + 1 - side;
    return CMPLX(re * scale, im * scale);
}

// ---- one subframe's grid ---------------------------------------------------------------------

// Control in the first two symbols, in groups of 4 carriers; then blocks of 12, each with its own
// modulation.
static void fill_traffic(struct lte *e)
{
    static const unsigned side[3] = { 2, 4, 8 };
    for (unsigned k = 0; k < 12 * e->blocks; k++) {
        if (k % 4 == 0)
            for (unsigned s = 0; s < CONTROL; s++)
                if (rng_uniform(&e->rng) < 0.3 + 0.5 * e->load)
                    for (unsigned i = 0; i < 4; i++)
                        e->grid[s][place(e, k + i)] = draw(&e->rng, 2);
        if (k % 12 || rng_uniform(&e->rng) >= e->load)
            continue;
        unsigned m = side[rng_below(&e->rng, 3)];
        for (unsigned s = CONTROL; s < SYMBOLS; s++)
            for (unsigned i = 0; i < 12; i++)
                e->grid[s][place(e, k + i)] = draw(&e->rng, m);
    }
}

// The 72 carriers around 0 Hz belong to somebody else in this symbol.
static void clear_middle(struct lte *e, unsigned symbol)
{
    for (unsigned i = 0; i < 72; i++)
        e->grid[symbol][place(e, 6 * e->blocks - 36 + i)] = 0;
}

static void put_sync(struct lte *e, unsigned sf)
{
    unsigned low = 6 * e->blocks - LTE_SYNC / 2;
    if (sf % 5 == (e->tdd ? 1 : 0)) {
        double complex d[LTE_SYNC];
        unsigned s = e->tdd ? 2 : 6;
        lte_pss(e->cell % 3, d);
        clear_middle(e, s);
        for (unsigned i = 0; i < LTE_SYNC; i++)
            e->grid[s][place(e, low + i)] = d[i];
    }
    if (sf % 5 == 0) {
        double d[LTE_SYNC];
        unsigned s = e->tdd ? 13 : 5;
        lte_sss(e->cell, sf, d);
        clear_middle(e, s);
        for (unsigned i = 0; i < LTE_SYNC; i++)
            e->grid[s][place(e, low + i)] = d[i];
    }
    for (unsigned s = 7; sf == 0 && s < 11; s++)            // broadcast channel
        for (unsigned i = 0; i < 72; i++)
            e->grid[s][place(e, 6 * e->blocks - 36 + i)] = draw(&e->rng, 2);
}

static void put_reference(struct lte *e, unsigned sf)
{
    double complex r[2 * MOST_BLOCKS];
    for (unsigned s = 0; s < SYMBOLS; s++) {
        unsigned l = s % 7;
        if (l != 0 && l != 4)
            continue;
        unsigned k = lte_crs(e->cell, 2 * sf + s / 7, l, e->blocks, r);
        for (unsigned m = 0; m < 2 * e->blocks; m++)
            e->grid[s][place(e, k + 6 * m)] = r[m];
    }
}

// ---- model -----------------------------------------------------------------------------------

// Mean power of a symbol's samples over long, from the shares of the grid that are used.
static double mean_power(const struct lte *e)
{
    double control = 0.3 + 0.5 * e->load, crs = 4.0 / SYMBOLS / 6;
    double used = (CONTROL * control + (SYMBOLS - CONTROL) * e->load) / SYMBOLS;
    return 12.0 * e->blocks * (used * (1 - crs) + crs);
}

static const struct width *find_width(const char *mode)
{
    for (unsigned i = 0; i < WIDTHS; i++)
        if (!mode || link_is(widths[i].word, mode) || link_is(widths[i].mhz, mode))
            return &widths[i];
    return NULL;
}

static int lte_make(void **ret_state, const struct tx_args *a, struct rng *rng, char why[IQ_WHY])
{
    static const char *const known[] = { "fdd", "tdd", NULL };
    const struct width *w = find_width(a->mode);
    if (!w || !args_has_freq(a)) {
        snprintf(why, IQ_WHY, "lte: needs a freq_hz, and a mode that is one of 1.4 3 5 10 15 20 "
                 "(MHz), not \"%s\"", a->mode ? a->mode : "10");
        return -EINVAL;
    }
    if (!words_known("lte", a->variant, known, why))
        return -EINVAL;
    struct lte *e = calloc(1, sizeof *e);
    if (!e)
        return -ENOMEM;
    e->args = *a;
    e->rng = *rng;
    e->blocks = w->blocks;
    e->n = w->n;
    e->rate_hz = 15e3 * w->n;
    e->cell = (unsigned)(a->uid % 504);
    e->tdd = words_have(a->variant, "tdd");
    e->load = a->duty > 0 ? fmin(a->duty, 1) : 0.5;
    e->scale = 1 / sqrt(mean_power(e));
    e->subframe0 = rng_below(&e->rng, 10);
    ofdm_init(&e->ofdm, e->n);
    *ret_state = e;
    return 0;
}

// Symbols sent in a subframe: uplink-downlink configuration 1, special subframe configuration 7.
static unsigned symbols_in(const struct lte *e, unsigned sf)
{
    static const uint8_t tdd[5] = { SYMBOLS, DWPTS, 0, 0, SYMBOLS };
    return e->tdd ? tdd[sf % 5] : SYMBOLS;
}

static size_t make_subframe(struct lte *e, unsigned sf, unsigned symbols)
{
    size_t n = 0;
    memset(e->grid, 0, sizeof e->grid);
    fill_traffic(e);
    put_sync(e, sf);
    put_reference(e, sf);
    for (unsigned s = 0; s < symbols; s++) {
        unsigned cp = (s % 7 ? 144 : 160) * e->n / 2048;
        n += ofdm_symbol(&e->ofdm, e->grid[s], 6 * e->blocks, cp, e->wave + n);
    }
    for (size_t i = 0; i < n; i++)
        e->iq[i] = CMPLXF((float)(creal(e->wave[i]) * e->scale),
                          (float)(cimag(e->wave[i]) * e->scale));
    return n;
}

static int lte_next(void *state, struct tx_packet *ret_packet)
{
    struct lte *e = state;
    for (;; e->subframe++, e->was_on = false) {
        double t = (double)e->subframe * 1e-3;
        unsigned sf = (unsigned)((e->subframe + e->subframe0) % 10), symbols = symbols_in(e, sf);
        if (t >= args_until(&e->args))
            return 0;
        if (!symbols)
            continue;
        size_t n = make_subframe(e, sf, symbols);
        double left = (args_until(&e->args) - t) * e->rate_hz;
        if (left < (double)n)                   // cut where the emitter ends
            n = (size_t)left;
        if (!n)
            return 0;
        *ret_packet = (struct tx_packet){
            .t_s = t, .freq_hz = e->args.freq_hz, .bw_hz = 0.99 * 180e3 * e->blocks,
            .rate_hz = e->rate_hz, .n = n, .iq = e->iq, .continues = e->was_on,
        };
        // The table's only row names the bands below 1 GHz.
        if (!e->tdd && e->args.freq_hz > 791e6 && e->args.freq_hz < 960e6)
            snprintf(ret_packet->link, sizeof ret_packet->link, "LTE/5G FDD B8/B20");
        e->was_on = symbols == SYMBOLS;
        e->subframe++;
        return 1;
    }
}

const struct tx_model tx_lte = {
    .name = "lte",
    .family = "lte",
    .about = "LTE base station, 1.4 to 20 MHz, FDD or TDD, real sync and reference signals",
    .make = lte_make,
    .next = lte_next,
    .drop = free,
};
