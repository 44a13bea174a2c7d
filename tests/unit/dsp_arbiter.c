// SPDX-License-Identifier: GPL-3.0-or-later
// What the arbiter tells of the front's candidates: not what a converter folds back from the other
// edge of the capture, but everything else that lies there.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "dsp/arbiter.h"
#include "sdr/block.h"

#define RATE 20e6
#define MS   (RATE * 1e-3)
#define LEN  131072

static unsigned told;
static uint32_t hyps;                   // of all of them
static struct burst of_lora;            // the last with that hypothesis

static void tell(void *arg, const struct burst *b)
{
    struct cut c = b->cut;
    (void)arg;
    told++;
    hyps |= b->hyp;
    if (b->hyp & HYP_LORA)
        of_lora = *b;
    cut_drop(&c);
}

static struct cand energy(double from_ms, double to_ms, double lo_mhz, double hi_mhz, double dbfs)
{
    return (struct cand){ .hyp = HYP_ENERGY, .flags = BURST_EDGE, .n0 = (uint64_t)(from_ms * MS),
                          .n1 = (uint64_t)(to_ms * MS), .run_n0 = (uint64_t)(from_ms * MS),
                          .f_lo_hz = lo_mhz * 1e6, .f_hi_hz = hi_mhz * 1e6, .snr_db = 10,
                          .level_dbfs = (float)dbfs };
}

// How many of n candidates are told, in a capture of one block (6.5 ms).
static unsigned told_of(const struct cand *c, unsigned n)
{
    static struct cand_list none, list;
    static const struct noise_shape noise;
    struct iq_info info = { .rate_hz = RATE, .format = IQ_CI8, .block_len = LEN };
    struct iq_pool *pool = iq_pool_new(1, LEN, IQ_CI8);
    struct arbiter *a = arbiter_new(&info, tell, NULL);
    struct iq_block *b = pool ? iq_pool_take(pool) : NULL;

    assert_non_null(a);
    assert_non_null(b);
    b->n0 = 0;
    b->n = LEN;
    b->lost = 0;
    told = 0;
    hyps = 0;
    memcpy(list.c, c, n * sizeof *c);
    list.n = n;
    list.done = LEN;
    arbiter_block(a, b, &none, &noise, NULL);
    iq_unref(b);
    arbiter_flush(a, &list, NULL);
    arbiter_free(a);
    iq_pool_free(pool);
    return told;
}

// Wi-Fi over the upper edge in two frames, and what of it comes back at the lower one.
static const struct { double from, to; } frame[] = { { 1, 2 }, { 2.2, 4 } };
#define WIFI(k, dbfs) energy(frame[k].from, frame[k].to, 4, 9.9, dbfs)

static void test_folded(void **state)
{
    (void)state;
    struct cand both[] = { WIFI(0, -40), WIFI(1, -40), energy(1, 4, -9.9, -9.7, -70) };
    struct cand skirt[] = { WIFI(0, -40), WIFI(1, -40), energy(1, 4, -9.95, -9.3, -62) };
    struct cand mirrored[3];

    assert_int_equal(told_of(both, 3), 2);
    assert_int_equal(told_of(skirt, 3), 2);
    memcpy(mirrored, both, sizeof both);
    for (unsigned i = 0; i < 3; i++) {
        mirrored[i].f_lo_hz = -both[i].f_hi_hz;
        mirrored[i].f_hi_hz = -both[i].f_lo_hz;
    }
    assert_int_equal(told_of(mirrored, 3), 2);
}

