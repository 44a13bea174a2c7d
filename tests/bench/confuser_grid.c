// SPDX-License-Identifier: GPL-3.0-or-later
// What 15 kHz symbols hold, after 3GPP TS 36.211: synchronisation signals, cell reference signals,
// blocks of random QAM, SC-FDMA with its pilots; and DroneID's frame with foreign contents.
#include "tests/bench/confuser_grid.h"

#include <math.h>
#include <stdlib.h>

#define RBS   100                    // resource blocks of 12 carriers in 20 MHz
#define GROUPS   25                     // random words a symbol: one for four blocks
#define SIZES    3
static const unsigned sizes[SIZES] = { 120, 240, 600 };         // of SC-FDMA allocations
static const unsigned primes[SIZES] = { 113, 239, 599 };

struct grid { struct dft *fwd[SIZES]; float complex *a; };

struct grid *grid_new(void)
{
    struct grid *g = calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->a = dft_alloc(600);
    for (int i = 0; i < SIZES; i++)
        g->fwd[i] = dft_new(sizes[i], DFT_FORWARD, 1);
    return g;
}

void grid_free(struct grid *g)
{
    for (int i = 0; g && i < SIZES; i++)
        dft_free(g->fwd[i]);
    if (g)
        free(g->a);
    free(g);
}

// Carrier k from the emitter's middle.
static void put(const struct emitter *e, float complex *bins, unsigned n, int k, float complex v)
{
    int at = e->k0 + k, half = (int)n / 2;
    if (at >= -half && at < half)
        bins[(at + (int)n) % (int)n] = v;
}

static float complex cis(double turns)
{
    double t = turns - floor(turns);
    return cexpf(2 * (float)M_PI * I * (float)t);
}

// ---- LTE downlink ------------------------------------------------------------------------------

// Index -600..599 of the carriers, without the middle -> carrier.
static int carrier(int i) { return i < 0 ? i : i + 1; }

static void pss(const struct emitter *e, float complex *bins, unsigned n, float amp)
{
    static const int roots[3] = { 25, 29, 34 };
    int u = roots[e->cell % 3];
    for (int m = 0; m < 62; m++) {
        int q = m < 31 ? m * (m + 1) : (m + 1) * (m + 2);
        put(e, bins, n, carrier(m - 31), amp * cis(-u * q / 126.0));
    }
}

// Taps: bit j stands for x[i + j].
static void m_sequence(unsigned taps, int s[31])
{
    unsigned x[36] = { 0, 0, 0, 0, 1 };
    for (int i = 0; i < 31; i++)
        for (unsigned j = 0; j < 5; j++)
            x[i + 5] ^= (taps >> j & 1) & x[i + j];
    for (int i = 0; i < 31; i++)
        s[i] = x[i] ? -1 : 1;
}

static void sss(const struct emitter *e, float complex *bins, unsigned n, float amp, bool second)
{
    int s[31], c[31], z[31], n1 = (int)e->cell / 3, n2 = (int)e->cell % 3;
    m_sequence(5, s);                   // x[i + 5] = x[i + 2] + x[i]
    m_sequence(9, c);                   // x[i + 3] + x[i]
    m_sequence(23, z);                  // x[i + 4] + x[i + 2] + x[i + 1] + x[i]
    int q1 = n1 / 30, q = (n1 + q1 * (q1 + 1) / 2) / 30, m = n1 + q * (q + 1) / 2;
    int m0 = m % 31, m1 = (m0 + m / 31 + 1) % 31;
    int a = second ? m1 : m0, b = second ? m0 : m1;
    for (int i = 0; i < 31; i++) {
        int even = s[(i + a) % 31] * c[(i + n2) % 31];
        int odd = s[(i + b) % 31] * c[(i + n2 + 3) % 31] * z[(i + a % 8) % 31];
        put(e, bins, n, carrier(2 * i - 31), amp * (float)even);
        put(e, bins, n, carrier(2 * i - 30), amp * (float)odd);
    }
}

static void gold(uint32_t init, unsigned n, unsigned char *bits)
{
    uint32_t a = 1, b = init;
    for (unsigned i = 0; i < 1600 + n; i++) {
        if (i >= 1600)
            bits[i - 1600] = (a ^ b) & 1;
        uint32_t na = (a ^ a >> 3) & 1, nb = (b ^ b >> 1 ^ b >> 2 ^ b >> 3) & 1;
        a = a >> 1 | na << 30;
        b = b >> 1 | nb << 30;
    }
}

