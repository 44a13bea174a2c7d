// SPDX-License-Identifier: GPL-3.0-or-later
// Files of measured plans: made here, as FFTW itself measures and writes them, then read; and each
// way in which one can be wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <complex.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fftw3.h>

#include "dsp/fft.h"
#include "dsp/plans.h"
#include "hw/hw.h"

enum { POINTS = 48 };           // of no chain

static char *wisdom;            // of POINTS points, forward, apart
static char path[32];

static fftwf_plan measured(unsigned flags)
{
    static float complex *a, *b;
    a = a ? a : dft_alloc(POINTS);
    b = b ? b : dft_alloc(POINTS);
    return fftwf_plan_dft_1d(POINTS, (fftwf_complex *)a, (fftwf_complex *)b, FFTW_FORWARD,
                             FFTW_MEASURE | FFTW_PRESERVE_INPUT | flags);
}

static int make(void **state)
{
    (void)state;
    fftwf_destroy_plan(measured(0));
    wisdom = fftwf_export_wisdom_to_string();
    fftwf_forget_wisdom();
    int n = snprintf(path, sizeof path - 7, "/tmp/tyto-plans-");
    memset(path + n, 'X', 6);                   // mkstemp wants these
    int fd = mkstemp(path);
    return fd < 0 || close(fd) || !wisdom;
}

static int drop(void **state)
{
    (void)state;
    free(wisdom);
    return unlink(path);
}

// Published constants of FNV-1a with 64 bits.
static uint64_t fnv(const char *x)
{
    uint64_t h = 14695981039346656037u;
    for (; *x; x++) {
        h ^= (unsigned char)*x;
        h *= 1099511628211u;
    }
    return h;
}

static void fill(char *to, size_t size, const char *version, const char *cpu, const char *fftw)
{
    snprintf(to, size, "tyto-plans %s\ncpu %s\nfftw %s\nsum %016" PRIx64 "\n%s", version, cpu, fftw,
             fnv(wisdom), wisdom);
}

static void good_plans_are_taken(void **state)
{
    static char text[1 << 16];
    char cpu[HW_CPU_NAME], why[PLANS_WHY];
    (void)state;

    assert_null(measured(FFTW_WISDOM_ONLY));
    hw_cpu_name(cpu);
    fill(text, sizeof text, "1", cpu, fftwf_version);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && !fclose(f));
    assert_int_equal(plans_load(path, why), 0);
    fftwf_plan p = measured(FFTW_WISDOM_ONLY);
    assert_non_null(p);
    fftwf_destroy_plan(p);
    // Transforms are right with plans that are known, and with those that are not.
    for (unsigned n = POINTS; n <= POINTS + 2; n += 2) {
        struct dft *d = dft_new(n, DFT_FORWARD, 1);
        float complex *x = dft_alloc(n), *y = dft_alloc(n);
        assert_true(d && x && y);
        for (unsigned i = 0; i < n; i++)
            x[i] = cexpf(2 * (float)M_PI * I * (float)(5 * i % n) / (float)n);
        dft_run(d, x, y);
        for (unsigned k = 0; k < n; k++)
            assert_true(cabsf(y[k] - (k == 5 ? (float)n : 0)) < 1e-4f);
        free(x);
        free(y);
        dft_free(d);
    }
    dft_plans(DFT_ESTIMATE);
    fftwf_forget_wisdom();
}

static void refused(const char *text, size_t n, const char *word)
{
    char why[PLANS_WHY] = "";
    assert_true(plans_read(text, n, why) < 0);
    assert_non_null(strstr(why, word));
    assert_null(measured(FFTW_WISDOM_ONLY));
}

static void others_are_refused(void **state)
{
    static char text[1 << 16];
    char cpu[HW_CPU_NAME];
    (void)state;

    hw_cpu_name(cpu);
    fill(text, sizeof text, "2", cpu, fftwf_version);
    refused(text, strlen(text), "version");
    fill(text, sizeof text, "1", "Someone else's", fftwf_version);
    refused(text, strlen(text), "another processor");
    fill(text, sizeof text, "1", cpu, "fftw-2.1.5");
    refused(text, strlen(text), "another FFTW");
    fill(text, sizeof text, "1", cpu, fftwf_version);
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i += i < n - 40 ? 37 : 1)         // cut off anywhere
        refused(text, i, "tyto doctor --tune");
    for (size_t i = 0; i < n; i += 23) {                        // one bit wrong anywhere
        text[i] ^= 1;
        refused(text, n, "tyto doctor --tune");
        text[i] ^= 1;
    }
    free(wisdom);               // right for us, not for FFTW
    wisdom = strdup("(fftw-3.3.10 fftwf_wisdom #x0 #x0 #x0 #x0\n)\n");
    assert_non_null(wisdom);
    fill(text, sizeof text, "1", cpu, fftwf_version);
    refused(text, strlen(text), "FFTW does not know");
}

static void what_is_no_file_is_told(void **state)
{
    char why[PLANS_WHY] = "";
    const double rate_hz = 1e6;
    (void)state;

    assert_int_equal(plans_load("/nowhere/plans", why), -ENOENT);
    assert_true(plans_load("/tmp", why) < 0 && strstr(why, "/tmp"));
    assert_true(plans_load("/dev/zero", why) < 0 && strstr(why, "/dev/zero"));
    // Told before it measures for a minute.
    assert_int_equal(plans_tune("/nowhere/plans", &rate_hz, 1, why), -ENOENT);
    assert_non_null(strstr(why, "/nowhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_plans_are_taken),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(what_is_no_file_is_told),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
