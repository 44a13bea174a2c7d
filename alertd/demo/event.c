// SPDX-License-Identifier: GPL-3.0-or-later
// A simulated evening: the same cast each time, places and times by the seed.
//
//     2.4 GHz  crowd (Wi-Fi, Bluetooth) ------------------------------------------------>
//                 police drone ---------------------------------------------------------->
//                        racer's control radio ------------------------------------------>
//                             intruder, the same model as the police drone --------------->
//     5.8 GHz            racer's analog video ------------------------------------------->
//
// The two aircraft's homes follow from their numbers (docs/MODELS.md), so the zone lies round the
// intruder's.
#include "alertd/demo/demo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"

#define DRONEID_HZ 2444.5e6             // facts, droneid.md: one of the centres at 2.4 GHz
#define CAPTURE_HZ 2444.0e6             // the whole 9 MHz burst fits into 11 MS/s round it

// MS/s of the two devices.  The last still holds a DroneID burst, and a picture's 8 MHz.
static const double steps[DEMO_STEPS][2] = {
    { 20e6, 20e6 }, { 16e6, 14e6 }, { 12.5e6, 12.5e6 }, { 11e6, 10e6 },
};

static const double video_hz[] = { 5740e6, 5760e6, 5780e6, 5800e6, 5820e6, 5840e6, 5860e6 };

// Simulation, front, workers and tracks of both radios together take 1.55, 1.18 and 1.03 processors
// at the first three steps (bench_event, two busy Zen 4 cores; 0.4 of it the simulation at the
// first).  Daemons, rings and other programs' moments come on top: 0.5 allowed for them, and for
// the first step as much again as it takes, since a start too high costs a start anew.
unsigned demo_step(double cpus)
{
    return cpus >= 3 ? 0 : cpus >= 1.7 ? 1 : cpus >= 1.5 ? 2 : 3;
}

void demo_event_rate(struct demo_event *e, unsigned step)
{
    e->rate_hz[0] = steps[step][0];
    e->rate_hz[1] = steps[step][1];
}

static void act(struct demo_event *e, unsigned i, const char *who, const char *sign, double from_s,
                double to_s, struct rng *r)
{
    snprintf(e->act[i].who, sizeof e->act[i].who, "%s", who);
    snprintf(e->act[i].sign, sizeof e->act[i].sign, "%s", sign);
    e->act[i].start_s = rng_between(r, from_s, to_s);
    e->act[i].device = i == 2;          // the picture is at 5.8 GHz
    e->snr_db[i] = rng_between(r, 9, 16);
}

void demo_event_make(struct demo_event *e, uint64_t seed)
{
    struct rng r;

    rng_init(&r, seed);
    *e = (struct demo_event){ .seed = seed };
    demo_event_rate(e, 0);
    act(e, 0, "a police drone", "TYTOSIM0001001", 2, 6, &r);
    act(e, 1, "a racer's control radio", "ELRS", 8, 12, &r);
    act(e, 2, "the racer's picture", "nalog", 8, 12, &r);
    act(e, 3, "an intruder of the police drone's model", "TYTOSIM0002002", 14, 20, &r);
    e->elrs_uid = (unsigned)(rng_u64(&r) >> 33);
    e->video_hz = video_hz[rng_below(&r, sizeof video_hz / sizeof *video_hz)];
    e->pal = rng_below(&r, 2);
    e->freq_hz[0] = CAPTURE_HZ;
    e->freq_hz[1] = e->video_hz + rng_between(&r, -0.4e6, 0.4e6);
}

static FILE *create(const char *dir, const char *name, char why[DEMO_WHY])
{
    char path[DEMO_PATH + 32];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f)
        snprintf(why, DEMO_WHY, "%s: %s; a folder that can be written to was expected (TMPDIR)",
                 path, strerror(errno));
    return f;
}

static int finish(FILE *f, char why[DEMO_WHY])
{
    bool bad = ferror(f);
    if (!fclose(f) && !bad)
        return 0;
    snprintf(why, DEMO_WHY, "the temporary folder is full: free some space, or set TMPDIR");
    return -ENOSPC;
}

static void head(FILE *f, const struct demo_event *e, unsigned device)
{
    fprintf(f, "name: demo\nrate_hz: %.0f\ncentre_hz: %.0f\nduration_s: 0\nseed: %llu\n"
               "receiver: { noise_dbfs: -50, dc_dbfs: -60, iq_gain_db: 0.1, iq_phase_deg: 0.5,"
               " clock_ppm: 1.5, adc_bits: 12 }\nemitters:\n",
            e->rate_hz[device], e->freq_hz[device], (unsigned long long)e->seed + 7 * device);
}

