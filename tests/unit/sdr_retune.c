// SPDX-License-Identifier: GPL-3.0-or-later
// A retune through the whole path of a radio: SoapySDR, the module, tyto-radio, the ring.  A tone
// lies 300 kHz above one centre and 300 kHz below the other: no sample that says the one centre may
// hold the other's tone.
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hw/hw.h"
#include "sdr/sdr.h"

#define RATE  2.4e6
#define TONE  100.3e6
#define LOW   100.0e6
#define HIGH  100.6e6
#define PIECE 64                // samples judged at once: the two tones are orthogonal over 8

static const char scene[] =
    "rate_hz: 2.4e6\ncentre_hz: 100e6\ntune_lo_hz: 99e6\ntune_hi_hz: 102e6\nduration_s: 0\n"
    "receiver: {noise_dbfs: -60}\nemitters:\n  - {name: tone, model: cw, freq_hz: 100.3e6, "
    "snr_db: 40}\n";

// Share of the power of n samples that lies at freq_hz from the centre.
static double share(const float complex *x, unsigned n, double freq_hz)
{
    double complex sum = 0;
    double all = 0;

    for (unsigned i = 0; i < n; i++) {
        sum += (double complex)x[i] * cexp(-2 * M_PI * I * freq_hz / RATE * i);
        all += creal(x[i] * conj(x[i]));
    }
    return creal(sum * conj(sum)) / (n * all);
}

// Pieces of a block in which the tone lies where it lay at the other centre.
static unsigned wrong_pieces(const struct iq_block *b)
{
    float complex x[PIECE];
    unsigned wrong = 0;

    for (uint32_t at = 0; at + PIECE <= b->n; at += PIECE) {
        iq_to_cf32(b, at, PIECE, x);
        double here = share(x, PIECE, TONE - b->centre_hz);
        wrong += here < 0.9;
    }
    return wrong;
}

static void no_sample_carries_another_centre(void **state)
{
    (void)state;
    char path[64], args[128], program[600], plugins[600], dir[400], why[IQ_WHY];
    struct hw_profile p;
    struct iq_source *s = NULL;
    unsigned turns = 0, wrong = 0, seen[2] = { 0 };

    assert_int_equal(hw_program_dir(dir, sizeof dir), 0);
    snprintf(program, sizeof program, "%s/../bin/tyto-radio", dir);
    snprintf(plugins, sizeof plugins, "%s/../soapy", dir);
    if (access(program, X_OK) || access(plugins, X_OK))
        skip();
    snprintf(path, sizeof path, "/tmp/tyto-retune-%d.yaml", getpid());
    FILE *f = fopen(path, "w");
    assert_true(f && fputs(scene, f) >= 0 && !fclose(f));
    snprintf(args, sizeof args, "driver=tyto,scene=%s", path);
    assert_int_equal(hw_profile_load(&p, "tyto", why), 0);
    struct iq_live_cfg c = { .args = args, .profile = &p, .rate_hz = RATE, .centre_hz = LOW,
                             .gain_db = 30, .program = program, .plugin_path = plugins };
    if (iq_open_live(&s, &c, why))
        fail_msg("%s", why);
    for (unsigned i = 0; turns < 6 || seen[0] + seen[1] < 10; i++) {
        struct iq_block *b = iq_next(s);
        assert_non_null(b);
        bool high = b->centre_hz > 100.3e6;
        wrong += wrong_pieces(b);
        seen[high]++;
        // Ten blocks at each centre, then the other.
        if (seen[high] >= 10) {
            seen[0] = seen[1] = 0;
            assert_int_equal(iq_tune(s, high ? LOW : HIGH), 0);
            turns++;
        }
        iq_unref(b);
        assert_true(i < 20000);
    }
    iq_close(s);
    unlink(path);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_sample_carries_another_centre) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
