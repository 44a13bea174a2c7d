// SPDX-License-Identifier: GPL-3.0-or-later
// Samples that are no numbers, or whose products are none, through the standing detectors and the
// arbiter: what is told has a place, and nothing crashes.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "dsp/arbiter.h"
#include "dsp/level.h"
#include "sdr/block.h"
#include "tests/unit/dsss_made.h"

#define RATE   20e6
#define CENTRE 2437e6
#define LEN    32768

static float complex x[LEN];

static void tell(void *arg, const struct burst *b)
{
    struct cut c = b->cut;
    (void)arg;
    assert_true(isfinite(b->f_lo_hz) && isfinite(b->f_hi_hz) && isfinite(b->wifi.metric));
    cut_drop(&c);
}

static void noise(struct rng *r)
{
    for (unsigned i = 0; i < LEN; i++)
        x[i] = 1e-3f * rng_cnormal(r);
}

// x through all of it.
static void run(void)
{
    static struct cand_list found, none;
    static struct noise_shape shape;                // 0 dBFS/Hz: known
    struct iq_info info = { .rate_hz = RATE, .centre_hz = CENTRE, .format = IQ_CF32,
                            .block_len = LEN };
    struct iq_pool *pool = iq_pool_new(1, LEN, IQ_CF32);
    struct standing *s = standing_new(&info, true);
    struct arbiter *a = arbiter_new(&info, tell, NULL);
    struct iq_block *b = iq_pool_take(pool);
    b->n0 = b->lost = 0;
    b->n = LEN;
    b->rate_hz = RATE;
    b->centre_hz = CENTRE;
    memcpy((void *)b->data, x, sizeof x);
    found.n = 0;
    none.done = LEN;
    standing_block(s, b, &found);
    arbiter_block(a, b, &none, &shape, &found);
    found.n = 0;
    standing_flush(s, &found);
    for (unsigned i = 0; i < found.n; i++)
        assert_true(isfinite(found.c[i].f_lo_hz) && isfinite(found.c[i].snr_db));
    iq_unref(b);
    arbiter_flush(a, &none, &found);
    arbiter_free(a);
    standing_free(s);
    iq_pool_free(pool);
}

static void huge_behind_a_preamble(void **state)
{
    (void)state;
    static const float huge[] = { 1e10f, 1e15f, 1e20f, 1e38f, INFINITY, NAN };
    for (unsigned k = 0; k < 12; k++) {
        struct rng r;
        rng_init(&r, 5);
        noise(&r);
        struct dsss_made m = { .rate_hz = RATE, .symbols = 400, .preamble = true, .start = 4000,
                               .clock = 1, .amplitude = 0.1 };
        dsss_made_bits(&m, &r);
        dsss_made_add(&m, 0, LEN, x);
        for (unsigned i = 4000 + (120 + k / 6 * 7) * 20; i < LEN; i++)
            x[i] = huge[k % 6] * (i & 1 ? 1.0f : -0.7f);
        run();
    }
}

static void no_numbers_in_a_field(void **state)
{
    (void)state;
    static const float bad[] = { NAN, INFINITY, 1e20f, 3e38f };
    for (unsigned k = 0; k < 4; k++) {
        struct rng r;
        rng_init(&r, 6);
        noise(&r);
        for (unsigned i = 8000; i < 8160; i++)      // lines at every second 1.25 MHz
            for (int line = -6; line <= 6; line++)
                x[i] += 0.1f * cexpf(I * (float)(2 * M_PI * line * (int)(i % 16) / 16));
        x[8150] = bad[k];
        x[12000 + k] = bad[k];
        run();
    }
}

static void the_floor_is_safe(void **state)
{
    (void)state;
    static struct noise_shape s;
    s.dbfs_hz[0] = -1;
    s.dbfs_hz[NOISE_POINTS - 1] = -2;
    assert_true(level_noise(&s, RATE, NAN) == -1);
    assert_true(level_noise(&s, RATE, -1e300) == -1);
    assert_true(level_noise(&s, RATE, INFINITY) == -2);
    assert_true(level_noise(&s, RATE, 9.99e6) == -2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(huge_behind_a_preamble),
        cmocka_unit_test(no_numbers_in_a_field),
        cmocka_unit_test(the_floor_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