static void test_not_folded(void **state)
{
    (void)state;
    // As dense as what would be folded: density of the frames is -107.7 dBFS/Hz.
    struct cand strong[] = { WIFI(0, -40), WIFI(1, -40), energy(1, 4, -9.9, -9.7, -50) };
    // On the air mostly while they are not.
    struct cand other_time[] = { WIFI(0, -40), WIFI(1, -40), energy(3.5, 6, -9.9, -9.7, -70) };
    // A signal of its own width, or not at the edge.
    struct cand wide[] = { WIFI(0, -40), WIFI(1, -40), energy(1, 4, -9.9, -8.7, -65) };
    struct cand inner[] = { WIFI(0, -40), WIFI(1, -40), energy(1, 4, -9.4, -9.2, -70) };
    // Nothing beyond the other edge.
    struct cand within[] = { energy(1, 4, 2, 7, -40), energy(1, 4, -9.9, -9.7, -70) };

    assert_int_equal(told_of(strong, 3), 3);
    assert_int_equal(told_of(other_time, 3), 3);
    assert_int_equal(told_of(wide, 3), 3);
    assert_int_equal(told_of(inner, 3), 3);
    assert_int_equal(told_of(within, 2), 2);
}

// A packet of 4 ms in 812.5 kHz at 1 MHz; the table of noise is 0 dBFS/Hz, so it has -10 + 59 dBFS.
static struct cand lora(void)
{
    return (struct cand){ .hyp = HYP_LORA, .n0 = (uint64_t)(1 * MS), .n1 = (uint64_t)(5 * MS),
                          .f_lo_hz = 0.594e6, .f_hi_hz = 1.406e6, .snr_db = -10, .metric = 0.1f,
                          .sf = 6, .down = true, .ends = true };
}

static void test_lora_alone(void **state)
{
    (void)state;
    struct cand c[] = { lora(), energy(0.5, 6, 3, 8, 40) };     // something elsewhere

    of_lora = (struct burst){ 0 };
    assert_int_equal(told_of(c, 2), 2);
    assert_int_equal(of_lora.hyp, HYP_LORA);
    assert_int_equal(of_lora.lora.sf, 6);
    assert_true(of_lora.lora.down);
    assert_int_equal(of_lora.n0, c[0].n0);
    assert_int_equal(of_lora.n1, c[0].n1);
    assert_true(of_lora.level_dbfs > 48 && of_lora.level_dbfs < 50);
}

static void test_lora_and_its_energy(void **state)
{
    (void)state;
    // the same packet, a little long; in pieces; a piece and somebody stronger within it
    struct cand same[] = { lora(), energy(1.05, 5.3, 0.5, 1.4, 49) };
    struct cand pieces[] = { lora(), energy(1, 2, 0.6, 1.4, 49), energy(3, 3.5, 0.6, 1, 46) };
    struct cand other[] = { lora(), energy(1, 2, 0.6, 1.4, 49), energy(3, 3.5, 0.6, 1.3, 60) };
    // on the air longer than it, or beside it
    struct cand beyond[] = { lora(), energy(4, 6, 0.6, 1.4, 49), energy(1, 5, 1.5, 2.3, 49) };

    of_lora = (struct burst){ 0 };
    assert_int_equal(told_of(same, 2), 1);
    assert_int_equal(of_lora.hyp, HYP_LORA | HYP_ENERGY);
    assert_int_equal(of_lora.n0, same[0].n0);
    assert_int_equal(of_lora.n1, same[0].n1);
    assert_int_equal(told_of(pieces, 3), 1);
    assert_int_equal(told_of(other, 3), 2);
    assert_int_equal(told_of(beyond, 3), 3);
}

static struct cand droneid(double from_ms, float metric)
{
    double n = from_ms * MS;
    return (struct cand){ .hyp = HYP_DRONEID, .n0 = (uint64_t)n, .n1 = (uint64_t)(n + 0.643 * MS),
                          .zc_n = n + 0.219 * MS, .f_lo_hz = -4.5e6, .f_hi_hz = 4.5e6,
                          .snr_db = 10, .metric = metric };
}

