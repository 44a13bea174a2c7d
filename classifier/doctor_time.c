// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's look at time and place: chronyd, systemd-timesyncd and gpsd are each asked.
#include <math.h>
#include <time.h>

#include "classifier/doctor.h"
#include "classifier/sensord.h"
#include "hw/hw.h"

#define ERR_MOST_S 0.1          // posts refuse what is so far ahead (SAPIENT)
#define OFF_MOST_S 2.0          // of a receiver's time over gpsd: it is told up to a second late
#define AGE_MOST_S 3600.0       // both ask their servers at least every 34 minutes
#define GPS_S      2.5          // gpsd tells a fix every second

static const char get_one[] =
    "install chrony (or gpsd and chrony where there is no network) and wait a few minutes";

// True where chronyd keeps the clock well.
static bool ask_chrony(struct doctor *d, const struct hw_keepers *k)
{
    const char *from = k->chrony_source[0] ? k->chrony_source : "its source";

    if (!k->chrony)
        return false;
    if (!k->chrony_answers)
        doctor_say(d, DOCTOR_NOTE, "\"cmdport 0\" in its chrony.conf keeps it from telling",
                   "chronyd runs, and does not answer how good the clock is");
    else if (!k->chrony_synchronised)
        doctor_say(d, DOCTOR_WRONG, "chronyc sources shows why: no network, no server, no receiver",
                   "chronyd runs, and has no source that it follows");
    else if (k->chrony_err_s > ERR_MOST_S)
        doctor_say(d, DOCTOR_WRONG, "wait a few minutes; a nearer server or a receiver if it stays",
                   "chronyd follows %s, and may be wrong by %.3g s", from, k->chrony_err_s);
    else if (k->chrony_age_s > AGE_MOST_S)
        doctor_say(d, DOCTOR_WRONG, "chronyc sources shows which server or receiver went silent",
                   "chronyd last heard of %s %.0f minutes ago", from, k->chrony_age_s / 60);
    else
        doctor_say(d, DOCTOR_OK, NULL, "kept by chronyd from %s%s, right within %.3g s", from,
                   k->chrony_gnss ? " (a receiver)" : "", k->chrony_err_s);
    return k->chrony_answers;
}

static bool ask_timesyncd(struct doctor *d, const struct hw_keepers *k)
{
    if (k->timesyncd && k->timesyncd_age_s < 0)
        doctor_say(d, DOCTOR_WRONG, "timedatectl timesync-status shows why; no network, no server?",
                   "systemd-timesyncd runs, and has not set the clock yet");
    else if (k->timesyncd && k->timesyncd_age_s > AGE_MOST_S)
        doctor_say(d, DOCTOR_WRONG, "timedatectl timesync-status; is the network gone?",
                   "systemd-timesyncd last set the clock %.0f minutes ago",
                   k->timesyncd_age_s / 60);
    else if (k->timesyncd)
        doctor_say(d, DOCTOR_OK, NULL, "kept by systemd-timesyncd, set %.0f s ago",
                   k->timesyncd_age_s);
    return k->timesyncd;
}

static void ask_kernel(struct doctor *d, const struct hw_keepers *k, bool told)
{
    struct hw_clock c;

    hw_clock_read(&c);
    double err_s = (double)c.err_ns * 1e-9;
    if (told)
        return;
    if (!k->kernel)
        doctor_say(d, DOCTOR_WRONG, get_one, "nothing keeps the clock right: %s",
                   k->chrony ? "chronyd has not told the kernel that it does" :
                   "neither chronyd nor systemd-timesyncd runs, and the kernel knows of nobody "
                   "else");
    else
        doctor_say(d, err_s > ERR_MOST_S ? DOCTOR_WRONG : DOCTOR_OK,
                   err_s > ERR_MOST_S ? get_one : NULL,
                   "kept by %s, right within %.3g s as the kernel was told",
                   k->chrony ? "chronyd" : "a program unknown to us", err_s);
}

// Waits for gpsd; false: it tells no fix.
static bool ask_gpsd(struct doctor *d, struct hw_place *ret, uint64_t *ret_refused,
                     const char **ret_why)
{
    const char *host = d->cfg && d->cfg->gpsd_host[0] ? d->cfg->gpsd_host : NULL;
    const char *port = d->gps_port ? d->gps_port :
                       d->cfg && d->cfg->gpsd_port[0] ? d->cfg->gpsd_port : NULL;
    struct hw_gps *g = hw_gps_new(host, port);

    *ret = (struct hw_place){ .clock_off_s = NAN };
    *ret_refused = 0;
    *ret_why = "";
    for (double s = 0; g && s < GPS_S && !ret->known; s += 0.1) {
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
        hw_gps_read(g, ret);
    }
    if (g)
        *ret_refused = hw_gps_refused(g, ret_why);
    hw_gps_free(g);
    return ret->known;
}

void doctor_keepers(struct doctor *d, const struct hw_keepers *k)
{
    bool chrony = ask_chrony(d, k), timesyncd = !chrony && ask_timesyncd(d, k);

    ask_kernel(d, k, chrony || timesyncd);
}

// An event of the sensor is dated by this clock.
void doctor_clock(struct doctor *d)
{
    struct hw_keepers k;
    struct hw_place p;
    const char *why;
    uint64_t refused;

    hw_keepers_read(&k);
    doctor_keepers(d, &k);
    if (!ask_gpsd(d, &p, &refused, &why) || isnan(p.clock_off_s))
        return;
    if (fabs(p.clock_off_s) > OFF_MOST_S)
        doctor_say(d, DOCTOR_WRONG, "let chrony take its time from gpsd (refclock SHM 0); or mend "
                   "the receiver, if the clock is right", "the clock is %.1f s %s gpsd's",
                   fabs(p.clock_off_s), p.clock_off_s > 0 ? "ahead of" : "behind");
    else
        doctor_say(d, DOCTOR_OK, NULL, "gpsd's time agrees within %.1f s", fabs(p.clock_off_s));
}

void doctor_place(struct doctor *d)
{
    struct hw_place p;
    const char *why;
    uint64_t refused;
    bool asked = d->cfg && d->cfg->gpsd_host[0];

    if (ask_gpsd(d, &p, &refused, &why))
        doctor_say(d, DOCTOR_OK, NULL, "from gpsd, right within %.0f m, %u satellites", p.err_m,
                   p.satellites);
    else if (d->cfg && d->cfg->fixed)
        doctor_say(d, asked ? DOCTOR_NOTE : DOCTOR_OK, asked ? "cgps shows what gpsd hears" : NULL,
                   "as configured: %.5f, %.5f%s", d->cfg->place.lat_deg, d->cfg->place.lon_deg,
                   asked ? "; gpsd tells no fix" : "");
    else if (asked)
        doctor_say(d, DOCTOR_WRONG, "is gpsd running, does the receiver see the sky? cgps shows it",
                   "no position from gpsd");
    else
        doctor_say(d, DOCTOR_NOTE, "say the place in the configuration, or start gpsd",
                   "no position from gpsd");
    if (refused)
        doctor_say(d, DOCTOR_WRONG, "look at the receiver (cgps, gpsmon): it is faulty, or "
                   "somebody disturbs it", "gpsd told %llu times what cannot be, the last: %s",
                   (unsigned long long)refused, why);
}
