// SPDX-License-Identifier: GPL-3.0-or-later
// What is no DroneID must not be verified: candidates forced on confusers, and bursts that lack one
// of the things that make one.  Small numbers; tests/bench/bench_false.c has the large ones.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dsp/burst.h"
#include "dsp/droneid/rx.h"
#include "tests/bench/confuser.c"
#include "tests/bench/confuser_grid.c"
#include "tests/bench/didgen.c"
#include "tests/bench/force.c"

static void force_many(enum conf_class c, bool grid, enum force_plant what, unsigned n,
                       unsigned *ret_seen, unsigned *ret_verified)
{
    struct force f;
    assert_int_equal(force_init(&f, c, 100), 0);
    for (unsigned i = 0; i < n; i++) {
        struct force_place p = force_draw(&f, grid);
        struct force_result r = force_run(&f, &p, what);
        *ret_seen += r.seen;
        *ret_verified += r.verified;
    }
    force_done(&f);
}

// One in 500 is called a pair by chance, none is verified.  480 of them: 1 expected, more than 9 in
// fewer than one of a million such tests.
static void forced_candidates(void **state)
{
    (void)state;
    unsigned seen = 0, verified = 0;
    for (int c = 0; c < CONF_CLASSES; c++)
        for (int grid = 0; grid < (conf_has_grid((enum conf_class)c) ? 2 : 1); grid++)
            force_many((enum conf_class)c, grid, FORCE_A, 32, &seen, &verified);
    assert_int_equal(verified, 0);
    assert_true(seen <= 9);
}

// Both roots in noise: it is found, but prefixes are missing; 2e-4 of them pass.
static void pair_without_burst(void **state)
{
    (void)state;
    unsigned seen = 0, verified = 0;
    force_many(CONF_NOISE, false, FORCE_AB, 100, &seen, &verified);
    assert_true(seen >= 90);
    assert_int_equal(verified, 0);
}

// ---- Bursts that lack something --------------------------------------------------------------

enum lack { LACK_NOTHING, LACK_DATA, LACK_PREFIXES, LACK_ROOT_B, LACK_ROOT_A, LACK_METRIC };

// At 10 dB, 20 MS/s.  A lacking prefix is noise as strong as the burst; a lacking root is another
// one, put over it by taking the right one off.
static bool verified(enum lack lack, uint64_t seed)
{
    enum { N = 30000 };
    static float complex x[N];
    struct rng r;
    rng_init(&r, seed);
    struct gen g = { .rate_hz = 15.36e6, .start = 8000, .symbols = 9, .f_hz = 15e3,
                     .data_db = lack == LACK_DATA ? -20 : 0 };
    gen_frame(&r, 7, g.block);
    for (int i = 0; i < N; i++)
        x[i] = 0.4f * rng_cnormal(&r);
    gen_add(&g, 1, x, N);
    int zero = 8000 - DID_START_9;
    for (int s = 0; s < DID_SYMBOLS && lack == LACK_PREFIXES; s++)
        for (int i = 1; i <= 72; i++)
            x[zero + did_symbol_at[s] - i] = rng_cnormal(&r);
    if (lack == LACK_ROOT_A || lack == LACK_ROOT_B) {   // time order reversed: the conjugate root
        float complex t[DID_N + 72];
        int at = zero + (lack == LACK_ROOT_B ? did_symbol_at[DID_SYM_B] : 0);
        memcpy(t, x + at - 72, sizeof(t));
        for (int i = 0; i < DID_N + 72; i++)
            x[at - 72 + i] = conjf(t[i]);
    }
    struct droneid_rx *rx = droneid_rx_new(15.36e6);
    struct iq_block b = { .n = N, .rate_hz = 15.36e6, .format = IQ_CF32, .data = x };
    struct burst u = { .hyp = HYP_DRONEID, .rate_hz = 15.36e6,
                       .droneid = { .zc_n = zero, .zc_f_hz = 15e3,
                                    .metric = lack == LACK_METRIC ? 0.04f : 0.8f },
                       .cut = { .n = N, .n_blk = 1, .blk = { &b } } };
    struct finding f = { 0 };
    droneid_receive(rx, &u, DRONEID_RECOGNISE, &f);
    droneid_rx_free(rx);
    return f.droneid.verified;
}

static void each_part_is_needed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        assert_true(verified(LACK_NOTHING, seed));
        assert_false(verified(LACK_DATA, seed));
        assert_false(verified(LACK_PREFIXES, seed));
        assert_false(verified(LACK_ROOT_A, seed));
        assert_false(verified(LACK_ROOT_B, seed));
        assert_false(verified(LACK_METRIC, seed));
    }
}

// ---- The standing correlator -----------------------------------------------------------------

// Short narrow pulses, well over the noise in their 1.2 MHz: 25 us each, 3 a millisecond.  Power
// in one slice for a moment is no preamble.
static void narrow_pulses(void **state)
{
    (void)state;
    enum { N = 1 << 20, PER = 10000 };
    static struct cand_list l;
    float complex *x = malloc(N * sizeof(*x));
    struct rng r;
    rng_init(&r, 9);
    assert_non_null(x);
    float complex low = 0;
    for (int i = 0; i < N; i++) {
        low += 0.12f * (rng_cnormal(&r) - low);         // about 1.2 MHz at 30.72 MS/s
        double hz = (double)(i / PER % 40) * 0.35e6 - 7e6, ph = hz / 30.72e6 * i;
        float complex at = cexpf(2 * (float)M_PI * I * (float)(ph - floor(ph)));
        x[i] = rng_cnormal(&r) + (i % PER < 768 ? 8 * low * at : 0);
    }
    struct dcorr *d = dcorr_new(30.72e6);
    struct iq_block b = { .n = N, .rate_hz = 30.72e6, .format = IQ_CF32, .data = x };
    memset(&l, 0, sizeof(l));
    d->faint_per_s = 1e9;
    dcorr_block(d, &b, &l);
    dcorr_flush(d, &l);
    assert_true(l.n <= 1);                              // noise: 0.01 in that time
    dcorr_free(d);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forced_candidates), cmocka_unit_test(pair_without_burst),
        cmocka_unit_test(each_part_is_needed), cmocka_unit_test(narrow_pulses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
