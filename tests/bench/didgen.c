// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/didgen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/droneid/droneid.h"
#include "dsp/fft.h"

#define OVER 8                          // fine grid: 122.88 MS/s
#define FINE (OVER * 1024)

void gen_seal(uint8_t block[176])
{
    uint32_t crc = did_crc24a(block, 173);
    block[173] = (uint8_t)(crc >> 16);
    block[174] = (uint8_t)(crc >> 8);
    block[175] = (uint8_t)crc;
}

void gen_frame(struct rng *r, uint16_t sequence, uint8_t block[176])
{
    for (int i = 0; i < 173; i++)
        block[i] = (uint8_t)(rng_u64(r) >> 20);
    block[0] = 88;
    block[1] = 0x10;
    block[2] = 2;
    block[3] = (uint8_t)sequence;
    block[4] = (uint8_t)(sequence >> 8);
    block[5] = 0xf7;
    block[6] = 0x1f;
    memcpy(block + 7, "TYTOBENCHIOQ00\0", 16);      // I, O, Q: letters no real serial has
    block[88] = 0;
    uint16_t crc = did_crc16(block, 89);
    block[89] = (uint8_t)crc;
    block[90] = (uint8_t)(crc >> 8);
    gen_seal(block);
}

void gen_fade(struct gen *g, struct rng *r, double spread_s)
{
    double sum = 0;
    g->n_paths = GEN_PATHS;
    for (int i = 0; i < GEN_PATHS; i++) {
        g->delay_s[i] = i ? -2 * spread_s * log(1 - 0.98 * rng_uniform(r)) / 2 : 0;
        g->gain[i] = rng_cnormal(r) * (float)exp(-g->delay_s[i] / (2 * spread_s + 1e-12));
        if (!i)                         // a line of sight
            g->gain[i] = 2 * cexpf(I * (float)(2 * M_PI * rng_uniform(r)));
        sum += pow(cabsf(g->gain[i]), 2);
    }
    for (int i = 0; i < GEN_PATHS; i++)
        g->gain[i] /= (float)sqrt(sum);
}

static void symbol_carriers(const struct gen *g, const struct did_tables *t, const float *air,
                            int s, float complex *c)
{
    float data = (float)(M_SQRT1_2 * pow(10, g->data_db / 20));
    for (int i = 0; i < 600; i++) {
        int k = i < 300 ? i - 300 : i - 299;
        float complex v;
        if (s == 3 || s == 5)
            v = did_zc(s == 3 ? 600 : 147, k + 300);
        else if (s == 0)
            v = (float)M_SQRT1_2 *
                ((t->gold[2 * i] ? -1.f : 1.f) + I * (t->gold[2 * i + 1] ? -1.f : 1.f));
        else {
            const float *a = air + 1200 * (s < 3 ? s - 1 : s < 5 ? 2 : s - 3) + 2 * i;
            v = data * (a[0] + I * a[1]);
        }
        c[(k + FINE) % FINE] = v / sqrtf(600);
    }
    c[0] = g->dc / sqrtf(600);
}

// Four-point Lagrange read-off at a fractional place of the circular symbol.
static float complex at(const float complex *x, double p)
{
    double fl = floor(p);
    float u = (float)(p - fl);
    int i = (int)fl;
    const float complex a = x[(i - 1 + 2 * FINE) % FINE], b = x[(i + 2 * FINE) % FINE],
                        c = x[(i + 1 + 2 * FINE) % FINE], d = x[(i + 2 + 2 * FINE) % FINE];
    return a * (-u * (u - 1) * (u - 2) / 6) + b * ((u + 1) * (u - 1) * (u - 2) / 2) +
           c * (-(u + 1) * u * (u - 2) / 2) + d * ((u + 1) * u * (u - 1) / 6);
}

static void add_path(const struct gen *g, float complex *const sym[9], double start,
                     float complex gain, float complex *x, size_t n)
{
    double step = 15.36e6 / g->rate_hz * (1 + g->clock_ppm * 1e-6);
    double first = g->symbols == 9 ? -3368 : -2264;
    size_t lo = start > 0 ? (size_t)ceil(start) : 0;
    for (size_t j = lo; j < n; j++) {
        double t = ((double)j - start) * step + first;      // native samples after ZC600
        if (t >= 6512)
            break;
        int s = g->symbols == 9 ? 0 : 1;
        while (s < 8 && t >= did_symbol_at[s] + 1024)
            s++;
        double ph = g->f_hz / g->rate_hz * (double)j;
        x[j] += gain * at(sym[s], OVER * (t - did_symbol_at[s])) *
                cexpf(2 * (float)M_PI * I * (float)(ph - floor(ph)));
    }
}

void gen_add(const struct gen *g, double amplitude, float complex *x, size_t n)
{
    static struct did_tables t;
    static struct dft *inv;
    uint8_t stream[3][DID_STREAM];
    float soft[3][DID_STREAM], air[DID_CODED];
    float complex *sym[9];

    if (!inv) {
        inv = dft_new(FINE, DFT_BACKWARD, 1);
        did_tables_init(&t);
    }
    did_encode(&t, g->block, stream);
    for (int i = 0; i < 3 * DID_STREAM; i++)
        soft[i / DID_STREAM][i % DID_STREAM] = stream[i / DID_STREAM][i % DID_STREAM] ? -1 : 1;
    did_rate_match(&t, (const float (*)[DID_STREAM])soft, air);
    for (int s = 0; s < 9; s++) {
        sym[s] = dft_alloc(FINE);
        symbol_carriers(g, &t, air, s, sym[s]);
        dft_run(inv, sym[s], sym[s]);
    }
    if (!g->n_paths)
        add_path(g, sym, g->start, (float)amplitude, x, n);
    for (unsigned p = 0; p < g->n_paths; p++)
        add_path(g, sym, g->start + g->delay_s[p] * g->rate_hz, (float)amplitude * g->gain[p],
                 x, n);
    for (int s = 0; s < 9; s++)
        free(sym[s]);
}
