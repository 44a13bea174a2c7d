// SPDX-License-Identifier: GPL-3.0-or-later
// Analog video: line, field and subcarrier rates and pulse widths of the standards, measured on
// the demodulated signal; no seam between pieces; deviation as on the real recording.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/cvbs.h"

extern const struct tx_model tx_fmvideo;

#define RATE_HZ 20e6

static void *model(const struct tx_args *a)
{
    void *m;
    char why[IQ_WHY];
    struct rng rng;
    rng_init(&rng, 11);
    if (tx_fmvideo.make(&m, a, &rng, why) < 0)
        fail_msg("%s", why);
    return m;
}

// Instantaneous frequency of the whole transmission in Hz; checks pieces on the way.
static float *demodulate(const struct tx_args *a, size_t *ret_n)
{
    size_t room = (size_t)(a->until_s * RATE_HZ) + 1, n = 0;
    float *f = malloc(room * sizeof *f);
    float complex last = 1;
    struct tx_packet p;
    void *m = model(a);
    while (tx_fmvideo.next(m, &p) == 1) {
        assert_true(p.rate_hz == RATE_HZ && n + p.n <= room);
        assert_int_equal(p.continues, n > 0);
        assert_float_equal(p.t_s, (double)n / RATE_HZ, 1e-9);
        for (size_t i = 0; i < p.n; i++) {
            assert_float_equal(cabsf(p.iq[i]), 1, 1e-4);
            f[n++] = (float)(carg((double complex)p.iq[i] * conj((double complex)last)) /
                             (2 * M_PI) * RATE_HZ);
            last = p.iq[i];
        }
    }
    tx_fmvideo.drop(m);
    f[0] = f[1];
    *ret_n = n;
    return f;
}

// Falling edges through half the sync depth and the widths of the pulses, by interpolation.
struct pulses { double at[4000], width[4000]; unsigned n; };

static void find_pulses(const float *f, size_t n, struct pulses *p)
{
    const float half = -2.04e6f;        // between blanking (-1.27 MHz) and the tips (-2.8 MHz)
    double start = -1;
    p->n = 0;
    for (size_t i = 1; i < n && p->n < 4000; i++) {
        double x = (double)i - 1 + (half - f[i - 1]) / (double)(f[i] - f[i - 1]);
        if (f[i - 1] > half && f[i] <= half)
            start = x / RATE_HZ;
        else if (f[i - 1] <= half && f[i] > half && start >= 0) {
            p->at[p->n] = start;
            p->width[p->n++] = x / RATE_HZ - start;
        }
    }
}

static void check_standard(const char *variant, const struct cvbs_standard *s, unsigned broad)
{
    size_t n;
    double frame_s = s->lines / s->line_hz;
    float *f = demodulate(&(struct tx_args){ .freq_hz = 5.8e9, .variant = variant,
                                             .until_s = frame_s }, &n);
    struct pulses *p = malloc(sizeof *p);
    find_pulses(f, n, p);
    unsigned wide = 0, narrow = 0, plain = 0;
    double first = -1, last = -1, width = 0;
    for (unsigned i = 0; i < p->n; i++) {
        wide += p->width[i] > 20e-6;
        narrow += p->width[i] > 2e-6 && p->width[i] < 3e-6;  // bursts dip for 0.1 us
        if (p->width[i] > 4e-6 && p->width[i] < 6e-6) {
            plain++;
            width += p->width[i];
            if (first < 0)
                first = p->at[i];
            last = p->at[i];
        }
    }
    assert_in_range(wide, 2 * broad - 1, 2 * broad);            // one may be cut by the ends
    assert_in_range(narrow, 4 * broad - 1, 4 * broad);
    // 3 x 5 half lines a field (PAL) take 15 of 625 lines, 3 x 6 (NTSC) 18 of 525; a line whose
    // first half is taken has no pulse of its own.
    assert_in_range(plain, s->lines - 3 * broad - 3, s->lines - 3 * broad + 1);
    assert_float_equal(width / plain, s->sync_s, 0.05e-6);
    double lines = (last - first) * s->line_hz;
    assert_float_equal(lines, nearbyint(lines), 1e-3);
    assert_in_range((unsigned)nearbyint(lines), s->lines * 9 / 10, s->lines);
    free(p);
    free(f);
}

