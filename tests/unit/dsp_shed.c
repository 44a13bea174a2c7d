// SPDX-License-Identifier: GPL-3.0-or-later
// What is left out when a radio's samples come faster than they are looked at: in which order, how
// much of it, and that the chain counts it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/rng.h"
#include "dsp/chain_in.h"
#include "sdr/src/source.h"

// ---- The rule --------------------------------------------------------------------------------

static struct burst burst(enum burst_part part, double width_hz, uint32_t hyp)
{
    return (struct burst){ .part = part, .hyp = hyp, .f_lo_hz = -width_hz / 2,
                           .f_hi_hz = width_hz / 2 };
}

static unsigned shed_of_hundred(double behind_s, struct burst b)
{
    struct dsp d = { .jobs = 0 };
    unsigned n = 0;

    atomic_store(&d.behind_s, behind_s);
    for (int i = 0; i < 100; i++)
        n += chain_sheds(&d, &b);
    return n;
}

static void test_order(void **state)
{
    (void)state;
    static const struct { double behind_s; unsigned runs, wide, rest; } want[] = {
        { 0, 0, 0, 0 }, { 0.09, 0, 0, 0 }, { 0.15, 75, 0, 0 }, { 0.3, 75, 75, 0 },
        { 0.5, 75, 75, 75 }, { 100, 97, 97, 97 }, { NAN, 0, 0, 0 },
    };
    for (unsigned i = 0; i < sizeof want / sizeof want[0]; i++) {
        double s = want[i].behind_s;
        assert_int_equal(shed_of_hundred(s, burst(BURST_RUN_MORE, 8e6, HYP_ENERGY)), want[i].runs);
        assert_int_equal(shed_of_hundred(s, burst(BURST_RUN_END, 1e3, HYP_ENERGY)), want[i].runs);
        assert_int_equal(shed_of_hundred(s, burst(BURST_WHOLE, 16e6, HYP_ENERGY)), want[i].wide);
        assert_int_equal(shed_of_hundred(s, burst(BURST_WHOLE, 1e6, HYP_ENERGY)), want[i].rest);
        assert_int_equal(shed_of_hundred(s, burst(BURST_RUN_FIRST, 8e6, HYP_ENERGY)), 0);
        assert_int_equal(shed_of_hundred(s, burst(BURST_WHOLE, 9e6, HYP_DRONEID)), 0);
        assert_int_equal(shed_of_hundred(s, burst(BURST_WHOLE, 9e6, HYP_DRONEID | HYP_ENERGY)), 0);
    }
}

// ---- A hostile band, by the sample clock -----------------------------------------------------
// The machine as a sum: each burst told takes it so long, each that is looked at so much longer,
// and what it does not get done waits in the ring.
//
//     ten thousand bursts a second | a jammer over all, 0.5 s on, 0.5 s off | an ordinary band
//     0                            10                                       14              18 s

#define RING_S   0.8
#define TOLD_S   5e-6           // a burst that is only told
#define LOOK_S   1e-3           // looked at, slowly: ten times what there is time for
#define DETECT   0.3            // of a core: what each sample takes

struct band { struct dsp d; double behind_s, most_s; unsigned told, shed, droneid_shed; };

static void arrives(struct band *b, struct burst x)
{
    atomic_store(&b->d.behind_s, b->behind_s);
    bool shed = chain_sheds(&b->d, &x);
    b->told++;
    b->shed += shed;
    b->droneid_shed += shed && (x.hyp & HYP_DRONEID || x.part == BURST_RUN_FIRST);
    b->behind_s += TOLD_S + (shed ? 0 : LOOK_S);
    b->most_s = fmax(b->most_s, b->behind_s);
}

// A stretch of so many bursts a second: of a hundred one DroneID, ten wide, three parts of runs.
static void passes(struct band *b, double length_s, double per_s, struct rng *rng)
{
    for (double t = 0; t < length_s; t += 1 / per_s) {
        double u = rng_uniform(rng);
        arrives(b, u < 0.01   ? burst(BURST_WHOLE, 9e6, HYP_DRONEID | HYP_ENERGY)
                   : u < 0.11 ? burst(BURST_WHOLE, 16e6, HYP_ENERGY)
                   : u < 0.14 ? burst(BURST_RUN_MORE, 8e6, HYP_ENERGY)
                              : burst(BURST_WHOLE, 1e6, HYP_ENERGY));
        b->behind_s = fmax(0, b->behind_s - (1 - DETECT) / per_s);
    }
}

