// SPDX-License-Identifier: GPL-3.0-or-later
// The energy detector on signals of known place, length, width and level: found once, where they
// are; nothing found where there is nothing.
#include "tests/unit/front_made.h"

// ---- Tests ----------------------------------------------------------------------------------

static void test_noise(void **state)
{
    (void)state;
    const double rate[] = { 0.25e6, 1.92e6, 20e6, 61.44e6 }, len[] = { 0.5, 0.3, 0.15, 0.06 };
    for (unsigned i = 0; i < 4; i++) {
        struct scene c = scene_new(rate[i], len[i], NOISE);
        struct found *f = run(&c, 4096, 0, 0);
        expect(f, &c, 0);
        done(&c, f);
    }
}

static void test_flat_bursts(void **state)
{
    (void)state;
    const double width[] = { 0.2e6, 1e6, 4e6, 9e6 }, len[] = { 4e-3, 1.5e-3, 0.4e-3, 0.64e-3 };
    for (unsigned i = 0; i < 4; i++) {
        struct scene c = scene_new(15.36e6, 0.012, NOISE);
        double f0 = i == 3 ? 0.5e6 : -2.2e6;
        add_flat(&c, 3e-3, len[i], f0, width[i], amp(&c, 10, width[i]));
        struct found *f = run(&c, 16384, 0, 0);
        expect(f, &c, 1);
        const struct cand *b = &f->c[0];
        at(b, c.rate, 3e-3, len[i], fmax(20e-6, 0.5 / width[i]));
        double w = b->f_hi_hz - b->f_lo_hz, mid = (b->f_hi_hz + b->f_lo_hz) / 2;
        assert_true(fabs(mid - f0) < 0.02 * width[i] + 2e3);
        assert_true(fabs(w / width[i] - 1) < 0.12);
        assert_true(fabs(b->snr_db - 10) < 1.0);
        assert_true(fabs(b->level_dbfs - 20 * log10(amp(&c, 10, width[i]))) < 0.8);
        done(&c, f);
    }
}

static void test_tone(void **state)
{
    (void)state;
    struct scene c = scene_new(2.4e6, 0.05, NOISE);
    add_cw(&c, 0.010, 0.008, 0.31e6, amp(&c, 25, 10e3));
    struct found *f = run(&c, 2048, 0, 0);
    expect(f, &c, 1);
    at(&f->c[0], c.rate, 0.010, 0.008, 50e-6);
    assert_true(fabs((f->c[0].f_lo_hz + f->c[0].f_hi_hz) / 2 - 0.31e6) < 2e3);
    done(&c, f);
}

static void test_lora(void **state)
{
    (void)state;
    const int sf[] = { 5, 6, 8, 10 };
    const double bw[] = { 812.5e3, 812.5e3, 812.5e3, 125e3 };
    for (unsigned i = 0; i < 4; i++) {
        double rate = bw[i] > 500e3 ? 10e6 : 1e6, ts = (1 << sf[i]) / bw[i];
        unsigned symbols = i < 3 ? 20 : 3;
        struct scene c = scene_new(rate, 0.008 + symbols * ts, NOISE);
        add_lora(&c, 4e-3, symbols, sf[i], bw[i], 0.2e6, amp(&c, 10, bw[i]));
        struct found *f = run(&c, 4096, 0, 0);
        expect(f, &c, 1);
        at(&f->c[0], c.rate, 4e-3, symbols * ts, 60e-6);
        assert_true(fabs((f->c[0].f_lo_hz + f->c[0].f_hi_hz) / 2 - 0.2e6) < 0.08 * bw[i]);
        done(&c, f);
    }
}

static void test_frame_space(void **state)
{
    (void)state;
    struct scene c = scene_new(20e6, 0.004, NOISE);
    add_flat(&c, 1e-3, 200e-6, 0, 16e6, amp(&c, 25, 16e6));
    add_flat(&c, 1.216e-3, 44e-6, 0, 16e6, amp(&c, 13, 16e6));     // 16 us later, 12 dB weaker
    struct found *f = run(&c, 16384, 0, 0);
    expect(f, &c, 2);
    at(&f->c[0], c.rate, 1e-3, 200e-6, 10e-6);
    at(&f->c[1], c.rate, 1.216e-3, 44e-6, 10e-6);
    done(&c, f);
}

