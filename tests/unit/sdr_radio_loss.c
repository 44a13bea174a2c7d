// SPDX-License-Identifier: GPL-3.0-or-later
// Loss between reads, and sample time against the machine's clocks, on made-up clocks.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sdr/radio/clock.h"
#include "sdr/radio/loss.h"

#define RATE 2e6
#define MTU 2000                // 1 ms
#define MS INT64_C(1000000)

struct air { struct loss loss; uint64_t index; int64_t stamp_ns, host_ns; uint64_t lost, jumps; };

static void start(struct air *a, double rate_hz, bool stamps)
{
    *a = (struct air){ .stamp_ns = 77 * MS, .host_ns = 5000 * MS };
    loss_init(&a->loss, rate_hz, MTU, stamps);
}

// One read of 1 ms of samples that arrives `late_ns` late.
static struct loss_news read_one(struct air *a, bool stamped, int64_t late_ns)
{
    a->host_ns += MS;
    struct loss_news r = loss_samples(&a->loss, a->index, MTU, stamped, a->stamp_ns,
                                      a->host_ns + late_ns);
    a->stamp_ns += MS;
    a->index += MTU + r.lost;
    a->lost += r.lost;
    a->jumps += r.jumped;
    return r;
}

static void stamps_tell_a_loss_to_the_sample(void **state)
{
    (void)state;
    struct air a;

    start(&a, RATE, true);
    for (int i = 0; i < 3000; i++) {
        read_one(&a, true, (i * 37 % 11) * MS / 10);
        if (i % 100 == 99)
            a.host_ns += 25 * MS, a.stamp_ns += 25 * MS + 500;      // 50001 samples are missing
    }
    assert_int_equal(a.lost, 29 * 50001);       // the thirtieth lies before a read that never comes
    assert_int_equal(a.jumps, 0);
}

static void stamps_cut_to_nanoseconds_are_no_loss(void **state)
{
    (void)state;
    struct loss l;
    uint64_t index = 0;

    loss_init(&l, 30.72e6, 1021, true);
    for (int i = 0; i < 20000; i++, index += 1021) {
        int64_t ns = (int64_t)floor((double)index / 30.72e6 * 1e9);
        assert_int_equal(loss_samples(&l, index, 1021, true, ns, ns + 5).lost, 0);
    }
}

static void an_overflow_breaks_the_stream_even_if_stamps_go_on(void **state)
{
    (void)state;
    struct air a;

    start(&a, RATE, true);
    read_one(&a, true, 0);
    loss_overflow(&a.loss);
    assert_int_equal(read_one(&a, true, 0).lost, 1);
    assert_int_equal(read_one(&a, true, 0).lost, 0);
}

static void stamps_that_jump_are_counted_and_at_last_not_believed(void **state)
{
    (void)state;
    struct air a;

    start(&a, RATE, true);
    for (int i = 0; i < 10; i++)
        read_one(&a, true, 0);
    a.stamp_ns += INT64_C(3600) * 1000 * MS;            // an hour ahead, nothing is lost
    assert_true(read_one(&a, true, 0).jumped);
    a.stamp_ns -= INT64_C(7200) * 1000 * MS;            // and back
    assert_true(read_one(&a, true, 0).jumped);
    assert_int_equal(a.lost, 0);
    for (int i = 0; i < 10; i++)
        assert_false(read_one(&a, true, 0).jumped);     // goes on from there
    assert_true(a.loss.stamps);
    for (int i = 0; i < 3; i++) {
        a.stamp_ns += (i % 2 ? -1 : 1) * 500 * MS;      // one ahead is the future, not a loss
        assert_int_equal(read_one(&a, true, 0).distrusted, i == 2);
    }
    assert_false(a.loss.stamps);
}

static void missing_stamps_are_waited_for_then_done_without(void **state)
{
    (void)state;
    struct air a;
    int n = 0;

    start(&a, RATE, true);
    read_one(&a, true, 0);
    read_one(&a, false, 0);
    a.host_ns += 10 * MS;
    a.stamp_ns += 10 * MS;
    assert_int_equal(read_one(&a, false, 0).lost, 0);
    assert_int_equal(read_one(&a, true, 0).lost, 20000);        // told by the next stamp
    while (!read_one(&a, false, 0).distrusted)
        assert_true(n++ < 100);
    assert_false(a.loss.stamps);
}

