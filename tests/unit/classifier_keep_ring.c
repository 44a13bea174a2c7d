// SPDX-License-Identifier: GPL-3.0-or-later
// The thread that keeps: what it cuts from its ring, and how it keeps its folder small.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "classifier/keep.c"        // its ring, without a source
#include "tests/unit/folder_made.h"

#define BLOCK_N 65536
#define BLOCKS  256

static int8_t zeros[2 * BLOCK_N];
static struct iq_block block[BLOCKS], *ring[BLOCKS];

static struct keep ring_of(double rate_hz)
{
    struct keep k = { .ring = ring, .cap = BLOCKS, .n = BLOCKS };

    for (unsigned i = 0; i < BLOCKS; i++) {
        block[i] = (struct iq_block){ .n0 = (uint64_t)i * BLOCK_N, .n = BLOCK_N,
            .rate_hz = rate_hz, .format = IQ_CI8, .data = zeros };
        ring[i] = &block[i];
    }
    return k;
}

// At any rate what set it off is in the cut, as of the whole a quarter before its end; below
// 42 MS/s it is the whole of what was wanted.
static void a_cut_holds_its_trigger(void **state)
{
    (void)state;
    static const double rates[] = { 20e6, 41e6, 43e6, 61.44e6, 122.88e6 };
    static struct keep_want w;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        double rate = rates[i], room_s = (double)BLOCKS * BLOCK_N / rate;
        struct keep k = ring_of(rate);
        struct keep_cut c;
        w.at_s = room_s * 0.8;
        w.t0_s = fmax(0, w.at_s - 0.75 * KEEP_WIDE_S);
        w.t1_s = fmin(room_s, w.at_s + 0.25 * KEEP_WIDE_S);
        assert_int_equal(cut_out(&k, &w, &c), 0);
        double end_s = c.t0_s + (double)c.n / rate;
        assert_true(c.n <= SAMPLES_MOST);
        assert_true(c.t0_s <= w.at_s - 0.7 * fmin(SAMPLES_MOST / rate, w.at_s - w.t0_s));
        assert_true(end_s >= w.at_s + 0.2 * fmin(SAMPLES_MOST / rate, w.t1_s - w.at_s));
        if ((w.t1_s - w.t0_s) * rate < SAMPLES_MOST)
            assert_true(fabs((double)c.n - (w.t1_s - w.t0_s) * rate) <= 2);
        else
            assert_int_equal(c.n, SAMPLES_MOST);
        free(c.x);
    }
}

// ---- Its folder ------------------------------------------------------------------------------

static void put(const char *name, int bytes, int age_s)
{
    struct timespec then[2] = { { .tv_sec = utc_now_ns() / 1000000000 - age_s } };
    FILE *f = fopen(path_of(name), "w");
    assert_non_null(f);
    fprintf(f, "%*d", bytes, 0);
    fclose(f);
    then[1] = then[0];
    assert_int_equal(utimensat(AT_FDCWD, path_of(name), then, 0), 0);
}

static bool there(const char *name) { return access(path_of(name), F_OK) == 0; }

// A part that no one writes any more goes, and takes no room meanwhile; one being written stays.
static void parts_of_a_power_cut_go(void **state)
{
    (void)state;
    struct keep_cfg c = { .max_bytes = 2500, .max_s = 3600 };
    snprintf(c.dir, sizeof c.dir, "%s", dir);
    put("2030-01-01.tyto", 1000, 10);
    put("2030-01-02.tyto~", 1000, 300);
    put("2030-01-03.tyto", 1000, 10);
    put("2030-01-04.tyto~", 100, 2);
    put("notes.txt~", 1000, 300);
    assert_int_equal(keep_make_room(&c), 0);
    assert_true(there("2030-01-01.tyto") && there("2030-01-03.tyto"));
    assert_false(there("2030-01-02.tyto~"));
    assert_true(there("2030-01-04.tyto~") && there("notes.txt~"));
}

// What is too old goes though nothing is ever kept.
static void age_needs_no_alarm(void **state)
{
    (void)state;
    struct keep_cfg c = { .seconds = 0.01, .max_bytes = 1e6, .max_s = 3600 };
    snprintf(c.dir, sizeof c.dir, "%s", dir);
    put("old.tyto", 1000, 4000);
    put("young.tyto", 1000, 3000);
    struct keep *k = keep_new(&c);
    assert_non_null(k);
    queue_close(k->wants);
    run(k);                                         // ends at once
    assert_false(there("old.tyto"));
    assert_true(there("young.tyto"));
    assert_int_equal(keep_counts(k).expired, 1);
    keep_free(k);
}

// Behind each write the folder is within its quota.
static void the_quota_holds_behind_a_write(void **state)
{
    (void)state;
    static struct keep_want want;
    uint8_t sk[32];
    struct stat st;
    struct keep k = ring_of(1e6);
    k.cfg = (struct keep_cfg){ .max_s = 3600, .turn = queue_new(1, QUEUE_REFUSE) };
    snprintf(k.cfg.dir, sizeof k.cfg.dir, "%s", dir);
    crypto_box_keypair(k.cfg.key, sk);
    assert_non_null(k.cfg.turn);
    queue_push(k.cfg.turn, &k);
    // A cut of 20 ms of 1 MS/s is some 80 kB: with two of that size there is no room for a third.
    k.cfg.max_bytes = 230e3;
    k.tap = queue_new(1, QUEUE_REFUSE);
    put("2029-01-01.tyto", 80000, 10);
    put("2029-01-02.tyto", 80000, 10);
    want.at_s = 1.01;
    want.t0_s = 1;
    want.t1_s = 1.02;
    want.utc_ns = INT64_C(1900000000000000000);     // in 2030
    struct keep_want *w = malloc(sizeof *w);
    assert_non_null(w);
    *w = want;
    work(&k, w);
    assert_int_equal(keep_counts(&k).kept, 1);
    assert_int_equal(keep_counts(&k).expired, 1);
    assert_false(there("2029-01-01.tyto"));
    assert_true(there("2029-01-02.tyto"));
    assert_int_equal(stat(path_of("2030-03-17T17.46.40.000Z---00.tyto"), &st), 0);
    assert_true(st.st_size > 80000 && st.st_size < 90000);
    mask_free(k.mask);
    queue_free(k.tap);
    queue_pop(k.cfg.turn);
    queue_free(k.cfg.turn);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_holds_its_trigger), CASE(parts_of_a_power_cut_go),
        CASE(age_needs_no_alarm), CASE(the_quota_holds_behind_a_write),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
