// SPDX-License-Identifier: GPL-3.0-or-later
// The gain that is set by what arrives: in a world made of formulas, through the simulator, and
// through the whole path of a radio (SoapySDR, tyto-radio, the ring).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dsp/dsp.h"
#include "dsp/self/gain.h"
#include "hw/hw.h"

#define RATE 2e6
#define LEN  16384
#define HOME 30.0

// What arrives, in dBFS at HOME: noise, and a signal's peak that is on for on_s of every_s.
struct world { double noise_db, peak_db, on_s, every_s; bool deaf, busy; };

static double now_db;
static unsigned asked, in_minute;   // in all; the most in any minute

static bool is_on(const struct world *w, double t_s)
{
    return !(w->every_s > 0) || fmod(t_s, w->every_s) < w->on_s;
}

// seconds of it from t0_s on; the radio follows 50 ms later.
static void play(struct gain *g, const struct world *w, double t0_s, double seconds)
{
    static double at_s[4096];
    double want_db = now_db, due_s = 0;
    float p[GAIN_BINS];

    asked = in_minute = 0;
    uint64_t end = (uint64_t)((t0_s + seconds) * RATE);
    for (uint64_t n0 = (uint64_t)(t0_s * RATE); n0 < end; n0 += LEN) {
        double t_s = (double)n0 / RATE;
        if (!w->deaf && t_s >= due_s)
            now_db = want_db;
        double peak_db = (is_on(w, t_s) ? w->peak_db : w->noise_db + 12) + now_db - HOME;
        struct iq_block b = { .n0 = n0, .n = LEN, .rate_hz = RATE, .centre_hz = 2.4e9,
                              .gain_db = now_db, .peak = (float)pow(10, fmin(peak_db, 0) / 20),
                              .flags = peak_db > 0 ? IQ_CLIPPED : 0 };
        float noise = (float)((pow(10, (w->noise_db + now_db - HOME) / 10) + 4e-8) / GAIN_BINS);
        for (unsigned i = 0; i < GAIN_BINS; i++)
            p[i] = noise;
        double ask_db = NAN;
        if (!gain_block(g, &b, b.flags ? NULL : p, w->busy, &ask_db))
            continue;
        assert_true(ask_db >= 0 && ask_db <= 60);
        want_db = ask_db;
        due_s = t_s + 0.05;
        at_s[asked++] = t_s;
        unsigned n = 0;
        for (unsigned i = 0; i < asked; i++)
            n += at_s[i] > t_s - 60;
        in_minute = n > in_minute ? n : in_minute;
        assert_true(asked < 4096);
    }
}

static struct gain *fresh(void)
{
    struct gain *g = gain_new(&(struct gain_cfg){ 0, 60, NAN, IQ_CI16 });
    assert_non_null(g);
    now_db = HOME;
    return g;
}

// Down within half a second, to where it is straight; there it stays, and it comes back slowly.
static void fast_down_slow_up(void **state)
{
    struct gain *g = fresh();
    struct world strong = { .noise_db = -50, .peak_db = 10 }, quiet = { .noise_db = -50,
                                                                        .peak_db = -30 };
    (void)state;

    play(g, &strong, 0, 1);
    assert_true(now_db < 20 && now_db >= 16);
    assert_int_equal(gain_shown(g)->why, GAIN_CLIPPING);
    play(g, &strong, 1, 300);
    assert_true(asked <= 1 && now_db < 20 && now_db >= 16);
    double low_db = now_db;
    play(g, &quiet, 301, 9);
    assert_true(fabs(now_db - low_db) < 0.01);
    play(g, &quiet, 310, 80);
    assert_true(fabs(now_db - HOME) < 1.01);
    assert_int_equal(gain_shown(g)->why, GAIN_CALM);
    uint64_t n = gain_shown(g)->changes;
    play(g, &quiet, 390, 300);
    assert_int_equal(gain_shown(g)->changes, n);
    gain_free(g);
}

