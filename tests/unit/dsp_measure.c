// SPDX-License-Identifier: GPL-3.0-or-later
// measure_burst on signals from closed forms (made_signals.h): the kind, each value within its
// stated uncertainty, the uncertainties neither too small nor absurdly large.  What must not be
// told, and dirty input, are in dsp_measure_hard.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/made_signals.h"

static struct measurer *meter;

static int setup(void **state)
{
    (void)state;
    meter = measurer_new(61.44e6);
    return meter ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    measurer_free(meter);
    return 0;
}

// A value against the truth in units of its uncertainty; collected over a test.
struct pull { const char *name; double sum2, worst; int n; };

static void pull_add(struct pull *p, struct meas m, double truth)
{
    assert_true(meas_ok(m));
    double z = fabs(m.v - truth) / (m.err > 0 ? m.err : 1e-12);
    p->sum2 += z * z;
    p->n++;
    if (z > p->worst)
        p->worst = z;
}

// Stated uncertainties are standard ones: mean square pull near 1 (up to 2.5: they are formulas,
// not fits), no single one beyond 6.
static void pull_check(const struct pull *p)
{
    double rms = p->n ? sqrt(p->sum2 / p->n) : 0;
    if (rms > 1.6 || p->worst > 6)
        print_error("%s: rms pull %.2f, worst %.2f over %d\n", p->name, rms, p->worst, p->n);
    assert_true(rms <= 1.6 && p->worst <= 6);
}

struct pulls { struct pull t, dur, f, snr, a, b; };
#define PULLS (struct pulls){ { "start", 0, 0, 0 }, { "length", 0, 0, 0 }, { "centre", 0, 0, 0 }, \
                              { "snr", 0, 0, 0 }, { "first", 0, 0, 0 }, { "second", 0, 0, 0 } }

static struct fingerprint look_at(struct made *m, double snr, struct pulls *p)
{
    struct finding f = { 0 };
    measure_burst(meter, &m->burst, &f);
    if (p) {
        pull_add(&p->t, f.fp.t_s, m->t0);
        pull_add(&p->dur, f.fp.dur_s, m->dur);
        pull_add(&p->f, f.fp.freq_hz, m->f);
        pull_add(&p->snr, f.fp.snr_db, snr);
    }
    made_free(m);
    return f.fp;
}

static void pulls_check(const struct pulls *p)
{
    pull_check(&p->t);
    pull_check(&p->dur);
    pull_check(&p->f);
    pull_check(&p->snr);
    pull_check(&p->a);
    pull_check(&p->b);
}

static void test_lora(void **state)
{
    (void)state;
    static const struct { int sf; double bw, rate, snr; } t[] = {
        { 5, 812.5e3, 61.44e6, 10 }, { 6, 812.5e3, 20e6, 3 },  { 7, 812.5e3, 20e6, 0 },
        { 8, 812.5e3, 10e6, -3 },    { 7, 500e3, 4e6, 3 },     { 9, 125e3, 1e6, 3 },
        { 6, 1625e3, 20e6, 6 },      { 5, 812.5e3, 4e6, 0 },   { 6, 406.25e3, 2.5e6, 3 },
        { 10, 250e3, 1e6, 0 },       { 7, 203.125e3, 1e6, 3 }, { 12, 125e3, 0.5e6, 0 },
    };
    struct rng r;
    struct pulls p = PULLS;
    rng_init(&r, 11);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int k = 0; k < 2; k++) {
            struct made_lora l = { t[i].sf, t[i].bw, k ? -1 : 1, t[i].sf > 10 ? 4 : 24, { 0 } };
            struct made m;
            for (int s = 0; s < 64; s++)
                l.sym[s] = (uint16_t)rng_below(&r, 4096);
            double f = t[i].rate * rng_between(&r, -0.2, 0.2);
            made_burst(&m, &r, t[i].rate, f, made_lora_dur(&l), t[i].bw, t[i].snr, made_lora, &l);
            struct fingerprint fp = look_at(&m, t[i].snr, &p);
            if (fp.kind != KIND_LORA || fp.sf != t[i].sf)
                print_error("lora %d %g at %g dB: %s sf %d sweep %g\n", t[i].sf, t[i].bw, t[i].snr,
                            sig_kind_name(fp.kind), fp.sf, fp.sweep_hz.v);
            assert_int_equal(fp.kind, KIND_LORA);
            assert_int_equal(fp.sf, t[i].sf);
            double mu = l.sign * l.bw * l.bw / (1 << l.sf);
            pull_add(&p.a, fp.chirp_hz_per_s, mu);
            pull_add(&p.b, fp.lora_symbols, 16.25 + l.n);
            assert_true(fabs(fp.bw_hz.v / t[i].bw - 1) < 0.01);
        }
    pulls_check(&p);
}

