// SPDX-License-Identifier: GPL-3.0-or-later
// OcuSync and LTE: lengths against facts/links.json's numbers, prefixes, symbol patterns, known
// signals against the standard's tables and closed forms, on and off times.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/lte.h"
#include "sdr/tx/ofdm15.h"

extern const struct tx_model tx_ocusync, tx_lte;

static void *model(const struct tx_model *t, const struct tx_args *a)
{
    void *m;
    char why[IQ_WHY];
    struct rng rng;
    rng_init(&rng, 5);
    if (t->make(&m, a, &rng, why) < 0)
        fail_msg("%s", why);
    return m;
}

static double power(const struct tx_packet *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->n; i++)
        sum += crealf(p->iq[i]) * crealf(p->iq[i]) + cimagf(p->iq[i]) * cimagf(p->iq[i]);
    return sum / (double)p->n;
}

// Carrier k of the symbol whose n samples start at x, amplitude 1 = 1.
static double complex carrier(const float complex *x, unsigned n, int k)
{
    double complex sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += (double complex)x[i] * cexp(-2 * M_PI * I * k * (double)i / n);
    return sum / n;
}

// Whether the prefix of cp samples at x is the end of the symbol behind it.
static bool prefix_fits(const float complex *x, unsigned cp, unsigned n)
{
    for (unsigned i = 0; i < cp; i++)
        if (cabsf(x[i] - x[i + n]) > 1e-5f)
            return false;
    return true;
}

// Whether neighbouring carriers turn as a Zadoff-Chu sequence's do: by equal second differences.
static bool is_zc(const float complex *x, unsigned n, int k0)
{
    double complex c[16];
    for (int i = 0; i < 16; i++)
        c[i] = carrier(x, n, k0 + i);
    double first = carg(c[2] * conj(c[1]) * conj(c[1] * conj(c[0])));
    for (int i = 1; i < 14; i++) {
        double d = carg(c[i + 2] * conj(c[i + 1]) * conj(c[i + 1] * conj(c[i])));
        if (fabs(remainder(d - first, 2 * M_PI)) > 1e-3)
            return false;
    }
    return true;
}

// ---- OcuSync ---------------------------------------------------------------------------------

static void check_downlink(const char *mode, unsigned n, unsigned cp, double rate_hz,
                           double most_hz)
{
    struct tx_packet p;
    void *m = model(&tx_ocusync, &(struct tx_args){ .mode = mode, .until_s = 0.006 });
    assert_int_equal(tx_ocusync.next(m, &p), 1);
    assert_true(p.rate_hz == rate_hz);
    assert_float_equal(power(&p), 1, 1e-4);
    // Facts: 1.071875 ms a frame, and on for 3.27 ms of the pattern.
    assert_float_equal((double)p.n / rate_hz, 3 * 0.001071875, 1e-9);
    size_t at = 0;
    for (unsigned s = 0; s < 45; s++) {
        unsigned in = s % 15, len = cp + (in % 7 == 0 ? n / 128 : 0);       // 8 or 16 more
        assert_true(prefix_fits(p.iq + at, len, n));
        bool zc = is_zc(p.iq + at + len, n, 20) && is_zc(p.iq + at + len, n, -40);
        assert_int_equal(zc, in % 7 == 0);
        double edge = cabs(carrier(p.iq + at + len, n, (int)(most_hz / 15e3)));
        double out = cabs(carrier(p.iq + at + len, n, (int)(most_hz / 15e3) + 1));
        assert_true(out < 1e-4 && edge > 1e-3);
        at += len + n;
    }
    assert_int_equal(at, p.n);
    assert_int_equal(tx_ocusync.next(m, &p), 1);
    assert_float_equal(p.t_s, 4.47e-3, 1e-9);
    assert_true(p.t_s + (double)p.n / p.rate_hz < 5e-3);
    tx_ocusync.drop(m);
}

static void test_downlink(void **state)
{
    (void)state;
    check_downlink("10MHz", 1024, 72, 15.36e6, 4.5e6);
    check_downlink("DJI OcuSync 2/3 downlink 20 MHz", 2048, 144, 30.72e6, 9e6);
}

