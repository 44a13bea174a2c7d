// SPDX-License-Identifier: GPL-3.0-or-later
// A step of the gain: third-order products and a deaf floor by their formulas, and through the
// simulator and the whole chain.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "dsp/burst.h"
#include "dsp/dsp.h"
#include "dsp/self/self.h"
#include "dsp/self/step.h"

#define RATE 20e6
#define LEN  16384

enum { SIGNAL = 10, PRODUCT = 20, SPUR = 118, BOTH = 21 };

static unsigned more;           // products, two bins each, one every four bins from MORE on
#define MORE 24

// Power at a gain: noise, a strong signal, a product of the third order, something behind the gain.
static void world(float *p, double gain_db, bool deaf, bool strong)
{
    double g = pow(10, gain_db / 10);
    for (unsigned i = 0; i < STEP_BINS; i++)
        p[i] = (float)(1e-7 * (deaf ? g * g * g : g));
    p[SIGNAL] = (float)(g * (strong ? 0.1 : 1e-5));
    p[PRODUCT] = p[BOTH] = (float)(1e-4 * g * g * g);
    p[SPUR] = 1e-4f;
    for (unsigned k = 0; k < more; k++)
        p[MORE + 4 * k] = p[MORE + 4 * k + 1] = p[PRODUCT];
}

struct run { unsigned lowered, raised; };

// follows: the radio does, two blocks later.
static struct run play(struct step *s, double seconds, bool deaf, bool strong, bool follows)
{
    struct run r = { 0 };
    struct iq_block b = { .n = LEN, .rate_hz = RATE, .gain_db = 30, .centre_hz = 2.4e9 };
    double want = 30, soon = 30;
    float p[STEP_BINS];

    for (; (double)b.n0 < seconds * RATE; b.n0 += LEN) {
        double ask = want;
        b.gain_db = follows ? soon : 30;
        soon = want;
        world(p, b.gain_db - 30, deaf, strong);
        if (step_block(s, &b, p, &ask)) {
            r.lowered += ask < want;
            r.raised += ask > want;
            want = ask;
        }
    }
    return r;
}

static void shows(void **state)
{
    struct step *s = step_new(NAN);
    (void)state;
    assert_non_null(s);
    struct run r = play(s, 20, false, true, true);
    const struct step_shown *k = step_shown(s);
    assert_int_equal(r.lowered, 1);
    assert_int_equal(r.raised, 1);
    assert_int_equal(k->steps, 1);
    assert_false(k->deaf);
    assert_int_equal(k->n, 1);              // two bins side by side; neither signal nor spur
    double wide = RATE / STEP_BINS;
    assert_true(fabs(k->product[0].lo_hz - (PRODUCT - 0.5) * wide) < 1);
    assert_true(fabs(k->product[0].hi_hz - (BOTH + 0.5) * wide) < 1);
    assert_true(fabs(k->product[0].level_dbfs - (-40 + 3.01)) < 0.1);
    assert_int_equal(k->n_behind, 1);       // the spur, and neither signal nor product
    assert_true(fabs(k->behind[0].lo_hz - (SPUR - STEP_BINS - 0.5) * wide) < 1);
    assert_true(fabs(k->behind[0].hi_hz - (SPUR - STEP_BINS + 0.5) * wide) < 1);
    assert_true(fabs(k->behind[0].level_dbfs + 40) < 0.1);
    step_free(s);
}

// More ranges than there is room for: the last one told ends where it ended, and what lies between
// the others is nobody's product.
static void no_room(void **state)
{
    struct step *s = step_new(NAN);
    (void)state;
    assert_non_null(s);
    more = 9;                               // with the one of PRODUCT ten
    play(s, 20, false, true, true);
    more = 0;
    const struct step_shown *k = step_shown(s);
    assert_int_equal(k->n, STEP_RANGES);
    for (unsigned i = 0; i < k->n; i++) {
        double wide = RATE / STEP_BINS, lo = i ? MORE + 4 * (i - 1) : PRODUCT;
        assert_true(fabs(k->product[i].lo_hz - (lo - 0.5) * wide) < 1);
        assert_true(fabs(k->product[i].hi_hz - (lo + 1.5) * wide) < 1);
        assert_true(fabs(k->product[i].level_dbfs - (-40 + 3.01)) < 0.1);
    }
    step_free(s);
}

static void deaf(void **state)
{
    struct step *s = step_new(NAN);
    (void)state;
    assert_non_null(s);
    play(s, 5, true, true, true);
    assert_true(step_shown(s)->deaf && step_shown(s)->until > 0);
    step_free(s);
}

