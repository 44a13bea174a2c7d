// SPDX-License-Identifier: GPL-3.0-or-later
// measure_burst where it is hard: a receiver's own faults on top, noise that must stay of unknown
// kind, bursts that contradict themselves.
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

static struct fingerprint look_at(struct made *m)
{
    struct finding f = { 0 };
    measure_burst(meter, &m->burst, &f);
    made_free(m);
    return f.fp;
}

// A receiver's own faults: a DC line 6 dB under the signal inside its band, an image 25 dB down.
static void make_dirty(struct made *m, double amp)
{
    for (size_t i = 0; i < m->n; i++)
        m->x[i] += 0.056f * conjf(m->x[i]) + (float)(0.5 * amp);
}

static void test_dirty(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 20);
    for (int k = 0; k < 4; k++) {
        struct made_lora l = { 6, 812.5e3, k & 1 ? -1 : 1, 24, { 0 } };
        struct made_fsk g = { 1e6, 250e3, 0.5, 376, 0, 0 };
        struct made_ofdm o = { 1 / 15e3, 4.6875e-6, 0.5208e-6, 7, 72, 14, 0, 0, { 0 }, { 0 } };
        double off = 100e3 * rng_between(&r, -1, 1), rate = 10e6;
        struct made m;
        for (int s = 0; s < 64; s++)
            l.sym[s] = (uint16_t)rng_below(&r, 4096);
        made_burst(&m, &r, rate, off, made_lora_dur(&l), l.bw, 10, made_lora, &l);
        make_dirty(&m, sqrt(10 * l.bw / rate));
        struct fingerprint fp = look_at(&m);
        assert_int_equal(fp.kind, KIND_LORA);
        assert_int_equal(fp.sf, 6);

        made_fsk_make(&g, &r, 8);
        made_burst(&m, &r, rate, off, g.bits / g.rate, 1.5e6, 20, made_fsk, &g);
        make_dirty(&m, sqrt(100 * 1.5e6 / rate) / 4);      // a discriminator bears 18 dB down
        fp = look_at(&m);
        assert_true(fp.kind == KIND_FSK || fp.kind == KIND_MSK);
        assert_true(fabs(fp.symbol_rate_bd.v / 1e6 - 1) < 1e-3);
        made_fsk_free(&g);

        made_ofdm_make(&o, &r);
        made_burst(&m, &r, rate, off, made_ofdm_dur(&o), 1.1e6, 10, made_ofdm, &o);
        make_dirty(&m, sqrt(10 * 1.1e6 / rate));
        fp = look_at(&m);
        if (fp.kind != KIND_OFDM)
            print_error("ofdm %d: %s\n", k, sig_kind_name(fp.kind));
        assert_int_equal(fp.kind, KIND_OFDM);
        free(o.qpsk);
    }
}

// Noise-like bursts of many widths and lengths, nothing at all, and every kind at -12 dB: no kind.
static void test_unknown(void **state)
{
    (void)state;
    struct rng r;
    int wrong = 0, n = 0;
    rng_init(&r, 18);
    for (int k = 0; k < 60; k++) {
        static const double rates[] = { 1e6, 4e6, 20e6, 40e6 };
        double fs = rates[k & 3], dur = fmin(2000 / fs * (1 + 20 * rng_uniform(&r)), 4e-3);
        struct made m;
        struct rng nr;
        rng_fork(&nr, &r, (uint64_t)k);
        made_burst(&m, &r, fs, 0, dur, fs * rng_between(&r, 0.2, 0.9), k % 5 * 6 - 6.0,
                   made_noise, &nr);
        struct fingerprint fp = look_at(&m);
        if (fp.kind != KIND_UNKNOWN)
            print_error("noise %d: %s %.2f\n", k, sig_kind_name(fp.kind), fp.kind_p);
        wrong += fp.kind != KIND_UNKNOWN;
        n++;
    }
    assert_true(n == 60 && wrong == 0);
}

// Sparks: noise in pulses of tens of microseconds, as from a switched supply; no kind either.
static double complex made_sparks(double t, void *arg)
{
    double u = t / 170e-6;
    return u - floor(u) < 0.2 ? 2.2 * rng_cnormal(arg) : 0;
}

static void test_sparks(void **state)
{
    (void)state;
    struct rng r;
    int wrong = 0;
    rng_init(&r, 21);
    for (int k = 0; k < 24; k++) {
        struct rng nr;
        struct made m;
        rng_fork(&nr, &r, (uint64_t)k);
        double rate = k & 1 ? 1.6e6 : 4e6;
        made_burst(&m, &r, rate, 0, 25e-3, rate * 0.9, k % 4 * 5 - 3.0, made_sparks, &nr);
        enum sig_kind kind = look_at(&m).kind;
        if (kind != KIND_UNKNOWN)
            print_error("sparks %d: %s\n", k, sig_kind_name(kind));
        wrong += kind != KIND_UNKNOWN;
    }
    assert_int_equal(wrong, 0);
}

// Whatever a burst says of itself, nothing breaks and nothing is NaN.
static void test_hostile(void **state)
{
    (void)state;
    struct rng r;
    struct made m;
    rng_init(&r, 19);
    for (int k = 0; k < 40; k++) {
        made_burst(&m, &r, 4e6, 0, 100e-6, 1e6, 10, made_cw, NULL);
        struct burst b = m.burst;
        switch (k % 10) {
        case 0: b.n1 = b.n0; break;
        case 1: b.n1 = b.n0 + 1; break;
        case 2: b.cut.n = 1; break;
        case 3: b.f_lo_hz = NAN; break;
        case 4: b.noise_dbfs_hz = NAN; break;
        case 5: b.noise_dbfs_hz = 300; break;
        case 6: b.f_lo_hz = -1e12; b.f_hi_hz = 1e12; break;
        case 7: b.n0 = 1u << 30; b.n1 = 1u << 31; break;
        case 8: memset(m.x, 0, m.n * sizeof *m.x); break;
        case 9: for (size_t i = 0; i < m.n; i++) m.x[i] = k & 1 ? 1e9f : 1e-30f; break;
        }
        struct finding f = { 0 };
        measure_burst(meter, &b, &f);
        const double v[] = { f.fp.t_s.v, f.fp.dur_s.v, f.fp.bw_hz.v, f.fp.snr_db.v, f.fp.env_cv.v,
                             f.fp.papr_db.v, f.fp.kind_p, f.fp.on_fraction.v, f.fp.cp_corr.v };
        for (size_t i = 0; i < sizeof v / sizeof *v; i++)
            assert_true(isfinite(v[i]) || (k % 10 == 3 && i == 2));
        made_free(&m);
    }
}

// A burst that reaches the recording's first sample though nobody said so starts there, not before.
static void test_first_sample(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 23);
    for (int k = 0; k < 6; k++) {
        struct made m;
        made_burst(&m, &r, 4e6 * (1 + k), 0, 300e-6, 1e6, 20, made_cw, NULL);
        size_t lead = (size_t)(m.t0 * m.rate) + 40;
        m.b.data = m.x + lead;
        m.b.n = m.burst.cut.n = (uint32_t)(m.n - lead);
        m.burst.n0 = m.burst.run_n0 = 20;
        m.burst.n1 = (uint64_t)(m.dur * m.rate) - 60;
        struct fingerprint fp = look_at(&m);
        assert_true(fp.t_s.v >= 0 && fp.t_s.v < 5e-6);
        assert_true(fp.dur_s.v > 250e-6 && fp.dur_s.v < 300e-6);
    }
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(test_dirty), cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_sparks), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_first_sample),
    };
    return cmocka_run_group_tests(t, setup, teardown);
}
