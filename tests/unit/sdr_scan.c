// SPDX-License-Identifier: GPL-3.0-or-later
// The band plan, who walks which band, and the walk itself over a simulated radio.
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdr/scan.h"
#include "sdr/scan/walk.h"

static struct scan_plan plan;
static char why[IQ_WHY];

static int parse(const char *text)
{
    why[0] = 0;
    return scan_plan_parse(&plan, text, strlen(text), "b.yaml", why);
}

static void a_plan_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse("# ours\nbands:\n"
                           "  - { name: 868, lo_hz: 863e6, hi_hz: 870e6, antenna: RX2, radio: n,\n"
                           "      dwell_s: 0.3, every_s: 2, filter_hz: 8e6, gain_db: 30,\n"
                           "      settings: 'filter=868,lna=1', link_hz: 200e3, link_s: 2e-3 }\n"
                           "  - name: 2400\n    lo_hz: 2400e6\n    hi_hz: 2483.5e6\n"), 0);
    const struct scan_band *a = &plan.band[0], *b = &plan.band[1];
    assert_int_equal(plan.n, 2);
    assert_string_equal(a->name, "868");
    assert_string_equal(a->antenna, "RX2");
    assert_string_equal(a->radio, "n");
    assert_string_equal(a->settings, "filter=868,lna=1");
    assert_true(a->dwell_s == 0.3 && a->every_s == 2 && a->filter_hz == 8e6 && a->gain_db == 30);
    assert_true(a->link_hz == 200e3 && a->link_s == 2e-3 && a->lo_hz == 863e6);
    assert_true(b->dwell_s == SCAN_DWELL_S && b->every_s == SCAN_EVERY_S && isnan(b->gain_db));
}

