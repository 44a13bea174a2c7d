// SPDX-License-Identifier: GPL-3.0-or-later
// Standing detectors' parts against closed forms: laws, rasters, streams, transforms.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "dsp/stand/law.h"
#include "dsp/stand/stand_in.h"
#include "base/rng.h"

#define CENTRE_HZ 2440e6

// ---- Laws ---------------------------------------------------------------------------------------

static void law_is_beta_for_one(void **state)
{
    (void)state;
    for (unsigned n = 32; n <= 2048; n *= 4)
        for (double p = 1e-2; p > 1e-7; p /= 10) {
            double exact = n * (1 - pow(p, 1.0 / (n - 1)));
            assert_true(fabs(law_one_limit(n, p) - exact) < 1e-9);
            assert_true(fabs(law_sum_limit(n, 1, p) - exact) < 0.02);
        }
}

// With many bins the sum of four is a gamma law: P(> x) = e^-x (1 + x + x^2/2 + x^3/6).
static void law_of_sums_tends_to_gamma(void **state)
{
    (void)state;
    for (double p = 1e-2; p > 1e-6; p /= 10) {
        double x = law_sum_limit(1u << 20, 4, p);
        double tail = exp(-x) * (1 + x + x * x / 2 + x * x * x / 6);
        assert_true(fabs(tail / p - 1) < 0.05);
        assert_true(law_sum_limit(32, 4, p) < x);       // 32 bins cannot hold more than 32 each
    }
}

// ---- Rasters ------------------------------------------------------------------------------------

static void rasters_lie_in_the_capture(void **state)
{
    (void)state;
    static struct raster_channel c[512];
    unsigned n = raster_channels(2440e6, 20e6, 512, c);
    assert_int_equal(n, 18);            // 2431.4 to 2448.4: 2430.4 and 2449.4 miss the edges
    for (unsigned i = 0; i < n; i++) {
        double mhz = (c[i].f_hz + 2440e6) / 1e6;
        assert_true(fabs(mhz - floor(mhz) - 0.4) < 1e-6);
        assert_true(fabs(c[i].f_hz) + c[i].bw_hz / 2 < 0.98 * 10e6);
        assert_true(c[i].up == c[i].down && c[i].up == 0x1e0);
    }
    assert_int_equal(raster_channels(1200e6, 60e6, 512, c), 0);
    assert_int_equal(raster_channels(2440e6, 0.5e6, 512, c), 0);
    n = raster_channels(890e6, 61.44e6, 512, c);
    assert_true(n > 100);
    for (unsigned i = 1; i < n; i++)
        assert_true(c[i].bw_hz <= c[i - 1].bw_hz);
    assert_int_equal(raster_channels(890e6, 61.44e6, 7, c), 7);
}

// ---- Streams ------------------------------------------------------------------------------------

static void to_narrow(void *arg, const struct wide_spec *b)
{
    if (!b->number)
        narrow_restart(arg, b->at);
    narrow_add(arg, b);
}

// A tone comes out as a tone: frequency, amplitude, and phase as capture time has it.
static void stream_of_a_tone(double rate, double bw)
{
    struct wide *w = wide_new(rate);
    struct narrow s;
    struct dft *inv = dft_new(narrow_points(rate, wide_points(w), bw), DFT_BACKWARD, 1);
    double f[2] = { 0.11 * rate, -0.23 * rate }, tone = f[1] + 0.2 * bw;
    struct narrow_cfg cfg = { rate, bw, wide_points(w), 2, 1024, f, inv };
    assert_int_equal(narrow_init(&s, &cfg), 0);
    size_t n = (size_t)(600 / bw * rate);
    float complex *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        double t = tone * ((double)i + 5000) / rate;
        x[i] = cexpf(2 * (float)M_PI * I * (float)(t - floor(t)));
    }
    struct iq_block b = { .n0 = 5000, .n = (uint32_t)n, .rate_hz = rate, .format = IQ_CF32,
                          .data = x };
    assert_true(wide_breaks(w, &b));
    wide_restart(w, &b);
    wide_block(w, &b, to_narrow, &s);
    assert_true(s.have > 300);
    double worst = 0, power = 0;
    double lag = s.k0[1] * rate / s.n;          // the stream turns from its first block on
    for (int64_t q = 100; q < 280; q++) {
        float complex v;
        narrow_read(&s, 1, q, 1, &v);
        double at = s.zero + (double)q * s.per;         // capture index
        double base = 5000.0 - (s.n - s.n / WIDE_PARTS * WIDE_HOP);
        double t = tone * at / rate - lag * (at - base) / rate;
        double complex ideal = cexp(2 * M_PI * I * (t - floor(t)));
        worst = fmax(worst, cabs(v - ideal));
        narrow_read(&s, 0, q, 1, &v);
        power = fmax(power, cabsf(v));
    }
    assert_true(worst < 0.05);
    assert_true(power < 0.03);          // the other channel hears nothing of it
    narrow_done(&s);
    dft_free(inv);
    wide_free(w);
    free(x);
}

