// SPDX-License-Identifier: GPL-3.0-or-later
// The device module as any program meets it: through SoapySDR's C API, from its shared object.
// Rates are low and buffers long, so that a busy machine loses nothing; nothing is timed.
#include <complex.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>

#include <SoapySDR/Device.h>
#include <SoapySDR/Errors.h>
#include <SoapySDR/Formats.h>
#include <SoapySDR/Modules.h>

#include "hw/hw.h"
#include "sdr/sdr.h"
#include "sdr_files.h"

#define BLOCK 1024              // samples of a block at RATE
#define RATE  0.5e6
#define ENV   "driver=tyto,scene=s.yaml"
#define TEXT  "rate_hz: 0.5e6\ncentre_hz: 100e6\nduration_s: 0\n" \
              "tune_lo_hz: 99e6\ntune_hi_hz: 102e6\n" \
              "receiver: {noise_dbfs: -40}\nemitters:\n" \
              "    - {model: cw, freq_hz: 100.05e6, level_dbfs: -12}\n" \
              "    - {model: cw, freq_hz: 101.40e6, level_dbfs: -12}\n"

static int module_load(void **state)
{
    char path[PATH_MAX];
    (void)state;
    int r = hw_program_dir(path, sizeof path - 32);
    if (r < 0 || files_make(state) < 0)
        return -1;
    strncat(path, "/../soapy/libtytoSupport.so", 32);
    char *said = SoapySDR_loadModule(path);
    if (said && *said)
        print_message("%s\n", said);
    r = said && *said ? -1 : 0;
    SoapySDR_free(said);
    put_text("s.yaml", TEXT);
    return r;
}

static int module_drop(void **state)
{
    unlink("s.yaml");
    return files_drop(state);
}

struct radio { SoapySDRDevice *d; SoapySDRStream *s; int64_t t_ns; int flags; };

static struct radio radio_open(const char *args, const char *format)
{
    struct radio r = { .d = SoapySDRDevice_makeStrArgs(args) };
    if (!r.d)
        fail_msg("%s: %s", args, SoapySDRDevice_lastError());
    r.s = SoapySDRDevice_setupStream(r.d, SOAPY_SDR_RX, format, NULL, 0, NULL);
    assert_non_null(r.s);
    assert_int_equal(SoapySDRDevice_activateStream(r.d, r.s, 0, 0, 0), 0);
    return r;
}

static void radio_close(struct radio *r)
{
    assert_int_equal(SoapySDRDevice_deactivateStream(r->d, r->s, 0, 0), 0);
    SoapySDRDevice_closeStream(r->d, r->s);
    assert_int_equal(SoapySDRDevice_unmake(r->d), 0);
}

static int read_once(struct radio *r, void *dst, size_t n)
{
    long long t = 0;
    int got = SoapySDRDevice_readStream(r->d, r->s, (void *[]){ dst }, n, &r->flags, &t, 200000);
    r->t_ns = t;
    return got;
}

// Exactly n samples of `size` bytes, whatever portions they come in; the first's time in r->t_ns.
static void read_all(struct radio *r, void *dst, size_t n, size_t size)
{
    int64_t first = 0;
    for (size_t have = 0, tries = 0; have < n; tries++) {
        int got = read_once(r, (char *)dst + have * size, n - have);
        assert_true(tries < 100000 && (got >= 0 || got == SOAPY_SDR_TIMEOUT));
        if (got > 0 && !have)
            first = r->t_ns;
        have += got > 0 ? (size_t)got : 0;
    }
    r->t_ns = first;
}

// The same scene straight from the simulator: what the device must have heard.
static int16_t *truth(size_t n)
{
    struct iq_source *s;
    char why[IQ_WHY];
    int16_t *x = calloc(n + BLOCK, 4);
    struct iq_sim_cfg cfg = { .text = TEXT, .pool_blocks = 4 };
    assert_int_equal(iq_open_sim(&s, &cfg, why), 0);
    for (size_t at = 0; at < n; at += BLOCK) {
        struct iq_block *b = iq_next(s);
        assert_int_equal(b->n, BLOCK);
        memcpy(x + 2 * at, b->data, BLOCK * 4);
        iq_unref(b);
    }
    iq_close(s);
    return x;
}

static size_t found(const char *args)
{
    size_t n;
    SoapySDRKwargs *k = SoapySDRDevice_enumerateStrArgs(args, &n);
    SoapySDRKwargsList_clear(k, n);
    return n;
}

static void is_listed_only_by_name(void **state)
{
    (void)state;
    assert_int_equal(found("driver=tyto"), 1);
    assert_int_equal(found(""), 0);
    assert_int_equal(found("driver=rtlsdr"), 0);
}

