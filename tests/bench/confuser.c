// SPDX-License-Identifier: GPL-3.0-or-later
// Noise, packets (802.11) and the frame around 15 kHz symbols; what those symbols hold stands in
// confuser_grid.c.
//
//     slot     |cp|  0  |cp|  1  |cp|  2  | ...  |cp|  6  |      LTE: 0.5 ms, prefixes 160 and 144
//     burst    |cp|  0  |cp| ...      |cp|  8  |    |            DroneID's: 80 and 72, then a pause
#include "tests/bench/confuser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/confuser_grid.h"

#define PACKET_S 1.2e-3                 // one packet in each stretch of that length
#define WIFI_N   512                    // an 802.11 symbol's points: 160 MS/s
#define CHIP_HZ  11e6
#define CHIPS    16384

struct conf {
    enum conf_class cls;
    double          rate_hz;
    uint64_t        seed, salt[CONF_SALTS];
    unsigned        n_emit, n;          // n: points of a 15 kHz symbol
    struct emitter  e[CONF_EMITTERS];
    struct dft     *inv, *fine;
    struct grid    *grid;
    float complex  *bins, *sym;
    signed char    *chip;               // two per chip
};

const char *conf_name(enum conf_class c)
{
    static const char *const name[CONF_CLASSES] = {
        "thermal noise", "LTE FDD, full", "LTE FDD, idle", "LTE TDD", "LTE-V2X SC-FDMA",
        "Wi-Fi OFDM", "Wi-Fi DSSS, CCK", "15 kHz OFDM", "DroneID but for its roots",
    };
    return name[c];
}

uint64_t conf_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t conf_draw(const struct conf *c, unsigned e, int64_t unit, unsigned part)
{
    uint64_t h = conf_mix(c->seed + 0x9e3779b97f4a7c15u * ((uint64_t)unit * 64 + part + 1) +
                          ((uint64_t)e << 58));
    return conf_mix(h ^ c->salt[h % CONF_SALTS]) | 1;
}

static double unit_of(uint64_t h) { return (double)(h >> 11) * 0x1p-53; }

// ---- Noise -------------------------------------------------------------------------------------

// Sum of four numbers of 16 bits: near enough to Gaussian once hundreds of samples are summed.
static float four(uint64_t h)
{
    int s = (int)(h & 0xffff) + (int)(h >> 16 & 0xffff) + (int)(h >> 32 & 0xffff) + (int)(h >> 48);
    return (float)(s - 131070) * (float)(M_SQRT1_2 / 37837.2);
}

static void noise(const struct conf *c, int64_t n0, size_t n, float complex *x)
{
    enum { LEN = 256 };
    for (int64_t at = n0, end = n0 + (int64_t)n; at < end;) {
        int64_t block = at / LEN, to = (block + 1) * LEN < end ? (block + 1) * LEN : end;
        uint64_t s = conf_draw(c, 63, block, 0);
        for (; at < to; at++) {
            uint64_t i = (uint64_t)(at - block * LEN) * 2;
            x[at - n0] = four(conf_mix(s + 0x9e3779b97f4a7c15u * i)) +
                         I * four(conf_mix(s + 0x9e3779b97f4a7c15u * (i + 1)));
        }
    }
}

// Adds n samples s, that begin at sample `at` of the capture, moved by hz and multiplied by gain.
static void add(const struct conf *c, const float complex *s, int64_t at, int64_t n, double hz,
                float gain, int64_t n0, size_t len, float complex *x)
{
    int64_t lo = at > n0 ? at : n0, hi = at + n < n0 + (int64_t)len ? at + n : n0 + (int64_t)len;
    double ph = hz / c->rate_hz * (double)lo;
    float complex turn = gain * cexpf(2 * (float)M_PI * I * (float)(ph - floor(ph)));
    float complex step = cexpf(2 * (float)M_PI * I * (float)(hz / c->rate_hz));
    for (int64_t i = lo; i < hi; i++) {
        x[i - n0] += turn * s[i - at];
        turn *= step;
    }
}

// ---- 15 kHz symbols ----------------------------------------------------------------------------