// Reference signals of both ports in symbol 0 or 4 of slot ns.
static void crs(const struct emitter *e, float complex *bins, unsigned n, float amp, int ns, int l)
{
    unsigned char bit[440];
    uint32_t id = e->cell;
    gold((uint32_t)(7 * (ns + 1) + l + 1) * (2 * id + 1) * 1024 + 2 * id + 1, 440, bit);
    for (int port = 0; port < 2; port++) {
        int v = (l ? 3 : 0) ^ (port ? 3 : 0);
        for (int m = 0; m < 2 * RBS; m++) {
            unsigned q = 2 * (unsigned)(m + 10);
            put(e, bins, n, carrier(6 * m + (v + (int)id % 6) % 6 - 600),
                amp * 0.70710678f * ((1 - 2 * bit[q]) + I * (1 - 2 * bit[q + 1])));
        }
    }
}

struct slot { int64_t frame; int ns, l; };

static bool block_used(const struct conf *c, unsigned i, const struct slot *t, int b)
{
    if (conf_class(c) != CONF_LTE_IDLE)
        return true;
    // in one subframe of ten a few blocks carry system information or paging
    int64_t sub = t->frame * 10 + t->ns / 2;
    uint64_t h = conf_draw(c, i, sub, 40);
    int first = (int)(h / 16 % 92);
    return (h / 4096 % 10 == 0 && b >= first && b < first + 8) ||
           (t->ns == 1 && t->l < 4 && b >= 47 && b < 53);
}

static void downlink(const struct conf *c, const struct emitter *e, unsigned i, int64_t unit,
                     const struct slot *t, float amp, float complex *bins, unsigned n)
{
    bool tdd = conf_class(c) == CONF_LTE_TDD, control = t->ns % 2 == 0 && t->l < 2;
    for (int b = 0; b < RBS; b++) {
        if (!block_used(c, i, t, b))
            continue;
        uint64_t h = conf_draw(c, i, unit, (unsigned)b / 4);
        uint64_t kind = conf_draw(c, i, t->frame * 10 + t->ns / 2, 30 + (unsigned)b / 20);
        unsigned axis = control ? 2 : kind / 64 % 3 == 0 ? 2 : kind / 64 % 3 == 1 ? 4 : 8;
        for (int k = 0; k < 12; k++)
            put(e, bins, n, carrier(12 * b + k - 600),
                amp * conf_qam(conf_mix(h + (uint64_t)(12 * b + k)), axis));
    }
    if (t->l == 0 || t->l == 4)
        crs(e, bins, n, amp, t->ns, t->l);
    if (tdd ? (t->ns == 2 || t->ns == 12) && t->l == 2 : t->ns % 10 == 0 && t->l == 6)
        pss(e, bins, n, amp);
    if (tdd ? (t->ns == 1 || t->ns == 11) && t->l == 6 : t->ns % 10 == 0 && t->l == 5)
        sss(e, bins, n, amp, t->ns >= 10);
}

// ---- SC-FDMA -----------------------------------------------------------------------------------

static struct slot slot_of(int64_t unit)
{
    return (struct slot){ unit / 140, (int)(unit % 140 / 7), (int)(unit % 7) };
}

static bool is_uplink(const struct conf *c, const struct slot *t)
{
    return conf_class(c) == CONF_V2X || (conf_class(c) == CONF_LTE_TDD && t->ns / 2 % 5 == 2);
}

bool grid_pilot(const struct conf *c, int64_t unit)
{
    struct slot t = slot_of(unit);
    int l = t.ns % 2 * 7 + t.l;
    if (!is_uplink(c, &t))
        return false;
    return conf_class(c) == CONF_V2X ? l == 2 || l == 5 || l == 8 || l == 11 : t.l == 3;
}

