// SPDX-License-Identifier: GPL-3.0-or-later
// 802.11 OFDM at 20 MHz: 64 carriers of 312.5 kHz, 48 of data, 4 pilots.
//
//     |- L-STF 8 us -|- L-LTF 8 us -|SIGNAL| data ...                 legacy
//     |10 times 0.8  |GI2| T  | T   |  4 us| 4 us each
//     |- L-STF ------|- L-LTF ------|SIGNAL| HT-SIG 8 us |STF|LTF| data ...    mixed
//
// Bits of a data field: scramble -> K = 7 code, punctured -> interleave -> constellation.
#include "sdr/tx/wifi_ofdm.h"

#include <fftw3.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

const struct wifi_rate wifi_rates[WIFI_RATES] = {
    {  6, 0xb, 1,  48,  24 }, {  9, 0xf, 1,  48,  36 }, { 12, 0xa, 2,  96,  48 },
    { 18, 0xe, 2,  96,  72 }, { 24, 0x9, 4, 192,  96 }, { 36, 0xd, 4, 192, 144 },
    { 48, 0x8, 6, 288, 192 }, { 54, 0xc, 6, 288, 216 },
};

#define CBPS_MOST 288           // coded bits of a symbol

struct wifi_ofdm {
    fftwf_plan     plan;
    float          polarity[127];           // p_n, the scrambler's sequence from all ones
    float complex  point[4][64];            // of 1, 2, 4, 6 bits, the first one highest
    fftwf_complex *carrier, *sample;        // 64 each
    uint8_t       *bit;
    size_t         bit_cap;
    float complex *iq;
    size_t         n, cap;
};

static void make_tables(struct wifi_ofdm *w);

struct wifi_ofdm *wifi_ofdm_new(void)
{
    struct wifi_ofdm *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->carrier = fftwf_alloc_complex(64);
    w->sample = fftwf_alloc_complex(64);
    if (w->carrier && w->sample)
        w->plan = fftwf_plan_dft_1d(64, w->carrier, w->sample, FFTW_BACKWARD, FFTW_ESTIMATE);
    if (!w->plan) {
        wifi_ofdm_free(w);
        return NULL;
    }
    make_tables(w);
    return w;
}

void wifi_ofdm_free(struct wifi_ofdm *w)
{
    if (!w)
        return;
    if (w->plan)
        fftwf_destroy_plan(w->plan);
    fftwf_free(w->carrier);
    fftwf_free(w->sample);
    free(w->bit);
    free(w->iq);
    free(w);
}

// ---- Bits ------------------------------------------------------------------------------------

// Of seven bits: of four by the table in a number.
static unsigned parity(unsigned v) { return (0x6996u >> ((v ^ v >> 4) & 15)) & 1; }

// K = 7, 133 and 171 octal, from state 0; of each period of the puncturing only the marked.
static void encode(const uint8_t *in, size_t n, unsigned dbps, unsigned cbps, uint8_t *out)
{
    // Kept outputs by input bit: bit 0 is A, bit 1 is B.  Rates 1/2, 2/3, 3/4.
    static const uint8_t keep[3][3] = { { 3, 3, 3 }, { 3, 1, 3 }, { 3, 1, 2 } };
    static const size_t period[3] = { 1, 2, 3 };
    unsigned reg = 0, kind = 2 * dbps == cbps ? 0 : 3 * dbps == 2 * cbps ? 1 : 2;
    size_t m = 0;
    for (size_t i = 0, at = 0; i < n; i++, at = at + 1 < period[kind] ? at + 1 : 0) {
        reg = ((reg << 1) | in[i]) & 0x7f;          // newest lowest
        uint8_t k = keep[kind][at];
        if (k & 1)
            out[m++] = (uint8_t)parity(reg & 0x6d); // 1011011, newest first
        if (k & 2)
            out[m++] = (uint8_t)parity(reg & 0x4f); // 1111001
    }
}

// Where each of a symbol's coded bits goes.
static void interleaver(unsigned bpsc, uint16_t to[CBPS_MOST])
{
    unsigned s = bpsc > 1 ? bpsc / 2 : 1, cbps = 48 * bpsc;
    for (unsigned k = 0; k < cbps; k++) {
        unsigned i = cbps / 16 * (k % 16) + k / 16;
        to[k] = (uint16_t)(s * (i / s) + (i + cbps - 16 * i / cbps) % s);
    }
}

