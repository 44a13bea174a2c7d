// SPDX-License-Identifier: GPL-3.0-or-later
// Throughput of the channelizer against liquid-dsp's, and of what runs on every sample (the whole
// front: two banks, floor, tiles, tracking, spectrum; and the standing correlators) on noise and on
// a busy band, in million samples per second of CPU time, for each instruction set.
//
// Ours is given ci16 as a radio has it and leaves packed powers, the powers of all channels;
// liquid-dsp's is given float and leaves complex channels, which is what it does.
#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <liquid/liquid.h>

#include "base/rng.h"
#include "dsp/fft.h"
#include "dsp/front/bank.h"
#include "hw/hw.h"
#include "sdr/sdr.h"
#include "tests/bench/standrate.h"

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float complex *noise(size_t n)
{
    struct rng r;
    float complex *x = malloc(n * sizeof *x);
    rng_init(&r, 1);
    for (size_t i = 0; x && i < n; i++)
        x[i] = 0.01f * rng_cnormal(&r);
    return x;
}

static void to_i16(const float complex *x, size_t n, int16_t *ret)
{
    for (size_t i = 0; i < 2 * n; i++)
        ret[i] = (int16_t)lrintf(((const float *)x)[i] * 32767);
}

#define TAPS     16             // per channel, as the published figures have it
#define SECONDS  (getenv("QUICK") && *getenv("QUICK") ? 0.1 : 0.6)
#define REPEATS  3
#define BLOCK    1024           // samples converted at once, or eight frames: the caches hold them

// What a bank reads: new samples behind what of the last ones its windows still reach.  They
// are moved to the front when there is no more room, as in dsp/front/cells.c.
struct feed {
    struct bank   *b;
    float complex *in;
    size_t         at, have, cap;
    uint16_t      *p;
    const int16_t *x;
};

static size_t feed_run(struct feed *f, size_t from, size_t n)
{
    struct iq_block b = { .n = (uint32_t)n, .format = IQ_CI16, .data = f->x + 2 * from };
    unsigned hop = bank_hop(f->b), window = bank_window(f->b);

    if (f->at + f->have + n > f->cap) {
        memmove(f->in, f->in + f->at, f->have * sizeof *f->in);
        f->at = 0;
    }
    iq_to_cf32(&b, 0, (uint32_t)n, f->in + f->at + f->have);
    f->have += n;
    if (f->have < window)
        return 0;
    unsigned frames = (unsigned)((f->have - window) / hop + 1);
    bank_power_packed(f->b, f->in + f->at, frames, f->p);
    f->have -= (size_t)frames * hop;
    f->at += (size_t)frames * hop;
    return n;
}

// The best of a few runs: what the code can do when nobody else uses the core.
static double bank_rate(unsigned channels, unsigned taps, const int16_t *x, size_t n)
{
    struct feed f = { .b = bank_new(channels, taps, 70), .x = x };
    size_t window = (size_t)channels * taps, block = 4 * channels > BLOCK ? 4 * channels : BLOCK;
    double best = 0;

    if (!f.b)
        return 0;
    f.cap = 2 * window + 2 * block;
    f.in = calloc(f.cap, sizeof *f.in);
    f.p = calloc((2 * block / bank_hop(f.b) + 2) * channels, sizeof *f.p);
    for (int i = 0; f.in && f.p && i < REPEATS; i++) {
        double t0 = cpu_s(), done = 0;
        while (cpu_s() - t0 < SECONDS / REPEATS)
            for (size_t k = 0; k + block <= n; k += block)
                done += (double)feed_run(&f, k, block);
        best = fmax(best, done / (cpu_s() - t0));
    }
    free(f.in);
    free(f.p);
    bank_free(f.b);
    return best;
}

static double oracle_rate(unsigned channels, unsigned taps, float complex *x, size_t n)
{
    firpfbch2_crcf q = firpfbch2_crcf_create_kaiser(LIQUID_ANALYZER, channels, taps / 2, 70);
    float complex *y = calloc(channels, sizeof *y);
    double best = 0;

    for (int i = 0; y && i < REPEATS; i++) {
        double t0 = cpu_s(), done = 0;
        while (cpu_s() - t0 < SECONDS / REPEATS)
            for (size_t k = 0; k + channels / 2 <= n / 8; k += channels / 2) {
                firpfbch2_crcf_execute(q, x + k, y);
                done += channels / 2;
            }
        best = fmax(best, done / (cpu_s() - t0));
    }
    free(y);
    firpfbch2_crcf_destroy(q);
    return best;
}

// FFTW alone, one transform after the other: an upper end for any bank over it.
static double transform_rate(unsigned channels)
{
    struct dft *f = dft_new(channels, DFT_FORWARD, 1);
    float complex *x = dft_alloc(channels), *y = dft_alloc(channels);
    double best = 0;

    for (int i = 0; f && x && y && i < REPEATS; i++) {
        double t0 = cpu_s(), done = 0;
        while (cpu_s() - t0 < SECONDS / REPEATS)
            for (int k = 0; k < 1000; k++, done += channels / 2)
                dft_run(f, x, y);
        best = fmax(best, done / (cpu_s() - t0));
    }
    free(x);
    free(y);
    dft_free(f);
    return best;
}