static void test_fsk(void **state)
{
    (void)state;
    static const struct { double rate, dev, bt, fs, snr; unsigned bits, pre; } t[] = {
        { 1e6, 250e3, 0.5, 61.44e6, 20, 376, 8 },  { 1e6, 157.5e3, 0.5, 20e6, 20, 366, 4 },
        { 650e3, 162.5e3, 1, 20e6, 15, 252, 32 },  { 100e3, 50e3, 0, 2e6, 15, 400, 40 },
        { 10e3, 19e3, 0, 1e6, 15, 200, 32 },       { 500e3, 186e3, 0.5, 4e6, 15, 300, 32 },
        { 2e6, 500e3, 0, 20e6, 15, 3000, 0 },      { 1e6, 250e3, 0.5, 4e6, 13, 376, 8 },
        { 38.4e3, 20e3, 0.5, 0.5e6, 15, 300, 24 }, { 250e3, 125e3, 0, 10e6, 12, 300, 16 },
    };
    struct rng r;
    struct pulls p = PULLS;
    rng_init(&r, 12);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int k = 0; k < 3; k++) {
            struct made_fsk g = { t[i].rate * (1 + 40e-6 * rng_between(&r, -1, 1)), t[i].dev,
                                  t[i].bt, t[i].bits, 0, 0 };
            struct made m;
            made_fsk_make(&g, &r, t[i].pre);
            double w = 2 * t[i].dev + t[i].rate, f = t[i].fs * rng_between(&r, -0.2, 0.2);
            made_burst(&m, &r, t[i].fs, f, g.bits / g.rate, w, t[i].snr, made_fsk, &g);
            struct fingerprint fp = look_at(&m, t[i].snr, &p);
            if (fp.kind != KIND_FSK && fp.kind != KIND_MSK)
                print_error("fsk %g dev %g at %g dB: %s %.2f\n", t[i].rate, t[i].dev, t[i].snr,
                            sig_kind_name(fp.kind), fp.kind_p);
            assert_true(fp.kind == KIND_FSK || fp.kind == KIND_MSK);
            pull_add(&p.a, fp.symbol_rate_bd, g.rate);
            assert_true(fabs(fp.symbol_rate_bd.v / g.rate - 1) < 2e-3);
            assert_true(fabs(fp.deviation_hz.v / g.dev - 1) < 0.12);
            if (t[i].pre >= 16)         // an alternating preamble reads as one, however it is cut
                assert_true((fp.fsk_head >> 52 & 0xff) == 0xaa ||
                            (fp.fsk_head >> 52 & 0xff) == 0x55);
            made_fsk_free(&g);
        }
    pulls_check(&p);
}

