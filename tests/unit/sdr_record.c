// SPDX-License-Identifier: GPL-3.0-or-later
// Recording a radio that loses samples, is retuned and dies half way; policies.  (Checksums, bounds
// and a full disk: tests/scripts/record.sh.)
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdr/record/meta.h"
#include "sdr/record/policy.h"
#include "sdr/src/sigmf.h"
#include "tests/unit/radio_child.h"
#include "tests/unit/sdr_files.h"

#define BLOCKS 60

// Records BLOCKS blocks of a radio that plays `args`, and what the metadata then says.
static struct sigmf record_it(const char *args, double tune_hz, const char *out)
{
    struct iq_live_cfg c = { .name = "roof", .args = args, .rate_hz = RATE, .centre_hz = 1e9,
                             .gain_db = NAN, .program = "/proc/self/exe", .silence_s = 60 };
    struct iq_record_cfg r = { .out = out, .max_bytes = BLOCKS * BLOCK * 4, .description = "test" };
    struct iq_source *s = NULL;
    struct sigmf m;
    char why[IQ_WHY] = "";

    if (iq_open_live(&s, &c, why))
        fail_msg("%s: %s", args, why);
    if (tune_hz > 0)
        assert_int_equal(iq_tune(s, tune_hz), 0);
    if (iq_record(s, &r, NULL, NULL, why) || why[0])
        fail_msg("%s: %s", args, why);
    iq_close(s);
    assert_int_equal(record_verify(out, why), 0);
    assert_int_equal(sigmf_load(&m, out, why), 0);
    assert_int_equal(m.origin, IQ_SIMULATION);
    assert_true(m.rate_hz == RATE && m.capture[0].freq_hz == 1e9 && m.capture[0].utc_ns > 0);
    return m;
}

static void drop(struct sigmf *m, const char *meta, const char *data)
{
    sigmf_done(m);
    assert_int_equal(unlink(meta), 0);
    assert_int_equal(unlink(data), 0);
}

// The file's samples say which of the stream they are: gaps lie where the metadata says.
static void check_places(const struct sigmf *m, const char *data)
{
    static int16_t v[2 * BLOCKS * BLOCK];
    FILE *f = fopen(data, "rb");
    uint64_t lost = 0;
    size_t k = 0;

    assert_non_null(f);
    assert_int_equal(fread(v, 4, BLOCKS * BLOCK + 1, f), BLOCKS * BLOCK);
    fclose(f);
    for (uint64_t i = 0; i < BLOCKS * BLOCK; i++) {
        for (; k < m->captures && m->capture[k].start == i; k++)
            lost += m->capture[k].lost;
        if ((uint64_t)(v[2 * i] | v[2 * i + 1] << 15) != i + lost)
            fail_msg("sample %llu is another", (unsigned long long)i);
    }
}

static void a_capture_for_each_gap(void **state)
{
    (void)state;
    struct sigmf m = record_it("driver=fake,overflow=1,few=1", 0, "o.sigmf-meta");
    uint64_t lost = 0;

    assert_true(m.captures >= 5);
    for (size_t i = 1; i < m.captures; i++)
        lost += m.capture[i].lost;
    assert_true(lost >= 5 * 500 && lost % 500 == 0);
    check_places(&m, "o.sigmf-data");
    drop(&m, "o.sigmf-meta", "o.sigmf-data");
}

static void a_capture_for_each_retune(void **state)
{
    (void)state;
    struct sigmf m = record_it("driver=fake,awaits_tune=1", 2e9, "t.sigmf-meta");

    assert_int_equal(m.captures, 2);
    assert_true(m.capture[1].freq_hz == 2e9 && m.capture[1].lost == 100);
    drop(&m, "t.sigmf-meta", "t.sigmf-data");
}

static void a_radio_that_dies_leaves_a_gap_in_it(void **state)
{
    (void)state;
    struct sigmf m = record_it("driver=fake,die=1", 0, "d.sigmf-meta");

    assert_true(m.captures >= 2);
    assert_int_equal(m.capture[1].start, 20 * BLOCK);
    assert_true(m.capture[1].lost > 0.4 * RATE);        // back-off alone is half a second
    drop(&m, "d.sigmf-meta", "d.sigmf-data");
}

// Somebody sets the gain once a block has been written.
static void soften(double seconds, uint64_t bytes, void *arg)
{
    struct iq_source *s = arg;
    (void)bytes;
    assert_true(seconds > 0);
    assert_int_equal(iq_tune_to(s, &(struct iq_place){ .centre_hz = 1e9, .gain_db = -6 }), 0);
}