// `symbols` of them, one behind the other.
static void interleave(const uint8_t *in, unsigned bpsc, size_t symbols, uint8_t *out)
{
    uint16_t to[CBPS_MOST];
    unsigned cbps = 48 * bpsc;
    interleaver(bpsc, to);
    for (size_t s = 0; s < symbols; s++, in += cbps, out += cbps)
        for (unsigned k = 0; k < cbps; k++)
            out[to[k]] = in[k];
}

void wifi_signal(unsigned rate, size_t length, uint8_t bit[24])
{
    memset(bit, 0, 24);
    for (unsigned i = 0; i < 4; i++)
        bit[i] = (wifi_rates[rate].field >> i) & 1;
    for (unsigned i = 0; i < 12; i++)
        bit[5 + i] = (length >> i) & 1;
    for (unsigned i = 0; i < 17; i++)
        bit[17] ^= bit[i];
}

void wifi_signal_coded(const uint8_t bit[24], uint8_t out[48])
{
    uint8_t coded[48];
    encode(bit, 24, 24, 48, coded);
    interleave(coded, 1, 1, out);
}

// The next bit of x^7 + x^4 + 1.
static unsigned scramble(unsigned *reg)
{
    unsigned out = ((*reg >> 6) ^ (*reg >> 3)) & 1;
    *reg = ((*reg << 1) | out) & 0x7f;
    return out;
}

size_t wifi_data_coded(struct wifi_ofdm *w, unsigned rate, const uint8_t *psdu, size_t n,
                       unsigned seed, const uint8_t **ret_bit)
{
    const struct wifi_rate *r = &wifi_rates[rate];
    size_t symbols = (16 + 8 * n + 6 + r->dbps - 1) / r->dbps, all = symbols * r->dbps;
    size_t need = all + 2 * symbols * r->cbps;      // plain, coded, interleaved
    if (need > w->bit_cap) {
        uint8_t *p = realloc(w->bit, need);
        if (!p)
            return 0;
        w->bit = p;
        w->bit_cap = need;
    }
    uint8_t *plain = w->bit, *coded = plain + all, *out = coded + symbols * r->cbps;
    for (size_t i = 0; i < all; i++)
        plain[i] = (uint8_t)scramble(&seed);
    for (size_t i = 0; i < 8 * n; i++)
        plain[16 + i] ^= (psdu[i / 8] >> (i % 8)) & 1;
    memset(plain + 16 + 8 * n, 0, 6);               // the tail returns the code to state 0
    encode(plain, all, r->dbps, r->cbps, coded);
    interleave(coded, r->bpsc, symbols, out);
    *ret_bit = out;
    return symbols;
}

// ---- Samples ---------------------------------------------------------------------------------

// Half of a constellation point from its bits, Gray, in units of 1: 1; 3; 7 at most.
static float level(const uint8_t *bit, unsigned n)
{
    static const float four[4] = { -3, -1, 3, 1 };
    static const float eight[8] = { -7, -5, -1, -3, 7, 5, 1, 3 };
    if (n == 1)
        return bit[0] ? 1 : -1;
    return n == 2 ? four[2 * bit[0] + bit[1]] : eight[4 * bit[0] + 2 * bit[1] + bit[2]];
}

static float complex point(const uint8_t *bit, unsigned bpsc)
{
    static const float norm[7] = { 0, 1, 2, 0, 10, 0, 42 };
    float a = 1 / sqrtf(norm[bpsc]);
    if (bpsc == 1)
        return a * level(bit, 1);
    return CMPLXF(a * level(bit, bpsc / 2), a * level(bit + bpsc / 2, bpsc / 2));
}

static void make_tables(struct wifi_ofdm *w)
{
    unsigned reg = 0x7f;
    for (unsigned n = 0; n < 127; n++)
        w->polarity[n] = scramble(&reg) ? -1 : 1;
    for (unsigned k = 0; k < 4; k++)
        for (unsigned v = 0, bpsc = k ? 2 * k : 1; v < 1u << bpsc; v++) {
            uint8_t bit[6];
            for (unsigned i = 0; i < bpsc; i++)
                bit[i] = (v >> (bpsc - 1 - i)) & 1;
            w->point[k][v] = point(bit, bpsc);
        }
}

