// SPDX-License-Identifier: GPL-3.0-or-later
// A radio that is tuned to another centre half way: what is told of either half is where it was on
// the air, and neither half knows anything of the other.
//
//     2444 MHz |== noise, DroneID, packets, a carrier ==|== 10 dB more noise, the same ==| 5800 MHz
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dsp/dsp.h"
#include "tests/unit/sdr_files.h"

#define RATE   12.5e6
#define HALF_S 0.12

static uint64_t half_n;         // samples of the first half

static void append(FILE *to, const char *name)
{
    static char buf[65536];
    FILE *f = fopen(name, "rb");
    size_t n;

    assert_non_null(f);
    while ((n = fread(buf, 1, sizeof buf, f)))
        assert_int_equal(fwrite(buf, 1, n, to), n);
    fclose(f);
}

static void render(const char *name, double centre_hz, double noise_dbfs, int uid, double off_hz)
{
    char text[1500], path[64], why[IQ_WHY];

    snprintf(text, sizeof text, "name: half\nrate_hz: %g\ncentre_hz: %.0f\nduration_s: %g\n"
             "seed: %d\nreceiver: { noise_dbfs: %g, adc_bits: 12 }\nemitters:\n"
             "  - { name: a, model: droneid, variant: real, uid: %d, freq_hz: %.0f, snr_db: 12,"
             " start_s: 0.05 }\n"
             "  - { name: c, model: cw, freq_hz: %.0f, snr_db: 20 }\n"
             "  - { name: p, model: fsk, mode: 38400/20000, freq_hz: %.0f, snr_db: 20,"
             " duration_s: 0.004, period_s: 0.02 }\n",
             RATE, centre_hz, HALF_S, uid, noise_dbfs, uid, centre_hz + off_hz, centre_hz + 5.9e6,
             centre_hz - 5.6e6);
    snprintf(path, sizeof path, "%s.sigmf-meta", name);
    if (iq_sim_write(&(struct iq_sim_cfg){ .text = text }, path, NULL, NULL, why))
        fail_msg("%s", why);
    unlink(path);
}

static int setup(void **state)
{
    static const char *const parts[] = { "a.sigmf-data", "b.sigmf-data" };
    int r = files_make(state);

    render("a", 2444e6, -55, 4001, 0.5e6);
    render("b", 5800e6, -45, 4002, -0.5e6);
    FILE *f = fopen("two.sigmf-data", "wb");
    assert_non_null(f);
    for (int i = 0; i < 2; i++) {
        append(f, parts[i]);
        half_n = i ? half_n : (uint64_t)ftell(f) / 4;
        unlink(parts[i]);
    }
    fclose(f);
    f = fopen("two.sigmf-meta", "w");
    assert_non_null(f);
    fprintf(f, "{\"global\":{\"core:datatype\":\"ci16_le\",\"core:sample_rate\":%.0f,"
               "\"core:version\":\"1.0.0\"},\"captures\":[{\"core:sample_start\":0,"
               "\"core:frequency\":2444e6},{\"core:sample_start\":%llu,\"core:frequency\":5800e6}],"
               "\"annotations\":[]}", RATE, (unsigned long long)half_n);
    fclose(f);
    return r;
}

static int teardown(void **state)
{
    unlink("two.sigmf-data");
    unlink("two.sigmf-meta");
    return files_drop(state);
}

struct heard { unsigned bursts, packets, carriers, frames, ahead, ends, psd; };

static struct heard half[2];

static void on_psd(const struct psd_frame *f, void *arg)
{
    (void)arg;
    assert_true(f->centre_hz == 2444e6 || f->centre_hz == 5800e6);
    half[f->centre_hz == 5800e6].psd++;
}

