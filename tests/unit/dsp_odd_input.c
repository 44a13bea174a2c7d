// SPDX-License-Identifier: GPL-3.0-or-later
// Odd input through the whole chain: rates that no number of channels divides, the least and the
// greatest, captures narrower than their signal, recordings and blocks of one sample.  What is on
// the air is found where it is, or the recording is refused in one sentence.
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

#define FROM_S 0.006
#define LONG_S 0.005

// A burst over noise of -50 dBFS: a tone that is frequency-modulated by 2 % of the rate, at `at` of
// the rate; or, at 0, noise that fills the capture, from something wider.
static void make(int8_t *v, size_t n, double rate_hz, double at)
{
    struct rng r;
    double phase = 0;

    rng_init(&r, 11);
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / rate_hz;
        bool on = t >= FROM_S && t < FROM_S + LONG_S;
        float complex x = 0.02f * rng_cnormal(&r);
        phase += at + 0.01 * sin(2 * M_PI * t * 2e3);
        phase -= floor(phase);
        if (on && fabs(at) > 0)
            x += 0.1f * (float complex)cexp(2 * M_PI * I * phase);
        else if (on)
            x += 0.15f * rng_cnormal(&r);
        v[2 * i] = (int8_t)lrintf(fminf(fmaxf(128 * crealf(x), -127), 127));
        v[2 * i + 1] = (int8_t)lrintf(fminf(fmaxf(128 * cimagf(x), -127), 127));
    }
}

struct heard { unsigned bursts, right; uint64_t samples; };

static bool sane(const struct finding *f)
{
    return isfinite(f->fp.t_s.v) && isfinite(f->fp.dur_s.v) && isfinite(f->fp.freq_hz.v) &&
           isfinite(f->fp.level_dbfs) && isfinite(f->fp.snr_db.v) && f->fp.dur_s.v >= 0;
}

// All that is told of it; right: at from_s, and within a twentieth of the rate of at_hz.
static struct heard hear(const char *path, double rate_hz, double from_s, double at_hz)
{
    struct heard h = { 0 };
    struct iq_source *s;
    struct finding *f;
    char why[IQ_WHY];
    bool meta = strstr(path, "meta");

    if (iq_open_file(&s, &(struct iq_file_cfg){ .path = path, .format = meta ? NULL : "ci8",
                     .rate_hz = meta ? 0 : rate_hz, .pool_blocks = DSP_POOL_BLOCKS }, why))
        fail_msg("%s", why);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = 1,
                                               .droneid = DRONEID_DECODE });
    assert_non_null(d);
    while ((f = dsp_next(d))) {
        bool whole = !f->reject && (f->part == BURST_WHOLE || f->part == BURST_RUN_END);
        if (whole && !sane(f))
            fail_msg("%g Hz: a value that is none", rate_hz);
        h.bursts += whole;
        h.right += whole && fabs(f->fp.t_s.v - from_s) < 0.5e-3 &&
                   fabs(f->fp.dur_s.v - LONG_S) < 0.7e-3 &&
                   fabs(f->fp.freq_hz.v - at_hz) < 0.05 * rate_hz;
        finding_free(f);
    }
    dsp_free(d);
    h.samples = iq_counts(s)->samples;
    iq_close(s);
    return h;
}

static const struct row { double rate_hz, long_s, at; } rows[] = {
    { 19.2e6, 0.016, 0.2 }, { 23.04e6, 0.016, -0.31 }, { 125e6, 0.0125, 0.1 },
    { 0.25e6, 0.030, 0.25 }, { 9.8765432e6, 0.016, -0.1 }, { 1.0 / 3 * 1e7, 0.016, 0.33 },
    { 2e6, 0.030, 0 }, { 0.5e6, 0.030, 0 },     // narrower than what is on the air
};

static void any_rate(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *w = &rows[i];
        size_t n = (size_t)(w->long_s * w->rate_hz);
        int8_t *v = malloc(2 * n);
        make(v, n, w->rate_hz, w->at);
        put("odd.ci8", v, 2 * n);
        free(v);
        struct heard h = hear("odd.ci8", w->rate_hz, FROM_S, w->at * w->rate_hz);
        assert_int_equal(h.samples, n);
        if (h.right != 1 || h.bursts > 2)
            fail_msg("%g Hz: %u bursts, %u of them right", w->rate_hz, h.bursts, h.right);
        unlink("odd.ci8");
    }
}

static void hardly_any_samples(void **state)
{
    (void)state;
    static const struct { size_t n; double rate_hz; } few[] = {
        { 0, 23.04e6 }, { 1, 0.25e6 }, { 1, 125e6 }, { 2, 19.2e6 }, { 31, 0.25e6 },
        { 1025, 23.04e6 },
    };
    static int8_t v[2 * 1025];

    make(v, 1025, 1e6, 0.1);
    for (unsigned i = 0; i < sizeof few / sizeof *few; i++) {
        put("few.ci8", v, 2 * few[i].n);
        assert_int_equal(hear("few.ci8", few[i].rate_hz, 0, 0).samples, few[i].n);
        unlink("few.ci8");
    }
}

// Two hundred blocks of one sample, each behind a gap, then a capture as it should be.
#define ONES 200
#define APART 1000
static void blocks_of_one_sample(void **state)
{
    (void)state;
    const double rate_hz = 2e6;
    size_t n = ONES + (size_t)(0.016 * rate_hz);
    int8_t *v = malloc(2 * n);
    FILE *f = fopen("ones.sigmf-meta", "w");

    assert_non_null(f);
    make(v + 2 * ONES, n - ONES, rate_hz, 0.2);
    make(v, ONES, rate_hz, 0.2);
    put("ones.sigmf-data", v, 2 * n);
    free(v);
    fprintf(f, "{\"global\":{\"core:datatype\":\"ci8\",\"core:sample_rate\":2e6},\"captures\":[");
    for (unsigned i = 0; i <= ONES; i++)
        fprintf(f, "%s{\"core:sample_start\":%u,\"core:global_index\":%u}", i ? "," : "", i,
                i * APART);
    fprintf(f, "],\"annotations\":[]}");
    fclose(f);
    struct heard h = hear("ones.sigmf-meta", rate_hz, ONES * APART / rate_hz + FROM_S,
                          0.2 * rate_hz);
    assert_int_equal(h.samples, n);
    assert_int_equal(h.right, 1);
    assert_true(h.bursts <= 2);
    unlink("ones.sigmf-meta");
    unlink("ones.sigmf-data");
}

static void refused_in_one_sentence(void **state)
{
    (void)state;
    static const double rate_hz[] = { 0.2499e6, 125.1e6, -1, NAN };
    struct iq_source *s;

    put("odd.ci8", "ab", 2);
    for (unsigned i = 0; i < 4; i++) {
        char why[IQ_WHY] = "";
        assert_int_not_equal(iq_open_file(&s, &(struct iq_file_cfg){ .path = "odd.ci8",
                             .format = "ci8", .rate_hz = rate_hz[i] }, why), 0);
        assert_true(strstr(why, "rate") && strstr(why, "expected") && !strchr(why, '\n'));
    }
    unlink("odd.ci8");
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(any_rate), cmocka_unit_test(hardly_any_samples),
        cmocka_unit_test(blocks_of_one_sample), cmocka_unit_test(refused_in_one_sentence),
    };
    return cmocka_run_group_tests(t, files_make, files_drop);
}