static void test_pal(void **state)
{
    (void)state;
    check_standard("pal", &cvbs_pal, 5);
    assert_float_equal(cvbs_pal.line_hz, 15625, 1e-6);
    assert_float_equal(cvbs_pal.line_hz * 2 / 625, 50, 1e-9);
}

static void test_ntsc(void **state)
{
    (void)state;
    check_standard("ntsc", &cvbs_ntsc, 6);
    assert_float_equal(cvbs_ntsc.line_hz, 15734.264, 2e-3);
    assert_float_equal(cvbs_ntsc.line_hz * 455 / 2, cvbs_ntsc.subcarrier_hz, 1e-3);
}

// The burst of every line correlates with one subcarrier of the right frequency (NTSC: same phase
// each line), and not with one 5 kHz off.
static double burst_sum(const float *f, const struct pulses *p, double hz)
{
    double complex sum = 0;
    double all = 0;
    for (unsigned i = 0; i < p->n; i++) {
        if (p->width[i] < 4e-6 || p->width[i] > 6e-6)
            continue;
        double complex one = 0;
        size_t from = (size_t)((p->at[i] + 5.6e-6) * RATE_HZ);
        for (size_t k = from; k < from + 40; k++)
            one += (f[k] + 1.27e6) * cexp(-2 * M_PI * I * hz * (double)k / RATE_HZ);
        sum += one;
        all += cabs(one);
    }
    return cabs(sum) / all;
}

static void test_burst(void **state)
{
    (void)state;
    size_t n;
    float *f = demodulate(&(struct tx_args){ .freq_hz = 5.8e9, .variant = "ntsc bars",
                                             .until_s = 0.012 }, &n);
    struct pulses *p = malloc(sizeof *p);
    find_pulses(f, n - 1000, p);
    assert_true(burst_sum(f, p, 3579545) > 0.98);
    assert_true(burst_sum(f, p, 3579545 + 5000) < 0.3);
    free(p);
    free(f);
}

// Bars of 75 %: brightness and colour of each as BT.601's weights give them, sync at -0.3 V,
// blanking at 0.  Of 720 pixels a bar has 90; colour settles within ten.
static void test_bars(void **state)
{
    (void)state;
    static const double rgb[8][3] = { { 1, 1, 1 }, { 1, 1, 0 }, { 0, 1, 1 }, { 0, 1, 0 },
                                      { 1, 0, 1 }, { 1, 0, 0 }, { 0, 0, 1 }, { 0, 0, 0 } };
    enum { LINE = 1280 };                       // samples: 64 us at 20 MS/s
    struct cvbs *c = malloc(sizeof *c);
    float *v = malloc(200 * LINE * sizeof *v);
    cvbs_init(c, &cvbs_pal, CVBS_BARS, 1, RATE_HZ, 3e-9);   // no sample at an edge
    cvbs_run(c, 0, 200 * LINE, v);
    for (unsigned bar = 0; bar < 8; bar++)
        for (unsigned line = 100; line < 110; line++) {
            const double *p = rgb[bar];
            double y = 0.75 * (0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]), mean = 0;
            double want = 0.7 * hypot(0.493 * (0.75 * p[2] - y), 0.877 * (0.75 * p[0] - y));
            double complex colour = 0;
            double from = (10.5 + (62.35 - 10.5) / 8 * (bar + 0.25)) * 20;
            for (unsigned i = 0; i < 72; i++) {  // 15.96 periods of the subcarrier
                double at = (double)(line * LINE + (unsigned)from + i) / RATE_HZ;
                double volts = (double)v[line * LINE + (unsigned)from + i];
                mean += volts / 72;
                colour += volts * cexp(-I * 2 * M_PI * 4433618.75 * at) / 36;
            }
            if (fabs(mean - 0.7 * y) > 0.01 || fabs(cabs(colour) - want) > 0.012)
                fail_msg("bar %u: %.3f V %.3f V, expected %.3f V %.3f V", bar, mean, cabs(colour),
                         0.7 * y, want);
        }
    assert_float_equal(v[100 * LINE + 50], -0.3, 1e-6);
    assert_float_equal(v[100 * LINE + 105], 0, 1e-6);
    // In any portions the same, and a burst of 0.15 V.
    float *w = malloc(20 * LINE * sizeof *w);
    cvbs_init(c, &cvbs_pal, CVBS_BARS, 1, RATE_HZ, 3e-9);
    for (size_t i = 0, n = 1; i < 20 * LINE; i += n, n = n % 1000 + 37) {
        n = i + n > 20 * LINE ? 20 * LINE - i : n;
        cvbs_run(c, i, n, w + i);
    }
    for (size_t i = 0; i < 20 * LINE; i++)
        assert_float_equal(w[i], v[i], 1e-3);
    float most = 0;
    for (size_t i = 8 * LINE + 112; i < 8 * LINE + 157; i++)
        most = fmaxf(most, fabsf(v[i]));
    assert_true(most > 0.14f && most < 0.1501f);
    free(w);
    free(v);
    free(c);
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// The real NTSC recording: tips at -2.9, white at +2.6 MHz, nothing beyond.
static void test_deviation(void **state)
{
    (void)state;
    size_t n;
    float *f = demodulate(&(struct tx_args){ .mode = "E7", .variant = "ntsc", .until_s = 0.034 },
                          &n);
    qsort(f, n, sizeof *f, ascending);
    assert_float_equal(f[n / 20], -2.8e6, 0.1e6);
    assert_float_equal(f[n / 1000], -2.85e6, 0.1e6);
    assert_true(f[n - n / 1000] > 1.5e6 && f[n - n / 1000] < 3.2e6);
    free(f);
}