static void set(struct wifi_ofdm *w, int k, float complex v) { w->carrier[k & 63] = v; }

static void clear(struct wifi_ofdm *w) { memset(w->carrier, 0, 64 * sizeof *w->carrier); }

// Transforms, and appends n samples of the periodic result, `guard` of them before its start.
static void emit(struct wifi_ofdm *w, unsigned n, unsigned guard, float scale)
{
    fftwf_execute(w->plan);
    for (unsigned i = 0; i < n; i++)
        w->iq[w->n++] = scale * w->sample[(i + 64 - guard) & 63];
}

#define PLAIN (1 / 7.2111026f)  // 1 / sqrt(52): mean power 1 from 52 carriers of power 1

static void emit_stf(struct wifi_ofdm *w, unsigned n)
{
    // Carriers -24, -20 .. 24 without 0: signs of 1 + j.
    static const int8_t sign[13] = { 1, -1, 1, -1, -1, 1, 0, -1, -1, 1, 1, 1, 1 };
    float a = sqrtf(13.0f / 6);
    clear(w);
    for (int i = 0; i < 13; i++)
        set(w, 4 * i - 24, CMPLXF(a * sign[i], a * sign[i]));
    emit(w, n, 0, PLAIN);
}

// Long training signs of carriers -26 to 26.
static const char ltf[] = "++--++-+-++++++--++-+-++++" "0" "+--++-+-+-----++--+-+-++++";

static float ltf_of(int k)
{
    char c = ltf[k + 26];
    return c == '0' ? 0 : c == '+' ? 1 : -1;
}

static void emit_ltf(struct wifi_ofdm *w)
{
    clear(w);
    for (int k = -26; k <= 26; k++)
        set(w, k, ltf_of(k));
    emit(w, 160, 32, PLAIN);
}

static bool is_pilot(int k) { return abs(k) == 7 || abs(k) == 21; }

// A legacy symbol; turn: the factor of the data carriers (j for HT-SIG).
static void emit_symbol(struct wifi_ofdm *w, const uint8_t *bit, unsigned bpsc, unsigned n,
                        float complex turn)
{
    const float complex *points = w->point[bpsc / 2];
    float p = w->polarity[n % 127];
    clear(w);
    for (int k = -26; k <= 26; k++) {
        if (!k)
            continue;
        if (is_pilot(k)) {
            set(w, k, k == 21 ? -p : p);
        } else {
            unsigned v = 0;
            for (unsigned i = 0; i < bpsc; i++)
                v = 2 * v + *bit++;
            set(w, k, turn * points[v]);
        }
    }
    emit(w, WIFI_SYMBOL, 16, PLAIN);
}

static bool room(struct wifi_ofdm *w, size_t n)
{
    w->n = 0;
    if (n <= w->cap)
        return true;
    float complex *p = realloc(w->iq, n * sizeof *p);
    if (!p)
        return false;
    w->iq = p;
    w->cap = n;
    return true;
}

static const float complex *finish(struct wifi_ofdm *w, size_t *ret_n)
{
    double power = 0;
    for (size_t i = 0; i < w->n; i++)
        power += pow((double)crealf(w->iq[i]), 2) + pow((double)cimagf(w->iq[i]), 2);
    float a = (float)sqrt((double)w->n / power);
    for (size_t i = 0; i < w->n; i++)
        w->iq[i] *= a;
    *ret_n = w->n;
    return w->iq;
}

static void emit_head(struct wifi_ofdm *w, unsigned rate, size_t length)
{
    uint8_t bit[24], coded[48];
    emit_stf(w, 160);
    emit_ltf(w);
    wifi_signal(rate, length, bit);
    wifi_signal_coded(bit, coded);
    emit_symbol(w, coded, 1, 0, 1);
}