static void test_run(void **state)
{
    (void)state;
    struct scene c = scene_new(2e6, 0.35, NOISE);
    add_flat(&c, 0.020, 0.310, -0.3e6, 0.4e6, amp(&c, 12, 0.4e6));
    struct found *f = run(&c, 2048, 0, 0);
    expect(f, &c, 3);
    assert_int_equal(f->c[0].part, BURST_RUN_FIRST);
    assert_int_equal(f->c[1].part, BURST_RUN_MORE);
    assert_int_equal(f->c[2].part, BURST_RUN_END);
    assert_true(f->c[0].run && f->c[0].run == f->c[1].run && f->c[0].run == f->c[2].run);
    at(&f->c[0], c.rate, 0.020, DSP_RUN_PART_S, 50e-6);
    at(&f->c[1], c.rate, 0.020 + DSP_RUN_STEP_S, DSP_RUN_PART_S, 50e-6);
    assert_true(fabs(f->c[2].n1 / c.rate - 0.330) < 50e-6);
    assert_true(fabs(f->c[2].run_n0 / c.rate - 0.020) < 50e-6);
    done(&c, f);
}

static void test_crossing(void **state)
{
    (void)state;
    struct scene c = scene_new(20e6, 0.070, NOISE);
    add_cw(&c, 0.002, 0.066, 3.1e6, amp(&c, 25, 10e3));
    for (int i = 0; i < 4; i++)
        add_flat(&c, 0.010 + 0.012 * i, 1e-3, 0, 14e6, amp(&c, 20, 14e6));
    struct found *f = run(&c, 16384, 0, 0);
    unsigned wide = 0, line = 0;
    real_ones(f, c.rate);
    for (unsigned i = 0; i < f->n; i++) {
        double w = f->c[i].f_hi_hz - f->c[i].f_lo_hz;
        wide += w > 10e6;
        if (f->c[i].part == BURST_RUN_END && w < 200e3 && fabs(f->c[i].f_lo_hz - 3.1e6) < 0.1e6) {
            line++;
            assert_true((double)(f->c[i].n1 - f->c[i].run_n0) / c.rate > 0.060);
        }
    }
    if (wide != 4 || line != 1)
        say(f, c.rate);
    assert_int_equal(wide, 4);
    assert_int_equal(line, 1);
    done(&c, f);
}

// Nothing but signal from the first sample to the last, with some quiet beside it in frequency.
static void test_all_signal(void **state)
{
    (void)state;
    struct scene c = scene_new(11.52e6, 0.001, NOISE);
    add_flat(&c, 0, 0.001, 0, 9e6, amp(&c, 20, 9e6));
    struct found *f = run(&c, 16384, 0, 0);
    expect(f, &c, 1);
    assert_true(f->c[0].flags & BURST_AT_START);
    assert_true(f->c[0].flags & BURST_AT_END);
    assert_true(f->c[0].f_hi_hz - f->c[0].f_lo_hz > 8e6);
    done(&c, f);
}

static void test_gap(void **state)
{
    (void)state;
    struct scene c = scene_new(10e6, 0.010, NOISE);
    add_flat(&c, 2e-3, 6e-3, 1e6, 2e6, amp(&c, 15, 2e6));
    struct found *f = run(&c, 8192, 50000, 12345);
    expect(f, &c, 2);
    assert_true(f->c[0].flags & BURST_TOUCHES_GAP);
    assert_true(f->c[1].flags & BURST_TOUCHES_GAP);
    assert_true(llabs((long long)f->c[0].n1 - 50000) < 300);
    assert_true(llabs((long long)f->c[1].n0 - 62345) < 300);
    done(&c, f);
}

// No noise at all: the floor is zero and everything but the signal is what the banks leak.
static void test_noise_free(void **state)
{
    (void)state;
    struct scene c = scene_new(10e6, 0.010, 0);
    add_flat(&c, 3e-3, 2e-3, 1e6, 2e6, 0.1);
    struct found *f = run(&c, 8192, 0, 0);
    expect(f, &c, 1);
    at(&f->c[0], c.rate, 3e-3, 2e-3, 20e-6);
    done(&c, f);
}

static void test_tiny(void **state)
{
    (void)state;
    const size_t n[] = { 1, 2, 63, 1000, 5000 };
    for (unsigned i = 0; i < 5; i++) {
        struct scene c = scene_new(125e6, 1e-3, NOISE), z = scene_new(0.25e6, 0.1, 0);
        c.n = n[i];
        z.n = n[i];
        struct found *f = run(&c, 4096, 0, 0), *g = run(&z, 1024, 0, 0);
        assert_int_equal(f->n, 0);
        assert_int_equal(g->n, 0);
        done(&c, f);
        done(&z, g);
    }
}