static int write_low(const struct demo_event *e, const char *dir, char why[DEMO_WHY])
{
    FILE *f = create(dir, "event-2g4.yaml", why);
    if (!f)
        return -errno;
    head(f, e, 0);
    for (unsigned i = 0; i < DEMO_ACTS; i += 3)
        fprintf(f, "  - { name: %s, model: droneid, variant: real, uid: %u, freq_hz: %.0f,\n"
                   "      snr_db: %.1f, start_s: %.3f, crystal_ppm: %d,\n"
                   "      fading: { delay_ns: %d, level_db: -10, doppler_hz: %d } }\n",
                i ? "intruder" : "police drone", i ? 2002 : 1001, DRONEID_HZ, e->snr_db[i],
                e->act[i].start_s, i ? -4 : 1, i ? 60 : 120, i ? 22 : 14);
    fprintf(f, "  - { name: racer, model: elrs, mode: 250Hz, uid: %u, snr_db: %.1f, start_s: %.3f,"
               " crystal_ppm: -8 }\n", e->elrs_uid, e->snr_db[1], e->act[1].start_s);
    fprintf(f, "  - { name: stage, model: wifi, freq_hz: 2437e6, duty: 0.08, snr_db: 16,"
               " crystal_ppm: 11 }\n"
               "  - { name: phones, model: wifi, freq_hz: 2457e6, duty: 0.05, snr_db: 12, count: 2,"
               " crystal_ppm: -8 }\n"
               "  - { name: headsets, model: bluetooth, duty: 0.2, snr_db: 14, count: 2,"
               " crystal_ppm: 6 }\n");
    return finish(f, why);
}

static int write_high(const struct demo_event *e, const char *dir, char why[DEMO_WHY])
{
    FILE *f = create(dir, "event-5g8.yaml", why);
    if (!f)
        return -errno;
    head(f, e, 1);
    // 12 MS/s hold the picture's 8 MHz; it is interpolated to the device's rate.
    fprintf(f, "  - { name: racer's picture, model: fmvideo, variant: %s, freq_hz: %.0f,\n"
               "      value: %.0f, snr_db: %.1f, start_s: %.3f, crystal_ppm: 5 }\n",
            e->pal ? "pal" : "ntsc", e->video_hz, 12e6, e->snr_db[2], e->act[2].start_s);
    return finish(f, why);
}

static int write_post(const struct demo_event *e, const char *dir, char why[DEMO_WHY])
{
    FILE *f = create(dir, "alertd.yaml", why);
    if (!f)
        return -errno;
    fprintf(f, "site: Demo, summer festival\n"
               "keys_dir: post-keys\ndata_dir: post-data\n"
               "bind: tcp://127.0.0.1:*\n"
               "exercise: yes\n"
               "web: { host: 127.0.0.1, port: 8443, tls: yes, name: localhost }\n"
               "place: { lat_deg: 50.0690, lon_deg: 14.4050 }\n"
               "zones:\n"
               "  - { id: s, name: Stage, lat_deg: 50.074, lon_deg: 14.3989, radius_m: 200 }\n"
               "own_serials: [ %s ]\n", e->act[0].sign);
    return finish(f, why);
}

int demo_event_write(const struct demo_event *e, const char *dir, char why[DEMO_WHY])
{
    int r = write_low(e, dir, why);
    if (!r)
        r = write_high(e, dir, why);
    return r ? r : write_post(e, dir, why);
}

int demo_sensor_write(const struct demo_event *e, const char *dir, const char *endpoint,
                      const char *post_key, const char *modules, char why[DEMO_WHY])
{
    FILE *f = create(dir, "sensord.yaml", why);
    if (!f)
        return -errno;
    fprintf(f, "name: Tower\nproduction: no\nkeys_dir: sensor-keys\n"
               "post: { endpoint: '%s', key: '%s' }\n"
               "spool: { dir: spool, max_mb: 16, max_h: 1 }\n"
               "droneid: decode\nlegal_basis: simulated event, no person's data\n"
               "place: { lat_deg: 50.0690, lon_deg: 14.4050, alt_m: 200, err_m: 3 }\n",
            endpoint, post_key);
    if (modules)
        fprintf(f, "plugin_path: %s\n", modules);
    fprintf(f, "radios:\n");
    for (unsigned d = 0; d < 2; d++)
        fprintf(f, "  - { name: %s, profile: tyto, args: 'driver=tyto,scene=%s/event-%s.yaml',\n"
                   "      rate_hz: %.0f, centre_hz: %.0f }\n",
                d ? "5.8 GHz" : "2.4 GHz", dir, d ? "5g8" : "2g4", e->rate_hz[d], e->freq_hz[d]);
    return finish(f, why);
}