// Noise below the steps of 12 bits (-74 dBFS): raised until it is 6 dB above, and no further.
static void noise_over_the_steps(void **state)
{
    struct gain *g = fresh();
    struct world weak = { .noise_db = -85, .peak_db = -60 };
    (void)state;

    play(g, &weak, 0, 200);
    double over_db = -85 + now_db - HOME + 74;
    assert_true(over_db > 3 && over_db < 9);
    assert_int_equal(gain_shown(g)->why, GAIN_STEPS);
    uint64_t n = gain_shown(g)->changes;
    play(g, &weak, 200, 300);
    assert_int_equal(gain_shown(g)->changes, n);
    gain_free(g);
}

// What comes and goes makes it wait longer and longer; nothing makes it change more than 10 times
// a minute.
static void does_not_hunt(void **state)
{
    struct gain *g = fresh();
    struct world w = { .noise_db = -50, .peak_db = 3, .on_s = 3, .every_s = 17 };
    (void)state;

    play(g, &w, 0, 600);
    assert_true(in_minute <= 10);
    play(g, &w, 600, 600);
    assert_true(asked <= 8);
    struct world wild = { .noise_db = -50, .peak_db = 80, .on_s = 0.4, .every_s = 25 };
    play(g, &wild, 1200, 300);
    assert_true(in_minute <= 10);
    gain_free(g);
}

static void leaves_others_alone(void **state)
{
    struct gain *g = fresh();
    struct world w = { .noise_db = -50, .peak_db = 3, .busy = true };
    (void)state;

    play(g, &w, 0, 20);                 // a step of somebody else's is under way
    assert_int_equal(asked, 0);
    w.busy = false;
    w.deaf = true;                      // a radio that does not follow is asked again and again,
    play(g, &w, 20, 180);               // never more than ten times a minute
    assert_true(asked >= 20 && asked <= 31 && in_minute <= 10);
    assert_int_equal(gain_shown(g)->changes, 0);
    assert_int_equal(gain_shown(g)->not_followed, asked);
    gain_free(g);
}

// Not followed upwards: asked that way once a minute, and down at once.
static void sulks_one_way(void **state)
{
    struct gain *g = fresh();
    struct world weak = { .noise_db = -85, .peak_db = -60, .deaf = true };
    struct world strong = { .noise_db = -50, .peak_db = 3 };
    (void)state;

    play(g, &weak, 0, 150);
    assert_true(asked >= 2 && asked <= 3);
    assert_int_equal(gain_shown(g)->changes, 0);
    play(g, &weak, 150, 60);            // the last of them is less than a minute ago
    play(g, &strong, 210, 2);
    assert_int_equal(gain_shown(g)->changes, 1);
    assert_int_equal(gain_shown(g)->why, GAIN_CLIPPING);
    gain_free(g);
}

// ---- Samples ---------------------------------------------------------------------------------

#define SCENE(length) \
    "rate_hz: 1e6\ncentre_hz: 868e6\nduration_s: " length "\nseed: 5\n" \
    "receiver: {noise_dbfs: -60, adc_bits: 12}\n" \
    "emitters:\n" \
    "- {name: a, model: cw, freq_hz: 868.2e6, level_dbfs: -0.6}\n" \
    "- {name: p, model: fsk, mode: 38400/20000, freq_hz: 867.7e6, level_dbfs: -25," \
    " duration_s: 0.01, period_s: 0.05}\n"

struct mean { double dbfs, dbm; unsigned n; };

static void add(struct mean *m, const struct finding *f)
{
    m->dbfs += f->fp.level_dbfs;
    m->dbm += f->fp.level_dbm.v;
    m->n++;
}