// Place of unit u: first sample of its prefix and the prefix's length, from the emitter's zero.
static int64_t place(const struct conf *c, int64_t u, unsigned *ret_cp)
{
    unsigned n = c->n;
    if (c->cls == CONF_NEAR) {                          // 9880 of 10240 samples at 15.36 MS/s
        unsigned s = (unsigned)(u % 9), l = n * 80 / 1024, k = n * 72 / 1024;
        *ret_cp = s == 0 || s == 8 ? l : k;
        return u / 9 * 10 * n + (s ? (int64_t)(l + n) + (s - 1) * (int64_t)(k + n) : 0);
    }
    unsigned l = (unsigned)(u % 7), first = n * 160 / 2048, other = n * 144 / 2048;
    *ret_cp = l ? other : first;
    return u / 7 * (int64_t)(7 * n + first + 6 * other) +
           (l ? (int64_t)(first + n) + (l - 1) * (int64_t)(other + n) : 0);
}

static int64_t unit_at(const struct conf *c, int64_t m)         // the last that begins before m
{
    unsigned cp, per = c->cls == CONF_NEAR ? 9 : 7;
    int64_t u = m / (place(c, per, &cp)) * per;
    while (place(c, u + 1, &cp) <= m)
        u++;
    return u;
}

static void symbols(struct conf *c, unsigned i, int64_t n0, size_t n, float complex *x)
{
    const struct emitter *e = &c->e[i];
    unsigned cp;
    for (int64_t u = unit_at(c, n0 + e->shift);; u++) {
        int64_t at = place(c, u, &cp) - e->shift;
        if (at >= n0 + (int64_t)n)
            break;
        memset(c->bins, 0, c->n * sizeof(*c->bins));
        double half = grid_fill(c->grid, c, e, i, u, c->bins, c->n);
        dft_run(c->inv, c->bins, c->sym + cp);
        memcpy(c->sym, c->sym + c->n, cp * sizeof(*c->sym));
        add(c, c->sym, at, (int64_t)c->n + cp, e->f_hz + 15e3 * (half - e->k0),
            e->gain, n0, n, x);
    }
}

// ---- 802.11 ------------------------------------------------------------------------------------

struct packet { double start_s, dur_s; uint64_t kind; };

static struct packet packet_of(const struct conf *c, unsigned i, int64_t frame)
{
    uint64_t h = conf_draw(c, i, frame, 60);
    double len = 0.1e-3 + 0.8e-3 * unit_of(conf_mix(h + 1));
    return (struct packet){ (double)frame * PACKET_S + unit_of(h) * (PACKET_S - len), len,
                            conf_mix(h + 2) };
}

float complex conf_qam(uint64_t h, unsigned per_axis)
{
    static const float scale[] = { 0, 0, 0.70710678f, 0, 0.31622777f, 0, 0, 0, 0.15430335f };
    float a = (float)(h % per_axis), b = (float)(h / 8 % per_axis), m = (float)(per_axis - 1);
    return scale[per_axis] * ((2 * a - m) + I * (2 * b - m));
}

static void wifi_carriers(uint64_t h, unsigned s, uint64_t kind, float complex *bins)
{
    static const char ltf[] = "++--++-+-++++++--++-+-++++0+--++-+-+-----++--+-+-++++";
    static const char stf[] = "00+000-000+000-000-000+0000000-000-000+000+000+000+00";
    static const unsigned axis[] = { 2, 4, 8, 2 };
    for (int k = -26; k <= 26; k++) {
        char t = ltf[k + 26], u = stf[k + 26];
        float complex v = conf_qam(conf_mix(h + (uint64_t)(k + 64)), axis[kind % 4]);
        if (s < 2)
            v = u == '0' ? 0 : (u == '+' ? 1.4719601f : -1.4719601f) * (1 + I) * 0.70710678f;
        else if (s < 4)
            v = t == '+' ? 1 : -1;
        bins[(k + WIFI_N) % WIFI_N] = k ? v / sqrtf(52) : 0;
    }
}