static void streams_keep_tones(void **state)
{
    (void)state;
    stream_of_a_tone(20e6, 812.5e3);
    stream_of_a_tone(61.44e6, 812.5e3);
    stream_of_a_tone(8e6, 500e3);
}

// ---- The transform over lanes -------------------------------------------------------------------

static void spread_of(unsigned lanes)
{
    struct lora l;
    struct rng r;
    rng_init(&r, 5);
    assert_int_equal(lora_init(&l, 20e6, 3072), 0);
    assert_int_equal(lora_tune(&l, CENTRE_HZ), 0);
    const struct lane_ops *op = lane_ops(lanes);
    unsigned row = op->row;
    float *p = (float *)dft_alloc(256 * row), scale[LANES_MAX], top[LANES_MAX];
    int32_t most[LANES_MAX];
    assert_int_equal(op->lanes, lanes);
    for (unsigned k = 0; k < lanes; k++)
        scale[k] = 1 + (float)k;
    for (unsigned sf = 5; sf <= 8; sf++) {
        const struct chirps *c = &l.chirps[sf];
        float *x = l.group[0].s.ring;
        struct lane_sums sums = { p, p + 256 * lanes };
        for (size_t i = 0; i < (size_t)c->n * row; i++)
            x[i] = (float)rng_normal(&r);
        for (size_t i = 0; i < (size_t)c->n * lanes; i++) {
            sums.last[i] = 1;
            sums.pair[i] = 2;
        }
        op->spread(x, c->ref[1], c->turns, c->n, scale, l.w, &sums, top, most);
        for (unsigned at = 0; at < c->n; at += 5)
            for (unsigned lane = 0; lane < lanes; lane += 7) {
                double complex sum = 0;
                for (unsigned i = 0; i < c->n; i++) {
                    double complex v = x[i * row + lane] + I * x[i * row + lanes + lane];
                    double turns = (double)(c->bin[at] * i % c->n) / c->n;
                    sum += v * conjf(c->ref[1][i]) * cexp(-2 * M_PI * I * turns);
                }
                double want = creal(sum * conj(sum)) * scale[lane], tol = 1e-4 * (want + c->n);
                assert_true(fabs(sums.last[at * lanes + lane] - want) < tol);
                assert_true(fabs(sums.pair[at * lanes + lane] - want - 1) < tol);
                assert_true(top[lane] > want + 3 - tol);
            }
        for (unsigned lane = 0; lane < lanes; lane++) {
            double is = sums.last[(unsigned)most[lane] * lanes + lane] + 3;
            assert_true(fabs(top[lane] - is) < 1e-3 * is);
        }
    }
    free(p);
    lora_done(&l);
}

static void spread_is_a_transform(void **state)
{
    (void)state;
    spread_of(8);
    spread_of(16);
}

// ---- The forward transform ----------------------------------------------------------------------

struct whole { const float complex *x; unsigned n; unsigned blocks; };

// Against the definition, at some bins of each block.
static void check_bins(void *arg, const struct wide_spec *b)
{
    struct whole *w = arg;
    w->blocks++;
    for (unsigned k = 1; k < b->n; k += b->n / 13) {
        double complex sum = 0;
        for (unsigned i = 0; i < b->n; i++) {
            int64_t at = b->at + i;
            double turns = (double)((uint64_t)k * i % b->n) / b->n;
            if (at >= 0 && at < w->n)
                sum += w->x[at] * cexp(-2 * M_PI * I * turns);
        }
        assert_true(cabs(b->bin[k] - sum) < 1e-5 * b->n);
    }
    assert_true(b->bin[0] == 0);
}

static void bins_are_a_transform(void **state)
{
    (void)state;
    static const double rates[] = { 3.3e6, 20e6, 61.44e6 };
    static const unsigned steps[] = { 1000000, 1, 777 };
    struct rng r;
    rng_init(&r, 6);
    for (unsigned i = 0; i < 3; i++) {
        struct wide *w = wide_new(rates[i]);
        unsigned n = 2 * wide_points(w);
        struct whole all = { .n = n };
        float complex *x = malloc(n * sizeof *x);
        for (unsigned k = 0; k < n; k++)
            x[k] = rng_cnormal(&r);
        all.x = x;
        for (unsigned at = 0, some; at < n; at += some) {
            some = n - at < steps[i] ? n - at : steps[i];
            struct iq_block b = { .n0 = at, .n = some, .rate_hz = rates[i], .format = IQ_CF32,
                                  .data = x + at };
            if (!at)
                wide_restart(w, &b);
            wide_block(w, &b, check_bins, &all);
        }
        wide_silence(w, 1, check_bins, &all);
        assert_int_equal(all.blocks, 3);
        free(x);
        wide_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(law_is_beta_for_one),
        cmocka_unit_test(law_of_sums_tends_to_gamma),
        cmocka_unit_test(rasters_lie_in_the_capture),
        cmocka_unit_test(streams_keep_tones),
        cmocka_unit_test(spread_is_a_transform),
        cmocka_unit_test(bins_are_a_transform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