static void says_what_it_is(void **state)
{
    (void)state;
    SoapySDRDevice *d = SoapySDRDevice_makeStrArgs(ENV);
    assert_non_null(d);
    SoapySDRKwargs k = SoapySDRDevice_getHardwareInfo(d);
    assert_string_equal(SoapySDRKwargs_get(&k, "origin"), "simulation");
    SoapySDRKwargs_clear(&k);
    double full;
    char *f = SoapySDRDevice_getNativeStreamFormat(d, SOAPY_SDR_RX, 0, &full);
    assert_string_equal(f, SOAPY_SDR_CS16);
    assert_true(full > 32767 && full < 32769);
    SoapySDR_free(f);
    size_t n;
    double *rates = SoapySDRDevice_listSampleRates(d, SOAPY_SDR_RX, 0, &n);
    assert_true(n == 1 && rates[0] > RATE - 1 && rates[0] < RATE + 1);
    SoapySDR_free(rates);
    assert_int_equal(SoapySDRDevice_setSampleRate(d, SOAPY_SDR_RX, 0, RATE), 0);
    assert_int_not_equal(SoapySDRDevice_setSampleRate(d, SOAPY_SDR_RX, 0, 1e6), 0);
    assert_int_not_equal(SoapySDRDevice_setFrequency(d, SOAPY_SDR_RX, 0, 103e6, NULL), 0);
    assert_non_null(strstr(SoapySDRDevice_lastError(), "103 MHz"));
    assert_int_not_equal(SoapySDRDevice_setAntenna(d, SOAPY_SDR_RX, 0, "TX"), 0);
    assert_null(SoapySDRDevice_setupStream(d, SOAPY_SDR_TX, SOAPY_SDR_CS16, NULL, 0, NULL));
    assert_null(SoapySDRDevice_setupStream(d, SOAPY_SDR_RX, SOAPY_SDR_CU8, NULL, 0, NULL));
    SoapySDRDevice_unmake(d);
}

static void gives_the_scene_in_both_formats(void **state)
{
    (void)state;
    enum { N = 20 * BLOCK };
    int16_t *want = truth(N), *x = calloc(N, 4);
    float *y = calloc(N, 8);
    struct radio r = radio_open(ENV, SOAPY_SDR_CS16);
    read_all(&r, x, N, 4);
    assert_memory_equal(x, want, N * 4);
    assert_true(r.flags & SOAPY_SDR_HAS_TIME);
    radio_close(&r);
    r = radio_open(ENV ",short_reads=1", SOAPY_SDR_CF32);
    read_all(&r, y, N, 8);
    for (size_t i = 0; i < 2 * N; i++)
        assert_true(y[i] * 32768 > want[i] - 0.01f && y[i] * 32768 < want[i] + 0.01f);
    radio_close(&r);
    free(want);
    free(x);
    free(y);
}

static void overflow_loses_what_it_says(void **state)
{
    (void)state;
    enum { EVERY = 5, ROUNDS = 4, N = (EVERY + 1) * ROUNDS * BLOCK };
    int16_t *want = truth(N + BLOCK), x[2 * BLOCK];
    struct radio r = radio_open(ENV ",overflow_every=5", SOAPY_SDR_CS16);
    int64_t t0 = -1;
    size_t at = 0, lost = 0;
    for (unsigned k = 0; k < EVERY * ROUNDS; k++) {
        if (k && k % EVERY == 0) {
            int got;
            while ((got = read_once(&r, x, BLOCK)) == SOAPY_SDR_TIMEOUT)
                ;
            assert_int_equal(got, SOAPY_SDR_OVERFLOW);
            lost += BLOCK;
            at += BLOCK;
        }
        read_all(&r, x, BLOCK, 4);
        t0 = t0 < 0 ? r.t_ns : t0;
        // The time stamp jumps by the loss, and the samples are those of their time.
        assert_in_range(r.t_ns - t0 + 5 - llround((double)at / RATE * 1e9), 0, 10);
        assert_memory_equal(x, want + 2 * at, BLOCK * 4);
        at += BLOCK;
    }
    assert_int_equal(lost, (ROUNDS - 1) * BLOCK);
    radio_close(&r);
    free(want);
}