// Two aircraft at once: one box of energy, two transmissions.  What is not surely one is no second.
// At the first sample, before any floor is known: its level comes with the floor, in a block that
// follows or at the end.
static void test_lora_at_the_start(void **state)
{
    (void)state;
    static struct cand_list none, at_once;
    static struct noise_shape unknown, known;
    struct iq_info info = { .rate_hz = RATE, .format = IQ_CI8, .block_len = LEN };

    for (unsigned i = 0; i < NOISE_POINTS; i++) {
        unknown.dbfs_hz[i] = -292;
        known.dbfs_hz[i] = -130;
    }
    at_once.c[0] = (struct cand){ .hyp = HYP_LORA, .n1 = 3 * LEN, .sf = 7, .snr_db = 5,
                                  .f_lo_hz = -250e3, .f_hi_hz = 250e3 };
    at_once.n = 1;
    at_once.done = LEN;
    for (unsigned turn = 0; turn < 2; turn++) {
        struct iq_pool *pool = iq_pool_new(4, LEN, IQ_CI8);
        struct arbiter *a = arbiter_new(&info, tell, NULL);
        told = 0;
        for (unsigned k = 0; k < 3; k++) {
            struct iq_block *b = iq_pool_take(pool);
            b->n0 = (uint64_t)k * LEN;
            b->n = LEN;
            b->lost = 0;
            none.done = k > 0 ? b->n0 : 0;
            arbiter_block(a, b, &none, !turn && k ? &known : &unknown, k ? &none : &at_once);
            iq_unref(b);
        }
        none.done = UINT64_MAX;
        arbiter_noise(a, &known);
        arbiter_flush(a, &none, &none);
        assert_int_equal(told, 1);
        assert_true(of_lora.level_dbfs > -68.1f && of_lora.level_dbfs < -67.9f);    // -130 + 57 + 5
        assert_true(of_lora.lora.level_dbfs > -68.1f && of_lora.lora.level_dbfs < -67.9f);
        arbiter_free(a);
        iq_pool_free(pool);
    }
}

static void test_two_droneid(void **state)
{
    (void)state;
    struct cand two[] = { droneid(1, 0.8f), energy(1, 2.143, -4.5, 4.5, -40), droneid(1.5, 0.5f) };
    struct cand one[] = { droneid(1, 0.8f), energy(1, 2.143, -4.5, 4.5, -40), droneid(1.5, 0.1f) };
    struct cand echo[] = { droneid(1, 0.8f), energy(1, 1.7, -4.5, 4.5, -40), droneid(1.05, 0.5f) };

    assert_int_equal(told_of(two, 3), 2);
    assert_int_equal(told_of(one, 3), 1);
    assert_int_equal(told_of(echo, 3), 1);
}

// An advertisement alone, with its energy, and in a Wi-Fi frame's time.
static void test_ble(void **state)
{
    (void)state;
    struct cand adv = { .hyp = HYP_BLE, .n0 = (uint64_t)(1 * MS), .n1 = (uint64_t)(1.128 * MS),
                        .f_lo_hz = 1.5e6, .f_hi_hz = 2.5e6, .snr_db = 10, .metric = 0.9f };
    struct cand own[] = { adv, energy(0.97, 1.4, 1.2, 2.9, 71) };
    struct cand wifi[] = { adv, energy(0.97, 1.4, -6, 9, 90) };
    struct cand later[] = { adv, energy(1.2, 1.4, 1.2, 2.9, 71) };
    struct cand beside[] = { adv, energy(0.97, 1.4, 3.2, 4.4, 71) };

    assert_int_equal(told_of(&adv, 1), 1);
    assert_int_equal(hyps, HYP_BLE);
    assert_int_equal(told_of(own, 2), 1);
    assert_int_equal(hyps, HYP_BLE | HYP_ENERGY);
    assert_int_equal(told_of(wifi, 2), 2);
    assert_int_equal(told_of(later, 2), 2);
    assert_int_equal(told_of(beside, 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folded),
        cmocka_unit_test(test_not_folded),
        cmocka_unit_test(test_lora_alone),
        cmocka_unit_test(test_lora_and_its_energy),
        cmocka_unit_test(test_lora_at_the_start),
        cmocka_unit_test(test_two_droneid),
        cmocka_unit_test(test_ble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