// Without stamps: jitter and drift are no loss, half a second missing is, to a few ms.
static void the_hosts_clock_tells_losses_roughly(void **state)
{
    (void)state;
    struct air a;

    start(&a, RATE, false);
    for (int i = 0; i < 20000; i++) {
        a.host_ns += 100;                               // 100 ppm
        read_one(&a, false, i % 50 * MS);               // bundles of 50 ms
    }
    assert_int_equal(a.lost, 0);
    a.host_ns += 500 * MS;
    for (int i = 0; i < 3000; i++)
        read_one(&a, false, i % 50 * MS);
    assert_true(llabs((int64_t)a.lost - 1000000) < 20000);
    loss_overflow(&a.loss);                             // a small one, told by the driver
    a.host_ns += 6 * MS;
    uint64_t before = a.lost;
    assert_int_equal(read_one(&a, false, 0).lost, 1);
    for (int i = 0; i < 3000; i++)
        read_one(&a, false, i % 50 * MS);
    assert_true(llabs((int64_t)(a.lost - before) - 12000) < 4000);
}

// ---- Clock -----------------------------------------------------------------------------------

#define UTC_LESS (INT64_C(1700000000) * 1000 * MS)

static void sample_time_follows_the_earliest_arrivals(void **state)
{
    (void)state;
    struct radio_clock c;
    double span_hz;
    uint64_t i;

    clock_init(&c, RATE);
    for (i = 1; i <= 10000; i++)
        clock_arrived(&c, i * MTU, 1000 * MS + (int64_t)i * MS + (int64_t)(i * 7 % 30) * MS,
                      i * MTU, UTC_LESS);
    int64_t err_ns = clock_utc_ns(&c, 5000 * MTU) - (UTC_LESS + 6000 * MS);
    assert_true(llabs(err_ns) <= 1 * MS);
    assert_true(fabs(clock_rate_hz(&c, &span_hz) / RATE - 1) < 1e-3);
    assert_true(fabs(span_hz / RATE - 1) < 1e-3);
    assert_true(fabs(clock_index(&c, 11000 * MS) - 10000.0 * MTU) < MTU);
    assert_int_equal(c.jumps, 0);
}

static void a_system_clock_that_jumps_is_followed_and_counted(void **state)
{
    (void)state;
    struct radio_clock c;

    clock_init(&c, RATE);
    assert_true(clock_arrived(&c, MTU, 1 * MS, MTU, UTC_LESS));
    assert_false(clock_arrived(&c, 2 * MTU, 2 * MS, 2 * MTU, UTC_LESS + 40 * MS));  // slewing
    assert_true(clock_arrived(&c, 3 * MTU, 3 * MS, 3 * MTU, UTC_LESS - 3600 * 1000 * MS));
    assert_int_equal(c.jumps, 1);
    assert_true(llabs(c.jump_ns + 3600 * 1000 * MS) <= 40 * MS);
    assert_true(llabs(clock_utc_ns(&c, 3 * MTU) - (UTC_LESS - 3600 * 1000 * MS + 3 * MS)) < MS);
}

static void a_rate_that_is_off_shows(void **state)
{
    (void)state;
    struct radio_clock c;
    double span_hz;

    clock_init(&c, RATE);
    for (uint64_t i = 1; i <= 10000; i++)               // 3 % slow, and one read in ten lost
        clock_arrived(&c, i * MTU, (int64_t)((double)i * 1.03 * 1e6), i * MTU * 9 / 10, UTC_LESS);
    assert_true(fabs(clock_rate_hz(&c, &span_hz) * 1.03 / 0.9 / RATE - 1) < 1e-3);
    assert_true(fabs(span_hz * 1.03 / RATE - 1) < 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_tell_a_loss_to_the_sample),
        cmocka_unit_test(stamps_cut_to_nanoseconds_are_no_loss),
        cmocka_unit_test(an_overflow_breaks_the_stream_even_if_stamps_go_on),
        cmocka_unit_test(stamps_that_jump_are_counted_and_at_last_not_believed),
        cmocka_unit_test(missing_stamps_are_waited_for_then_done_without),
        cmocka_unit_test(the_hosts_clock_tells_losses_roughly),
        cmocka_unit_test(sample_time_follows_the_earliest_arrivals),
        cmocka_unit_test(a_system_clock_that_jumps_is_followed_and_counted),
        cmocka_unit_test(a_rate_that_is_off_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
