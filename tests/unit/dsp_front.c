// SPDX-License-Identifier: GPL-3.0-or-later
// The energy detector on signals of known place, length, width and level: found once, where they
// are; nothing found where there is nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "dsp/front/front.h"
#include "dsp/shadow.h"

// ---- Samples --------------------------------------------------------------------------------

#define NOISE 1e-4              // total noise power: -40 dBFS

struct scene { double rate; size_t n; float complex *x; struct rng rng; };

static struct scene scene_new(double rate, double s, double noise)
{
    struct scene c = { .rate = rate, .n = (size_t)(rate * s) };
    c.x = calloc(c.n, sizeof *c.x);
    assert_non_null(c.x);
    rng_init(&c.rng, 11);
    for (size_t i = 0; i < c.n && noise > 0; i++)
        c.x[i] = (float)sqrt(noise) * rng_cnormal(&c.rng);
    return c;
}

static float complex turn(double cycles)
{
    double a = 2 * M_PI * (cycles - floor(cycles));
    return (float)cos(a) + I * (float)sin(a);
}

static double amp(const struct scene *c, double snr_db, double width_hz)
{
    return sqrt(NOISE * pow(10, 0.1 * snr_db) * width_hz / c->rate);
}

static void add_cw(struct scene *c, double t, double dur, double f, double a)
{
    for (size_t i = (size_t)(t * c->rate); i < (size_t)((t + dur) * c->rate) && i < c->n; i++)
        c->x[i] += (float)a * turn(f * (double)i / c->rate);
}

// Noise of a flat spectrum `width` wide: a sinc of 33 zero crossings a side under a Hann window.
static void add_flat(struct scene *c, double t, double dur, double f, double width, double a)
{
    size_t n0 = (size_t)(t * c->rate), n = (size_t)(dur * c->rate);
    double per = c->rate / width;
    int half = (int)(33 * per);
    float *h = calloc(2 * (size_t)half + 1, sizeof *h);
    float complex *w = calloc(n + 2 * (size_t)half + 1, sizeof *w);
    double sum = 0;

    assert_true(h && w);
    for (int i = -half; i <= half; i++) {
        double u = i / per, hann = 0.5 + 0.5 * cos(M_PI * i / (half + 1.0));
        h[i + half] = (float)((i ? sin(M_PI * u) / (M_PI * u) : 1) * hann);
        sum += h[i + half] * h[i + half];
    }
    for (size_t i = 0; i < n + 2 * (size_t)half; i++)
        w[i] = rng_cnormal(&c->rng);
    for (size_t i = 0; i < n && n0 + i < c->n; i++) {
        float complex y = 0;
        for (int k = 0; k <= 2 * half; k++)
            y += h[k] * w[i + (size_t)k];
        c->x[n0 + i] += (float)(a / sqrt(sum)) * y * turn(f * (double)i / c->rate);
    }
    free(h);
    free(w);
}

// Up-chirps, each a symbol of 2^sf / bw, starting at frequencies drawn anew.
static void add_lora(struct scene *c, double t, unsigned symbols, int sf, double bw, double f,
                     double a)
{
    double ts = (1 << sf) / bw, phase = 0, at = 0;
    size_t n0 = (size_t)(t * c->rate), n = (size_t)(symbols * ts * c->rate);
    unsigned last = ~0u;

    for (size_t i = 0; i < n && n0 + i < c->n; i++) {
        double s = (double)i / c->rate / ts;
        if ((unsigned)s != last) {
            last = (unsigned)s;
            at = last < 8 ? 0 : rng_uniform(&c->rng);
        }
        double u = at + s - last;
        phase += (f + bw * (u - floor(u) - 0.5)) / c->rate;
        c->x[n0 + i] += (float)a * turn(phase);
    }
}

// ---- Running --------------------------------------------------------------------------------

struct found { struct cand c[512]; unsigned n; };

static void collect(struct found *f, const struct front_out *o)
{
    assert_int_equal(o->list.dropped, 0);
    for (unsigned i = 0; i < o->list.n && f->n < 512; i++)
        f->c[f->n++] = o->list.c[i];
}

// Blocks of `len` samples; a block that would hold sample `gap` begins after it, `lost` later.
static struct found *run(const struct scene *c, uint32_t len, size_t gap, uint64_t lost)
{
    struct iq_info info = { .rate_hz = c->rate, .format = IQ_CF32, .block_len = len };
    struct front *f = front_new(&info);
    struct found *r = calloc(1, sizeof *r);
    struct front_out *o = calloc(1, sizeof *o);
    uint64_t skipped = 0, done = 0;

    assert_true(f && r && o);
    for (size_t at = 0; at < c->n;) {
        bool before = lost && at < gap;
        size_t end = before && gap < c->n ? gap : c->n, n = end - at < len ? end - at : len;
        struct iq_block b = { .n0 = at + skipped, .n = (uint32_t)n, .format = IQ_CF32,
                              .rate_hz = c->rate, .data = c->x + at };
        if (lost && at == gap) {
            b.lost = lost;
            skipped = lost;
            b.n0 = at + lost;
        }
        front_block(f, &b, o);
        assert_true(o->list.done >= done);
        for (unsigned i = 0; i < o->list.n; i++)
            assert_true(o->list.c[i].n1 >= done);       // nothing that was said to be told
        done = o->list.done;
        collect(r, o);
        at += n;
    }
    front_flush(f, o);
    collect(r, o);
    front_free(f);
    free(o);
    return r;
}