// One allocation of a subframe; pilots: symbols 2, 5 of the first slot and 1, 4 of the second (V2X)
// or 3 of each (uplink).  The carriers lie half a spacing off the raster.
static double uplink(struct grid *g, const struct conf *c, const struct emitter *e, unsigned i,
                     int64_t unit, const struct slot *t, float complex *bins, unsigned n)
{
    bool v2x = conf_class(c) == CONF_V2X;
    int l = t->ns % 2 * 7 + t->l, carriers = v2x ? 600 : 1200;
    uint64_t h = conf_draw(c, i, t->frame * 10 + t->ns / 2, 50);
    unsigned s = (unsigned)(h / 16 % SIZES), m = sizes[s], p = primes[s];
    int first = (int)(h / 64 % (unsigned)((carriers - (int)m) / 12 + 1)) * 12 - carriers / 2;
    float amp = 1 / sqrtf((float)m);
    if (h / 4096 % 8 == 0 || (v2x && l == 13))          // nobody; the last symbol is a gap
        return 0;
    if (grid_pilot(c, unit)) {
        unsigned u = (unsigned)(h / 65536 % 30), shift = (unsigned)(h >> 32) % 12;
        unsigned q = (unsigned)lround(p * (u + 1) / 31.0);
        for (unsigned k = 0; k < m; k++) {
            double a = (double)(k % p) * (k % p + 1.0) * q / (2.0 * p);
            put(e, bins, n, first + (int)k, amp * cis(shift * k / 12.0 - a));
        }
        return 0.5;
    }
    for (unsigned k = 0; k < m; k++)
        g->a[k] = conf_qam(conf_mix(conf_draw(c, i, unit, k / 24) + k), h >> 40 & 1 ? 2 : 4);
    dft_run(g->fwd[s], g->a, g->a);
    for (unsigned k = 0; k < m; k++)
        put(e, bins, n, first + (int)k, amp * g->a[k] / sqrtf((float)m));
    return 0.5;
}

// ---- Others ------------------------------------------------------------------------------------

static void random_symbol(const struct conf *c, const struct emitter *e, unsigned i, int64_t unit,
                          int half, unsigned axis, float complex *bins, unsigned n)
{
    for (int k = -half; k < half; k++) {
        uint64_t at = (uint64_t)(k + half), h = conf_draw(c, i, unit, (unsigned)at / 48);
        put(e, bins, n, carrier(k), conf_qam(conf_mix(h + at), axis) / sqrtf(2 * (float)half));
    }
}

// A Zadoff-Chu symbol on DroneID's carriers, of any root but DroneID's two.
static void other_root(const struct conf *c, const struct emitter *e, unsigned i, int64_t unit,
                       float complex *bins, unsigned n)
{
    unsigned u = 1 + (unsigned)(conf_draw(c, i, unit, 45) / 8 % 600);
    u = u == 600 || u == 147 ? 1 : u;
    for (int k = -300; k <= 300; k++)
        if (k)
            put(e, bins, n, k, cis(-(double)u * (k + 300) * (k + 301) / 1202.0) / sqrtf(600));
}

double grid_fill(struct grid *g, const struct conf *c, const struct emitter *e, unsigned i,
                 int64_t unit, float complex *bins, unsigned n)
{
    struct slot t = slot_of(unit);
    int sub = t.ns / 2 % 5;             // TDD 2: D S U D D, twice
    float amp = 1 / sqrtf(12 * RBS);
    switch (conf_class(c)) {
    case CONF_V2X:
        return uplink(g, c, e, i, unit, &t, bins, n);
    case CONF_LTE_TDD:
        if (sub == 2)
            return uplink(g, c, e, i, unit, &t, bins, n);
        if (sub != 1 || t.ns % 2 == 0 || t.l < 3)       // then the guard period
            downlink(c, e, i, unit, &t, amp, bins, n);
        return 0;
    case CONF_LTE_FULL: case CONF_LTE_IDLE:
        downlink(c, e, i, unit, &t, amp, bins, n);
        return 0;
    case CONF_OFDM:
        random_symbol(c, e, i, unit, e->wide ? 600 : 300, e->cell & 1 ? 2 : 4, bins, n);
        return 0;
    case CONF_NEAR:
        if (unit % 9 == 3 || unit % 9 == 5)
            other_root(c, e, i, unit, bins, n);
        else
            random_symbol(c, e, i, unit, 300, 2, bins, n);
        return 0;
    default:
        return 0;
    }
}
