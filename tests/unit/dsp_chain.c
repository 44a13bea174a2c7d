// SPDX-License-Identifier: GPL-3.0-or-later
// The whole chain: the same findings for any number of threads, in an order that keeps its promise,
// and no hang however early it is stopped or however little there is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "dsp/dsp.h"
#include "tests/unit/sdr_files.h"

#define RATE 20e6

static const char path[] = "chain.cf32";

static float complex turn(double cycles)
{
    double a = 2 * M_PI * (cycles - floor(cycles));
    return (float)cos(a) + I * (float)sin(a);
}

// 60 ms: a carrier without end, FSK packets on three channels, wide noise bursts.
static int setup(void **state)
{
    size_t n = (size_t)(0.06 * RATE);
    float complex *x = malloc(n * sizeof *x);
    struct rng r;

    assert_non_null(x);
    assert_int_equal(files_make(state), 0);
    rng_init(&r, 3);
    double phase = 0;
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / RATE;
        x[i] = 0.005f * rng_cnormal(&r) + 0.004f * turn(3.3e6 * t);
        double packet = fmod(t, 4e-3);
        if (packet < 1.2e-3) {
            double bit = (uint64_t)(t * 1e6) * 2654435761u >> 7 & 1 ? 1 : -1;
            phase += (((int)(t / 4e-3) % 3 - 1) * 4e6 + bit * 250e3) / RATE;
            x[i] += 0.02f * turn(phase);
        }
        if (fmod(t, 9e-3) > 8.5e-3)
            x[i] += 0.03f * rng_cnormal(&r);
    }
    put(path, x, n * sizeof *x);
    free(x);
    return 0;
}

static int teardown(void **state)
{
    unlink(path);
    return files_drop(state);
}

static struct iq_source *open_it(const char *file)
{
    struct iq_source *s;
    char why[IQ_WHY];
    int e = iq_open_file(&s, &(struct iq_file_cfg){ .path = file, .format = "cf32", .rate_hz = RATE,
                                                    .pool_blocks = DSP_POOL_BLOCKS }, why);
    if (e < 0)
        print_message("%s\n", why);
    assert_int_equal(e, 0);
    return s;
}

// Everything that must be the same, as text.
struct told { char *text; size_t size; unsigned findings, psd; };

static void on_psd(const struct psd_frame *f, void *arg)
{
    struct told *t = arg;
    assert_true(f->bins > 0 && isfinite(f->floor_db));
    t->psd++;
}

static struct told run(const char *file, unsigned threads, enum droneid_mode mode)
{
    struct told t = { 0 };
    struct iq_source *s = open_it(file);
    FILE *o = open_memstream(&t.text, &t.size);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = threads, .droneid = mode,
                                               .on_psd = on_psd, .arg = &t });
    struct finding *f;
    uint64_t tick = 0;

    assert_true(o && d);
    while ((f = dsp_next(d))) {
        // Every burst that ends before the tick of an earlier finding has been told before.
        double end = (f->fp.t_s.v + f->fp.dur_s.v) * RATE;
        if (!f->reject)
            assert_true(end + 300e-6 * RATE >= (double)tick);
        assert_true(f->tick >= tick);
        tick = f->tick;
        fprintf(o, "%llu %d %x %x %d %.12g %.12g %.12g %.12g %.9g %.9g %d %llu\n",
                (unsigned long long)f->id, (int)f->part, f->hyp, f->flags, f->reject, f->fp.t_s.v,
                f->fp.dur_s.v, f->fp.freq_hz.v, f->fp.bw99_hz.v, f->fp.snr_db.v,
                f->fp.level_dbfs, (int)f->fp.kind, (unsigned long long)f->tick);
        t.findings++;
        finding_free(f);
    }
    fclose(o);
    dsp_free(d);
    iq_close(s);
    return t;
}

static void test_threads(void **state)
{
    (void)state;
    struct told one = run(path, 1, DRONEID_DECODE);
    const unsigned n[] = { 2, 8 };

    assert_true(one.findings >= 15);
    for (unsigned i = 0; i < 2; i++) {
        struct told t = run(path, n[i], DRONEID_DECODE);
        assert_int_equal(t.findings, one.findings);
        assert_string_equal(t.text, one.text);
        free(t.text);
    }
    free(one.text);
}

// Without the standing correlators the chain must not wait for them.
static void test_no_droneid(void **state)
{
    (void)state;
    struct told t = run(path, 2, DRONEID_OFF);
    assert_true(t.findings >= 15);
    free(t.text);
}

static void test_early_free(void **state)
{
    (void)state;
    for (unsigned after = 0; after < 6; after++) {
        struct iq_source *s = open_it(path);
        struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = 1 + after % 3,
                                                   .droneid = DRONEID_RECOGNISE });
        assert_non_null(d);
        for (unsigned i = 0; i < after; i++)
            finding_free(dsp_next(d));
        dsp_free(d);
        iq_close(s);
    }
    dsp_free(NULL);
}

static void test_tiny(void **state)
{
    (void)state;
    const size_t n[] = { 0, 1, 100, 5000 };
    for (unsigned i = 0; i < 4; i++) {
        const char *name = "tiny.cf32";
        float complex *x = calloc(n[i] + 1, sizeof *x);
        assert_non_null(x);
        put(name, x, n[i] * sizeof *x);
        struct told t = run(name, 2, DRONEID_DECODE);
        assert_int_equal(t.findings, 0);
        free(t.text);
        free(x);
        unlink(name);
    }
}

// Nothing on the air for 0.2 s: a finding that only carries the tick, each 50 ms, for who asked.
static void test_ticks(void **state)
{
    (void)state;
    const char *name = "silence.cf32";
    size_t n = (size_t)(0.2 * RATE);
    float complex *x = calloc(n, sizeof *x);
    assert_non_null(x);
    put(name, x, n * sizeof *x);
    free(x);
    for (int ticks = 0; ticks < 2; ticks++) {
        struct iq_source *s = open_it(name);
        struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = 2, .ticks = ticks });
        struct finding *f;
        unsigned got = 0;
        uint64_t last = 0;
        while ((f = dsp_next(d))) {
            assert_true(f->reject && !f->hyp && f->rate_hz == RATE);
            assert_true(f->tick - last >= (uint64_t)(DSP_TICK_S * RATE));
            assert_true(f->tick - last < (uint64_t)((DSP_TICK_S + 10e-3) * RATE));  // a block
            last = f->tick;
            got++;
            finding_free(f);
        }
        assert_int_equal(got, ticks ? 3 : 0);
        assert_int_equal(dsp_counts(d)->rejected, 0);
        dsp_free(d);
        iq_close(s);
    }
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_no_droneid),
        cmocka_unit_test(test_early_free),
        cmocka_unit_test(test_tiny),
        cmocka_unit_test(test_ticks),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