static double mean_power(const struct iq_block *b)
{
    static float complex x[131072];
    double sum = 0;

    iq_to_cf32(b, 0, b->n, x);
    for (uint32_t i = 0; i < b->n; i++)
        sum += (double)(crealf(x[i]) * crealf(x[i]) + cimagf(x[i]) * cimagf(x[i]));
    return sum / b->n;
}

// What is read back says of each sample the gain with which it was received.
static void a_capture_for_each_gain(void **state)
{
    (void)state;
    struct iq_source *s;
    struct iq_block *b;
    struct sigmf m;
    char why[IQ_WHY] = "";
    unsigned loud = 0, soft = 0;

    assert_int_equal(iq_open_sim(&s, &(struct iq_sim_cfg){ .text =
        "rate_hz: 1e6\ncentre_hz: 1e9\nduration_s: 0.06\nreceiver: {noise_dbfs: -60}\n"
        "emitters:\n- {model: cw, freq_hz: 1000.1e6, level_dbfs: -10}\n" }, why), 0);
    assert_int_equal(iq_record(s, &(struct iq_record_cfg){ .out = "g.sigmf-meta" }, soften, s,
                               why), 0);
    iq_close(s);
    assert_int_equal(sigmf_load(&m, "g.sigmf-meta", why), 0);
    assert_int_equal(m.captures, 2);
    assert_true(m.capture[1].lost == 0 && m.capture[1].start > 0);
    assert_true(fabs(m.capture[0].gain_db) < 1e-3 && fabs(m.capture[1].gain_db + 6) < 1e-3);
    assert_true(fabs(m.gain_db) < 1e-3);
    assert_int_equal(iq_open_file(&s, &(struct iq_file_cfg){ .path = "g.sigmf-meta" }, why), 0);
    while ((b = iq_next(s))) {
        double db = 10 * log10(mean_power(b));
        bool before = b->n0 < m.capture[1].start;
        assert_true(fabs(b->gain_db - (before ? 0 : -6)) < 1e-3);
        assert_true(fabs(db - (before ? -10 : -16)) < 0.1);
        loud += before;
        soft += !before;
        iq_unref(b);
    }
    assert_true(loud > 2 && soft > 2);
    iq_close(s);
    drop(&m, "g.sigmf-meta", "g.sigmf-data");
}

// ---- Policies --------------------------------------------------------------------------------

static struct policy parse(const char *text)
{
    struct policy p;
    char why[IQ_WHY];

    if (policy_parse(&p, text, strlen(text), "p", why))
        fail_msg("%s", why);
    return p;
}

static void a_policy_bounds_what_is_not_bounded(void **state)
{
    (void)state;
    struct policy p = parse("record: bounded\nmax_s: 60\nmax_bytes: 1000000\n"
                            "bands: [{lo_hz: 1e9, hi_hz: 2e9}, {lo_hz: 5e9, hi_hz: 6e9}]\n");
    uint64_t bytes = 0;
    double s = 0;
    char why[IQ_WHY];

    assert_int_equal(policy_allows(&p, 5.5e9, 1e9, &s, &bytes, why), 0);
    assert_true(s == 60 && bytes == 1000000);
    s = 10;
    assert_int_equal(policy_allows(&p, 1.5e9, 20e6, &s, &bytes, why), 0);
    assert_true(s == 10);
    assert_int_equal(policy_allows(&p, 1.995e9, 20e6, &s, &bytes, why), -EPERM);    // half out
    assert_int_equal(policy_allows(&p, 3e9, 20e6, &s, &bytes, why), -EPERM);
    assert_non_null(strstr(why, "p:4: "));
    bytes = 1000001;
    assert_int_equal(policy_allows(&p, 1.5e9, 20e6, &s, &bytes, why), -EPERM);
    assert_non_null(strstr(why, "p:3: "));
    p = (struct policy){ 0 };                           // no file
    assert_int_equal(policy_allows(&p, 3e9, 20e6, &s, &bytes, why), 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--child"))
        play();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capture_for_each_gap),
        cmocka_unit_test(a_capture_for_each_retune), cmocka_unit_test(a_capture_for_each_gain),
        cmocka_unit_test(a_radio_that_dies_leaves_a_gap_in_it),
        cmocka_unit_test(a_policy_bounds_what_is_not_bounded),
    };
    return cmocka_run_group_tests(tests, files_make, files_drop);
}