static double tone(const float *f, size_t n, double hz)
{
    double complex sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += f[i] * cexp(-2 * M_PI * I * hz * (double)i / RATE_HZ);
    return cabs(sum) / (double)n;
}

static void test_channels_and_audio(void **state)
{
    (void)state;
    static const struct { const char *mode; double freq, want; const char *link; } t[] = {
        { "R1", 0, 5658e6, "Analog FPV 5.8 band R(Raceband)" },
        { "E7", 0, 5925e6, "Analog FPV 5.8 band E" },
        { NULL, 5733.4e6, 5733.4e6, "Analog FPV 5.8 band B" },
        { "S2", 0, 2432e6, "Analog 2.4 GHz AV sender" },
        { NULL, 2400e6, 2400e6, "" },
        { "Analog FPV 5.8 band X(4.9-5.2)", 4991e6, 4991e6, "Analog FPV 5.8 band X(4.9-5.2)" },
    };
    struct tx_packet p;
    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        void *m = model(&(struct tx_args){ .mode = t[i].mode, .freq_hz = t[i].freq });
        assert_int_equal(tx_fmvideo.next(m, &p), 1);
        assert_true(p.freq_hz == t[i].want && p.bw_hz == 8e6);
        assert_string_equal(p.link, t[i].link);
        tx_fmvideo.drop(m);
    }
    size_t n;
    float *f = demodulate(&(struct tx_args){ .mode = "R1", .variant = "audio black",
                                             .until_s = 0.001 }, &n);
    // A phase swing of 0.316 rad at 6 MHz is 1.9 MHz of deviation, spread by the tone's +-25 kHz.
    assert_true(tone(f, n, 6.0e6 + 25e3) > 10 * tone(f, n, 5.8e6));
    free(f);
    char why[IQ_WHY];
    void *m;
    struct rng rng = { { 1, 2, 3, 4 } };
    assert_true(tx_fmvideo.make(&m, &(struct tx_args){ .mode = "R9" }, &rng, why) < 0);
    assert_true(tx_fmvideo.make(&m, &(struct tx_args){ .mode = NULL }, &rng, why) < 0);
    assert_true(tx_fmvideo.make(&m, &(struct tx_args){ .mode = "R1", .value = 1e6 }, &rng,
                                why) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pal),   cmocka_unit_test(test_ntsc),
        cmocka_unit_test(test_burst), cmocka_unit_test(test_deviation),
        cmocka_unit_test(test_channels_and_audio), cmocka_unit_test(test_bars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
