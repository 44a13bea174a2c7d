// SPDX-License-Identifier: GPL-3.0-or-later
// What share of a band was watched: what the screens say beside "nothing heard".
#include "alertd_feed.h"

static void ledger(struct feed *f, int from_s)      // 8 of 10 s
{
    struct wire_msg m = feed_head(f, 0, WIRE_LEDGER);
    m.ledger = (struct wire_ledger){ .from_ns = T0 + from_s * S, .to_ns = T0 + (from_s + 10) * S,
                                     .n_bands = 1,
                                     .band = { { 2400e6, 2440e6, 8, NAN, -120 } } };
    feed_send(f, 0, &m);
}

// A sensor that was away for half a minute did not watch for half a minute, though all that it
// tells of was watched.
static void away_is_not_watched(void **state)
{
    struct feed *f = *state;
    const struct sensor *s = sensor_by_key(f->c, KEY_A);
    feed_time(f, 10);
    ledger(f, 0);                       // this post is not up for longer
    assert_true(fabs(sensor_watched(f->c, s, 2400e6, 2440e6) - 0.8) < 1e-9);
    feed_time(f, 50);
    ledger(f, 40);
    ledger(f, 50);
    assert_true(fabs(sensor_watched(f->c, s, 2400e6, 2440e6) - 24.0 / 60) < 1e-9);
    feed_time(f, 9);                    // the next ledger is still on its way
    assert_true(fabs(sensor_watched(f->c, s, 2400e6, 2440e6) - 24.0 / 51) < 1e-9);
    feed_time(f, 41);                   // silent since
    assert_true(fabs(sensor_watched(f->c, s, 2400e6, 2440e6) - 16.0 / 45) < 1e-9);
}

static void watched_share(void **state)
{
    struct feed *f = *state;
    feed_time(f, 100);
    for (int i = 40; i < 100; i += 10)
        ledger(f, i);
    const struct sensor *s = sensor_by_key(f->c, KEY_A);
    assert_true(fabs(sensor_watched(f->c, s, 2400e6, 2440e6) - 0.8) < 1e-9);
    assert_true(fabs(sensor_watched(f->c, s, 2400e6, 2480e6) - 0.4) < 1e-9);
    assert_true(sensor_watched(f->c, s, 5700e6, 5800e6) == 0);
    feed_time(f, 100);
    assert_true(sensor_watched(f->c, s, 2400e6, 2440e6) == 0);      // too long ago
}

static void watch_minute(struct feed *f, const struct wire_band *b, unsigned n)
{
    for (int from_s = -60; from_s < 0; from_s += 10) {
        struct wire_msg m = feed_head(f, 0, WIRE_LEDGER);
        m.ledger = (struct wire_ledger){ .from_ns = m.head.t_ns + from_s * S, .n_bands = n,
                                         .to_ns = m.head.t_ns + (from_s + 10) * S };
        memcpy(m.ledger.band, b, n * sizeof *b);
        feed_send(f, 0, &m);
    }
}

// Two radios on one half of a band watch a half, however long.
static void watched_twice(void **state)
{
    struct feed *f = *state;
    const struct sensor *s = sensor_by_key(f->c, KEY_A);
#define BAND(lo, hi, s) { .lo_hz = lo, .hi_hz = hi, .watched_s = s, .floor_dbm_hz = NAN, \
                          .floor_dbfs = -120 }
    const struct wire_band b[] = { BAND(2400e6, 2440e6, 10), BAND(2400e6, 2440e6, 8),
                                   BAND(2420e6, 2460e6, 5) };
    feed_time(f, 100);
    watch_minute(f, b, 2);
    assert_true(fabs(sensor_watched(f->c, s, 2400e6, 2480e6) - 0.5) < 1e-9);
    feed_time(f, 100);
    watch_minute(f, b, 3);                                  // 40 MHz all, 20 MHz half the time
    assert_true(fabs(sensor_watched(f->c, s, 2400e6, 2480e6) - 0.625) < 1e-9);
    assert_true(fabs(sensor_watched(f->c, s, 2410e6, 2430e6) - 1) < 1e-9);
}

int main(void)
{
#define CASE FEED_CASE
    const struct CMUnitTest tests[] = {
        CASE(watched_share), CASE(away_is_not_watched), CASE(watched_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
