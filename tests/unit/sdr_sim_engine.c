// SPDX-License-Identifier: GPL-3.0-or-later
// Whole scenes: levels, carriers, clocks, the receiver's marks, truth, determinism.
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hw/hw.h"
#include "sdr/sim/engine.h"

#define SILENT "receiver: {noise_dbfs: -300}\n"

struct run { struct scene *scene; struct sim *sim; float complex *x; size_t n; };

static struct run run_sizes(const char *yaml, uint64_t seed, const size_t *sizes)
{
    struct run r = { 0 };
    char why[IQ_WHY] = "";
    if (scene_load(&r.scene, NULL, yaml, why) < 0 || sim_new(&r.sim, r.scene, seed, why) < 0)
        fail_msg("%s", why);
    r.n = (size_t)r.scene->samples;
    r.x = calloc(r.n + 1, sizeof *r.x);
    int16_t *raw = (int16_t *)r.x;
    bool ci16 = r.scene->format == IQ_CI16;
    size_t at = 0, k = 0;
    for (int64_t got = 1; got > 0; at += (size_t)got) {
        got = sim_read(r.sim, ci16 ? (void *)(raw + 2 * at) : (void *)(r.x + at), sizes[k]);
        k = sizes[k + 1] ? k + 1 : 0;
    }
    assert_int_equal(at, r.n);
    for (size_t i = r.n; ci16 && i-- > 0;)      // in place, from the end
        r.x[i] = CMPLXF(raw[2 * i] / 32767.0f, raw[2 * i + 1] / 32767.0f);
    return r;
}

static struct run run(const char *yaml)
{
    return run_sizes(yaml, 1, (size_t[]){ 65536, 0 });
}

static void done(struct run *r)
{
    sim_free(r->sim);
    scene_free(r->scene);
    free(r->x);
}

static double power_db(const float complex *x, size_t n)
{
    double p = 0;
    for (size_t i = 0; i < n; i++)
        p += pow((double)crealf(x[i]), 2) + pow((double)cimagf(x[i]), 2);
    return 10 * log10(p / (double)n);
}

// Noise: power, whiteness, and the Gaussian's share beyond 1, 2, 3, 4 sigma (the ziggurat's tail
// begins at 3.65) within five standard deviations of the count.
static void test_noise(void **state)
{
    (void)state;
    struct run r = run("rate_hz: 10e6\ncentre_hz: 0\nduration_s: 0.2\nformat: cf32\n"
                       "receiver: {noise_dbfs: -40}\n");
    double sigma = sqrt(1e-4 / 2), lag = 0;
    assert_true(fabs(power_db(r.x, r.n) + 40) < 0.02);
    for (size_t i = 1; i < r.n; i++)
        lag += creal(r.x[i] * conj(r.x[i - 1]));
    assert_true(fabs(lag / (double)r.n / 1e-4) < 5 / sqrt((double)r.n));
    for (int s = 1; s <= 4; s++) {
        double want = erfc(s / sqrt(2)) * 2 * (double)r.n, got = 0;
        for (size_t i = 0; i < r.n; i++)
            got += (fabs(crealf(r.x[i])) > s * sigma) + (fabs(cimagf(r.x[i])) > s * sigma);
        if (fabs(got - want) > 5 * sqrt(want))
            fail_msg("beyond %d sigma: %g, expected %g", s, got, want);
    }
    done(&r);
}

// Levels as asked within 0.1 dB, in dBFS and over the noise in the packet's own width, up and down.
static void test_levels(void **state)
{
    (void)state;
    struct run r = run("rate_hz: 4e6\ncentre_hz: 100e6\nduration_s: 0.02\n" SILENT
                       "emitters: [{model: fsk, mode: 100000/50000, freq_hz: 100.3e6, "
                       "level_dbfs: -20, duration_s: 15e-3}]\n");
    assert_true(fabs(power_db(r.x + 100, 59000) + 20) < 0.1);
    done(&r);
    r = run("rate_hz: 4e6\ncentre_hz: 100e6\nduration_s: 0.02\n"
            "emitters: [{model: fsk, mode: 100000/50000, freq_hz: 100.3e6, snr_db: 30, "
            "duration_s: 15e-3}]\n");
    size_t n;
    const struct iq_truth *t = sim_truth(r.sim, r.n, &n);
    // 200 kHz of 4 MHz at -60 dBFS: -73.01, plus 30.
    assert_int_equal(n, 1);
    assert_true(fabs(t->level_dbfs + 43.01) < 0.01 && fabs(t->snr_db - 30) < 1e-9);
    assert_true(t->bw_hz == 200e3 && fabs(power_db(r.x + 100, 59000) + 42.92) < 0.1);
    done(&r);
}

