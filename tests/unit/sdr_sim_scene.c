// SPDX-License-Identifier: GPL-3.0-or-later
// Scenes: what is read, its defaults, and the sentence for each thing that can be wrong.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdr/sim/engine.h"
#include "sdr/sim/scene.h"

#define HEAD "rate_hz: 2e6\ncentre_hz: 2440e6\nduration_s: 0.01\n"
#define EMIT HEAD "emitters:\n  - model: cw\n    freq_hz: 2440e6\n"

static struct scene *load(const char *yaml)
{
    struct scene *s = NULL;
    char why[IQ_WHY] = "";
    if (scene_load(&s, NULL, yaml, why) < 0)
        fail_msg("%s", why);
    return s;
}

static void test_defaults(void **state)
{
    (void)state;
    struct scene *s = load(EMIT "    snr_db: 3\n");
    assert_true(s->rate_hz == 2e6 && s->centre_hz == 2440e6 && s->samples == 20000);
    assert_int_equal(s->format, IQ_CI16);
    assert_int_equal(s->rx.adc_bits, 16);
    assert_true(fabs(s->rx.noise_dbfs_hz + 60 + 10 * log10(2e6)) < 1e-9);
    assert_true(s->utc_ns == 0 && s->seed == 1 && s->n_emitters == 1);
    const struct scene_emitter *e = s->emitter;
    assert_string_equal(e->name, "emitter 1");
    assert_true(e->by_snr && e->level_db == 3 && e->start_s == 0 && e->stop_s == 0.01);
    assert_true(!e->faded && e->copies == 1 && e->carrier_ppm == 0 && e->clock_ppm == 0);
    scene_free(s);
}

static void test_all_keys(void **state)
{
    (void)state;
    struct scene *s = load(
        "name: all\nutc: 2026-07-01T12:00:00.25Z\nformat: cf32\nseed: 0xfff\n" HEAD
        "receiver: {noise_dbfs_hz: -120, dc_dbfs: -40, dc_deg: 10, iq_gain_db: 1, iq_phase_deg: -2,"
        " clock_ppm: 0.5, adc_bits: 12}\n"
        "emitters:\n"
        "- {name: a, model: cw, mode: m, variant: v, payload: 00fF, start_s: 1e-3, stop_s: 2e-3,\n"
        "   freq_hz: 1, level_dbfs: -20, crystal_ppm: 5, carrier_hz: 100, ramp_us: 3,\n"
        "   period_s: 1, duration_s: 0.5, duty: 0.5, value: -7, uid: 18446744073709551615,\n"
        "   count: 2, fading: {delay_ns: 50, level_db: -3, phase_deg: 90, doppler_hz: 10}}\n");
    const struct scene_emitter *e = s->emitter;
    assert_true(s->utc_ns == 1782907200250000000 && s->seed == 0xfff && s->format == IQ_CF32);
    assert_true(s->rx.adc_bits == 12 && s->rx.dc_deg == 10 && s->rx.iq_phase_deg == -2);
    assert_true(!e->by_snr && e->level_db == -20 && e->clock_ppm == 5 && e->carrier_ppm == 0 &&
                e->carrier_hz == 100);
    assert_true(e->uid == UINT64_MAX && e->value == -7 && e->copies == 2);
    assert_true(e->faded && e->fading.delay_ns == 50 && e->fading.level_db == -3 &&
                e->fading.phase_deg == 90 && e->fading.doppler_hz == 10);
    assert_string_equal(e->payload_hex, "00fF");
    scene_free(s);
}

