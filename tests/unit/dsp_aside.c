// SPDX-License-Identifier: GPL-3.0-or-later
// Claims of Wi-Fi's preambles beside boxes of energy: one burst each, and not too many.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "dsp/aside.h"

#define RATE 20e6
#define US   20                         // samples
#define MS   (1000 * US)

static struct cand claim(uint64_t n0, double f_hz)
{
    return (struct cand){ .hyp = HYP_STF, .n0 = n0, .n1 = n0 + 28 * US, .metric = 0.8f,
                          .f_lo_hz = f_hz - 8e6, .f_hi_hz = f_hz + 8e6 };
}

static struct cand box(uint64_t n0, uint64_t n1, double f_hz, double wide_hz)
{
    return (struct cand){ .hyp = HYP_ENERGY, .n0 = n0, .n1 = n1, .f_lo_hz = f_hz - wide_hz / 2,
                          .f_hi_hz = f_hz + wide_hz / 2 };
}

static unsigned told(struct aside *a, uint64_t done, const struct cand *open, unsigned n)
{
    struct cand c;
    unsigned k = 0;
    while (aside_due(a, done, open, n, RATE, &c))
        k++;
    return k;
}

static struct aside a;

static void a_box_takes_its_claim(void **state)
{
    (void)state;
    aside_clear(&a);
    struct cand c = claim(10 * MS, 1e6), b = box(10 * MS - 30 * US, 11 * MS, 0, 16e6);
    struct cand narrow = box(10 * MS, 11 * MS, 1e6, 1e6), later = box(11 * MS, 12 * MS, 0, 16e6);
    aside_take(&a, &c);
    assert_int_equal(aside_first(&a), 10 * MS);
    assert_null(aside_of_box(&a, &narrow, RATE));
    assert_null(aside_of_box(&a, &later, RATE));
    const struct cand *got = aside_of_box(&a, &b, RATE);
    assert_non_null(got);
    assert_int_equal(got->n0, c.n0);
    assert_true(aside_first(&a) == UINT64_MAX);
    // an answer within the exchange is none of its own; one on another channel is
    struct cand ack = claim(10 * MS + 500 * US, 1.1e6), other = claim(10 * MS + 500 * US, -5e6);
    aside_take(&a, &ack);
    aside_take(&a, &other);
    assert_int_equal(told(&a, UINT64_MAX, NULL, 0), 1);
}

static void it_waits_for_its_box(void **state)
{
    (void)state;
    aside_clear(&a);
    struct cand c = claim(10 * MS, 0), b = box(10 * MS, 14 * MS, 0, 16e6);
    aside_take(&a, &c);
    assert_int_equal(told(&a, 12 * MS, NULL, 0), 0);
    assert_int_equal(told(&a, 17 * MS, &b, 1), 0);      // known, not told yet
    assert_int_equal(told(&a, 17 * MS, NULL, 0), 1);
    assert_int_equal(told(&a, 17 * MS, NULL, 0), 0);
}

static void so_many_and_no_more(void **state)
{
    (void)state;
    aside_clear(&a);
    unsigned k = 0;
    for (unsigned i = 0; i < 4000; i++) {               // in a second
        struct cand c = claim(i * (uint64_t)(RATE / 4000), 0);
        aside_take(&a, &c);
        k += told(&a, c.n0, NULL, 0);
    }
    k += told(&a, UINT64_MAX, NULL, 0);
    assert_true(k >= 110 && k <= 125);
    assert_true(a.dropped == 4000 - k);
}

// Somebody else's box, in which a frame of Wi-Fi happens to begin.
static void none_of_another_kind(void **state)
{
    (void)state;
    aside_clear(&a);
    struct cand c = claim(10 * MS, 0), faint = c;
    struct cand drone = box(10 * MS, 11 * MS, 0, 10e6), wide = box(10 * MS, 11 * MS, 0, 17e6);
    struct cand all = box(10 * MS, 11 * MS, 0, 60e6);
    drone.snr_db = wide.snr_db = 20;
    c.snr_db = 19;
    faint.snr_db = -2;
    faint.metric = 0.3f;
    aside_take(&a, &c);
    assert_null(aside_of_box(&a, &drone, RATE));
    assert_null(aside_of_box(&a, &all, RATE));
    assert_non_null(aside_of_box(&a, &wide, RATE));
    aside_take(&a, &faint);
    assert_null(aside_of_box(&a, &wide, RATE));
    wide.snr_db = 3;
    assert_non_null(aside_of_box(&a, &wide, RATE));
    // half of it lies beyond the capture's edge
    c = claim(20 * MS, 9e6);
    drone = box(20 * MS, 21 * MS, 6e6, 8e6);
    aside_take(&a, &c);
    assert_non_null(aside_of_box(&a, &drone, RATE));
}

static void a_run_ends(void **state)
{
    (void)state;
    aside_clear(&a);
    struct cand c = claim(10 * MS, 0), b = box(10 * MS, 50 * MS, 0, 16e6);
    struct cand within = claim(70 * MS, 0), behind = claim(90 * MS, 0);
    b.part = BURST_RUN_FIRST;
    b.run = 7;
    aside_take(&a, &c);
    assert_non_null(aside_of_box(&a, &b, RATE));
    aside_take(&a, &within);
    assert_int_equal(told(&a, 80 * MS, NULL, 0), 0);
    b.part = BURST_RUN_END;
    b.n1 = 80 * MS;
    assert_null(aside_of_box(&a, &b, RATE));
    aside_take(&a, &behind);
    assert_int_equal(told(&a, UINT64_MAX, NULL, 0), 1);
    // one whose end was lost
    c = claim(1000 * MS, 0);
    b = box(1000 * MS, 1040 * MS, 0, 16e6);
    b.part = BURST_RUN_FIRST;
    b.run = 8;
    aside_take(&a, &c);
    assert_non_null(aside_of_box(&a, &b, RATE));
    c = claim(3000 * MS, 0);
    aside_take(&a, &c);
    assert_int_equal(told(&a, UINT64_MAX, NULL, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_takes_its_claim),
        cmocka_unit_test(it_waits_for_its_box),
        cmocka_unit_test(so_many_and_no_more),
        cmocka_unit_test(none_of_another_kind),
        cmocka_unit_test(a_run_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
