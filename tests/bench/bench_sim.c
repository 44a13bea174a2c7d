// SPDX-License-Identifier: GPL-3.0-or-later
// What the simulator costs: cores for a receiver of 20 MS/s in real time, by what is on the air.
// "noise" is what every scene pays, the others what one emitter adds; "event" are the two captures
// of the demo's event, all senders on the air.  MODEL=name: that one alone, SECONDS=s of samples.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hw/hw.h"
#include "sdr/sdr.h"

#define SECONDS 4.0

#define HEAD "rate_hz: 20e6\ncentre_hz: %.0f\nduration_s: %.3f\nseed: 5\n" \
    "receiver: { noise_dbfs: -50, dc_dbfs: -60, iq_gain_db: 0.1, iq_phase_deg: 0.5," \
    " clock_ppm: 1.5, adc_bits: 12 }\n"

static const struct { const char *name; double centre_hz; const char *emitters; } scenes[] = {
    { "noise", 2444e6, "" },
    { "cw", 2444e6, "- { model: cw, freq_hz: 2440e6, snr_db: 10, crystal_ppm: 3 }\n" },
    { "fsk", 2444e6, "- { model: fsk, mode: 100000/50000, freq_hz: 2440e6, snr_db: 10,"
      " duration_s: 0.5, period_s: 0.51, crystal_ppm: 3 }\n" },
    { "fmvideo", 5800e6, "- { model: fmvideo, variant: pal, freq_hz: 5800.3e6, value: 12e6,"
      " snr_db: 12, crystal_ppm: 5 }\n" },
    { "fmvideo20", 5800e6, "- { model: fmvideo, variant: ntsc, freq_hz: 5800.3e6, snr_db: 12,"
      " crystal_ppm: 5 }\n" },
    { "wifi", 2444e6, "- { model: wifi, freq_hz: 2437e6, duty: 0.5, snr_db: 16,"
      " crystal_ppm: 11 }\n" },
    { "bluetooth", 2444e6, "- { model: bluetooth, duty: 0.5, snr_db: 14, crystal_ppm: 6 }\n" },
    { "ble", 2444e6, "- { model: ble, snr_db: 14, crystal_ppm: 6, count: 4, period_s: 0.02 }\n" },
    { "droneid", 2444e6, "- { model: droneid, variant: real, uid: 1001, freq_hz: 2444.5e6,"
      " snr_db: 12, crystal_ppm: 1, fading: { delay_ns: 120, level_db: -10, doppler_hz: 14 } }\n" },
    { "elrs", 2444e6, "- { model: elrs, mode: 250Hz, uid: 77, snr_db: 12, crystal_ppm: -8 }\n" },
    { "ocusync", 2444e6, "- { model: ocusync, freq_hz: 2444e6, snr_db: 12, crystal_ppm: 2 }\n" },
    { "lte", 2444e6, "- { model: lte, freq_hz: 2444e6, snr_db: 12, crystal_ppm: 2 }\n" },
    { "dsss", 2444e6, "- { model: dsss, freq_hz: 2444e6, snr_db: 12, crystal_ppm: 2 }\n" },
    { "event 2.4", 2444e6,
      "- { model: droneid, variant: real, uid: 1001, freq_hz: 2444.5e6, snr_db: 12,"
      " crystal_ppm: 1, fading: { delay_ns: 120, level_db: -10, doppler_hz: 14 } }\n"
      "- { model: droneid, variant: real, uid: 2002, freq_hz: 2444.5e6, snr_db: 10,"
      " crystal_ppm: -4, fading: { delay_ns: 60, level_db: -10, doppler_hz: 22 } }\n"
      "- { model: elrs, mode: 250Hz, uid: 77, snr_db: 12, crystal_ppm: -8 }\n"
      "- { model: wifi, freq_hz: 2437e6, duty: 0.08, snr_db: 16, crystal_ppm: 11 }\n"
      "- { model: wifi, freq_hz: 2457e6, duty: 0.05, snr_db: 12, count: 2, crystal_ppm: -8 }\n"
      "- { model: bluetooth, duty: 0.2, snr_db: 14, count: 2, crystal_ppm: 6 }\n" },
    { "event 5.8", 5800e6, "- { model: fmvideo, variant: pal, freq_hz: 5800.3e6, value: 12e6,"
      " snr_db: 12, crystal_ppm: 5 }\n" },
};

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// FNV-1a of the samples, 8 bytes at a time: the same on every instruction set.
static uint64_t hash(uint64_t h, const void *p, size_t n)
{
    for (size_t i = 0; i + 8 <= n; i += 8) {
        uint64_t v;
        memcpy(&v, (const char *)p + i, sizeof v);
        h = (h ^ v) * 0x100000001b3u;
    }
    return h;
}

// Processor seconds per second of samples; < 0: no such scene.
static double run(size_t i, double seconds, uint64_t *ret_hash)
{
    char text[4096], why[IQ_WHY];
    struct iq_source *s;
    struct iq_block *b;
    double hashed = 0;

    snprintf(text, sizeof text, HEAD "%s%s", scenes[i].centre_hz, seconds,
             *scenes[i].emitters ? "emitters:\n" : "", scenes[i].emitters);
    if (iq_open_sim(&s, &(struct iq_sim_cfg){ .text = text }, why) < 0) {
        fprintf(stderr, "bench_sim: %s: %s\n", scenes[i].name, why);
        return -1;
    }
    *ret_hash = 0xcbf29ce484222325u;
    double t0 = cpu_s();
    for (; (b = iq_next(s)); iq_unref(b)) {
        double t = cpu_s();
        *ret_hash = hash(*ret_hash, b->data, (size_t)b->n * iq_format_bytes(b->format));
        hashed += cpu_s() - t;
    }
    double spent = (cpu_s() - t0 - hashed) / seconds;
    iq_close(s);
    return spent;
}

int main(void)
{
    const char *only = getenv("MODEL"), *length = getenv("SECONDS"), *quick = getenv("QUICK");
    double seconds = length ? strtod(length, NULL) : quick && *quick ? 0.5 : SECONDS, noise = 0;

    printf("%s kernels, %.1f s of 20 MS/s each.\n\n| on the air | cores | less the noise | hash |\n"
           "|---|---|---|---|\n", hw_isa_name(hw_isa()), seconds);
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        uint64_t h;
        if (only && strcmp(only, scenes[i].name))
            continue;
        double cores = run(i, seconds, &h);
        if (cores < 0)
            return 2;
        noise = i ? noise : cores;
        printf("| %s | %.3f | %.3f | %016llx |\n", scenes[i].name, cores, cores - noise,
               (unsigned long long)h);
        fflush(stdout);
    }
    return 0;
}