// The packets' level before the gain was set and after; a level at the antenna is none of its.
static void judge(struct dsp *d, double seconds, double from_db)
{
    struct mean before = { 0 }, after = { 0 };
    struct finding *f;
    double t_s = 0;

    while (t_s < seconds && (f = dsp_next(d))) {
        struct dsp_now now = dsp_now(d);
        bool packet = !f->reject && f->part == BURST_WHOLE && !(f->flags & BURST_TOUCHES_GAP) &&
                      fabs(f->fp.freq_hz.v - 867.7e6) < 20e3 && meas_ok(f->fp.level_dbm);
        t_s = f->rate_hz > 0 ? (double)f->tick / f->rate_hz : t_s;
        if (packet)
            add(f->fp.level_dbfs > -26.5 ? &before : &after, f);
        finding_free(f);
        if (now.gain_changes && after.n > 4)
            break;
    }
    struct dsp_now now = dsp_now(d);
    assert_int_equal(now.gain_changes, 1);
    assert_string_equal(now.gain_why, "strong");
    assert_true(fabs(now.gain_db - (from_db - 3)) < 0.01);
    assert_true(after.n > 4);
    assert_true(fabs(after.dbfs / after.n + 28) < 0.5);
    assert_true(fabs(after.dbm / after.n + 45) < 0.5);
    if (before.n)
        assert_true(fabs(before.dbm / before.n + 45) < 0.5);
}

static struct hw_profile calibrated(double lo_db, double hi_db, double gain_db)
{
    struct hw_profile p;
    char why[HW_WHY];

    assert_int_equal(hw_profile_load(&p, "tyto", why), 0);
    p.gain_lo_db.v = lo_db;
    p.gain_hi_db.v = hi_db;
    p.gain_db = gain_db;
    p.full_dbm.v = -20;
    p.full_err_db.v = 1;
    return p;
}

static void through_the_simulator(void **state)
{
    struct hw_profile p = calibrated(-30, 30, 0);
    struct iq_source *src;
    char why[IQ_WHY];
    (void)state;

    assert_int_equal(iq_open_sim(&src, &(struct iq_sim_cfg){ .text = SCENE("1.2"),
                                 .pool_blocks = DSP_POOL_BLOCKS }, why), 0);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = src, .threads = 1, .steps = true,
                                               .gain_auto = true, .ticks = true, .profile = &p });
    assert_non_null(d);
    judge(d, 1.2, 0);
    dsp_free(d);
    iq_close(src);
}

static void through_a_radio(void **state)
{
    struct hw_profile p = calibrated(0, 60, 30);
    char path[64], args[128], program[600], plugins[600], dir[400], why[IQ_WHY];
    struct iq_source *src;
    (void)state;

    assert_int_equal(hw_program_dir(dir, sizeof dir), 0);
    snprintf(program, sizeof program, "%s/../bin/tyto-radio", dir);
    snprintf(plugins, sizeof plugins, "%s/../soapy", dir);
    if (access(program, X_OK) || access(plugins, X_OK))
        skip();
    snprintf(path, sizeof path, "/tmp/tyto-gain-%d.yaml", getpid());
    FILE *f = fopen(path, "w");
    assert_true(f && fputs(SCENE("0"), f) >= 0 && !fclose(f));
    snprintf(args, sizeof args, "driver=tyto,scene=%s", path);
    struct iq_live_cfg c = { .name = "g", .args = args, .profile = &p, .rate_hz = 1e6,
                             .centre_hz = 868e6, .gain_db = NAN, .program = program,
                             .plugin_path = plugins, .pool_blocks = DSP_POOL_BLOCKS };
    int r = iq_open_live(&src, &c, why);
    unlink(path);
    if (r)
        fail_msg("%s", why);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = src, .threads = 1, .steps = true,
                                               .gain_auto = true, .ticks = true, .profile = &p });
    assert_non_null(d);
    judge(d, 20, 30);                   // so long only where it fails
    iq_stop(src);
    dsp_free(d);
    iq_close(src);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(fast_down_slow_up), cmocka_unit_test(noise_over_the_steps),
        cmocka_unit_test(does_not_hunt), cmocka_unit_test(leaves_others_alone),
        cmocka_unit_test(sulks_one_way),
        cmocka_unit_test(through_the_simulator), cmocka_unit_test(through_a_radio),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