static void faults_name_file_and_line(void **state)
{
    (void)state;
    static const struct { const char *text; unsigned line; const char *word; } wrong[] = {
        { "", 1, "bands" },
        { "- a\n", 1, "bands" },
        { "bands: []\n", 1, "list" },
        { "bands:\n", 1, "list" },
        { "\nband:\n", 2, "bands" },
        { "bands:\n  - x\n", 2, "name" },
        { "bands:\n  - { lo_hz: 1e6, hi_hz: 2e6 }\n", 2, "name" },
        { "bands:\n  - name: a\n    lo_hz: 1e6\n", 2, "hi_hz" },
        { "bands:\n  - name: a\n    lo_hz: often\n", 3, "lo_hz" },
        { "bands:\n  - name: a\n    lo_hz: nan\n", 3, "lo_hz" },
        { "bands:\n  - name: a\n    hi_hz: 1e12\n", 3, "hi_hz" },
        { "bands:\n  - name: a\n    lo_hz: 2e6\n    hi_hz: 1e6\n", 2, "below" },
        { "bands:\n  - name: a\n    dwel_s: 1\n", 3, "key" },
        { "bands:\n  - name: a\n    name: b\n", 3, "once" },
        { "bands:\n  - name: a\n    dwell_s: 0.001\n", 3, "dwell_s" },
        { "bands:\n  - { name: a, lo_hz: 1e6, hi_hz: 2e6, dwell_s: 3, every_s: 2 }\n", 2,
          "every_s" },
        { "bands:\n  - name: ''\n", 2, "name" },
        { "bands:\n  - name: 'a\"b'\n", 2, "name" },
        { "bands:\n  - name: 1234567890123456\n", 2, "name" },
        { "bands:\n  - { name: a, lo_hz: 1e6, hi_hz: 2e6 }\n"
          "  - { name: a, lo_hz: 3e6, hi_hz: 4e6 }\n", 3, "another name" },
        { "bands:\n  - { name: a, lo_hz: 1e6, hi_hz: 2e6 }\n"
          "  - { name: b, lo_hz: 1.9e6, hi_hz: 4e6 }\n", 3, "overlap a (line 2)" },
        { "bands: [\n", 2, "YAML" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        unsigned line = 0;
        assert_int_equal(parse(wrong[i].text), -EINVAL);
        if (sscanf(why, "b.yaml:%u:", &line) != 1 || line != wrong[i].line ||
            !strstr(why, wrong[i].word))
            fail_msg("case %zu, line %u and \"%s\" were expected: %s", i, wrong[i].line,
                     wrong[i].word, why);
    }
    char many[4000] = "bands:\n";
    for (unsigned i = 0; i < 17; i++)
        snprintf(many + strlen(many), 100, "  - { name: b%u, lo_hz: %ue6, hi_hz: %ue6 }\n", i,
                 10 * i + 1, 10 * i + 2);
    assert_int_equal(parse(many), -EINVAL);
    assert_non_null(strstr(why, "b.yaml:18: at most 16"));
    assert_true(scan_plan_load(&plan, "/no/such/plan", why) == -ENOENT);
    assert_non_null(strstr(why, "/no/such/plan"));
}

static void every_hertz_of_a_band_is_in_some_window(void **state)
{
    (void)state;
    for (double rate = 0.25e6; rate < 125e6; rate *= 1.37)
        for (double width = 1.7e6; width < 1.1e9; width *= 2.9) {
            struct scan_plan p = { .n = 1, .band = { { .name = "x", .lo_hz = 1e9,
                                   .hi_hz = 1e9 + width, .dwell_s = 1, .every_s = 5 } } };
            struct scan_reach r = { "a", rate, 1e6, 6e9 };
            unsigned n = scan_windows(&p.band[0], &r), band = 9;
            if (!n) {
                assert_true(width / rate > SCAN_STEPS * SCAN_USABLE * 0.99);
                continue;
            }
            struct scan *s = scan_new(&p, 1, &r);
            struct iq_place at;
            assert_int_equal(scan_steps(s), n);
            assert_true(scan_start(s, 0, &at) && !scan_start(s, 1, &at));
            assert_true(at.centre_hz - SCAN_USABLE * rate / 2 <= 1e9 + 1);
            if (n == 1)
                assert_true(at.centre_hz + SCAN_USABLE * rate / 2 >= 1e9 + width - 1);
            assert_int_equal(scan_window_at(s, at.centre_hz, &band), 0);
            assert_int_equal(band, 0);
            assert_int_equal(scan_window_at(s, 5e9, &band), -1);
            scan_free(s);
        }
}

static void bands_go_where_they_are_heard(void **state)
{
    (void)state;
    const struct scan_reach r[] = { { "low", 2.4e6, 27e6, 1764e6 }, { "a", 20e6, 70e6, 6e9 },
                                    { "b", 20e6, 70e6, 6e9 } };
    uint32_t got[3];
    assert_int_equal(parse("bands:\n  - { name: 433, lo_hz: 433e6, hi_hz: 434.8e6 }\n"
                           "  - { name: 868, lo_hz: 863e6, hi_hz: 870e6, radio: a }\n"
                           "  - { name: 2400, lo_hz: 2400e6, hi_hz: 2483.5e6 }\n"
                           "  - { name: 5800, lo_hz: 5645e6, hi_hz: 5950e6 }\n"), 0);
    assert_int_equal(scan_share(&plan, r, 3, got, why), 0);
    assert_int_equal(got[0] | got[1] | got[2], 15);
    assert_true(!(got[0] & got[1]) && !(got[1] & got[2]) && !(got[0] & got[2]));
    assert_true(got[1] & 2 && !(got[0] & 12));
    assert_true((got[1] & 12) != 12 && (got[2] & 12) != 12);    // not both to one
    assert_int_equal(scan_share(&plan, r, 1, got, why), -ERANGE);
    assert_non_null(strstr(why, "line 3: band 868"));
    plan.band[1].radio[0] = 0;
    assert_int_equal(scan_share(&plan, r, 1, got, why), -ERANGE);
    assert_non_null(strstr(why, "2400"));
}

// A switch stays as it was set: each band of a radio says how it wants it, or none.
static void settings_are_said_by_all_bands_of_a_radio(void **state)
{
    (void)state;
    static const struct { const char *a, *b; int r; } t[] = {
        { "", "", 0 }, { "lna=1", "lna=0", 0 }, { "f=868,lna=1", "lna=0,f=433", 0 },
        { "lna=1", "", -EINVAL }, { "", "lna=1", -EINVAL }, { "f=868,lna=1", "f=433", -EINVAL },
        { "lna=1", "lna2=1", -EINVAL },
    };
    const struct scan_reach r[] = { { "a", 20e6, 70e6, 6e9 }, { "b", 20e6, 70e6, 6e9 } };
    uint32_t got[2];
    assert_int_equal(parse("bands:\n  - { name: x, lo_hz: 100e6, hi_hz: 101e6 }\n"
                           "  - { name: y, lo_hz: 200e6, hi_hz: 201e6 }\n"), 0);
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        snprintf(plan.band[0].settings, sizeof plan.band[0].settings, "%s", t[i].a);
        snprintf(plan.band[1].settings, sizeof plan.band[1].settings, "%s", t[i].b);
        assert_int_equal(scan_share(&plan, r, 1, got, why), t[i].r);
        assert_true(!t[i].r || strstr(why, "lacks settings"));
        assert_int_equal(scan_share(&plan, r, 2, got, why), 0);     // one band each
    }
}

