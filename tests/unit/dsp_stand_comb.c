// SPDX-License-Identifier: GPL-3.0-or-later
// Standing detector of short training fields: frames from a formula, the law of its statistic, what
// is none of it, recordings.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/unit/gfsk_made.h"
#include "tests/unit/stand_made.h"
#include "tests/unit/wifi_made.h"

// SNR in 20 MHz.
static struct wifi_made frame(struct scene *s, double f_hz, double at_s, double snr)
{
    struct wifi_made m = {
        .rate_hz = s->rate, .slow = 1, .symbols = 6, .start = at_s * s->rate + 0.37,
        .f_hz = f_hz - s->centre, .clock = 1 + 20e-6, .phase = 0.3,
        .amplitude = sqrt(pow(10, snr / 10) * 20e6 / s->rate),
    };
    wifi_made_bits(&m, &s->rng);
    return m;
}

static void assert_told(const struct scene *s, const struct wifi_made *m, double tol_us)
{
    for (unsigned i = 0; i < s->list.n; i++) {
        const struct stand_cand *c = &s->list.c[i];
        if (fabs(c->n0 - m->start) > tol_us * s->rate / 1e6)
            continue;
        assert_int_equal(c->kind, STAND_STF);
        assert_true(fabs(c->f_hz - m->f_hz) < 20e3);
        return;
    }
    fail();
}

static void frames_are_found(void **state)
{
    (void)state;
    static const double rates[] = { 20e6, 30.72e6, 61.44e6 }, at[] = { 2437e6, 2442e6, 5778e6 };
    static const double f[] = { 2437e6, 2437e6, 5785e6 };
    for (unsigned i = 0; i < 3; i++) {
        struct scene s;
        scene_new(&s, 31, rates[i], at[i], 0.8e-3, 1);
        struct wifi_made a = frame(&s, f[i] + 45e3, 0.11e-3, 10);
        struct wifi_made b = frame(&s, f[i] - 60e3, 0.1613e-3, 10);     // right behind
        struct wifi_made c = frame(&s, f[i], 0.5e-3, 6);
        wifi_made_add(&a, 0, s.n, s.x);
        wifi_made_add(&b, 0, s.n, s.x);
        wifi_made_add(&c, 0, s.n, s.x);
        scene_run(&s, i == 1 ? 777 : s.n);
        assert_int_equal(s.list.n, 3);
        assert_told(&s, &a, 0.1);
        assert_told(&s, &b, 0.1);
        assert_told(&s, &c, 0.1);
        scene_free(&s);
    }
}

// Begins while another, 6 dB weaker, is being sent on the same channel; 11n's second field is told
// for no frame of its own.
static void found_within_another(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, 31, 20e6, 2437e6, 0.6e-3, 1);
    struct wifi_made a = frame(&s, 2437e6 + 10e3, 0.1e-3, 24), b = frame(&s, 2437e6, 0.15e-3, 30);
    a.symbols = 40;
    b.second = true;
    wifi_made_add(&a, 0, s.n, s.x);
    wifi_made_add(&b, 0, s.n, s.x);
    scene_run(&s, 1000);
    assert_int_equal(s.list.n, 2);
    assert_told(&s, &a, 0.1);
    assert_told(&s, &b, 0.1);
    scene_free(&s);
}

static void a_second_path_is_borne(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, 31, 20e6, 2437e6, 0.4e-3, 1);
    struct wifi_made a = frame(&s, 2437e6, 0.1e-3, 15);
    a.echo = 0.5;
    a.echo_s = 150e-9;
    wifi_made_add(&a, 0, s.n, s.x);
    scene_run(&s, s.n);
    assert_int_equal(s.list.n, 1);
    assert_told(&s, &a, 0.3);
    scene_free(&s);
}

// ---- What is none -------------------------------------------------------------------------------

