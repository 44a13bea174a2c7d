// SPDX-License-Identifier: GPL-3.0-or-later
// Naming links: recall against SNR per mode, false drone tracks over dense traffic, and the cost of
// a finding in the classifier.  All of it simulated: crystals, channels and seeds anew each time.
//
// SNR is the contract's, in each waveform's own width.  "named": a track of the family and mode
// with verdict drone and confidence 0.5 or more.  Intervals: Wilson, 95 %.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "classifier/classifier.h"

#define SIG_DIR "classifier/sig"

struct run { unsigned drones, named; uint64_t findings; double push_s; };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool is(const struct track *t, const char *family, const char *link)
{
    return !strcmp(t->family, family) && (!link || (t->link && !strcmp(t->link, link)));
}

// One scene through the whole chain.
static struct run hear(const char *scene, const char *family, const char *link)
{
    struct run r = { 0 };
    struct iq_source *src;
    struct cls *c;
    char why[IQ_WHY];

    if (iq_open_sim(&src, &(struct iq_sim_cfg){ .text = scene }, why) < 0 ||
        cls_new(&c, &(struct cls_cfg){ .sig_dir = SIG_DIR, .droneid = DRONEID_DECODE }, why) < 0) {
        fprintf(stderr, "%s\n%s", why, scene);
        exit(2);
    }
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = src, .droneid = DRONEID_DECODE });
    struct finding *f;
    while ((f = dsp_next(d))) {
        struct decode helped;
        double t0 = now_s();
        cls_push(c, f, &helped);
        r.push_s += now_s() - t0;
        r.findings++;
        finding_free(f);
    }
    cls_finish(c);
    const struct track *t;
    for (size_t i = 0; (t = cls_track(c, i)); i++) {
        bool drone = t->verdict == VERDICT_DRONE && t->confidence >= 0.5;
        r.drones += t->verdict == VERDICT_DRONE;
        r.named += drone && family && is(t, family, link);
        if (getenv("VERBOSE") && t->verdict == VERDICT_DRONE)
            fprintf(stderr, "%s %s %.2f: %s\n", t->family, t->link ? t->link : "-", t->p_drone,
                    t->n_why > 1 ? t->why[1] : "");
    }
    dsp_free(d);
    cls_free(c);
    iq_close(src);
    return r;
}

struct subject {
    const char *family, *link, *emitter;
    double rate_hz, centre_hz, seconds, span_hz;    // the carrier is drawn within the span
};

static const struct subject subjects[] = {
    { "expresslrs", "ELRS 2.4/500Hz LoRa", "model: elrs, mode: 500Hz", 20e6, 2440e6, 1, 0 },
    { "expresslrs", "ELRS 2.4/250Hz LoRa", "model: elrs, mode: 250Hz", 20e6, 2440e6, 1, 0 },
    { "expresslrs", "ELRS 2.4/150Hz LoRa", "model: elrs, mode: 150Hz", 20e6, 2440e6, 1, 0 },
    { "expresslrs", "ELRS 2.4/50Hz LoRa", "model: elrs, mode: 50Hz", 20e6, 2440e6, 1, 0 },
    { "expresslrs", "ELRS 2.4/F1000 FLRC", "model: elrs, mode: F1000", 20e6, 2440e6, 1, 0 },
    { "expresslrs", "ELRS 2.4/K1000 FSK LR1121", "model: elrs, mode: K1000", 20e6, 2440e6, 1, 0 },
    { "dji-ocusync", NULL, "model: ocusync, mode: 10MHz", 20e6, 2440e6, 0.25, 4e6 },
    { "dji-ocusync", NULL, "model: ocusync, mode: uplink", 20e6, 2440e6, 1, 0 },
    { "analog-fpv", NULL, "model: fmvideo, variant: pal", 20e6, 5800e6, 0.02, 4e6 },
    { "analog-fpv", NULL, "model: fmvideo, variant: ntsc", 20e6, 5800e6, 0.02, 4e6 },
};

static bool heard(const struct subject *s, double snr_db, uint64_t seed)
{
    char scene[1024];
    struct rng r;

    rng_init(&r, seed);
    double freq = s->centre_hz + s->span_hz * (rng_uniform(&r) - 0.5);
    double ppm = rng_between(&r, -20, 20), rx = rng_between(&r, -5, 5);
    int n = snprintf(scene, sizeof scene,
        "rate_hz: %g\ncentre_hz: %.0f\nduration_s: %g\nseed: %llu\n"
        "receiver: { clock_ppm: %.2f, adc_bits: 12, noise_dbfs: -50, dc_dbfs: -65 }\n"
        "emitters:\n  - { %s, snr_db: %g, crystal_ppm: %.2f, uid: %u, start_s: %.4f",
        s->rate_hz, s->centre_hz, s->seconds, (unsigned long long)seed, rx, s->emitter, snr_db, ppm,
        rng_below(&r, 1u << 31), s->span_hz > 0 ? 0 : 0.01 * rng_uniform(&r));
    if (s->span_hz > 0)
        n += snprintf(scene + n, sizeof scene - (size_t)n, ", freq_hz: %.0f", freq);
    snprintf(scene + n, sizeof scene - (size_t)n, " }\n");
    return hear(scene, s->family, s->link).named > 0;
}