const float complex *wifi_ofdm_frame(struct wifi_ofdm *w, unsigned rate, const uint8_t *psdu,
                                     size_t n, unsigned seed, size_t *ret_n)
{
    const struct wifi_rate *r = &wifi_rates[rate];
    const uint8_t *bit;
    size_t symbols = wifi_data_coded(w, rate, psdu, n, seed, &bit);
    if (!symbols || !room(w, 400 + symbols * WIFI_SYMBOL))
        return NULL;
    emit_head(w, rate, n);
    for (size_t s = 0; s < symbols; s++)
        emit_symbol(w, bit + s * r->cbps, r->bpsc, (unsigned)s + 1, 1);
    return finish(w, ret_n);
}

// ---- High throughput -------------------------------------------------------------------------

// Bits a carrier, and data bits a symbol of 52 data carriers, by MCS.
static const struct { unsigned bpsc, dbps; } mcs_of[8] = {
    { 1, 26 }, { 2, 52 }, { 2, 78 }, { 4, 104 }, { 4, 156 }, { 6, 208 }, { 6, 234 }, { 6, 260 },
};

void wifi_ht_signal(unsigned mcs, size_t n, uint8_t bit[48])
{
    unsigned crc = 0xff;
    memset(bit, 0, 48);
    for (unsigned i = 0; i < 7; i++)
        bit[i] = (mcs >> i) & 1;
    for (unsigned i = 0; i < 16; i++)
        bit[8 + i] = (n >> i) & 1;
    bit[24] = bit[25] = bit[26] = 1;        // smoothing, not sounding, reserved
    for (unsigned i = 0; i < 34; i++) {     // x^8 + x^2 + x + 1 over the first 34, complemented
        unsigned in = ((crc >> 7) ^ bit[i]) & 1;
        crc = ((crc << 1) & 0xff) ^ (in ? 0x07 : 0);
    }
    for (unsigned i = 0; i < 8; i++)
        bit[34 + i] = !((crc >> (7 - i)) & 1);
}

static void emit_ht_ltf(struct wifi_ofdm *w)
{
    clear(w);
    for (int k = -28; k <= 28; k++)
        set(w, k, k < -26 ? 1 : k > 26 ? -1 : ltf_of(k));
    emit(w, WIFI_SYMBOL, 16, PLAIN * sqrtf(52.0f / 56));
}

static void emit_ht_symbol(struct wifi_ofdm *w, unsigned bpsc, unsigned n, struct rng *r)
{
    static const int8_t pilot[4] = { 1, 1, 1, -1 };
    unsigned at = n;
    clear(w);
    for (int k = -28; k <= 28; k++) {
        uint64_t v = rng_u64(r);
        uint8_t bit[6];
        for (int i = 0; i < 6; i++)
            bit[i] = (v >> (58 + i)) & 1;
        if (k && is_pilot(k))
            set(w, k, w->polarity[(n + 3) % 127] * pilot[at++ % 4]);
        else if (k)
            set(w, k, point(bit, bpsc));
    }
    emit(w, WIFI_SYMBOL, 16, PLAIN * sqrtf(52.0f / 56));
}

const float complex *wifi_ht_frame(struct wifi_ofdm *w, unsigned mcs, size_t n, uint64_t seed,
                                   size_t *ret_n)
{
    unsigned dbps = mcs_of[mcs].dbps;
    size_t symbols = (16 + 8 * n + 6 + dbps - 1) / dbps;
    uint8_t bit[48], coded[96], mixed[48];
    struct rng r;
    if (!room(w, 400 + (symbols + 4) * WIFI_SYMBOL))
        return NULL;
    rng_init(&r, seed);
    emit_head(w, 0, (symbols + 4) * 3 - 3); // what a legacy station takes for the length
    wifi_ht_signal(mcs, n, bit);
    encode(bit, 48, 24, 48, coded);
    for (unsigned s = 0; s < 2; s++) {
        interleave(coded + 48 * s, 1, 1, mixed);
        emit_symbol(w, mixed, 1, 1 + s, I);
    }
    emit_stf(w, WIFI_SYMBOL);
    emit_ht_ltf(w);
    for (size_t s = 0; s < symbols; s++)
        emit_ht_symbol(w, mcs_of[mcs].bpsc, (unsigned)s, &r);
    return finish(w, ret_n);
}
