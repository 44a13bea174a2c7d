// SPDX-License-Identifier: GPL-3.0-or-later
// Correlator and burst receiver: on bursts of an independent generator with known truth, and on the
// recording of a real aircraft.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dsp/burst.h"
#include "tests/bench/didgen.c"

#define RECORDING "../shared/captures/dji_mavic_air_2_50M_2457.5MHz.cf32.sigmf-meta"
#define CENTRE_HZ 2440e6

// A stretch of samples in blocks of block_len, as a source would hand them out.
struct air {
    double          rate_hz;
    float complex  *x;
    size_t          n;
    struct iq_block blk[CUT_BLOCKS];
    unsigned        n_blk;
};

static void air_make(struct air *a, double rate, size_t n, double noise, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed);
    *a = (struct air){ .rate_hz = rate, .n = n, .x = malloc(n * sizeof(*a->x)) };
    for (size_t i = 0; i < n; i++)
        a->x[i] = (float)sqrt(noise) * rng_cnormal(&r);
}

static void air_block(struct air *a, size_t block_len)
{
    for (size_t at = 0; at < a->n && a->n_blk < CUT_BLOCKS; at += block_len)
        a->blk[a->n_blk++] = (struct iq_block){
            .n0 = at, .n = (uint32_t)(a->n - at < block_len ? a->n - at : block_len),
            .rate_hz = a->rate_hz, .centre_hz = CENTRE_HZ, .format = IQ_CF32, .data = a->x + at,
        };
}

static void correlate(const struct air *a, struct cand_list *out)
{
    struct dcorr *d = dcorr_new(a->rate_hz);
    memset(out, 0, sizeof(*out));
    for (unsigned i = 0; i < a->n_blk; i++)
        dcorr_block(d, &a->blk[i], out);
    dcorr_flush(d, out);
    dcorr_free(d);
}

static void receive(struct air *a, const struct cand *c, enum droneid_mode mode, struct finding *f)
{
    struct droneid_rx *rx = droneid_rx_new(a->rate_hz);
    struct burst b = { .hyp = HYP_DRONEID, .rate_hz = a->rate_hz, .centre_hz = CENTRE_HZ,
                       .droneid = *c };
    b.cut.n = (uint32_t)a->n;
    for (unsigned i = 0; i < a->n_blk; i++)
        b.cut.blk[b.cut.n_blk++] = &a->blk[i];
    memset(f, 0, sizeof(*f));
    droneid_receive(rx, &b, mode, f);
    droneid_rx_free(rx);
}

static void drop(struct finding *f)
{
    finding_done(f);
}

// One burst at 6 dB, off the grid in every respect, at several rates and with both symbol counts.
static void test_rates(void **state)
{
    (void)state;
    static const struct { double rate, f_hz; unsigned symbols; } with[] = {
        { 10e6, 0.3e6, 9 }, { 15.36e6, 2.1e6, 8 }, { 20e6, -4.9e6, 9 }, { 30.72e6, 9.7e6, 8 },
        { 50e6, -18.13e6, 9 }, { 61.44e6, 23.4e6, 9 },
    };
    for (size_t i = 0; i < sizeof(with) / sizeof(*with); i++) {
        struct air a;
        struct rng r;
        struct finding f;
        static struct cand_list l;
        struct gen g = { .rate_hz = with[i].rate, .start = 0.31e-3 * with[i].rate + 0.37,
                         .f_hz = with[i].f_hz, .clock_ppm = 15, .symbols = with[i].symbols,
                         .dc = 0.35f };
        rng_init(&r, 5 + i);
        gen_frame(&r, (uint16_t)(100 + i), g.block);
        air_make(&a, g.rate_hz, (size_t)(1.4e-3 * g.rate_hz), g.rate_hz / 9.015e6 / 4, 3);
        gen_add(&g, 1, a.x, a.n);
        air_block(&a, 16384);
        correlate(&a, &l);
        assert_int_equal(l.n, 1);
        receive(&a, &l.c[0], DRONEID_DECODE, &f);
        assert_true(f.droneid.seen && f.droneid.crc_ok && !f.droneid.cut);
        assert_int_equal(f.droneid.symbols, with[i].symbols);
        assert_true(fabs(f.droneid.t_s.v * g.rate_hz - g.start) < 40e-9 * g.rate_hz);
        assert_true(fabs(f.droneid.freq_hz.v - CENTRE_HZ - g.f_hz) < 150);
        assert_true(fabs(f.droneid.snr_db.v - 6) < 0.7);
        assert_int_equal(f.n_decode, 1);
        assert_int_equal(f.decode->raw_len, 91);
        assert_memory_equal(f.decode->raw, g.block, 91);
        assert_string_equal(f.decode->check, "crc24a+crc16");
        drop(&f);
        receive(&a, &l.c[0], DRONEID_RECOGNISE, &f);
        assert_true(f.droneid.seen && !f.decode && !f.soft && !f.n_decode);
        free(a.x);
    }
}