static void recall(unsigned n)
{
    static const double snr_db[] = { -9, -6, -3, 0, 3, 6, 9, 12 };
    enum { S = sizeof snr_db / sizeof snr_db[0] };

    printf("Named out of %u runs over SNR in dB:\n\n| family | mode | s |", n);
    for (unsigned i = 0; i < S; i++)
        printf(" %g |", snr_db[i]);
    puts("");
    for (unsigned i = 0; i < S + 3; i++)
        fputs("|---", stdout);
    puts("|");
    for (size_t k = 0; k < sizeof subjects / sizeof subjects[0]; k++) {
        const struct subject *s = &subjects[k];
        printf("| %s | %s | %g |", s->family, s->link ? s->link : s->emitter, s->seconds);
        for (unsigned i = 0; i < S; i++) {
            unsigned hits = 0;
            for (unsigned j = 0; j < n; j++)
                hits += heard(s, snr_db[i], 1000 * k + 100 * i + j);
            printf(" %u |", hits);
            fflush(stdout);
        }
        puts("");
    }
}

// A busy street, drawn at random: no drone in it.
static void street(char *scene, size_t size, uint64_t seed, double seconds)
{
    struct rng r;
    FILE *f = fmemopen(scene, size, "w");

    rng_init(&r, seed);
    fprintf(f, "rate_hz: 30.72e6\ncentre_hz: 2440e6\nduration_s: %g\nseed: %llu\n"
            "receiver: { adc_bits: 12, noise_dbfs: -50, dc_dbfs: -65, iq_gain_db: 0.2, "
            "iq_phase_deg: 1 }\nemitters:\n", seconds, (unsigned long long)seed);
    for (int i = 0; i < 2; i++)
        fprintf(f, "  - { model: %s, freq_hz: %.0f, snr_db: %.1f, crystal_ppm: %.1f }\n",
                i ? "dsss, mode: \"1\", duty: 0.1" : "wifi, duty: 0.3",
                2430e6 + 5e6 * rng_below(&r, 5), rng_between(&r, 5, 30), rng_between(&r, -20, 20));
    for (int i = 0; i < 6; i++)
        fprintf(f, "  - { model: %s, snr_db: %.1f, crystal_ppm: %.1f, uid: %u }\n",
                i % 2 ? "ble, period_s: 0.02" : "bluetooth, duty: 0.5", rng_between(&r, 3, 30),
                rng_between(&r, -30, 30), rng_below(&r, 1u << 31));
    for (int i = 0; i < 2; i++)
        fprintf(f, "  - { model: fsk, mode: \"%.0f/%.0f\", freq_hz: %.0f, period_s: %.4f, "
                "duration_s: %.4f, snr_db: %.1f }\n", rng_between(&r, 5e4, 1e6),
                rng_between(&r, 3e4, 4e5), rng_between(&r, 2430e6, 2450e6),
                rng_between(&r, 2e-3, 20e-3), rng_between(&r, 0.3e-3, 1.9e-3),
                rng_between(&r, 3, 25));
    fclose(f);
}

static void traffic(unsigned n)
{
    const double seconds = 1.0;
    unsigned drones = 0;
    uint64_t findings = 0;
    double push_s = 0;
    char scene[4096];

    for (unsigned i = 0; i < n; i++) {
        street(scene, sizeof scene, 90000 + i, seconds);
        struct run r = hear(scene, NULL, NULL);
        drones += r.drones;
        findings += r.findings;
        push_s += r.push_s;
    }
    double t = n * seconds;
    printf("\nFalse drone tracks over %.0f s of dense 2.4 GHz traffic in 30.72 MHz: %u", t, drones);
    if (!drones)
        printf(" (below %.0f an hour at 95 %%: 3/T)", 3 / t * 3600);
    printf("\nClassifier: %.1f us of one core a finding (%.0f findings a second of traffic)\n",
           1e6 * push_s / (double)(findings ? findings : 1), (double)findings / t);
}

int main(void)
{
    bool quick = getenv("QUICK") && getenv("QUICK")[0];

    recall(quick ? 2 : 6);
    traffic(quick ? 5 : 40);
    return 0;
}