// Block sizes do not matter, not even to the last bit.
static void test_block_size(void **state)
{
    (void)state;
    struct scene c = scene_new(10e6, 0.010, NOISE);
    add_flat(&c, 2e-3, 1e-3, 1e6, 2e6, amp(&c, 8, 2e6));
    struct found *a = run(&c, 16384, 0, 0), *b = run(&c, 1000, 0, 0);
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->c, b->c, a->n * sizeof a->c[0]);
    free(b);
    done(&c, a);
}

// A constant carrier that wanders over 7 MHz, and every 4 ms rests for 1.2 ms, by turns at two
// places: video and what is between its fields.  `turn_s`: of 32 us, how long at the first of them.
static void add_video(struct scene *c, double t, double dur, double a, double turn_s)
{
    size_t n0 = (size_t)(t * c->rate), n = (size_t)(dur * c->rate);
    double phase = 0, f = 0, to = 0;

    for (size_t i = 0; i < n && n0 + i < c->n; i++) {
        double at = fmod((double)i / c->rate, 5.2e-3), turn_at = fmod(at, 32e-6);
        if (at >= 4e-3)
            f = to = turn_at < turn_s ? -1.5e6 : 0.1e6;
        else if (i % 8 == 0)                    // a step some 0.4 us apart
            to = -3e6 + 7e6 * rng_uniform(&c->rng);
        f += 0.2 * (to - f);
        phase += f / c->rate;
        c->x[n0 + i] += (float)a * turn(phase);
    }
}

static void test_video(void **state)
{
    (void)state;
    const double turn_s[] = { 27e-6, 16e-6, 5e-6 };
    for (unsigned i = 0; i < 3; i++) {
        struct scene c = scene_new(20e6, 0.050, NOISE);
        add_video(&c, 2e-3, 0.030, amp(&c, 15, 5e6), turn_s[i]);
        struct found *f = run(&c, 16384, 0, 0);
        unsigned wide = 0;
        real_ones(f, c.rate);
        for (unsigned k = 0; k < f->n; k++)
            wide += f->c[k].f_hi_hz - f->c[k].f_lo_hz > 1e6;
        if (wide != 1)
            say(f, c.rate);
        assert_int_equal(wide, 1);
        done(&c, f);
    }
}

// One packet of a hopper after the other, each somewhere else, beside a neighbour 30 dB up: each is
// told by itself.
static void test_hopper(void **state)
{
    (void)state;
    struct scene c = scene_new(20e6, 0.030, NOISE);
    add_flat(&c, 1e-3, 25e-3, 8e6, 1e6, amp(&c, 42, 1e6));      // 30 dB over the packets
    for (int i = 0; i < 12; i++)
        add_flat(&c, 2e-3 + 2e-3 * i, 0.4e-3, -8e6 + 0.9e6 * (i * 5 % 12), 0.8e6,
                 amp(&c, 12, 0.8e6));
    struct found *f = run(&c, 16384, 0, 0);
    unsigned told = 0;
    real_ones(f, c.rate);
    for (int i = 0; i < 12; i++)
        for (unsigned k = 0; k < f->n; k++) {
            const struct cand *b = &f->c[k];
            double mid = (b->f_hi_hz + b->f_lo_hz) / 2 - (-8e6 + 0.9e6 * (i * 5 % 12));
            told += fabs((double)b->n0 / c.rate - 2e-3 - 2e-3 * i) < 20e-6 &&
                    fabs((double)b->n1 / c.rate - 2.4e-3 - 2e-3 * i) < 20e-6 && fabs(mid) < 60e3;
        }
    if (told != 12)
        say(f, c.rate);
    assert_int_equal(told, 12);
    done(&c, f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise),      cmocka_unit_test(test_flat_bursts),
        cmocka_unit_test(test_tone),       cmocka_unit_test(test_lora),
        cmocka_unit_test(test_frame_space), cmocka_unit_test(test_run),
        cmocka_unit_test(test_crossing),   cmocka_unit_test(test_all_signal),
        cmocka_unit_test(test_gap),        cmocka_unit_test(test_noise_free),
        cmocka_unit_test(test_tiny),       cmocka_unit_test(test_block_size),
        cmocka_unit_test(test_video),      cmocka_unit_test(test_hopper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