static void test_ofdm(void **state)
{
    (void)state;
    static const struct { double spacing, cp, extra; unsigned per, carriers, symbols;
                          double fs, snr;
                          enum ofdm_numerology num; } t[] = {
        { 15e3, 4.6875e-6, 0.5208e-6, 7, 72, 14, 20e6, 10, OFDM_15K },
        { 15e3, 4.6875e-6, 0.5208e-6, 7, 600, 9, 30.72e6, 0, OFDM_15K },
        { 15e3, 4.6875e-6, 0, 0, 1200, 8, 25e6, 5, OFDM_15K },
        { 15e3, 4.6875e-6, 0.5208e-6, 7, 72, 7, 61.44e6, 10, OFDM_15K },
        { 30e3, 2.34375e-6, 0.5208e-6, 14, 300, 20, 30.72e6, 5, OFDM_30K },
        { 312.5e3, 0.8e-6, 0, 0, 52, 60, 40e6, 6, OFDM_WIFI },
        { 312.5e3, 0.8e-6, 0, 0, 52, 12, 20e6, 12, OFDM_WIFI },
        { 312.5e3, 0.4e-6, 0, 0, 56, 60, 61.44e6, 12, OFDM_WIFI },
    };
    struct rng r;
    struct pulls p = PULLS;
    rng_init(&r, 13);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int k = 0; k < 2; k++) {
            struct made_ofdm o = { 1 / t[i].spacing, t[i].cp, t[i].extra, t[i].per, t[i].carriers,
                                   t[i].symbols, 0, 0, { 0 }, { 0 } };
            struct made m;
            made_ofdm_make(&o, &r);
            double w = (t[i].carriers + 1) * t[i].spacing;
            double f = (t[i].fs - w) / 2 * rng_between(&r, -0.6, 0.6);
            // 802.11's SNR is meant in 16.25 MHz, of which 52 or 56 carriers fill more or less.
            made_burst(&m, &r, t[i].fs, f, made_ofdm_dur(&o), t[i].num == OFDM_WIFI ? 16.25e6 : w,
                       t[i].snr, made_ofdm, &o);
            struct fingerprint fp = look_at(&m, t[i].snr, &p);
            if (fp.kind != KIND_OFDM || fp.numerology != t[i].num)
                print_error("ofdm %g x %u at %g dB: %s %d\n", t[i].spacing, t[i].carriers, t[i].snr,
                            sig_kind_name(fp.kind), fp.numerology);
            assert_int_equal(fp.kind, KIND_OFDM);
            assert_int_equal(fp.numerology, t[i].num);
            pull_add(&p.a, fp.useful_symbol_s, o.useful);
            pull_add(&p.b, fp.cp_s, o.cp);
            assert_true(fp.cp_corr.v > 0.6);
            free(o.qpsk);
        }
    pulls_check(&p);
}

// Roots of Zadoff-Chu symbols read off one burst.
static void test_zc(void **state)
{
    (void)state;
    static const struct { unsigned carriers; int u, v; double fs; } t[] = {
        { 600, 600, 147, 30.72e6 }, { 1200, 33, 1100, 25e6 }, { 72, 7, 60, 10e6 },
    };
    struct rng r;
    rng_init(&r, 14);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct made_ofdm o = { 1 / 15e3, 4.6875e-6, 0, 0, t[i].carriers, 9, 0, 0,
                               { t[i].u, t[i].v, 0, 0 }, { 2, 4, 0, 0 } };
        struct made m;
        made_ofdm_make(&o, &r);
        double w = (t[i].carriers + 1) * 15e3;
        made_burst(&m, &r, t[i].fs, 0.31e6, made_ofdm_dur(&o), w, 8, made_ofdm, &o);
        struct fingerprint fp = look_at(&m, 8, NULL);
        assert_int_equal(fp.zc_len, t[i].carriers + 1);
        assert_int_equal(fp.zc_root[0], t[i].u);
        assert_int_equal(fp.zc_root[1], t[i].v);
        assert_int_equal(fp.zc_root[2], 0);
        assert_true(fabs(fp.freq_hz.v - 0.31e6) < 2e3);     // right to the carrier, and finer
        free(o.qpsk);
    }
}

static void test_barker(void **state)
{
    (void)state;
    struct rng r;
    struct pulls p = PULLS;
    rng_init(&r, 15);
    for (int k = 0; k < 6; k++) {
        struct made_barker b = { .chip_hz = 11e6 * (1 + 25e-6 * rng_between(&r, -1, 1)) };
        struct made m;
        for (int i = 0; i < 1024; i++)
            b.bit[i] = (uint8_t)rng_below(&r, 2);
        double snr = 3 * k, fs = k & 1 ? 40e6 : 61.44e6;
        made_burst(&m, &r, fs, 2e6 * rng_between(&r, -1, 1), 400e-6, 11e6, snr, made_barker, &b);
        struct fingerprint fp = look_at(&m, snr, &p);
        assert_int_equal(fp.kind, KIND_DSSS);
        pull_add(&p.a, fp.chip_rate_hz, b.chip_hz);
        assert_true(fp.barker_corr.v > 0.6);
    }
    pulls_check(&p);
}