// ---- The walk ---------------------------------------------------------------------------------

static struct iq_source *open_scene(double lo_hz, double hi_hz)
{
    struct iq_source *s;
    char text[300];
    snprintf(text, sizeof text, "rate_hz: 1e6\ncentre_hz: %.0f\nduration_s: 0\ntune_lo_hz: %.0f\n"
             "tune_hi_hz: %.0f\nreceiver: {noise_dbfs: -60}\n", lo_hz, lo_hz, hi_hz);
    assert_int_equal(iq_open_sim(&s, &(struct iq_sim_cfg){ .text = text, .pool_blocks = 4 }, why),
                     0);
    return s;
}

// A plan of two bands: one of three windows, every second; one of one window, every 0.3 s.
static struct scan *walk_new(void)
{
    assert_int_equal(parse("bands:\n"
        "  - { name: wide, lo_hz: 100e6, hi_hz: 102.4e6, dwell_s: 0.1, every_s: 1 }\n"
        "  - { name: often, lo_hz: 110e6, hi_hz: 110.8e6, dwell_s: 0.1, every_s: 0.3 }\n"), 0);
    return scan_new(&plan, 3, &(struct scan_reach){ "r", 1e6, 1e6, 6e9 });
}

// Walks and keeps the account that a bystander would: when was each centre heard?
static void the_walk_starves_nobody_and_counts_right(void **state)
{
    (void)state;
    struct scan *s = walk_new();
    struct iq_source *src = open_scene(100e6, 120e6);
    double heard_s[4] = { 0 }, left_s[4] = { 0 }, worst_s[4] = { 0 }, shortest_s = 9;
    double began_s = 0, odd[64];
    unsigned visits[4] = { 0 }, n_odd = 0;
    int was = -1;

    assert_int_equal(scan_steps(s), 4);
    assert_int_equal(iq_scan(src, s), 0);
    for (double t = 0; t < 20;) {
        struct iq_block *b = iq_next(src);
        unsigned band;
        int at = scan_window_at(s, b->centre_hz, &band);
        double t0 = (double)b->n0 / 1e6;
        t = (double)(b->n0 + b->n) / 1e6;
        if (at >= 0 && at != was) {
            if (visits[at]++)
                worst_s[at] = fmax(worst_s[at], t0 - left_s[at]);
            if (was >= 0) {
                shortest_s = fmin(shortest_s, left_s[was] - began_s);
                odd[n_odd++ % 64] = left_s[was] - began_s;
            }
            began_s = t0;
        }
        if (at >= 0) {
            heard_s[at] += t - t0;
            left_s[at] = t;
            was = at;
        }
        iq_unref(b);
    }
    struct scan_seen wide, often;
    scan_seen(s, 0, &wide);
    scan_seen(s, 1, &often);
    assert_int_equal(wide.windows, 3);
    assert_true(fabs(wide.watched_s - (heard_s[0] + heard_s[1] + heard_s[2]) / 3) < 1e-6);
    assert_true(fabs(often.watched_s - heard_s[3]) < 1e-6);
    assert_int_equal(wide.visits, visits[0] + visits[1] + visits[2]);
    assert_true(wide.refused == 0 && often.refused == 0 && wide.lost_s == 0);
    for (int i = 0; i < 3; i++) {
        assert_true(worst_s[i] > 0.3 && worst_s[i] < 1.3);      // of its 1 s, and a dwell
        assert_true(worst_s[i] <= wide.max_s + 1e-6);
    }
    assert_true(worst_s[3] < 0.3 && 2 * visits[3] > 3 * visits[0]);
    assert_true(fabs(often.max_s - worst_s[3]) < 1e-6 && often.p95_s <= often.max_s);
    assert_true(often.p95_s > 0.1 && wide.p95_s > often.p95_s);
    assert_true(shortest_s > 0.0999);
    unsigned same = 0;                  // no dwell as long as the one before it
    for (unsigned i = 1; i < n_odd && i < 64; i++)
        same += fabs(odd[i] - odd[i - 1]) < 1e-3;
    assert_true(n_odd > 64 && same < 8);
    iq_close(src);
    scan_free(s);
}