// Carriers on its lines, 1 Mb/s on one, OFDM symbols without a field.
static void others_are_none(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct scene s;
        scene_new(&s, 31, 20e6, 2437e6, 2e-3, 1);
        struct gfsk_made g = { .rate_hz = s.rate, .bits = 1500, .start = 3000, .clock = 1,
                               .f_hz = 2.5e6, .amplitude = 30 };
        struct wifi_made w = frame(&s, 2437e6, -16e-6, 30);
        w.symbols = WIFI_SYMBOLS;
        gfsk_made_bits(&g, &s.rng);
        if (kind == 0)
            gfsk_made_add(&g, 0, s.n, s.x);
        for (size_t i = 0; kind == 1 && i < s.n; i++)
            for (int k = -2; k < 3; k += 2)
                s.x[i] += 30 * cexpf(2 * (float)M_PI * I * (float)fmod(k * 1.25 / 20 * i, 1));
        if (kind == 2)
            wifi_made_add(&w, 0, s.n, s.x);
        scene_run(&s, s.n);
        assert_int_equal(s.list.n, 0);
        scene_free(&s);
    }
}

// ---- Law ----------------------------------------------------------------------------------------

static void shares_follow_their_law(void **state)
{
    (void)state;
    assert_true(fabs(comb_share_limit(1, 1, 0.25) - 0.75) < 1e-9);             // uniform
    assert_true(fabs(comb_share_limit(1, 9, 1e-3) - (1 - pow(1e-3, 1 / 9.0))) < 1e-9);
    assert_true(fabs(comb_share_limit(5, 1, 0.1) - pow(0.9, 0.2)) < 1e-9);
}

struct tail { uint64_t over[2]; double limit[2]; };

static void count(void *arg, double metric)
{
    struct tail *t = arg;
    for (int k = 0; k < 2; k++)
        t->over[k] += metric > t->limit[k];
}

// The screen passes what it is made for; what of it matches stays under the bound, even without the
// factor for what is tried.
static void noise_keeps_to_the_law(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, 31, 20e6, 2437e6, 0.15, 1);
    struct comb *c = &s.stand->comb;
    double all = 18 * c->window;
    struct tail t = { .limit = { 1 - pow(1e-3, 1 / (all - 1)), 1 - pow(1e-4, 1 / (all - 1)) } };
    c->on_try = count;
    c->on_try_arg = &t;
    scene_run(&s, 1 << 16);
    assert_int_equal(s.list.n, 0);
    double passed = (double)c->screened / (double)c->tried;
    assert_true(passed > 0.5e-3 && passed < 1.5e-3);
    assert_true(t.over[0] > 0 && t.over[0] < 1.5e-3 * (double)c->tried);
    assert_true(t.over[1] < 4e-4 * (double)c->tried);
    scene_free(&s);
}

// ---- Recordings ---------------------------------------------------------------------------------

// Frames by a matched filter of other make over the recording: how many, the first, the last.
static void recorded_frames_are_found(void **state)
{
    (void)state;
    static const struct { const char *name; unsigned n; double first_us, last_us; } rec[] = {
        { "wifi_11a_6M_20M.ci16", 20, 0.95, 2555.45 },
        { "wifi_11a_24M_20M.ci16", 19, 0.55, 1035.40 },
        { "wifi_11n_65M_20M.ci16", 19, 2.00, 917.35 },
    };
    for (unsigned i = 0; i < sizeof rec / sizeof *rec; i++) {
        static struct stand_list list;
        double rate = scene_recorded(rec[i].name, &list);
        if (rate <= 0)
            continue;
        assert_int_equal(list.n, rec[i].n);
        assert_true(fabs(list.c[0].n0 / rate * 1e6 - rec[i].first_us) < 0.1);
        assert_true(fabs(list.c[list.n - 1].n0 / rate * 1e6 - rec[i].last_us) < 0.1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_found),
        cmocka_unit_test(found_within_another),
        cmocka_unit_test(a_second_path_is_borne),
        cmocka_unit_test(others_are_none),
        cmocka_unit_test(shares_follow_their_law),
        cmocka_unit_test(noise_keeps_to_the_law),
        cmocka_unit_test(recorded_frames_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