static void test_hostile(void **state)
{
    (void)state;
    static struct band b;
    struct rng rng;

    rng_init(&rng, 3);
    passes(&b, 10, 10e3, &rng);
    assert_true(b.most_s < RING_S);             // no sample is lost
    assert_true(b.most_s > 0.5 && b.shed > b.told / 2);
    for (int k = 0; k < 4; k++) {               // its edges click: a thousand specks, and it a run
        arrives(&b, burst(BURST_RUN_FIRST, 18e6, HYP_ENERGY));
        passes(&b, 0.5, 2e3, &rng);
        arrives(&b, burst(BURST_RUN_END, 18e6, HYP_ENERGY));
        passes(&b, 0.5, 10e3, &rng);
    }
    assert_true(b.most_s < RING_S);
    assert_int_equal(b.droneid_shed, 0);
    passes(&b, 3, 300, &rng);                   // some more than what was left to do
    unsigned before = b.shed;
    passes(&b, 1, 300, &rng);
    assert_int_equal(b.shed, before);           // nothing is left out any more
    assert_true(b.behind_s < 0.1);
}

// ---- A radio that is behind ------------------------------------------------------------------

#define RATE  10e6
#define LEN_S 0.1

// Packets of 1 ms, 25 of them, in noise.
struct radio { uint64_t n; double behind_s; struct rng rng; };

static int64_t radio_read(void *state, void *dst, size_t n)
{
    struct radio *r = state;
    float complex *x = dst;
    uint64_t all = (uint64_t)(LEN_S * RATE);

    n = n < all - r->n ? n : (size_t)(all - r->n);
    for (size_t i = 0; i < n; i++, r->n++) {
        bool on = fmod((double)r->n / RATE, 4e-3) < 1e-3;
        x[i] = 0.005f * rng_cnormal(&r->rng);
        x[i] += on ? 0.05f * (float complex)cexp(2 * M_PI * I * 0.1 * (double)(r->n % 10)) : 0;
    }
    return (int64_t)n;
}

static double radio_behind(void *state) { return ((struct radio *)state)->behind_s; }
static void radio_close(void *state) { (void)state; }

static const struct src_ops ops = {
    .read = radio_read, .behind_s = radio_behind, .close = radio_close,
};

static uint64_t run(double behind_s, unsigned *ret_bursts, unsigned *ret_known)
{
    struct radio r = { .behind_s = behind_s };
    struct src_driver drv = { .ops = &ops, .state = &r, .rate_hz = RATE, .format = IQ_CF32,
                              .origin = IQ_SELFTEST, .endless = true };
    struct iq_source *s;
    struct finding *f;
    char why[IQ_WHY];

    rng_init(&r.rng, 5);
    *ret_bursts = *ret_known = 0;
    assert_int_equal(src_open(&s, &drv, "radio", false, DSP_POOL_BLOCKS, why), 0);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = 2 });
    assert_non_null(d);
    while ((f = dsp_next(d))) {
        bool shed = f->flags & BURST_NO_SAMPLES;
        (*ret_bursts)++;
        *ret_known += meas_ok(f->fp.env_cv);
        assert_true(!shed || !meas_ok(f->fp.env_cv));
        // place and level are the detector's own: good enough to know it by
        assert_true(f->fp.level_dbfs < -32 || fabs(f->fp.freq_hz.v - 1e6) < 60e3);
        finding_free(f);
    }
    uint64_t n = dsp_counts(d)->cut_dropped;
    dsp_free(d);
    iq_close(s);
    return n;
}

static void test_chain(void **state)
{
    (void)state;
    unsigned all, known, bursts;

    assert_int_equal(run(0, &all, &known), 0);
    assert_true(all >= 25 && known >= 25);
    assert_int_equal(run(0.4, &bursts, &known), all - all / 4);
    assert_int_equal(bursts, all);              // all of them are told all the same
    assert_in_range(known, 1, all / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