// What the radio refuses is told and does not end the walk.
static void a_refusal_is_counted(void **state)
{
    (void)state;
    struct scan *s = walk_new();
    struct iq_source *src = open_scene(100e6, 103e6);
    struct scan_seen seen;

    assert_int_equal(iq_scan(src, s), 0);
    for (uint64_t n = 0; n < 3000000;) {
        struct iq_block *b = iq_next(src);
        n = b->n0 + b->n;
        iq_unref(b);
    }
    scan_seen(s, 1, &seen);
    assert_true(seen.refused > 1 && seen.visits == 0 && seen.watched_s == 0 && isnan(seen.p95_s));
    scan_seen(s, 0, &seen);
    assert_true(seen.refused == 0 && seen.visits > 20 && seen.watched_s > 0.9);
    iq_close(src);
    scan_free(s);
}

static uint64_t feed(struct scan *s, struct iq_source *src, uint64_t at, double centre_hz,
                     double t_s)
{
    for (unsigned n = (unsigned)(t_s * 1e6 / 10000); n--; at += 10000) {
        struct iq_block b = { .n0 = at, .n = 10000, .rate_hz = 1e6, .centre_hz = centre_hz };
        scan_block(s, src, &b);
    }
    return at;
}

// A window the radio does not follow to, again and again, is blind from when it was last heard.
static void a_refusal_is_no_visit(void **state)
{
    (void)state;
    struct iq_source *src = open_scene(100e6, 120e6);
    struct iq_place x, y;
    struct scan_seen seen;

    assert_int_equal(parse("bands:\n"
        "  - { name: x, lo_hz: 100e6, hi_hz: 100.8e6, dwell_s: 0.1, every_s: 1 }\n"
        "  - { name: y, lo_hz: 110e6, hi_hz: 110.8e6, dwell_s: 0.1, every_s: 1 }\n"), 0);
    struct scan *s = scan_new(&plan, 3, &(struct scan_reach){ "r", 1e6, 1e6, 6e9 });
    assert_true(scan_start(s, 0, &x) && scan_start(s, 1, &y));
    assert_int_equal(scan_begin(s, src, 1e6, x.centre_hz), 0);
    uint64_t at = feed(s, src, 0, x.centre_hz, 0.2);
    at = feed(s, src, at, y.centre_hz, 7);          // patience of 2 s is over three times
    scan_seen(s, 0, &seen);
    assert_true(seen.refused == 3 && seen.visits == 1);
    assert_true(fabs(seen.away_s - 7) < 0.02);
    feed(s, src, at, x.centre_hz, 0.05);
    scan_seen(s, 0, &seen);
    assert_true(seen.visits == 2 && fabs(seen.max_s - 7) < 0.02 && fabs(seen.p95_s - 7) < 0.02);
    assert_true(seen.away_s == 0);
    iq_close(src);
    scan_free(s);
}

static void a_source_that_cannot_tune_says_so(void **state)
{
    (void)state;
    struct scan *s = walk_new();
    struct iq_source *src = open_scene(100e6, 100e6);
    assert_int_equal(iq_scan(src, s), -ENOTSUP);
    iq_close(src);
    scan_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_read),
        cmocka_unit_test(faults_name_file_and_line),
        cmocka_unit_test(every_hertz_of_a_band_is_in_some_window),
        cmocka_unit_test(bands_go_where_they_are_heard),
        cmocka_unit_test(settings_are_said_by_all_bands_of_a_radio),
        cmocka_unit_test(the_walk_starves_nobody_and_counts_right),
        cmocka_unit_test(a_refusal_is_counted),
        cmocka_unit_test(a_refusal_is_no_visit),
        cmocka_unit_test(a_source_that_cannot_tune_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