static double tone_hz(const float complex *x, size_t n, double rate_hz)
{
    double complex c = 0;
    double hz = 0;
    size_t lag = 1;
    for (; lag <= n / 4; lag *= 8) {            // coarse to fine, each step unambiguous by the last
        c = 0;
        for (size_t i = lag; i < n; i++)
            c += x[i] * conjf(x[i - lag]);
        double span = rate_hz / (double)lag, at = carg(c) / (2 * M_PI) * span;
        hz = lag == 1 ? at : at + span * round((hz - at) / span);
    }
    return hz;
}

// carrier = freq (1 + ppm); a receiver that runs fast by r sees f / (1 + r) on its own scale.
static void test_carriers(void **state)
{
    (void)state;
    static const struct { const char *keys, *clock; double ppm, extra_hz, rx_ppm; } cases[] = {
        { "crystal_ppm: 20", "0", 20, 0, 0 },   { "carrier_ppm: -7", "0", -7, 0, 0 },
        { "carrier_hz: 1234.5", "0", 0, 1234.5, 0 },
        { "clock_ppm: 50", "0", 0, 0, 0 },      { "crystal_ppm: 3", "-12.5", 3, 0, -12.5 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char yaml[400];
        snprintf(yaml, sizeof yaml, "rate_hz: 5e6\ncentre_hz: 2440e6\nduration_s: 0.01\n"
                 "receiver: {noise_dbfs: -300, clock_ppm: %s}\n"
                 "emitters: [{model: cw, freq_hz: 2440.7e6, level_dbfs: -10, %s}]\n",
                 cases[i].clock, cases[i].keys);
        struct run r = run(yaml);
        double sent = 2440.7e6 * (1 + cases[i].ppm * 1e-6) + cases[i].extra_hz;
        double want = sent / (1 + cases[i].rx_ppm * 1e-6) - 2440e6;
        size_t n;
        const struct iq_truth *t = sim_truth(r.sim, r.n, &n);
        if (fabs(tone_hz(r.x + 50, r.n - 100, 5e6) - want) > 0.5 ||
            fabs(t->freq_hz - 2440e6 - want) > 1e-3)
            fail_msg("%s: %f, expected %f", cases[i].keys, tone_hz(r.x + 50, r.n - 100, 5e6), want);
        done(&r);
    }
}

// A keyed carrier: each pulse's middle of gravity lies where the emitter's clock puts it, and truth
// says so, to a tenth of a sample.
static void test_clock(void **state)
{
    (void)state;
    struct run r = run("rate_hz: 3e6\ncentre_hz: 1e9\nduration_s: 0.1\nformat: cf32\n"
                       "receiver: {noise_dbfs: -300, clock_ppm: 20}\n"
                       "emitters: [{model: cw, freq_hz: 1000.1e6, level_dbfs: -10, start_s: 1e-3,\n"
                       "  clock_ppm: 200, period_s: 1.0371e-3, duration_s: 100e-6}]\n");
    size_t n;
    const struct iq_truth *t = sim_truth(r.sim, r.n, &n);
    assert_int_equal(n, 96);
    for (size_t k = 0; k < n; k++) {
        double start = (1e-3 + (double)k * 1.0371e-3 / 1.0002) * 3e6 * 1.00002, sum = 0, at = 0;
        double len = 100e-6 / 1.0002 * 3e6 * 1.00002;
        for (size_t i = (size_t)start - 40; i < (size_t)start + 340 && i < r.n; i++) {
            double p = pow(cabs(r.x[i]), 2);
            sum += p;
            at += p * (double)i;
        }
        // The carrier's samples stand at 0, 1, ... of the model: its middle is (n - 1) / 2.
        double middle = start + len / 2 - 0.5 * 3e6 / 1e6;
        assert_true(fabs(t[k].t_s * 3e6 - start) < 0.01 && fabs(t[k].dur_s * 3e6 - len) < 0.01);
        if (fabs(at / sum - middle) > 0.1)
            fail_msg("pulse %zu at %f, expected %f", k, at / sum, middle);
    }
    done(&r);
}

// DC, and an image |1 - g e^-jp|^2 / |1 + g e^jp|^2 of the signal.
static void test_receiver(void **state)
{
    (void)state;
    struct run r = run("rate_hz: 1e6\ncentre_hz: 1e9\nduration_s: 0.01\nformat: cf32\n"
                       "receiver: {noise_dbfs: -300, dc_dbfs: -30, dc_deg: 60, iq_gain_db: 0.8, "
                       "iq_phase_deg: 3}\n"
                       "emitters: [{model: cw, freq_hz: 1000.1e6, level_dbfs: -10}]\n");
    double complex dc = 0, up = 0, down = 0;
    for (size_t i = 1000; i < 9000; i++) {
        double complex turn = cexp(I * 2 * M_PI * 0.1 * (double)i);
        dc += r.x[i] / 8000;
        up += r.x[i] * conj(turn) / 8000;
        down += r.x[i] * turn / 8000;
    }
    double g = pow(10, 0.8 / 20), p = 3 * M_PI / 180;
    double want = 20 * log10(cabs(1 - g * cexp(-I * p)) / cabs(1 + g * cexp(I * p)));
    assert_true(fabs(20 * log10(cabs(down) / cabs(up)) - want) < 0.05);
    assert_true(fabs(20 * log10(cabs(dc)) + 30) < 0.05 && fabs(carg(dc) - M_PI / 3) < 0.01);
    done(&r);
}

// Clipping at full scale; steps of the converter.
static void test_converter(void **state)
{
    (void)state;
    struct run r = run("rate_hz: 1e6\ncentre_hz: 1e9\nduration_s: 0.01\n"
                       "emitters: [{model: cw, freq_hz: 1000.1e6, level_dbfs: 6}]\n");
    size_t full = 0;
    for (size_t i = 100; i < r.n - 100; i++)
        full += fabsf(crealf(r.x[i])) == 1 || fabsf(cimagf(r.x[i])) == 1;
    assert_true(full == r.n - 200);             // twice full scale: one part always is over
    done(&r);
    r = run("rate_hz: 1e6\ncentre_hz: 1e9\nduration_s: 0.01\n"
            "receiver: {noise_dbfs: -20, adc_bits: 4}\n");
    for (size_t i = 0; i < r.n; i++)
        assert_true(fabs(remainder(crealf(r.x[i]) * 7, 1)) < 1e-3);
    done(&r);
}

// Falling edges: flat in the middle, 60 dB down at the edge, nothing moved, noise from sample 0 on.
static void test_rolloff(void **state)
{
    (void)state;
    static const double at[] = { 0, 0.2, -0.39, 0.399, 0.4995, -0.4995 };
    static const double want[] = { 0, 0, 0, 0, -60, -60 };
    for (int i = 0; i < 6; i++) {
        char yaml[400];
        snprintf(yaml, sizeof yaml, "rate_hz: 1e6\ncentre_hz: 1e9\nduration_s: 0.02\n"
                 "format: cf32\nreceiver: {noise_dbfs: -300, rolloff: 0.2}\n"
                 "emitters: [{model: cw, freq_hz: %f, level_dbfs: -10}]\n", 1e9 + at[i] * 1e6);
        struct run r = run(yaml);
        double p = power_db(r.x + 5000, 10000) + 10;
        if (want[i] > -1 ? fabs(p) > 0.1 : p > want[i])
            fail_msg("at %g: %.2f dB", at[i], p);
        done(&r);
    }
    struct run r = run("rate_hz: 1e6\ncentre_hz: 1e9\nduration_s: 0.1\nformat: cf32\n"
                       "receiver: {noise_dbfs: -40, rolloff: 0.2}\n");
    struct run s = run_sizes("rate_hz: 1e6\ncentre_hz: 1e9\nduration_s: 0.1\nformat: cf32\n"
                             "receiver: {noise_dbfs: -40, rolloff: 0.2}\n",
                             1, (size_t[]){ 1000, 3, 0 });
    // Of the falling fifth a step would leave half (-0.46 dB), a straight ramp a third (-0.62).
    assert_true(fabs(power_db(r.x, r.n) + 40.54) < 0.12);
    assert_true(fabs(power_db(r.x, 500) + 40.54) < 1);
    assert_memory_equal(r.x, s.x, r.n * sizeof *r.x);
    done(&r);
    done(&s);
    // A pulse stays where it was.
    r = run("rate_hz: 1e6\ncentre_hz: 1e9\nduration_s: 0.02\nformat: cf32\n"
            "receiver: {noise_dbfs: -300, rolloff: 0.2}\nemitters: [{model: cw, freq_hz: 1000.01e6,"
            " level_dbfs: -10, start_s: 8e-3, period_s: 1, duration_s: 101e-6}]\n");
    double sum = 0, middle = 0;
    for (size_t i = 7900; i < 8300; i++) {
        sum += pow(cabs(r.x[i]), 2);
        middle += pow(cabs(r.x[i]), 2) * (double)i;
    }
    assert_true(fabs(middle / sum - 8050) < 0.1);
    done(&r);
}

// Jitter: uniform up to the bound, both ways, and truth tells the place.
static void test_jitter(void **state)
{
    (void)state;
    struct run r = run("rate_hz: 1e6\ncentre_hz: 1e9\nduration_s: 0.5\n" SILENT
                       "emitters: [{model: cw, freq_hz: 1000.1e6, level_dbfs: -10, start_s: 1e-3,\n"
                       "  period_s: 1e-3, duration_s: 100e-6, jitter_us: 50}]\n");
    size_t n;
    const struct iq_truth *t = sim_truth(r.sim, r.n, &n);
    double lo = 0, hi = 0;
    assert_int_equal(n, 499);
    for (size_t k = 0; k < n; k++) {
        double off = t[k].t_s * 1e6 - 1e3 * (double)(k + 1);
        lo = fmin(lo, off);
        hi = fmax(hi, off);
        size_t at = (size_t)(t[k].t_s * 1e6);
        assert_true(at + 60 >= r.n || (cabs(r.x[at + 50]) > 0.3 && cabs(r.x[at - 50]) < 0.01));
    }
    assert_true(lo >= -50 && lo < -45 && hi <= 50 && hi > 45);
    done(&r);
}

#define CROWD "rate_hz: 20e6\ncentre_hz: 2434e6\nduration_s: 0.03\nseed: 5\n" \
    "receiver: {dc_dbfs: -50, iq_gain_db: 0.3}\nemitters:\n" \
    "- {name: ap, model: wifi, freq_hz: 2440e6, snr_db: 20, crystal_ppm: 11, duty: 0.5}\n" \
    "- {name: phones, model: ble, snr_db: 15, count: 4, period_s: 0.02}\n" \
    "- {name: ears, model: bluetooth, snr_db: 15, fading: {delay_ns: 100, doppler_hz: 50}}\n" \
    "- {name: carrier, model: cw, freq_hz: 2439.9e6, snr_db: 10, ramp_us: 10}\n" \
    "- {name: elsewhere, model: cw, freq_hz: 2400e6, snr_db: 90}\n"

// The same scene and seed: the same samples and truth whatever the sizes read; another seed:
// others.
static void test_same(void **state)
{
    (void)state;
    struct run a = run(CROWD), b = run_sizes(CROWD, 1, (size_t[]){ 1, 7, 4096, 8191, 100000, 0 });
    struct run c = run_sizes(CROWD, 2, (size_t[]){ 65536, 0 });
    assert_memory_equal(a.x, b.x, a.n * sizeof *a.x);
    assert_memory_not_equal(a.x, c.x, a.n * sizeof *a.x);
    size_t n, m;
    const struct iq_truth *t = sim_truth(a.sim, a.n, &n), *u = sim_truth(b.sim, b.n, &m);
    assert_int_equal(n, m);
    assert_memory_equal(t, u, n * sizeof *t);
    done(&a);
    done(&b);
    done(&c);
}

// The same samples on every instruction set that this machine has.
static void test_sets(void **state)
{
    (void)state;
    static const char scene[] = CROWD
        "- {name: camera, model: fmvideo, variant: audio preemphasis, freq_hz: 2430e6, snr_db: 9}\n"
        "- {name: stick, model: elrs, mode: 250Hz, uid: 7, snr_db: 9}\n";
    struct run first = { 0 };
    for (enum hw_isa i = HW_ISA_PLAIN; i <= HW_ISA_X86_V4; i++) {
        setenv("TYTO_ISA", hw_isa_name(i), 1);      // where it has not: the best it has
        struct run r = run(scene);
        unsetenv("TYTO_ISA");
        if (i == HW_ISA_PLAIN) {
            first = r;
            continue;
        }
        assert_memory_equal(r.x, first.x, r.n * sizeof *r.x);
        done(&r);
    }
    done(&first);
}

// Truth: in order of start, one for a carrier of many pieces, none for what is not seen, cut at
// the scene's end, and only what has started when it is asked early.
static void test_truth(void **state)
{
    (void)state;
    struct run r = run(CROWD);
    size_t n, early, carriers = 0, phones = 0;
    sim_truth(r.sim, r.n / 2, &early);
    const struct iq_truth *t = sim_truth(r.sim, r.n, &n);
    assert_true(early < n && t[early - 1].t_s < 0.015 && t[early].t_s >= 0.015 - 1e-7);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || t[i].t_s >= t[i - 1].t_s - 1e-7);
        assert_true(t[i].t_s + t[i].dur_s <= 0.03 + 1e-9 && t[i].dur_s > 0);
        assert_true(fabs(t[i].freq_hz - 2434e6) < 10e6 + t[i].bw_hz / 2);
        assert_string_not_equal(t[i].emitter, "elsewhere");
        if (!strcmp(t[i].emitter, "carrier")) {
            carriers++;
            assert_true(t[i].t_s == 0 && fabs(t[i].dur_s - 0.03) < 1e-6);
        }
        phones += !strncmp(t[i].emitter, "phones/", 7);
        if (!strcmp(t[i].family, "wifi"))
            assert_true(t[i].bit_exact && t[i].payload_len >= 14);
    }
    assert_int_equal(carriers, 1);
    assert_in_range(phones, 4, 8);              // channel 38 only: the others are outside
    done(&r);
}

static int count(uint64_t order, const struct iq_truth *t, void *arg)
{
    size_t *n = arg;
    (void)order;
    assert_true(t->dur_s > 0);
    n[0]++;
    return 0;
}

// Taken as it goes, nothing is lost or told twice.
static void test_take(void **state)
{
    (void)state;
    struct run r = run(CROWD);
    size_t all, taken = 0;
    sim_truth(r.sim, r.n, &all);
    struct sim *m;
    char why[IQ_WHY];
    static int16_t buf[2 * 5000];
    assert_int_equal(sim_new(&m, r.scene, 1, why), 0);
    while (sim_read(m, buf, 5000) > 0)
        assert_int_equal(sim_truth_take(m, count, &taken), 0);
    assert_int_equal(taken, all);
    sim_free(m);
    done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise),    cmocka_unit_test(test_levels),
        cmocka_unit_test(test_carriers), cmocka_unit_test(test_clock),
        cmocka_unit_test(test_receiver), cmocka_unit_test(test_converter),
        cmocka_unit_test(test_same),     cmocka_unit_test(test_truth),
        cmocka_unit_test(test_take),     cmocka_unit_test(test_rolloff),
        cmocka_unit_test(test_jitter),   cmocka_unit_test(test_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