// Each wrong scene, and what its sentence has to hold.
static void test_errors(void **state)
{
    (void)state;
    static const struct { const char *yaml, *a, *b; } bad[] = {
        { "", "empty", "expected a scene" },
        { "- 1\n", "SEQUENCE", "expected a scene" },
        { "rate_hz: 1\n  x: [\n", "line", "libyaml" },
        { HEAD "rat_hz: 3\n", "rat_hz", "line 4" },
        { EMIT "    snr: 3\n", "snr", "line 7, column 5" },
        { HEAD "emitters: *x\n", "line", "expected a scene" },
        { "rate_hz: fast\n", "rate_hz is 'fast'", "expected a number from 250000" },
        { "centre_hz: 1\nduration_s: 1\n", "rate_hz is missing", "250000" },
        { "rate_hz: 2e6\nduration_s: 1\n", "centre_hz is missing", "expected" },
        { "rate_hz: 2e6\ncentre_hz: 0\n", "duration_s is missing", "expected" },
        { "rate_hz: 0\ncentre_hz: 0\nduration_s: 1\n", "rate_hz is '0'", "125000000" },
        { "rate_hz: nan\ncentre_hz: 0\nduration_s: 1\n", "rate_hz is 'nan'", "250000" },
        { "rate_hz: 2e6\ncentre_hz: 0\nduration_s: -1\n", "duration_s is '-1'", "86400" },
        { HEAD "utc: yesterday\n", "yesterday", "2026-07-01T12:00:00Z" },
        { HEAD "format: ci8\n", "ci8", "ci16 or cf32" },
        { HEAD "receiver: {adc_bits: 17}\n", "receiver: adc_bits is '17'", "2 to 16" },
        { HEAD "receiver: {noise_dbfs: -50, noise_dbfs_hz: -120}\n", "both", "one of them" },
        { EMIT, "emitter 1 (emitter 1): none of snr_db and level_dbfs", "expected one" },
        { EMIT "    snr_db: 3\n    level_dbfs: 3\n", "both of snr_db and level_dbfs", "one" },
        { EMIT "    snr_db: inf\n", "snr_db is 'inf'", "-100 to 200" },
        { EMIT "    snr_db: 3\n    start_s: 2\n    stop_s: 1\n", "stop_s is 1", "start_s (2)" },
        { EMIT "    snr_db: 3\n    payload: 0g\n", "payload", "character 2" },
        { EMIT "    snr_db: 3\n    payload: \"012\"\n", "payload", "whole bytes" },
        { EMIT "    snr_db: 3\n    count: 257\n", "count is '257'", "1 to 256" },
        { EMIT "    snr_db: 3\n    count: 0\n", "count is '0'", "1 to 256" },
        { EMIT "    snr_db: 3\n    uid: -1\n", "uid is '-1'", "to 18446744073709551615" },
        { HEAD "seed: 18446744073709551616\n", "18446744073709551616",
          "to 18446744073709551615" },
        { EMIT "    snr_db: 3 dB\n", "snr_db is '3 dB'", "expected a number" },
        { HEAD "seed: 1.5\n", "seed is '1.5'", "whole number" },
        { EMIT "    snr_db: 3\n    carrier_hz: 1\n    carrier_ppm: 1\n", "both", "one of them" },
        { EMIT "    snr_db: 3\n    fading: {delay_ns: -1}\n", "fading.delay_ns is '-1'", "100000" },
        { HEAD "emitters: [{model: toaster, snr_db: 3}]\n", "toaster", "tyto sim --models" },
        { HEAD "emitters: [{snr_db: 3}]\n", "model is ''", "--models" },
        { HEAD "receiver: {noise_dbfs: -300}\nemitters: [{model: cw, snr_db: 3}]\n", "snr_db",
          "level_dbfs" },
        { EMIT "    snr_db: 3\n    count: 200\n  - {model: cw, snr_db: 1, count: 200}\n",
          "emitters to 400", "at most 256" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct scene *s = NULL;
        char why[IQ_WHY] = "";
        if (scene_load(&s, NULL, bad[i].yaml, why) != -22)
            fail_msg("case %zu is taken: %s", i, why);
        assert_null(s);
        if (!strstr(why, bad[i].a) || !strstr(why, bad[i].b) || strchr(why, '\n'))
            fail_msg("case %zu: %s", i, why);
    }
}

static void test_files(void **state)
{
    (void)state;
    struct scene *s = NULL;
    char why[IQ_WHY] = "";
    assert_int_equal(scene_load(&s, "/nonexistent/x.yaml", NULL, why), -2);
    assert_non_null(strstr(why, "/nonexistent/x.yaml"));
    char *big = malloc(SCENE_BYTES + 2);
    memset(big, '#', SCENE_BYTES + 1);
    assert_int_equal(scene_parse(&s, big, SCENE_BYTES + 1, "big.yaml", why), -22);
    assert_non_null(strstr(why, "big.yaml"));
    free(big);
}

// A model's own complaint comes out with the emitter's name before it.
static void test_model_error(void **state)
{
    (void)state;
    struct scene *s = load(EMIT "    snr_db: 3\n    period_s: 1\n    name: keyed\n");
    struct sim *m = NULL;
    char why[IQ_WHY] = "";
    assert_int_equal(sim_new(&m, s, 1, why), -22);
    assert_non_null(strstr(why, "emitter 1 (keyed): duration_s is 0"));
    scene_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_all_keys),
        cmocka_unit_test(test_errors),   cmocka_unit_test(test_files),
        cmocka_unit_test(test_model_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
