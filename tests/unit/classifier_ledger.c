// SPDX-License-Identifier: GPL-3.0-or-later
// The ledger of a radio that is not open yet: its configured band, not watched; none, where none is
// known.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "classifier/sensord_health.c"      // a row of health and one of the ledger, without a main
#include "classifier/sensord_ledger.c"      // loop

static struct sensord_cfg cfg;

static struct chain *chain_of(void)
{
    static struct tell tell;
    char why[SENSORD_WHY];
    struct chain *c;

    snprintf(cfg.sig_dir, sizeof cfg.sig_dir, "classifier/sig");
    cfg.n_radios = 1;
    cfg.radio[0].gain_db = NAN;
    if (chain_new(&c, &cfg, 0, &tell, NULL, false, why) < 0)
        fail_msg("%s", why);
    return c;
}

static void no_band_of_no_width(void **state)
{
    (void)state;
    static struct wire_ledger w;
    memset(&w, 0, sizeof w);
    cfg.radio[0] = (struct sensord_radio){ .kind = RADIO_SCENE, .name = "a" };
    struct chain *c = chain_of();
    chain_fill(c, 10, &w);
    assert_int_equal(w.n_bands, 0);
    // Open: as begin() says.
    atomic_store(&c->now_rate_hz, 10e6);
    atomic_store(&c->centre_hz, 2440e6);
    atomic_store(&c->t_s, 4);
    chain_fill(c, 10, &w);
    assert_int_equal(w.n_bands, 1);
    assert_true(w.band[0].lo_hz == 2435e6 && w.band[0].hi_hz == 2445e6);
    assert_true(w.band[0].watched_s == 4);
    chain_free(c);
}

static void a_radio_that_never_opened_was_not_watched(void **state)
{
    (void)state;
    static struct wire_ledger w;
    memset(&w, 0, sizeof w);
    cfg.radio[0] = (struct sensord_radio){ .kind = RADIO_LIVE, .name = "a", .rate_hz = 20e6,
                                           .centre_hz = 5800e6, .freq_given = true };
    struct chain *c = chain_of();
    chain_fill(c, 10, &w);
    assert_int_equal(w.n_bands, 1);
    assert_true(w.band[0].lo_hz == 5790e6 && w.band[0].hi_hz == 5810e6);
    assert_string_equal(w.band[0].state, "not-watched");
    chain_free(c);
}

// What the keeper refused is told once, in the message that follows.
static void tells_what_was_not_kept(void **state)
{
    (void)state;
    static struct wire_ledger w;
    static struct wire_radio r;
    cfg.radio[0] = (struct sensord_radio){ .kind = RADIO_SCENE, .name = "a" };
    struct chain *c = chain_of();
    struct keep *k = keep_new(&(struct keep_cfg){ .dir = ".", .seconds = 1 });
    assert_non_null(k);
    memset(&w, 0, sizeof w);
    chain_fill(c, 10, &w);
    assert_int_equal(w.keep_refused, 0);
    radio_fill(c, mono_now_ns(), &r);
    assert_false(r.keeps);
    atomic_store(&c->keeps, k);
    keep_refuse(k);
    keep_refuse(k);
    chain_fill(c, 10, &w);
    assert_int_equal(w.keep_refused, 2);
    assert_int_equal(w.kept, 0);
    memset(&w, 0, sizeof w);
    chain_fill(c, 10, &w);
    assert_int_equal(w.keep_refused, 0);
    radio_fill(c, mono_now_ns(), &r);
    assert_true(r.keeps && r.keep_refused == 2 && r.kept == 0);
    keep_free(k);
    chain_free(c);
}

// Each change is told at once, and the ledger says between what the gain was meanwhile.
static void tells_each_gain(void **state)
{
    (void)state;
    static struct wire_ledger w;
    static struct wire_radio r;
    cfg.radio[0] = (struct sensord_radio){ .kind = RADIO_LIVE, .name = "a", .rate_hz = 20e6,
                                           .gain_db = NAN, .gain_auto = true };
    struct chain *c = chain_of();
    atomic_store(&c->gain_db, 40);
    assert_false(gain_look(c));
    atomic_store(&c->gain_db, 34);
    atomic_store(&c->gain_why, "clipping");
    atomic_store(&c->gain_changes, 1);
    assert_true(gain_look(c));
    assert_false(gain_look(c));
    radio_fill(c, mono_now_ns(), &r);
    assert_true(r.gain_db == 34 && r.gain_auto && r.gain_changes == 1);
    assert_string_equal(r.gain_why, "clipping");
    memset(&w, 0, sizeof w);
    chain_fill(c, 10, &w);
    assert_true(w.band[0].gain_lo_db == 34 && w.band[0].gain_hi_db == 40);
    assert_true(w.band[0].gain_db == 34 && w.band[0].gain_changes == 1);
    memset(&w, 0, sizeof w);
    chain_fill(c, 10, &w);
    assert_true(w.band[0].gain_lo_db == 34 && w.band[0].gain_hi_db == 34);
    assert_int_equal(w.band[0].gain_changes, 0);
    chain_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_band_of_no_width),
        cmocka_unit_test(a_radio_that_never_opened_was_not_watched),
        cmocka_unit_test(tells_what_was_not_kept), cmocka_unit_test(tells_each_gain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
