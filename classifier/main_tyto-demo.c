// SPDX-License-Identifier: GPL-3.0-or-later
// tyto-demo: the whole chain on one machine on a simulated event.
//
//     scene -> simulator -> [dsp] -> [classifier] -> what was found, beside what was on the air
//
// Two windows of spectrum after another, as one sensor would visit them.  Nothing here is radio.
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/version.h"
#include "classifier/args.h"
#include "classifier/classifier.h"
#include "classifier/demo.h"

#define SEED_MAX 9007199254740992.0     // 2^53: whole numbers a double holds

struct window { const char *about; const char *scene; double seconds; };

// An event on a summer evening: a town's 2.4 GHz band, and the video band above it.
static const struct window windows[] = {
    { "2.4 GHz: a DJI aircraft, an ExpressLRS racer, and the town's Wi-Fi and Bluetooth",
      "name: demo, 2.4 GHz\n"
      "rate_hz: 30.72e6\n"
      "centre_hz: 2440e6\n"
      "duration_s: 2.0\n"
      "receiver: { noise_dbfs: -55, dc_dbfs: -60, iq_gain_db: 0.1, iq_phase_deg: 0.5,\n"
      "            clock_ppm: 1.5, adc_bits: 12 }\n"
      "emitters:\n"
      "  - { name: aircraft, model: droneid, freq_hz: 2444.5e6, snr_db: 8, crystal_ppm: 3 }\n"
      "  - { name: racer, model: elrs, mode: 250Hz, uid: 287454020, snr_db: 12, crystal_ppm: -8 }\n"
      "  - { name: access point, model: wifi, freq_hz: 2432e6, duty: 0.15, snr_db: 18,\n"
      "      crystal_ppm: 11 }\n"
      "  - { name: tag, model: ble, snr_db: 16, period_s: 0.1, crystal_ppm: -15 }\n"
      "  - { name: headset, model: bluetooth, duty: 0.4, snr_db: 14, crystal_ppm: 6 }\n",
      2.0 },
    { "5.8 GHz: an analog FPV picture",
      "name: demo, 5.8 GHz\n"
      "rate_hz: 20e6\n"
      "centre_hz: 5742e6\n"
      "duration_s: 0.4\n"
      "receiver: { noise_dbfs: -55, adc_bits: 12 }\n"
      "emitters:\n"
      "  - { name: goggles feed, model: fmvideo, variant: pal, freq_hz: 5740e6, snr_db: 14,\n"
      "      crystal_ppm: 5 }\n",
      0.4 },
};
#define WINDOWS (sizeof windows / sizeof windows[0])

static const char usage[] =
    "usage: tyto demo [--seed N]\n"
    "\n"
    "Simulates an event, analyses it with the sensor's own chain, and prints what was found\n"
    "beside what was on the air.  No radio is used.\n"
    "\n"
    "  --seed N   another event of the same kind (default 1)\n"
    "\n"
    "Exit: 0 all found and no false alarm, 1 otherwise, 2 bad use.\n";

__attribute__((format(printf, 1, 2))) static int bad(const char *fmt, ...)
{
    va_list ap;

    fputs("tyto-demo: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs("\n", stderr);
    return 2;
}

struct progress { double base_s, all_s; int percent; };

static void on_psd(const struct psd_frame *p, void *arg)
{
    struct progress *g = arg;
    int percent = (int)(100 * (g->base_s + p->t_s) / g->all_s);

    if (percent > g->percent && isatty(STDERR_FILENO)) {
        g->percent = percent;
        fprintf(stderr, "\rsimulating and analysing: %3d %%", percent > 99 ? 99 : percent);
        fflush(stderr);
    }
}

static void listen(struct dsp *d, struct cls *c, struct demo *demo)
{
    struct decode helped;
    struct finding *f;

    while ((f = dsp_next(d))) {
        for (unsigned i = 0; i < f->n_decode; i++)
            demo_decode(demo, &f->decode[i]);
        if (cls_push(c, f, &helped) > 0)
            demo_decode(demo, &helped);
        finding_free(f);
    }
    cls_finish(c);
}

static int run(const struct window *w, uint64_t seed, struct progress *g, struct demo_result *sum)
{
    struct iq_sim_cfg cfg = { .text = w->scene, .seed = seed, .seed_given = true };
    struct demo *demo = calloc(1, sizeof *demo);
    struct iq_source *src = NULL;
    struct cls *c = NULL;
    struct dsp *d = NULL;
    char why[IQ_WHY];
    int r = 0;

    if (iq_open_sim(&src, &cfg, why) < 0 ||
        cls_new(&c, &(struct cls_cfg){ .droneid = DRONEID_DECODE }, why) < 0)
        r = bad("%s", why);
    else if (!demo || !(d = dsp_new(&(struct dsp_cfg){ .source = src, .droneid = DRONEID_DECODE,
                                                       .on_psd = on_psd, .arg = g })))
        r = bad("there is not enough memory for %g MS/s", iq_info(src).rate_hz / 1e6);
    if (!r) {
        listen(d, c, demo);
        if (g->percent)
            fputs("\r                                    \r", stderr);
        printf("%s\n", w->about);
        demo_compare(demo, src, c, stdout, sum);
        putchar('\n');
        g->base_s += w->seconds;
    }
    dsp_free(d);
    cls_free(c);
    iq_close(src);
    free(demo);
    return r;
}

int main(int argc, char **argv)
{
    static const struct option table[] = {
        { "seed", required_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' },    { NULL, 0, NULL, 0 },
    };
    struct demo_result sum = { 0 };
    struct progress g = { 0 };
    double seed = 1;
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (c == 'h')
            return fputs(usage, stdout) < 0 ? 2 : 0;
        if (c == 'v')
            return puts("tyto-demo " TYTO_VERSION) < 0 ? 2 : 0;
        if (c != 's')
            return bad("option '%s' is not known; see tyto demo --help", argv[optind - 1]);
        if (args_number(optarg, 0, SEED_MAX, &seed) < 0 || seed != (double)(uint64_t)seed)
            return bad("--seed: a whole number from 0 to 2^53 was expected, not '%s'", optarg);
    }
    if (optind < argc)
        return bad("nothing else was expected, '%s' was given", argv[optind]);
    puts("SIMULATION - no radio, no aircraft: a made-up event, told apart by the sensor's chain\n");
    for (size_t i = 0; i < WINDOWS; i++)
        g.all_s += windows[i].seconds;
    for (size_t i = 0; i < WINDOWS; i++)
        if ((c = run(&windows[i], (uint64_t)seed, &g, &sum)))
            return c;
    printf("SIMULATION: %u found, %u missed, %u false alarms\n", sum.found, sum.missed,
           sum.false_alarms);
    return sum.missed || sum.false_alarms ? 1 : 0;
}
