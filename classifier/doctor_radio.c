// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's look at radios at work: rate and loss, through the very path that the sensor uses.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "classifier/doctor.h"
#include "classifier/sensord.h"
#include "hw/hw.h"
#include "sdr/sdr.h"

#define MODULE_RATE_HZ 15.36e6  // of driver=tyto's built-in scene

void doctor_judge(struct doctor *d, const struct doctor_rate *r)
{
    double all = r->rate_hz * r->seconds, share = all > 0 ? (double)r->lost / all : 0;
    // Crystals are within 100 ppm; a thousandth is not the crystal, 20 ms is the bus.
    bool fast = fabs(r->measured_hz / r->rate_hz - 1) < 1e-3 + (0.02 + r->jitter_s) / r->seconds;

    if (r->restarts || r->errors)
        doctor_say(d, DOCTOR_WRONG, "another cable or port, without a hub; a stronger supply",
                   "%s: it broke off and was started again: %s%s", r->name, r->what, r->how);
    if (r->lost)
        doctor_say(d, DOCTOR_WRONG, "a lower rate, a USB 3 port of its own, fewer programs beside",
                   "%s: %.3g %% of the samples lost in %.0f s, %llu overflows%s", r->name,
                   100 * share, r->seconds, (unsigned long long)r->overflows, r->how);
    if (!fast && !r->restarts)
        doctor_say(d, DOCTOR_WRONG, "a lower rate: the radio or this machine does not keep up",
                   "%s: %.6g MS/s arrive of %.6g%s", r->name, r->measured_hz / 1e6,
                   r->rate_hz / 1e6, r->how);
    if (!r->lost && !r->restarts && fast)
        doctor_say(d, DOCTOR_OK, NULL, "%s: %.6g MS/s for %.0f s, nothing lost%s%s", r->name,
                   r->measured_hz / 1e6, r->seconds, r->hardware_time ? ", sample clock" : "",
                   r->how);
    if (r->what[0] && !r->lost && !r->restarts && fast)
        doctor_say(d, DOCTOR_NOTE, "docs/RADIOS.md tells what it means", "%s: %s%s", r->name,
                   r->what, r->how);
    if (r->jumps)
        doctor_say(d, DOCTOR_NOTE, "newer firmware, or a profile with hardware_time: false",
                   "%s: its time stamps jumped %llu times", r->name, (unsigned long long)r->jumps);
}

static double rate_of(const struct hw_profile *p)
{
    if (!strcmp(p->driver, "tyto"))
        return MODULE_RATE_HZ;
    if (p->n_rates)
        return p->rates_hz[p->n_rates - 1];
    if (p->rate_sustained_hz.v > 0)
        return p->rate_sustained_hz.v;
    return p->rate_hi_hz.v < 20e6 ? p->rate_hi_hz.v : 20e6;     // what two processors analyse
}

// Of the programs that hold radios, one that runs: it most likely holds this one.
static void cannot_open(struct doctor *d, int err, const char *why)
{
    static const char *const holders[] = { "tyto-sensord", "tyto-record", "SoapySDRServer",
                                           "rtl_tcp", "gqrx", "sdrangel" };
    char mend[200] = "plug it out and in again; then lsusb, and tyto doctor drivers";

    for (size_t i = 0; err == -EBUSY && i < sizeof holders / sizeof holders[0]; i++) {
        long pid = hw_process(holders[i]);
        if (pid) {
            snprintf(mend, sizeof mend, "%s runs as process %ld and most likely holds it: end it "
                     "first%s", holders[i], pid, i ? "" : ", or give its configuration with "
                     "--config");
            break;
        }
    }
    doctor_say(d, DOCTOR_WRONG, mend, "%s", why);
}