// A burst whose last quarter was never recorded, one of which 60 us are lost, and one whose first
// symbol is missing.
static void test_cut(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        struct air a;
        struct rng r;
        struct finding f;
        static struct cand_list l;
        double rate = 20e6;
        struct gen g = { .rate_hz = rate, .start = k == 2 ? -1000 : 0.3e-3 * rate, .f_hz = 1.2e6,
                         .symbols = 9 };
        rng_init(&r, 77);
        gen_frame(&r, 9, g.block);
        size_t n = k == 0 ? (size_t)(g.start + 0.75 * 643e-6 * rate) : (size_t)(1.4e-3 * rate);
        air_make(&a, rate, n, rate / 9.015e6 / 100, 4);
        gen_add(&g, 1, a.x, a.n);
        air_block(&a, 1200);
        if (k == 1) {                           // 60 us behind root 147 are lost
            unsigned gone = (unsigned)((g.start + 440e-6 * rate) / 1200);
            a.n_blk--;
            memmove(&a.blk[gone], &a.blk[gone + 1], (a.n_blk - gone) * sizeof(*a.blk));
            a.blk[gone].lost = 1200;
        }
        correlate(&a, &l);
        assert_int_equal(l.n, 1);
        receive(&a, &l.c[0], DRONEID_DECODE, &f);
        assert_true(f.droneid.seen && f.droneid.cut);
        assert_int_equal(f.n_decode, 1);
        assert_memory_equal(f.decode->raw, g.block, 91);
        drop(&f);
        free(a.x);
    }
}

// A signal of 1 MHz, 14 dB stronger in all and 23 dB per hertz, sits in the band from the middle of
// the burst on; and a burst of which a fifth lies beyond the capture's edge (a receiver's filter
// has taken it away).
static void test_company(void **state)
{
    (void)state;
    static struct cand_list l;
    struct air a;
    struct rng r;
    struct finding f;
    struct gen g = { .rate_hz = 20e6, .start = 6000.2, .f_hz = -3.3e6, .symbols = 9 };
    float complex slow = 0;
    rng_init(&r, 31);
    gen_frame(&r, 5, g.block);
    air_make(&a, g.rate_hz, 30000, g.rate_hz / 9.015e6 / 2, 32);        // 3 dB
    gen_add(&g, 1, a.x, a.n);
    for (size_t i = 12000; i < a.n; i++) {      // noise through a one-pole filter of 1 MHz
        slow += 0.157f * (rng_cnormal(&r) - slow);
        a.x[i] += 17 * slow * cexpf(2 * (float)M_PI * I * (float)fmod(-0.21 * (double)i, 1));
    }
    air_block(&a, 4096);
    correlate(&a, &l);
    assert_int_equal(l.n, 1);
    receive(&a, &l.c[0], DRONEID_DECODE, &f);
    assert_int_equal(f.n_decode, 1);
    assert_memory_equal(f.decode->raw, g.block, 91);
    drop(&f);
    free(a.x);
}

static void test_edge(void **state)
{
    (void)state;
    static struct cand_list l;
    struct air a;
    struct rng r;
    struct finding f;
    double wide = 40e6;
    struct gen g = { .rate_hz = wide, .start = 12000.4, .f_hz = -5.1e6, .symbols = 9 };
    rng_init(&r, 41);
    gen_frame(&r, 5, g.block);
    air_make(&a, wide, 60000, wide / 9.015e6 / 10, 42);                 // 10 dB
    gen_add(&g, 1, a.x, a.n);
    // to 15 MS/s: the transform's middle 3/8, so that nothing folds back
    size_t n = a.n * 3 / 8;
    struct dft *fwd = dft_new((unsigned)a.n, DFT_FORWARD, 1);
    struct dft *inv = dft_new((unsigned)n, DFT_BACKWARD, 1);
    float complex *x = dft_alloc(a.n), *y = dft_alloc(n);
    memcpy(x, a.x, a.n * sizeof(*x));
    dft_run(fwd, x, x);
    memcpy(y, x, n / 2 * sizeof(*y));
    memcpy(y + n / 2, x + a.n - n / 2, n / 2 * sizeof(*y));
    dft_run(inv, y, y);
    free(a.x);
    a = (struct air){ .rate_hz = 15e6, .x = y, .n = n };
    air_block(&a, 4096);
    correlate(&a, &l);
    assert_int_equal(l.n, 1);
    receive(&a, &l.c[0], DRONEID_DECODE, &f);
    assert_int_equal(f.n_decode, 1);
    assert_memory_equal(f.decode->raw, g.block, 91);
    assert_true(fabs(f.droneid.freq_hz.v - CENTRE_HZ + 5.1e6) < 300);
    drop(&f);
    free(x);
    free(y);
    dft_free(fwd);
    dft_free(inv);
}