static void test_video(void **state)
{
    (void)state;
    static const struct { double line, fs, snr; enum video_standard std; } t[] = {
        { 64e-6, 20e6, 3, VIDEO_PAL },               { 1001e-6 / 15.75, 20e6, 3, VIDEO_NTSC },
        { 64e-6, 10e6, 10, VIDEO_PAL },              { 1001e-6 / 15.75, 30.72e6, 6, VIDEO_NTSC },
        { 64e-6 * (1 + 50e-6), 2e6, 15, VIDEO_PAL }, { 1001e-6 / 15.75, 2.4e6, 15, VIDEO_NTSC },
    };
    struct rng r;
    struct pull line = { "line rate", 0, 0, 0 };
    rng_init(&r, 16);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct made_video v = { .line_s = t[i].line, .dev = 5e6 };
        struct made m;
        for (int k = 0; k < 16; k++)
            v.bar[k] = rng_uniform(&r);
        made_burst(&m, &r, t[i].fs, 0, 20e-3, 8e6, t[i].snr, made_video, &v);
        m.burst.part = BURST_RUN_FIRST;
        struct fingerprint fp = look_at(&m, 0, NULL);
        if (fp.kind != KIND_FM || fp.video != t[i].std)
            print_error("video %g at %g MS/s, %g dB: %s %d %g\n", t[i].line * 1e6, t[i].fs / 1e6,
                        t[i].snr, sig_kind_name(fp.kind), fp.video, fp.line_rate_hz.v);
        assert_int_equal(fp.kind, KIND_FM);
        assert_int_equal(fp.video, t[i].std);
        pull_add(&line, fp.line_rate_hz, 1 / t[i].line);
    }
    pull_check(&line);
}

static void test_carriers(void **state)
{
    (void)state;
    struct rng r;
    struct pulls p = PULLS;
    double tone = 20e3;
    rng_init(&r, 17);
    for (int k = 0; k < 4; k++) {
        struct made m;
        made_burst(&m, &r, 2e6, 0.2e6 * rng_between(&r, -1, 1), 8e-3, 20e3, 20, made_cw, NULL);
        struct fingerprint fp = look_at(&m, 20, NULL);
        assert_int_equal(fp.kind, KIND_CW);
        made_burst(&m, &r, 2e6, 0.2e6 * rng_between(&r, -1, 1), 8e-3, 60e3, 20, made_am, &tone);
        fp = look_at(&m, 20, NULL);
        assert_int_equal(fp.kind, KIND_AM);
    }
    pulls_check(&p);
}

// What the DroneID receiver measured goes before what a Wi-Fi burst in the same place looks like.
static void test_droneid_first(void **state)
{
    (void)state;
    struct made_ofdm o = { 3.2e-6, 0.8e-6, 0, 0, 52, 100, 0, 0, { 0 }, { 0 } };
    struct made m;
    struct rng r;
    rng_init(&r, 31);
    made_ofdm_make(&o, &r);
    made_burst(&m, &r, 40e6, 1e6, made_ofdm_dur(&o), 16.25e6, 25, made_ofdm, &o);
    struct finding f = { .droneid = { .seen = true, .symbols = 9, .t_s = { 1.5e-3, 1e-8 },
                                      .freq_hz = { 2444.5e6, 20 }, .snr_db = { 7, 0.2 } } };
    measure_burst(meter, &m.burst, &f);
    assert_int_equal(f.fp.kind, KIND_OFDM);
    assert_int_equal(f.fp.numerology, OFDM_15K);
    assert_true(f.fp.t_s.v == 1.5e-3 && f.fp.freq_hz.v == 2444.5e6 && f.fp.bw_hz.v == 9.015e6);
    assert_float_equal(f.fp.dur_s.v, 643.23e-6, 0.01e-6);
    assert_float_equal(f.fp.useful_symbol_s.v, 66.667e-6, 1e-9);
    assert_float_equal(f.fp.cp_s.v, 4.6875e-6, 1e-9);
    assert_float_equal(f.fp.snr_db.v, 7, 1e-9);
    assert_false(meas_ok(f.fp.wifi_stf));
    f.droneid.symbols = 8;
    measure_burst(meter, &m.burst, &f);
    assert_float_equal(f.fp.dur_s.v, 571.35e-6, 0.01e-6);
    made_free(&m);
    free(o.qpsk);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(test_lora),   cmocka_unit_test(test_fsk),
        cmocka_unit_test(test_ofdm),   cmocka_unit_test(test_zc),
        cmocka_unit_test(test_barker), cmocka_unit_test(test_video),
        cmocka_unit_test(test_carriers), cmocka_unit_test(test_droneid_first),
    };
    cmocka_set_test_filter(getenv("TYTO_TEST"));       // one test by name, when looking into it
    return cmocka_run_group_tests(t, setup, teardown);
}