static void wifi(struct conf *c, unsigned i, int64_t n0, size_t n, float complex *x)
{
    const struct emitter *e = &c->e[i];
    double per = c->rate_hz / 20e6;
    int64_t frame = (int64_t)floor(((double)(n0 + e->shift)) / c->rate_hz / PACKET_S);
    for (;; frame++) {
        struct packet p = packet_of(c, i, frame);
        double at = p.start_s * c->rate_hz - (double)e->shift;
        if ((double)frame * PACKET_S * c->rate_hz - (double)e->shift >= (double)(n0 + (int64_t)n))
            break;
        for (unsigned s = 0; s < p.dur_s / 4e-6; s++) {
            double from = at + 80 * per * s;
            int64_t lo = (int64_t)ceil(from), hi = (int64_t)ceil(from + 80 * per);
            if (hi <= n0 || lo >= n0 + (int64_t)n)
                continue;
            memset(c->bins, 0, WIFI_N * sizeof(*c->bins));
            wifi_carriers(conf_draw(c, i, frame * 512 + s, 1), s, p.kind, c->bins);
            dft_run(c->fine, c->bins, c->bins);
            for (int64_t k = lo; k < hi; k++) {         // 1.6 us of prefix before a long LTF
                double t = ((double)k - from) / per - (s == 2 ? 32 : s == 3 ? 48 : 16);
                double q = t * WIFI_N / 64 + 8 * WIFI_N;
                unsigned a = (unsigned)q;
                float f = (float)(q - a);
                c->sym[k - lo] = (1 - f) * c->bins[a % WIFI_N] + f * c->bins[(a + 1) % WIFI_N];
            }
            add(c, c->sym, lo, hi - lo, e->f_hz, e->gain, n0, n, x);
        }
    }
}

// Chips of one packet: a preamble of scrambled ones, then Barker at 1 Mb/s or free chips.
static unsigned chips(const struct conf *c, unsigned i, int64_t frame, const struct packet *p)
{
    static const signed char barker[11] = { 1, -1, 1, 1, -1, 1, 1, 1, -1, -1, -1 };
    unsigned n = (unsigned)(p->dur_s * CHIP_HZ), reg = 0x6c;
    signed char now = 1;
    for (unsigned k = 0; k < n && k < CHIPS; k++) {
        unsigned bit = k / 11;
        if (bit >= 144 && p->kind % 2) {
            uint64_t h = conf_mix(conf_draw(c, i, frame * 512 + k / 64, 2) + k);
            c->chip[2 * k] = h & 1 ? 1 : -1;
            c->chip[2 * k + 1] = h & 2 ? 1 : -1;
            continue;
        }
        if (k % 11 == 0) {
            unsigned in = bit < 128 ? 1 : (unsigned)(conf_draw(c, i, frame * 512 + bit / 8, 3) >>
                                                     (8 + bit % 8)) & 1;
            unsigned out = in ^ (reg >> 3 & 1) ^ (reg >> 6 & 1);
            reg = (reg << 1 | out) & 0x7f;
            now = out ? (signed char)-now : now;
        }
        c->chip[2 * k] = c->chip[2 * k + 1] = (signed char)(now * barker[k % 11]);
    }
    return n < CHIPS ? n : CHIPS;
}

static void dsss(struct conf *c, unsigned i, int64_t n0, size_t n, float complex *x)
{
    const struct emitter *e = &c->e[i];
    int64_t frame = (int64_t)floor(((double)(n0 + e->shift)) / c->rate_hz / PACKET_S);
    for (;; frame++) {
        if ((double)frame * PACKET_S * c->rate_hz - (double)e->shift >= (double)(n0 + (int64_t)n))
            break;
        struct packet p = packet_of(c, i, frame);
        double at = p.start_s * c->rate_hz - (double)e->shift, per = CHIP_HZ / c->rate_hz;
        int64_t lo = at > (double)n0 ? (int64_t)ceil(at) : n0;
        double ph = e->f_hz / c->rate_hz * (double)lo;
        float complex turn = e->gain * 0.70710678f *
                             cexpf(2 * (float)M_PI * I * (float)(ph - floor(ph)));
        float complex step = cexpf(2 * (float)M_PI * I * (float)(e->f_hz / c->rate_hz));
        unsigned len = chips(c, i, frame, &p);
        for (int64_t k = lo; k < n0 + (int64_t)n; k++) {
            double q = ((double)k - at) * per;
            unsigned a = (unsigned)q;
            if (a + 1 >= len)
                break;
            float f = (float)(q - a);                   // a chip's edge takes half of it
            f = f < 0.5f ? 0 : 2 * f - 1;
            float re = (1 - f) * c->chip[2 * a] + f * c->chip[2 * a + 2];
            float im = (1 - f) * c->chip[2 * a + 1] + f * c->chip[2 * a + 3];
            x[k - n0] += turn * (re + I * im);
            turn *= step;
        }
    }
}

// ---- All ---------------------------------------------------------------------------------------