static void measure_as(struct doctor *d, const char *name, const struct iq_live_cfg *cfg)
{
    char why[IQ_WHY];
    struct iq_source *s;
    struct iq_block *b;
    struct iq_radio r;

    int err = iq_open_live(&s, cfg, why);
    if (err < 0) {
        cannot_open(d, err, why);
        return;
    }
    int64_t start = mono_now_ns(), end = start + (int64_t)(d->seconds * 1e9);
    int64_t now = start, first = 0;
    int64_t late = 0;
    uint64_t from = 0, to = 0;
    for (; now < end && (b = iq_next(s)); iq_unref(b)) {
        int64_t before = now;
        now = mono_now_ns();
        late = from && now - before > late ? now - before : late;
        to = b->n0 + b->n;
        from = first ? from : to;
        first = first ? first : now;
    }
    iq_radio(s, &r);
    if (!(r.rate_measured_hz > 0) && now > first)       // too short for the source's own figure
        r.rate_measured_hz = (double)(to - from) / ((double)(now - first) * 1e-9);
    doctor_judge(d, &(struct doctor_rate){ .name = name, .rate_hz = cfg->rate_hz,
        .measured_hz = r.rate_measured_hz, .seconds = (double)(mono_now_ns() - start) * 1e-9,
        .jitter_s = (double)late * 1e-9, .lost = r.lost, .overflows = r.overflows,
        .restarts = r.restarts, .errors = r.errors,
        .jumps = r.time_jumps, .hardware_time = r.hardware_time, .what = r.what, .how = "" });
    iq_close(s);
}

static void measure(struct doctor *d, const char *driver, const char *args)
{
    const char *name = hw_profile_for_driver(driver);
    char sentence[HW_WHY];
    struct hw_profile p;
    bool profiled = name && !hw_profile_load(&p, name, sentence);

    if (!profiled && !(d->rate_hz > 0)) {
        doctor_say(d, DOCTOR_NOTE, "--rate", "%s: no profile says at which rate to measure", args);
        return;
    }
    bool low = profiled && p.freq_hi_hz.v < 2.5e9;
    struct iq_live_cfg cfg = {
        .name = driver, .args = args, .profile = profiled ? &p : NULL, .gain_db = NAN,
        .rate_hz = d->rate_hz > 0 ? d->rate_hz : rate_of(&p), .plugin_path = d->plugin_path,
        .centre_hz = d->freq_hz > 0 ? d->freq_hz : low ? 868.3e6 : 2437e6,
    };
    measure_as(d, args, &cfg);
}

// As configured: rate, frequency, gain and antenna are the sensor's own.  False: none is.
static bool measure_configured(struct doctor *d)
{
    bool any = false;

    for (unsigned i = 0; d->cfg && i < d->cfg->n_radios; i++) {
        const struct sensord_radio *r = &d->cfg->radio[i];
        struct iq_live_cfg cfg = {
            .name = r->name, .args = r->args, .profile = r->profile[0] ? &r->hw : NULL,
            .rate_hz = r->rate_hz, .centre_hz = r->centre_hz, .gain_db = r->gain_db,
            .bandwidth_hz = r->bandwidth_hz, .ppm = r->ppm, .channel = r->channel,
            .antenna = r->antenna[0] ? r->antenna : NULL, .plugin_path = d->plugin_path,
        };
        if (r->kind != RADIO_LIVE)
            continue;
        measure_as(d, r->name, &cfg);
        any = true;
    }
    return any;
}

void doctor_radio(struct doctor *d)
{
    struct doctor_found all;
    char driver[64], args[512];

    if (d->device) {            // as it was given: it may hold more than a listing tells
        if (doctor_value(d->device, "driver", args, sizeof args))
            snprintf(driver, sizeof driver, "%.*s", (int)strcspn(args, ","), args);
        else
            driver[0] = 0;
        measure(d, driver, d->device);
        return;
    }
    if (doctor_running(d) || measure_configured(d))
        return;
    if (!doctor_list(d, NULL, &all) || !all.n) {
        doctor_say(d, d->cfg ? DOCTOR_NOTE : DOCTOR_WRONG, d->cfg ? NULL :
                   "plug one in, or name it with --device", d->cfg ?
                   "nothing was measured: the configuration names no radio" :
                   "nothing was measured: no radio");
        return;
    }
    for (unsigned i = 0; i < all.n; i++)
        measure(d, all.driver[i], all.args[i]);
}