static void falls_silent_on_request(void **state)
{
    (void)state;
    static int16_t x[2 * BLOCK];
    struct radio r = radio_open(ENV ",timeout_only=1", SOAPY_SDR_CS16);
    assert_int_equal(read_once(&r, x, BLOCK), SOAPY_SDR_TIMEOUT);
    radio_close(&r);
    r = radio_open(ENV ",stall_after=0.004096", SOAPY_SDR_CS16);    // two blocks
    read_all(&r, x, BLOCK, 4);
    read_all(&r, x, BLOCK, 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(read_once(&r, x, BLOCK), SOAPY_SDR_TIMEOUT);
    radio_close(&r);
}

static void can_be_unplugged_and_plugged_in(void **state)
{
    (void)state;
    static int16_t x[2 * BLOCK];
    const char *args = ENV ",unplug_after=0.002,unplug_mark=gone";
    struct radio r = radio_open(args, SOAPY_SDR_CS16);
    read_all(&r, x, BLOCK, 4);
    assert_int_equal(read_once(&r, x, BLOCK), SOAPY_SDR_STREAM_ERROR);
    assert_int_equal(read_once(&r, x, BLOCK), SOAPY_SDR_STREAM_ERROR);
    radio_close(&r);
    // SoapySDR remembers what it found for a moment; other words make it look anew.
    assert_int_equal(found(ENV ",serial=a,unplug_mark=gone"), 0);
    assert_null(SoapySDRDevice_makeStrArgs(args));
    assert_int_equal(found(ENV ",serial=b,unplug_mark=gone,unplug_for=1e-9"), 1);
    assert_int_equal(unlink("gone"), 0);
    assert_int_equal(found(ENV ",serial=c,unplug_mark=gone"), 1);
    r = radio_open(ENV ",unplug_after=0.002,unplug_error=unsupported", SOAPY_SDR_CS16);
    read_all(&r, x, BLOCK, 4);
    assert_int_equal(read_once(&r, x, BLOCK), SOAPY_SDR_NOT_SUPPORTED);
    radio_close(&r);
}

static void time_stamps_can_be_bad(void **state)
{
    (void)state;
    static int16_t x[2 * BLOCK];
    struct radio r = radio_open(ENV ",time=none", SOAPY_SDR_CS16);
    assert_false(SoapySDRDevice_hasHardwareTime(r.d, ""));
    read_all(&r, x, BLOCK, 4);
    assert_false(r.flags & SOAPY_SDR_HAS_TIME);
    radio_close(&r);
    r = radio_open(ENV ",time=jump,time_jump_every=3,time_jump=-2", SOAPY_SDR_CS16);
    assert_true(SoapySDRDevice_hasHardwareTime(r.d, ""));
    int64_t before = 0, jumps = 0;
    for (int k = 0; k < 7; k++) {
        read_all(&r, x, BLOCK, 4);
        int64_t step = r.t_ns - before - llround(BLOCK / RATE * 1e9);
        jumps += k && step < -1999999000 && step > -2000001000;
        assert_true(!k || (step > -10 && step < 10) || step < -1999999000);
        before = r.t_ns;
    }
    assert_int_equal(jumps, 2);
    radio_close(&r);
}

static void its_clock_can_be_set(void **state)
{
    (void)state;
    static int16_t x[2 * BLOCK];
    SoapySDRDevice *d = SoapySDRDevice_makeStrArgs(ENV);
    const int64_t t = 1700000000000000000;
    assert_int_equal(SoapySDRDevice_setHardwareTime(d, t, ""), 0);
    assert_true(SoapySDRDevice_getHardwareTime(d, "") >= t);
    struct radio r = radio_open(ENV, SOAPY_SDR_CS16);   // the same device, counted
    assert_ptr_equal(r.d, d);
    read_all(&r, x, BLOCK, 4);
    assert_true(r.t_ns >= t && r.t_ns < SoapySDRDevice_getHardwareTime(d, ""));
    radio_close(&r);
    SoapySDRDevice_unmake(d);
}

// Share of the power of x that lies at offset_hz.
static double tone_share(const int16_t *x, size_t n, double offset_hz)
{
    double complex sum = 0;
    double all = 0;
    for (size_t i = 0; i < n; i++) {
        double complex v = CMPLX(x[2 * i], x[2 * i + 1]);
        sum += v * cexp(CMPLX(0, -2 * M_PI * offset_hz / RATE * (double)i));
        all += creal(v * conj(v));
    }
    return creal(sum * conj(sum)) / (double)n / all;
}

static void tunes_inside_the_scene(void **state)
{
    (void)state;
    static int16_t x[2 * 8 * BLOCK];
    struct radio r = radio_open(ENV, SOAPY_SDR_CS16);
    read_all(&r, x, 8 * BLOCK, 4);
    assert_true(tone_share(x, 8 * BLOCK, 50e3) > 0.95);
    assert_int_equal(SoapySDRDevice_setFrequency(r.d, SOAPY_SDR_RX, 0, 101.5e6, NULL), 0);
    bool heard = false;             // buffers and the simulator's step hold older samples
    for (int k = 0; k < 40 && !heard; k++) {
        read_all(&r, x, 8 * BLOCK, 4);
        heard = tone_share(x, 8 * BLOCK, -100e3) > 0.95;
    }
    assert_true(heard && !SoapySDRDevice_setFrequency(r.d, SOAPY_SDR_RX, 0, 100e6, NULL));
    heard = false;
    for (int k = 0; k < 40 && !heard; k++) {
        read_all(&r, x, 8 * BLOCK, 4);
        heard = tone_share(x, 8 * BLOCK, 50e3) > 0.95;
    }
    assert_true(heard);
    radio_close(&r);
}

static void gain_makes_it_louder_and_clips(void **state)
{
    (void)state;
    int16_t *want = truth(4 * BLOCK), *x = calloc(4 * BLOCK, 4);
    struct radio r = { .d = SoapySDRDevice_makeStrArgs(ENV) };
    SoapySDRDevice *same = r.d;
    double gain_db = SoapySDRDevice_getGain(same, SOAPY_SDR_RX, 0), clipped = 0, finer = 0;
    assert_int_equal(SoapySDRDevice_setGain(same, SOAPY_SDR_RX, 0, gain_db + 20), 0);
    r = radio_open(ENV, SOAPY_SDR_CS16);
    read_all(&r, x, 4 * BLOCK, 4);
    for (size_t i = 0; i < 8 * BLOCK; i++) {
        double louder = fmin(fmax(10.0 * want[i], -32768), 32767);
        clipped += louder > 32766;
        assert_true(fabs(x[i] - louder) <= 6);      // half of a step at the scene's gain, and one
        finer += fabs(x[i] - louder) > 1;
    }
    assert_true(clipped > 100 && finer > BLOCK);    // the converter stands behind the gain
    radio_close(&r);
    SoapySDRDevice_unmake(same);
    free(want);
    free(x);
}

static void a_recording_goes_round(void **state)
{
    (void)state;
    enum { N = 1500 };              // no whole number of blocks
    int16_t ramp[2 * N], x[2 * 3 * N];
    for (int i = 0; i < 2 * N; i++)
        ramp[i] = (int16_t)(i * 7);
    put("r.ci16", ramp, sizeof ramp);
    const char *args = "driver=tyto,file=r.ci16,format=ci16,rate=0.5e6,freq=868e6,loop=1";
    struct radio r = radio_open(args, SOAPY_SDR_CS16);
    SoapySDRKwargs k = SoapySDRDevice_getHardwareInfo(r.d);
    assert_string_equal(SoapySDRKwargs_get(&k, "origin"), "recording");
    SoapySDRKwargs_clear(&k);
    assert_int_equal(SoapySDRDevice_setFrequency(r.d, SOAPY_SDR_RX, 0, 868e6, NULL), 0);
    assert_int_not_equal(SoapySDRDevice_setFrequency(r.d, SOAPY_SDR_RX, 0, 869e6, NULL), 0);
    read_all(&r, x, 3 * N, 4);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(x + 2 * N * i, ramp, sizeof ramp);
    radio_close(&r);
    r = radio_open("driver=tyto,file=r.ci16,format=ci16,rate=0.5e6,freq=868e6", SOAPY_SDR_CS16);
    read_all(&r, x, N, 4);
    assert_int_equal(read_once(&r, x, N), SOAPY_SDR_TIMEOUT);   // over: a radio fallen silent
    radio_close(&r);
    unlink("r.ci16");
}

static void wrong_arguments_get_a_sentence(void **state)
{
    (void)state;
    static const struct { const char *args, *word; } bad[] = {
        { "overflow=3", "overflow" }, { "seed=-1", "seed" }, { "loop=2", "loop" },
        { "rate=1e6", "file=" }, { "stall_after=soon", "soon" }, { "time=late", "time" },
        { "overflow_every=1.5", "whole" }, { "fail_open=1", "fail_open" },
        { "time_jump_every=0,time=jump", "time_jump_every" }, { "unplug_after=nan", "nan" },
        { "scene=/nowhere.yaml", "/nowhere.yaml" }, { "scene=quiet,file=x", "both" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char args[128];
        snprintf(args, sizeof args, "driver=tyto,%s", bad[i].args);
        assert_null(SoapySDRDevice_makeStrArgs(args));
        if (!strstr(SoapySDRDevice_lastError(), bad[i].word))
            fail_msg("%s: %s", args, SoapySDRDevice_lastError());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_listed_only_by_name),
        cmocka_unit_test(says_what_it_is),
        cmocka_unit_test(gives_the_scene_in_both_formats),
        cmocka_unit_test(overflow_loses_what_it_says),
        cmocka_unit_test(falls_silent_on_request),
        cmocka_unit_test(can_be_unplugged_and_plugged_in),
        cmocka_unit_test(time_stamps_can_be_bad),
        cmocka_unit_test(its_clock_can_be_set),
        cmocka_unit_test(tunes_inside_the_scene),
        cmocka_unit_test(gain_makes_it_louder_and_clips),
        cmocka_unit_test(a_recording_goes_round),
        cmocka_unit_test(wrong_arguments_get_a_sentence),
    };
    return cmocka_run_group_tests(tests, module_load, module_drop);
}