static void test_uplink(void **state)
{
    (void)state;
    struct tx_packet p;
    double freq[200];
    unsigned n = 0, different = 0;
    void *m = model(&tx_ocusync, &(struct tx_args){ .mode = "uplink", .until_s = 1 });
    while (n < 200 && tx_ocusync.next(m, &p) == 1) {
        assert_float_equal((double)p.n / p.rate_hz, 0.51e-3, 0.011e-3);     // facts: 500 to 520 us
        assert_true(is_zc(p.iq + 10, 128, 5) && is_zc(p.iq + p.n - 128, 128, 5));
        assert_false(is_zc(p.iq + 138 + 9, 128, 5));
        assert_true(p.freq_hz > 2.4e9 && p.freq_hz < 2.4835e9);
        assert_string_equal(p.link, "DJI OcuSync uplink 1.4 MHz-CA hopping");
        freq[n++] = p.freq_hz;
    }
    assert_int_equal(n, 200);
    for (unsigned i = 1; i < n; i++)
        different += fabs(freq[i] - freq[i - 1]) > 1e6;
    assert_true(different > 180);
    tx_ocusync.drop(m);
}

// Share of the time on: 71 to 77 % on a busy link, 18 to 26 % idle.
static double share(const char *variant)
{
    struct tx_packet p;
    double on = 0, last = -1;
    void *m = model(&tx_ocusync, &(struct tx_args){ .mode = "10MHz", .variant = variant,
                                                    .until_s = 0.1 });
    while (tx_ocusync.next(m, &p) == 1) {
        assert_true(p.t_s >= last);
        last = p.t_s + (double)p.n / p.rate_hz;
        if (p.rate_hz > 2e6)
            on += (double)p.n / p.rate_hz;
    }
    tx_ocusync.drop(m);
    return on / 0.1;
}

static void test_activity(void **state)
{
    (void)state;
    assert_float_equal(share(NULL), 0.74, 0.03);
    assert_float_equal(share("both"), 0.74, 0.03);
    assert_float_equal(share("idle25"), 0.20, 0.02);
    assert_float_equal(share("both,idle20,64qam"), 0.25, 0.02);
}

// ---- LTE -------------------------------------------------------------------------------------

static void test_sync_tables(void **state)
{
    (void)state;
    static const unsigned table[][3] = {        // 36.211, table 6.11.2.1-1
        { 0, 0, 1 }, { 29, 29, 30 }, { 30, 0, 2 }, { 58, 28, 30 }, { 59, 0, 3 }, { 86, 27, 30 },
        { 87, 0, 4 }, { 139, 25, 30 }, { 140, 0, 6 }, { 167, 2, 9 },
    };
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        unsigned m0, m1;
        lte_sss_shifts(table[i][0], &m0, &m1);
        assert_int_equal(m0, table[i][1]);
        assert_int_equal(m1, table[i][2]);
    }
    static const unsigned root[3] = { 25, 29, 34 };
    for (unsigned id = 0; id < 3; id++) {
        double complex d[LTE_SYNC];
        lte_pss(id, d);
        for (unsigned n = 0; n < LTE_SYNC; n++) {       // 6.11.1.1, as it stands there
            double x = n < 31 ? n * (n + 1.0) : (n + 1.0) * (n + 2.0);
            assert_true(cabs(d[n] - cexp(-M_PI * I * root[id] * x / 63)) < 1e-9);
        }
    }
    double complex d[LTE_SYNC];
    lte_pss(0, d);
    assert_true(cabs(d[1] - CMPLX(-0.7971, -0.6038)) < 1e-4);
}

// Different cells and halves of the frame are told apart: cross-correlation well below 62.
static void test_sss_apart(void **state)
{
    (void)state;
    double a[LTE_SYNC], b[LTE_SYNC];
    lte_sss(101, 0, a);
    for (unsigned cell = 0; cell < 504; cell++)
        for (unsigned sf = 0; sf < 10; sf += 5) {
            double sum = 0;
            lte_sss(cell, sf, b);
            for (unsigned i = 0; i < LTE_SYNC; i++)
                sum += a[i] * b[i];
            if (cell == 101 && sf == 0)
                assert_true(sum > 61.9);
            else
                assert_true(fabs(sum) < 45);
        }
}

// 36.211, 6.10.1.1: c_init of cell 0, slot 0, symbol 0 is 1024 * 8 + 1; a carrier of 6 blocks
// takes the middle 12 of 220 points.
static void test_reference(void **state)
{
    (void)state;
    uint8_t bit[440];
    double complex r[12];
    ofdm_gold(8193, 440, bit);
    assert_int_equal(lte_crs(0, 0, 0, 6, r), 0);
    for (unsigned m = 0; m < 12; m++)
        assert_true(cabs(r[m] - ofdm_qpsk(bit[2 * (m + 104)], bit[2 * (m + 104) + 1])) < 1e-12);
    assert_int_equal(lte_crs(7, 3, 4, 6, r), 4);        // (3 + 7 mod 6) mod 6
}