static void no_reason(void **state)
{
    struct step *s = step_new(NAN);
    (void)state;
    assert_non_null(s);
    struct run r = play(s, 100, false, false, true);
    assert_int_equal(r.lowered, 0);
    r = play(s, 100, false, true, true);    // from sample 0 again: another place in time, the same
    assert_true(r.lowered >= 2 && r.lowered <= 4);      // every half minute
    step_free(s);
}

// The radio cannot go 3 dB lower: it is not asked to.
static void at_the_lowest(void **state)
{
    static const double lo_db[] = { 27, 27.5, 40 };     // at 30 dB; 40: set beyond by somebody
    (void)state;

    for (unsigned i = 0; i < 3; i++) {
        struct step *s = step_new(lo_db[i]);
        assert_non_null(s);
        assert_int_equal(play(s, 5, false, true, true).lowered, i == 0);
        step_free(s);
    }
}

static void does_not_follow(void **state)
{
    struct step *s = step_new(NAN);
    (void)state;
    assert_non_null(s);
    struct run r = play(s, 20, false, true, false);
    assert_true(r.lowered >= 1 && r.raised == r.lowered);
    assert_int_equal(step_shown(s)->steps, 0);
    assert_int_equal(step_shown(s)->given_up, r.lowered);
    step_free(s);
}

// Three strong carriers into a poor third order: what falls by 9 dB is masked.
static const char scene[] =
    "rate_hz: 2e6\ncentre_hz: 2440e6\nduration_s: 1.6\nseed: 3\n"
    "receiver: {noise_dbfs: -60, intercept_dbfs: 0}\n"
    "emitters:\n"
    "- {name: a, model: cw, freq_hz: 2440.2e6, level_dbfs: -14}\n"
    "- {name: b, model: cw, freq_hz: 2440.53e6, level_dbfs: -14}\n"
    "- {name: c, model: cw, freq_hz: 2439.37e6, level_dbfs: -50}\n";

static void through_the_chain(void **state)
{
    struct iq_source *src;
    char why[IQ_WHY];
    struct finding *f;
    unsigned masked = 0, carrier = 0;
    (void)state;

    assert_int_equal(iq_open_sim(&src, &(struct iq_sim_cfg){ .text = scene,
                                 .pool_blocks = DSP_POOL_BLOCKS }, why), 0);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = src, .threads = 1, .steps = true });
    assert_non_null(d);
    while ((f = dsp_next(d))) {
        double at = f->fp.freq_hz.v;
        if (meas_ok(f->fp.freq_hz) && f->product == PRODUCT_NONE)
            carrier += fabs(at - 2439.37e6) < 20e3;
        masked += f->product == PRODUCT_THIRD && f->fp.t_s.v > 1.1;
        finding_free(f);
    }
    const struct dsp_counts *n = dsp_counts(d);
    assert_int_equal(n->self.steps, 1);
    assert_true(n->self.deaf_s <= 0);
    assert_true(masked >= 1);
    assert_true(carrier >= 1);
    dsp_free(d);
    iq_close(src);
}

// The product at 2a - b is masked from the step on, until the gain is another.
static void holds_at_its_gain_only(void **state)
{
    struct iq_source *src;
    struct iq_block *b;
    char why[IQ_WHY];
    unsigned held = 0;
    double more_db = 0;
    (void)state;

    assert_int_equal(iq_open_sim(&src, &(struct iq_sim_cfg){ .text = scene, .pool_blocks = 4 },
                                 why), 0);
    struct iq_info info = iq_info(src);
    struct self *s = self_new(&info, src, NULL, false);
    assert_non_null(s);
    while ((b = iq_next(src))) {
        b->gain_db += more_db;
        self_block(s, b);
        struct burst x = { .n0 = b->n0, .f_lo_hz = -132e3, .f_hi_hz = -128e3, .level_dbfs = -70 };
        bool masks = self_masks(s, &x);
        held += masks;
        assert_false(masks && more_db > 0);
        if (held == 10)
            more_db = 6;
        iq_unref(b);
    }
    assert_int_equal(held, 10);
    self_free(s);
    iq_close(src);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(shows), cmocka_unit_test(no_room), cmocka_unit_test(deaf),
        cmocka_unit_test(no_reason), cmocka_unit_test(at_the_lowest),
        cmocka_unit_test(does_not_follow), cmocka_unit_test(through_the_chain),
        cmocka_unit_test(holds_at_its_gain_only),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