// The sets of this machine, best first; how many.
static unsigned sets(enum hw_isa ret[4])
{
    unsigned n = 0;

    unsetenv("TYTO_ISA");
    for (int i = (int)hw_isa(); i > HW_ISA_PLAIN; i--)
        ret[n++] = (enum hw_isa)i;
    if (!n)
        ret[n++] = HW_ISA_PLAIN;
    return n;
}

static void take(enum hw_isa isa) { setenv("TYTO_ISA", hw_isa_name(isa), 1); }

static void banks(float complex *x, const int16_t *i16, size_t n)
{
    static const struct { unsigned channels, taps; } of[] = {
        { 16, TAPS }, { 40, TAPS }, { 64, TAPS }, { 100, TAPS }, { 128, TAPS }, { 256, TAPS },
        { 512, TAPS }, { 1024, TAPS }, { 128, 2 }, { 256, 2 }, { 512, 2 }, { 1024, 2 }, { 2048, 2 },
        { 4096, 2 },
    };
    enum hw_isa isa[4];
    unsigned many = sets(isa);

    printf("| channels | taps a channel |");
    for (unsigned k = 0; k < many; k++)
        printf(" bank, %s |", hw_isa_name(isa[k]));
    printf(" liquid-dsp | ratio, %s | FFTW alone |\n|---|---|", hw_isa_name(isa[0]));
    for (unsigned k = 0; k < many; k++)
        printf("---|");
    printf("---|---|---|\n");
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        unsigned c = of[i].channels, t = of[i].taps;
        double ours[4], theirs = oracle_rate(c, t, x, n);
        printf("| %u | %u |", c, t);
        for (unsigned k = 0; k < many; k++) {
            take(isa[k]);
            ours[k] = bank_rate(c, t, i16, n);
            printf(" %.0f |", ours[k] / 1e6);
        }
        printf(" %.1f | %.1f | %.0f |\n", theirs / 1e6, ours[0] / theirs, transform_rate(c) / 1e6);
        fflush(stdout);
    }
}

static void chains(double rate, const char *band, const int16_t *x, size_t n)
{
    enum hw_isa isa[4];
    unsigned many = sets(isa);

    for (unsigned k = 0; k < many; k++) {
        struct standrate r;
        take(isa[k]);
        if (!standrate_run(rate, SECONDS < 0.5 ? 0.3 : 1.5, x, n, &r))
            continue;
        printf("| %s | %.2f, %s (%u found) | %.0f | %.0f | %.2f | %.2f | %.2f | %.2f | %.0f | %.0f "
               "|\n", hw_isa_name(isa[k]), rate / 1e6, band, r.found, rate / r.front_s / 1e6,
               rate / r.corr_s / 1e6, r.front_s, r.corr_s, r.front_s + r.corr_s, r.start_s,
               r.front_mb, r.corr_mb);
        fflush(stdout);
    }
}

// A busy band: eight FSK packets of 1 ms in every 4 ms, wide frames of 1 ms in every 5.
static void make_busy(float complex *x, size_t n, double rate)
{
    struct rng r;
    double phase[8] = { 0 };

    rng_init(&r, 2);
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / rate;
        for (int k = 0; k < 8; k++) {
            if (fmod(t + k * 0.37e-3, 4e-3) > 1e-3)
                continue;
            double bit = (uint64_t)(t * 1e6 + k) * 2654435761u >> 7 & 1 ? 1 : -1;
            phase[k] += ((k - 3.5) * rate / 9 + bit * 250e3) / rate;
            phase[k] -= floor(phase[k]);
            x[i] += 0.02f * (float)cos(2 * M_PI * phase[k]) + 0.02f * I *
                    (float)sin(2 * M_PI * phase[k]);
        }
        if (fmod(t, 5e-3) < 1e-3)
            x[i] += 0.05f * rng_cnormal(&r);
    }
}

int main(void)
{
    size_t n = 1 << 22;         // 0.04 s at 100 MS/s: longer than any detector remembers noise
    float complex *x = noise(n);
    int16_t *i16 = malloc(2 * n * sizeof *i16);
    const double rate[] = { 20e6, 61.44e6, 100e6 };

    if (!x || !i16)
        return 1;
    to_i16(x, n, i16);
    printf("one thread, MS/s of CPU time\n\n");
    banks(x, i16, 1 << 18);
    printf("\nFront and standing correlators, one after the other over the same blocks; shares of "
           "a core;\nstart: s of CPU to make them and to begin; MB resident.\n\n"
           "| set | MS/s, band | front MS/s | correlators MS/s | front | correlators | both |"
           " start | MB front | MB correlators |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < 3; i++)
        chains(rate[i], "noise", i16, n);
    make_busy(x, n, 30.72e6);
    to_i16(x, n, i16);
    chains(30.72e6, "busy", i16, n);
    free(x);
    free(i16);
    return 0;
}