// PSS found on air, in the right symbol, for each width; prefixes fit throughout.
static void check_air(const char *mode, unsigned n, const char *variant,
                      unsigned symbol)
{
    struct tx_packet p;
    double complex d[LTE_SYNC];
    unsigned found = 0, pieces = 0;
    double mean = 0;
    void *m = model(&tx_lte, &(struct tx_args){ .mode = mode, .variant = variant, .uid = 101,
                                                .freq_hz = 800e6, .until_s = 0.02 });
    lte_pss(101 % 3, d);
    while (tx_lte.next(m, &p) == 1) {
        size_t at = 0;
        bool here = false;
        assert_true(p.rate_hz == 15e3 * n);
        for (unsigned s = 0; s < 14 && at < p.n; s++) {
            unsigned cp = (s % 7 ? 144 : 160) * n / 2048;
            assert_true(prefix_fits(p.iq + at, cp, n));
            if (s == symbol) {
                double complex sum = 0;
                double all = 0;
                for (int i = 0; i < LTE_SYNC; i++) {
                    double complex c = carrier(p.iq + at + cp, n, i < 31 ? i - 31 : i - 30);
                    sum += c * conj(d[i]);
                    all += cabs(c);
                }
                here = all > 0 && cabs(sum) > 0.999 * all;
            }
            at += cp + n;
        }
        found += here;
        mean += power(&p);
        pieces++;
    }
    assert_int_equal(found, 4);                         // twice a frame
    assert_float_equal(mean / pieces, 1, 0.25);         // load is random
    tx_lte.drop(m);
}

static void test_air(void **state)
{
    (void)state;
    check_air("1.4", 128, NULL, 6);
    check_air("10", 1024, "fdd", 6);
    check_air("20MHz", 2048, NULL, 6);
    check_air("5", 512, "tdd", 2);
}

// FDD never pauses; TDD is on for two runs of 2 + 5/7 subframes a frame.
static void test_duplex(void **state)
{
    (void)state;
    struct tx_packet p;
    double end = 0, on = 0;
    unsigned runs = 0;
    void *m = model(&tx_lte, &(struct tx_args){ .mode = "3", .freq_hz = 2e9, .until_s = 0.0205 });
    while (tx_lte.next(m, &p) == 1) {
        assert_float_equal(p.t_s, end, 1e-9);
        assert_int_equal(p.continues, end > 0);
        end = p.t_s + (double)p.n / p.rate_hz;
    }
    assert_float_equal(end, 0.0205, 1e-6);
    tx_lte.drop(m);
    m = model(&tx_lte, &(struct tx_args){ .mode = "3", .variant = "tdd", .freq_hz = 2e9,
                                          .until_s = 0.1 });
    while (tx_lte.next(m, &p) == 1) {
        runs += !p.continues;
        if (p.continues)
            assert_float_equal(p.t_s, end, 1e-9);
        end = p.t_s + (double)p.n / p.rate_hz;
        on += (double)p.n / p.rate_hz;
    }
    assert_in_range(runs, 20, 21);
    assert_float_equal(on, 20 * (2e-3 + 1e-3 * 10 / 14), 1.5e-3);
    tx_lte.drop(m);
}

static void test_refusals(void **state)
{
    (void)state;
    void *m;
    char why[IQ_WHY];
    struct rng rng = { { 1, 2, 3, 4 } };
    assert_true(tx_lte.make(&m, &(struct tx_args){ .mode = "7", .freq_hz = 1e9 }, &rng, why) < 0);
    assert_true(tx_lte.make(&m, &(struct tx_args){ .mode = "10" }, &rng, why) < 0);
    assert_true(tx_ocusync.make(&m, &(struct tx_args){ .mode = "40MHz" }, &rng, why) < 0);
    assert_true(tx_ocusync.make(&m, &(struct tx_args){ .variant = "idle" }, &rng, why) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_downlink),    cmocka_unit_test(test_uplink),
        cmocka_unit_test(test_activity),    cmocka_unit_test(test_sync_tables),
        cmocka_unit_test(test_sss_apart),   cmocka_unit_test(test_reference),
        cmocka_unit_test(test_air),         cmocka_unit_test(test_duplex),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
