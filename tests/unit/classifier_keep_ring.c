// SPDX-License-Identifier: GPL-3.0-or-later
// The thread that keeps: what it cuts from its ring, and how it keeps its folder small.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "classifier/keep.c"        // its ring, without a source

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_holds_its_trigger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