static double width_hz(enum conf_class c, uint64_t h)
{
    switch (c) {
    case CONF_V2X: case CONF_NEAR: return 9.015e6;
    case CONF_WIFI: return 16.6e6;
    case CONF_DSSS: return 16e6;
    case CONF_OFDM: return h & 1 ? 9.015e6 : 18.015e6;
    default: return 18.015e6;
    }
}

static void place_emitters(struct conf *c)
{
    unsigned most = c->cls == CONF_NOISE ? 0 : c->rate_hz < 50e6 ? 1 : CONF_EMITTERS;
    for (unsigned i = 0; i < most; i++) {
        uint64_t h = conf_mix(c->seed * 16 + i);
        double w = width_hz(c->cls, h), snr = 25 * unit_of(conf_mix(h + 1));  // dB, in w
        double at = most == 1 ? 0 : 20e6 * (i - 1.0);
        struct emitter *e = &c->e[i];
        e->wide = w > 10e6;
        e->f_hz = at + (unit_of(conf_mix(h + 2)) - 0.5) * 1.5e6;
        e->k0 = (int)lround(e->f_hz / 15e3);
        e->shift = (int64_t)(unit_of(conf_mix(h + 3)) * 0.64 * c->rate_hz);
        e->cell = (unsigned)(conf_mix(h + 4) % 504);
        e->gain = (float)sqrt(pow(10, snr / 10) * w / c->rate_hz);
        c->n_emit = i + 1;
    }
}

void conf_seed(struct conf *c, uint64_t seed)
{
    c->seed = conf_mix(seed * CONF_CLASSES + c->cls + 1);
    memset(c->salt, 0, sizeof(c->salt));
    place_emitters(c);
}

struct conf *conf_new(enum conf_class cls, double rate_hz, uint64_t seed)
{
    struct conf *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->cls = cls;
    c->rate_hz = rate_hz;
    c->n = (unsigned)lround(rate_hz / 15e3);
    c->inv = dft_new(c->n, DFT_BACKWARD, 1);
    c->fine = dft_new(WIFI_N, DFT_BACKWARD, 1);
    c->bins = dft_alloc(c->n > WIFI_N ? c->n : WIFI_N);
    c->sym = dft_alloc(2 * c->n);
    c->grid = grid_new();
    c->chip = calloc(2, CHIPS);
    if (!c->inv || !c->fine || !c->bins || !c->sym || !c->grid || !c->chip) {
        conf_free(c);
        return NULL;
    }
    conf_seed(c, seed);
    return c;
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    dft_free(c->inv);
    dft_free(c->fine);
    grid_free(c->grid);
    free(c->bins);
    free(c->sym);
    free(c->chip);
    free(c);
}

uint64_t *conf_salts(struct conf *c) { return c->salt; }
unsigned conf_emitters(const struct conf *c) { return c->n_emit; }
double conf_centre_hz(const struct conf *c, unsigned e) { return c->e[e].f_hz; }
enum conf_class conf_class(const struct conf *c) { return c->cls; }

bool conf_has_grid(enum conf_class c)
{
    return c != CONF_NOISE && c != CONF_WIFI && c != CONF_DSSS;
}

int64_t conf_symbol_near(const struct conf *c, unsigned e, int64_t n)
{
    unsigned cp;
    if (!conf_has_grid(c->cls))
        return n;
    int64_t u = unit_at(c, n + c->e[e].shift);
    if (c->cls == CONF_NEAR)                            // its first Zadoff-Chu symbol
        u = u / 9 * 9 + 3;
    int64_t at = place(c, u, &cp);
    return at + cp - c->e[e].shift;
}

bool conf_has_pilots(enum conf_class c) { return c == CONF_V2X || c == CONF_LTE_TDD; }

int64_t conf_pilot_near(const struct conf *c, unsigned e, int64_t n)
{
    unsigned cp;
    if (!conf_has_pilots(c->cls))
        return n;
    int64_t u = unit_at(c, n + c->e[e].shift);
    while (!grid_pilot(c, u))
        u++;
    int64_t at = place(c, u, &cp);
    return at + cp - c->e[e].shift;
}

void conf_make(struct conf *c, int64_t n0, size_t n, float complex *x)
{
    noise(c, n0, n, x);
    for (unsigned i = 0; i < c->n_emit; i++) {
        if (c->cls == CONF_WIFI)
            wifi(c, i, n0, n, x);
        else if (c->cls == CONF_DSSS)
            dsss(c, i, n0, n, x);
        else
            symbols(c, i, n0, n, x);
    }
}