static void take(const struct finding *f)
{
    double border = (double)half_n / RATE, t = f->fp.t_s.v, hz = f->fp.freq_hz.v;
    unsigned k = t >= border - 50e-6;
    struct heard *h = &half[k];
    double centre = k ? 5800e6 : 2444e6;

    if (f->reject && !f->ahead)
        return;
    assert_true(f->centre_hz == centre && fabs(hz - centre) < RATE / 2);
    if (!k && f->part != BURST_RUN_FIRST && f->part != BURST_RUN_MORE)
        assert_true(t + f->fp.dur_s.v < border + 100e-6);
    h->ahead += f->ahead;
    for (unsigned i = 0; i < f->n_decode; i++) {
        h->frames++;
        assert_true(fabs(f->decode[i].freq_hz.v - (centre + (k ? -0.5e6 : 0.5e6))) < 30e3);
        assert_true(fabs(f->decode[i].t_s.v - (k * border + 0.05)) < 20e-6);
    }
    if (f->ahead)
        return;
    // what is told beside the carrier is the carrier's
    h->bursts += f->part == BURST_WHOLE && fabs(hz - (centre + 5.9e6)) > 0.3e6;
    h->packets += f->part == BURST_WHOLE && fabs(hz - (centre - 5.6e6)) < 20e3;
    h->carriers += f->part == BURST_RUN_FIRST && fabs(hz - (centre + 5.9e6)) < 20e3;
    h->ends += f->part == BURST_RUN_END && fabs(hz - (centre + 5.9e6)) < 20e3;
}

static void run(unsigned threads)
{
    struct iq_file_cfg cfg = { .path = "two.sigmf-meta", .pool_blocks = DSP_POOL_BLOCKS };
    struct iq_source *s;
    struct finding *f;
    char why[IQ_WHY];
    uint64_t tick = 0;

    memset(half, 0, sizeof half);
    assert_int_equal(iq_open_file(&s, &cfg, why), 0);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = threads,
                                               .droneid = DRONEID_DECODE, .on_psd = on_psd });
    assert_non_null(d);
    while ((f = dsp_next(d))) {
        assert_true(f->tick >= tick);
        tick = f->tick;
        take(f);
        finding_free(f);
    }
    assert_string_equal(iq_counts(s)->fault, "");
    assert_int_equal(iq_counts(s)->samples, 2 * half_n);
    dsp_free(d);
    iq_close(s);
}

static void test_both_halves(void **state)
{
    (void)state;
    run(2);
    for (unsigned k = 0; k < 2; k++) {
        const struct heard *h = &half[k];
        print_message("%s: %u bursts, %u packets, %u carriers, %u ended, %u frames, %u ahead\n",
                      k ? "behind" : "before", h->bursts, h->packets, h->carriers, h->ends,
                      h->frames, h->ahead);
        assert_int_equal(h->frames, 1);
        assert_int_equal(h->ahead, 1);
        assert_int_equal(h->carriers, 1);
        assert_int_equal(h->ends, 1);
        assert_in_range(h->packets, 5, 7);
        // the frame, the packets: more noise than before is no signal, nor is the old floor's shape
        assert_in_range(h->bursts, h->packets + 1, h->packets + 3);
    }
}

// iq_tune while the chain runs, from the thread that reads findings: where the change falls is not
// known beforehand, but every finding's place on the air is right, before and behind.
static void test_tuned_meanwhile(void **state)
{
    (void)state;
    static const char scene[] = "rate_hz: 12.5e6\ncentre_hz: 2444e6\nduration_s: 0\nseed: 7\n"
        "tune_lo_hz: 2400e6\ntune_hi_hz: 2480e6\nreceiver: { noise_dbfs: -50 }\nemitters:\n"
        "  - { name: a, model: droneid, uid: 1, freq_hz: 2444.5e6, snr_db: 14, period_s: 0.02 }\n"
        "  - { name: b, model: droneid, uid: 2, freq_hz: 2473.6e6, snr_db: 14, period_s: 0.02 }\n";
    struct iq_sim_cfg cfg = { .text = scene, .pool_blocks = DSP_POOL_BLOCKS };
    unsigned here = 0, there = 0;
    struct iq_source *s;
    struct finding *f;
    char why[IQ_WHY];

    assert_int_equal(iq_open_sim(&s, &cfg, why), 0);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = 2,
                                               .droneid = DRONEID_DECODE });
    assert_non_null(d);
    while ((f = dsp_next(d))) {
        for (unsigned i = 0; i < f->n_decode; i++) {
            bool new = f->centre_hz == 2473e6;
            assert_true(new || (f->centre_hz == 2444e6 && !there));
            assert_true(fabs(f->decode[i].freq_hz.v - (new ? 2473.6e6 : 2444.5e6)) < 30e3);
            here += !new;
            there += new;
            if (here == 2 && !new)
                assert_int_equal(iq_tune(s, 2473e6), 0);
            if (there == 3)
                iq_stop(s);
        }
        finding_free(f);
    }
    assert_true(here >= 2 && there >= 3);
    dsp_free(d);
    iq_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_halves),
        cmocka_unit_test(test_tuned_meanwhile),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
