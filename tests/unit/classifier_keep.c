// SPDX-License-Identifier: GPL-3.0-or-later
// What is kept of an alarm: sealed so that only the key opens it, others' bursts taken out of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "classifier/keep_file.h"
#include "sdr/keep.h"
#include "tests/unit/folder_made.h"

static char why[IQ_WHY];

static size_t slurp(const char *path, uint8_t *to, size_t max)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(to, 1, max, f);
    fclose(f);
    return n;
}

static void only_the_key_opens_it(void **state)
{
    (void)state;
    uint8_t pk[32], sk[32], other_pk[32], other_sk[32], got[200000];
    static uint8_t data[150001];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    crypto_box_keypair(pk, sk);
    crypto_box_keypair(other_pk, other_sk);
    const size_t sizes[] = { 0, 1, 65536 - 10, 65536, 131072 - 10, sizeof data };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *file = path_of("x.tyto"), *out = path_of("o.sigmf-meta");
        char *samples = path_of("o.sigmf-data");
        assert_int_equal(keep_seal(file, pk, "{}", 2, data, sizes[i], why), 0);
        struct stat st;
        assert_int_equal(stat(file, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(keep_open(file, other_pk, other_sk, out, why), 1);
        assert_int_equal(access(out, F_OK), -1);
        assert_int_equal(keep_open(file, pk, sk, out, why), 0);
        assert_int_equal(slurp(out, got, sizeof got), 2);
        assert_int_equal(slurp(samples, got, sizeof got), sizes[i]);
        assert_memory_equal(got, data, sizes[i]);
        assert_int_equal(keep_open(file, pk, sk, out, why), -EEXIST);   // nothing is overwritten
        unlink(out);
        unlink(samples);
        // Any byte changed, and any end missing, shows.
        size_t n = slurp(file, got, sizeof got);
        for (size_t at = 0; at < n; at += n / 40 + 1) {
            FILE *f = fopen(file, "wb");
            got[at] ^= 1;
            fwrite(got, 1, n, f);
            fclose(f);
            got[at] ^= 1;
            assert_int_equal(keep_open(file, pk, sk, out, why), 1);
            f = fopen(file, "wb");
            fwrite(got, 1, at, f);
            fclose(f);
            assert_int_equal(keep_open(file, pk, sk, out, why), 1);
        }
        assert_int_equal(access(out, F_OK), -1);
    }
    assert_int_equal(keep_open(path_of("x.tyto"), pk, sk, path_of("o"), why), -EINVAL);
    assert_int_equal(keep_open(path_of("no"), pk, sk, path_of("p.sigmf-meta"), why), -ENOENT);
    assert_true(keep_seal("/no/such/folder/x", pk, "{}", 2, data, 1, why) < 0);
}

// A key to which nothing can be sealed: then nothing may lie there that looks as if it were.
static void a_key_that_is_none_keeps_nothing(void **state)
{
    (void)state;
    static const uint8_t none[32];
    assert_true(keep_seal(path_of("z.tyto"), none, "{}", 2, "samples", 7, why) < 0);
    assert_non_null(strstr(why, "z.tyto"));
    assert_int_equal(access(path_of("z.tyto"), F_OK), -1);
    assert_int_equal(access(path_of("z.tyto~"), F_OK), -1);
}

#define N 65536
#define RATE 10e6

static double power(const float complex *x, size_t a, size_t b, double f_hz)
{
    double complex sum = 0;
    double w = 0;
    for (size_t i = a; i < b; i++) {
        double v = 0.5 - 0.5 * cos(2 * M_PI * (double)(i - a) / (double)(b - a));
        sum += (double complex)x[i] * v * cexp(CMPLX(0, -2 * M_PI * f_hz / RATE * (double)i));
        w += v;
    }
    return pow(cabs(sum) / w, 2);
}

// Two carriers in noise; for a while a stranger is on the air, and only one of them is to be kept:
// the other sinks into the noise for so long, and all the rest is as it was.
static void takes_out_what_is_others(void **state)
{
    (void)state;
    float complex *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    struct rng r;
    rng_init(&r, 7);
    for (size_t i = 0; i < N; i++)
        x[i] = 1e-3f * rng_cnormal(&r) +
               0.1f * (float complex)cexp(CMPLX(0, 2 * M_PI * 1e6 / RATE * (double)i)) +
               0.1f * (float complex)cexp(CMPLX(0, -2 * M_PI * 2e6 / RATE * (double)i));
    memcpy(y, x, N * sizeof *x);
    struct mask *m = mask_new(RATE);
    struct keep_box b = { .t0_s = 1 + 20000 / RATE, .t1_s = 1 + 40000 / RATE,
                          .lo_hz = 100e6 + 0.95e6, .hi_hz = 100e6 + 1.05e6 }, both[2] = { b, b };
    both[1] = (struct keep_box){ .t0_s = 0, .t1_s = INFINITY, .lo_hz = 98e6 - 50e3,
                                 .hi_hz = 98e6 + 50e3, .plain = true };
    struct keep_box away = { .t0_s = 5, .t1_s = 6, .lo_hz = 100e6, .hi_hz = 101e6 };
    assert_int_equal(mask_apply(m, y, N, 1, 100e6, &away, 1), 0);
    assert_memory_equal(x, y, N * sizeof *x);
    assert_int_equal(mask_apply(m, y, N, 1, 100e6, both, 2), 1);
    assert_true(fabs(10 * log10(power(x, 21000, 39000, 1e6) / 0.01)) < 0.1);
    assert_true(power(y, 21000, 39000, 1e6) < 1e-8);                // 60 dB and more down
    assert_true(fabs(power(y, 21000, 39000, -2e6) / 0.01 - 1) < 0.01);      // the other stands
    assert_true(fabs(power(y, 1000, 18000, 1e6) / 0.01 - 1) < 0.01);        // before, behind
    double off = 0, before = 0, after = 0;
    for (size_t i = 2000; i < 18000; i++)
        off = fmax(off, (double)cabsf(x[i] - y[i]));
    assert_true(off < 1e-5);
    // The hole holds noise as loud as what is beside it, within 2 dB.
    for (size_t k = 0; k < 40; k++) {
        before += power(x, 22000 + 400 * k, 22400 + 400 * k, 3e6);
        after += power(y, 22000 + 400 * k, 22400 + 400 * k, 1.02e6);
    }
    assert_true(fabs(10 * log10(after / before)) < 2);
    mask_free(m);
    free(x);
    free(y);
}

static void bystanders_are_known_by_what_is_measured(void **state)
{
    (void)state;
    struct fingerprint p;
    memset(&p, 0, sizeof p);
#define NOT_MEASURED p.symbol_rate_bd = p.wifi_stf = p.barker_corr = MEAS_NONE
    NOT_MEASURED;
    p.kind = KIND_LORA;
    assert_false(keeper_bystander(&p));
    p.kind = KIND_UNKNOWN;
    assert_true(keeper_bystander(&p));
    p.kind = KIND_OFDM;
    p.numerology = OFDM_15K;
    assert_false(keeper_bystander(&p));
    p.wifi_stf = (struct meas){ 0.9, 0.01 };
    assert_true(keeper_bystander(&p));
    NOT_MEASURED;
    p.numerology = OFDM_WIFI;
    assert_true(keeper_bystander(&p));
    p.numerology = OFDM_NONE;
    p.kind = KIND_DSSS;
    assert_true(keeper_bystander(&p));
    p.kind = KIND_FSK;
    assert_true(keeper_bystander(&p));              // in doubt
    p.symbol_rate_bd = (struct meas){ 1e6, 100 };   // BLE, Bluetooth
    assert_true(keeper_bystander(&p));
    p.symbol_rate_bd = (struct meas){ 85106, 10 };  // Crossfire
    assert_false(keeper_bystander(&p));
}

static void old_and_many_go(void **state)
{
    (void)state;
    struct keep_cfg c = { .max_bytes = 2500, .max_s = 3600 };
    char name[128];
    snprintf(c.dir, sizeof c.dir, "%s", dir);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s/2030-01-0%d.tyto", dir, i + 1);
        FILE *f = fopen(name, "w");
        fprintf(f, "%1000d", i);
        fclose(f);
    }
    FILE *f = fopen(path_of("notes.txt"), "w");
    fclose(f);
    assert_int_equal(keep_make_room(&c), 2);        // the two oldest
    assert_int_equal(access(path_of("2030-01-02.tyto"), F_OK), -1);
    assert_int_equal(access(path_of("2030-01-03.tyto"), F_OK), 0);
    assert_int_equal(keep_make_room(&c), 0);
    c.max_s = -1;                                   // all are older than that
    assert_int_equal(keep_make_room(&c), 2);
    assert_int_equal(access(path_of("notes.txt"), F_OK), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(only_the_key_opens_it), CASE(takes_out_what_is_others),
        CASE(bystanders_are_known_by_what_is_measured), CASE(old_and_many_go),
        CASE(a_key_that_is_none_keeps_nothing),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