// Drops shadows of others, as the arbiter does; what is left.
static unsigned real_ones(struct found *f, double rate)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->n; i++) {
        bool shadow = false;
        for (unsigned k = 0; k < f->n; k++)
            shadow = shadow || (k != i && f->c[i].part == BURST_WHOLE &&
                                cand_is_shadow(&f->c[i], &f->c[k], rate));
        if (!shadow)
            f->c[n++] = f->c[i];
    }
    return f->n = n;
}

static void done(struct scene *c, struct found *f)
{
    free(c->x);
    free(f);
}

static void say(const struct found *f, double rate)
{
    for (unsigned i = 0; i < f->n; i++)
        print_message("  part %d t %.6f dur %.6f f %.1f..%.1f kHz snr %.1f flags %x\n",
                      (int)f->c[i].part, f->c[i].n0 / rate,
                      (f->c[i].n1 - f->c[i].n0) / rate, f->c[i].f_lo_hz / 1e3,
                      f->c[i].f_hi_hz / 1e3, f->c[i].snr_db, f->c[i].flags);
}

static void expect(struct found *f, const struct scene *c, unsigned n)
{
    if (real_ones(f, c->rate) != n)
        say(f, c->rate);
    assert_int_equal(f->n, n);
}

static void at(const struct cand *c, double rate, double t, double dur, double tol)
{
    double t0 = (double)c->n0 / rate, t1 = (double)c->n1 / rate;
    if (fabs(t0 - t) > tol || fabs(t1 - t - dur) > tol)
        print_message("start %.1f us off, end %.1f us off\n", (t0 - t) * 1e6, (t1 - t - dur) * 1e6);
    assert_true(fabs(t0 - t) <= tol);
    assert_true(fabs(t1 - t - dur) <= tol);
}

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

// How many whole bursts lie at t for dur, and are some `width` wide around f.
static unsigned whole_at(const struct found *f, double rate, double t, double dur, double at_hz,
                         double width)
{
    unsigned n = 0;

    for (unsigned i = 0; i < f->n; i++) {
        const struct cand *b = &f->c[i];
        double w = b->f_hi_hz - b->f_lo_hz, mid = (b->f_hi_hz + b->f_lo_hz) / 2;
        n += b->part == BURST_WHOLE && b->snr_db > 10 && fabs((double)b->n0 / rate - t) < 60e-6 &&
             fabs((double)b->n1 / rate - t - dur) < 60e-6 && fabs(mid - at_hz) < 0.1 * width &&
             w > 0.7 * width && w < 1.3 * width;
    }
    return n;
}

// Parts of runs no wider than a narrow channel or two at a frequency.
static unsigned parts_at(const struct found *f, double at_hz)
{
    unsigned n = 0;

    for (unsigned i = 0; i < f->n; i++)
        n += f->c[i].part != BURST_WHOLE && f->c[i].f_hi_hz - f->c[i].f_lo_hz < 60e3 &&
             fabs((f->c[i].f_hi_hz + f->c[i].f_lo_hz) / 2 - at_hz) < 10e3;
    return n;
}

// A receiver's offset and a spur, `line_db` over the noise of 15 kHz, among packets on both sides
// and under a wide burst: everything is told as if the others were not there.
static void lines_at(double rate, double line_db)
{
    const double ts = 64 / 812.5e3, dur = 42 * ts, spur = 0.23 * rate, bw = 812.5e3;
    const double at_hz[] = { -0.3 * rate, -1.1e6, spur - 0.9e6, 0.35 * rate };
    struct scene c = scene_new(rate, 0.070, NOISE);

    add_cw(&c, 0, 1, 0, amp(&c, line_db, 15e3));
    add_cw(&c, 0, 1, spur, amp(&c, line_db, 15e3));
    for (unsigned i = 0; i < 16; i++)
        add_lora(&c, 1e-3 + 4e-3 * i, 42, 6, bw, at_hz[i % 4], amp(&c, 12, bw));
    add_flat(&c, 66e-3, 0.7e-3, 0, 0.5 * rate, amp(&c, 15, 0.5 * rate));
    struct found *f = run(&c, 16384, 0, 0);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(whole_at(f, rate, 1e-3 + 4e-3 * i, dur, at_hz[i % 4], bw), 1);
    assert_int_equal(whole_at(f, rate, 66e-3, 0.7e-3, 0, 0.5 * rate), 1);
    assert_true(parts_at(f, 0) > 0);
    assert_true(parts_at(f, spur) > 0);
    done(&c, f);
}

static void test_lines(void **state)
{
    (void)state;
    lines_at(12.5e6, 19);
    lines_at(12.5e6, 38);
    lines_at(20e6, 12);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise),      cmocka_unit_test(test_flat_bursts),
        cmocka_unit_test(test_tone),       cmocka_unit_test(test_lora),
        cmocka_unit_test(test_lines),      cmocka_unit_test(test_frame_space),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_crossing),   cmocka_unit_test(test_all_signal),
        cmocka_unit_test(test_gap),        cmocka_unit_test(test_noise_free),
        cmocka_unit_test(test_tiny),       cmocka_unit_test(test_block_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
