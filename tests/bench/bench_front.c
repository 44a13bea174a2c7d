// SPDX-License-Identifier: GPL-3.0-or-later
// Throughput of the channelizer against liquid-dsp's, and of the whole front (two banks, floor,
// tiles, tracking) on noise and on a busy band, in million samples per second of CPU time.
#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <liquid/liquid.h>

#include "base/rng.h"
#include "dsp/front/bank.h"
#include "dsp/front/front.h"
#include "hw/hw.h"

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

#define CHANNELS 64
#define TAPS     16             // per channel, as the published figures have it
#define SECONDS  (getenv("QUICK") && *getenv("QUICK") ? 0.2 : 1.0)
#define REPEATS  3

// The best of a few runs: what the code can do when nobody else uses the core.
static double bank_rate(const float complex *x, size_t n)
{
    struct bank *b = bank_new(CHANNELS, TAPS, 70);
    unsigned frames = (unsigned)((n - bank_window(b)) / bank_hop(b));
    uint16_t *p = malloc((size_t)frames * CHANNELS * sizeof *p);
    double best = 0;

    for (int i = 0; p && i < REPEATS; i++) {
        double t0 = cpu_s(), done = 0;
        while (cpu_s() - t0 < SECONDS / REPEATS) {
            bank_power_packed(b, x, frames, p);
            done += (double)frames * bank_hop(b);
        }
        best = fmax(best, done / (cpu_s() - t0));
    }
    free(p);
    bank_free(b);
    return best;
}

static double oracle_rate(float complex *x, size_t n)
{
    firpfbch2_crcf q = firpfbch2_crcf_create_kaiser(LIQUID_ANALYZER, CHANNELS, TAPS / 2, 70);
    float complex y[CHANNELS];
    double best = 0;

    for (int i = 0; i < REPEATS; i++) {
        double t0 = cpu_s(), done = 0;
        while (cpu_s() - t0 < SECONDS / REPEATS)
            for (size_t k = 0; k + CHANNELS / 2 <= n / 8; k += CHANNELS / 2) {
                firpfbch2_crcf_execute(q, x + k, y);
                done += CHANNELS / 2;
            }
        best = fmax(best, done / (cpu_s() - t0));
    }
    firpfbch2_crcf_destroy(q);
    return best;
}

static double front_rate(double rate, const float complex *x, size_t n, unsigned *ret_found)
{
    struct iq_info info = { .rate_hz = rate, .format = IQ_CF32, .block_len = 16384 };
    struct front *f = front_new(&info);
    struct front_out *o = calloc(1, sizeof *o);
    double t0 = cpu_s();

    *ret_found = 0;
    for (size_t at = 0; f && o && at + 16384 <= n; at += 16384) {
        struct iq_block b = { .n0 = at, .n = 16384, .format = IQ_CF32, .rate_hz = rate,
                              .data = x + at };
        front_block(f, &b, o);
        *ret_found += o->list.n;
    }
    double r = (double)n / (cpu_s() - t0);
    front_free(f);
    free(o);
    return r;
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
    size_t n = (size_t)(61.44e6 * (SECONDS < 1 ? 0.1 : 0.5)) / 16384 * 16384;
    float complex *x = noise(n);
    const double rate[] = { 20e6, 30.72e6, 61.44e6 };

    if (!x)
        return 1;
    double ours = bank_rate(x, 1 << 20), theirs = oracle_rate(x, 1 << 20);
    printf("instruction set %s, one thread, MS/s of CPU time\n\n", hw_isa_name(hw_isa()));
    printf("| what | MS/s |\n|---|---|\n");
    printf("| bank, %d channels, %d taps, powers kept | %.0f |\n", CHANNELS, TAPS, ours / 1e6);
    printf("| liquid-dsp firpfbch2_crcf, the same | %.1f |\n", theirs / 1e6);
    printf("| ratio | %.1f |\n", ours / theirs);
    for (int i = 0; i < 3; i++) {
        unsigned found;
        double r = front_rate(rate[i], x, n, &found);
        printf("| front at %.2f MS/s, noise (%u found) | %.0f |\n", rate[i] / 1e6, found, r / 1e6);
    }
    make_busy(x, n, 30.72e6);
    unsigned found;
    double r = front_rate(30.72e6, x, n, &found);
    printf("| front at 30.72 MS/s, busy band (%u found) | %.0f |\n", found, r / 1e6);
    free(x);
    return 0;
}