// Recordings come in any unit: volts, counts, or something absurd.
static void test_scale(void **state)
{
    (void)state;
    static const float scale[] = { 1e-9f, 32768, 1e8f };
    static struct cand_list l;
    for (size_t k = 0; k < 3; k++) {
        struct air a;
        struct rng r;
        struct finding f;
        struct gen g = { .rate_hz = 15.36e6, .start = 4000, .f_hz = 1e6, .symbols = 8 };
        rng_init(&r, 51);
        gen_frame(&r, 5, g.block);
        air_make(&a, g.rate_hz, 20000, 1, 52);
        gen_add(&g, 1, a.x, a.n);
        for (size_t i = 0; i < a.n; i++)
            a.x[i] *= scale[k];
        air_block(&a, 4096);
        correlate(&a, &l);
        assert_int_equal(l.n, 1);
        receive(&a, &l.c[0], DRONEID_DECODE, &f);
        assert_int_equal(f.n_decode, 1);
        drop(&f);
        free(a.x);
    }
}

// The same candidates, bit for bit, however the samples arrive.
static void test_blocks(void **state)
{
    (void)state;
    static const size_t len[] = { 8192, 1031, 40000 };
    static struct cand_list l[3];
    struct air a;
    struct gen g = { .rate_hz = 30.72e6, .start = 5000.5, .f_hz = -3e6, .symbols = 9 };
    struct rng r;
    rng_init(&r, 6);
    gen_frame(&r, 1, g.block);
    air_make(&a, g.rate_hz, 90000, 1, 8);
    gen_add(&g, 1, a.x, a.n);
    g.start = 60000;
    g.f_hz = 5e6;
    gen_add(&g, 1, a.x, a.n);
    for (int i = 0; i < 3; i++) {
        a.n_blk = 0;
        air_block(&a, len[i]);
        correlate(&a, &l[i]);
        assert_int_equal(l[i].n, 2);
        assert_memory_equal(&l[i].c, &l[0].c, l[i].n * sizeof(struct cand));
    }
    free(a.x);
}

// Noise, silence and a single sample give nothing, at any rate.
static void test_nothing(void **state)
{
    (void)state;
    static const double rate[] = { 0.25e6, 2e6, 9.2e6, 9.3e6, 33.333e6, 125e6 };
    static struct cand_list l;
    for (size_t i = 0; i < sizeof(rate) / sizeof(*rate); i++)
        for (int k = 0; k < 3; k++) {
            struct air a;
            air_make(&a, rate[i], k == 0 ? 1 : 300000, k == 1 ? 0 : 1, 9);
            air_block(&a, 65536);
            correlate(&a, &l);
            assert_int_equal(l.n, 0);
            assert_true(l.done == UINT64_MAX);
            free(a.x);
        }
}

static void test_recording(void **state)
{
    (void)state;
    static const double hz[4] = { 2.0074e6, 2.0074e6, -12.4702e6, -12.4702e6 };
    static const double t[4] = { 1.8594e-3, 2.5718e-3, 3.3086e-3, 4.0210e-3 };
    static struct cand_list l;
    struct iq_source *s;
    struct burst b = { .hyp = HYP_DRONEID };
    char why[IQ_WHY];
    if (iq_open_file(&s, &(struct iq_file_cfg){ .path = RECORDING }, why) < 0) {
        print_message("no %s: not checked\n", RECORDING);
        skip();
    }
    struct iq_info info = iq_info(s);
    struct dcorr *d = dcorr_new(info.rate_hz);
    memset(&l, 0, sizeof(l));
    for (struct iq_block *k; (k = iq_next(s)); b.cut.blk[b.cut.n_blk++] = k)
        dcorr_block(d, k, &l);
    dcorr_flush(d, &l);
    dcorr_free(d);
    b.rate_hz = info.rate_hz;
    b.cut.n = (uint32_t)iq_counts(s)->samples;
    struct droneid_rx *rx = droneid_rx_new(info.rate_hz);
    assert_int_equal(l.n, 4);
    for (unsigned i = 0; i < 4; i++) {
        struct finding f = { 0 };
        b.droneid = l.c[i];
        droneid_receive(rx, &b, DRONEID_DECODE, &f);
        assert_int_equal(f.n_decode, 1);
        assert_string_equal(f.decode->check, "crc24a+crc16");
        assert_int_equal(f.decode->raw[1], i ? 0x10 : 0x11);
        assert_int_equal(f.droneid.symbols, 9);
        assert_int_equal(f.droneid.cut, i == 3);
        assert_true(fabs(f.droneid.freq_hz.v - hz[i]) < 500);
        assert_true(fabs(f.droneid.t_s.v - t[i]) < 2e-7);
        drop(&f);
    }
    droneid_rx_free(rx);
    cut_drop(&b.cut);
    iq_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates), cmocka_unit_test(test_cut), cmocka_unit_test(test_company),
        cmocka_unit_test(test_edge), cmocka_unit_test(test_scale), cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_nothing), cmocka_unit_test(test_recording),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
