// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's look at measured transforms (dsp/plans.h), and the measuring of them.
#include <errno.h>
#include <stdio.h>

#include "classifier/doctor.h"
#include "classifier/sensord.h"
#include "dsp/plans.h"

#define TUNE "tyto doctor --tune, while nothing else runs"

// The rates that are configured, or that was asked for; else those of the usual radios.
static unsigned rates(const struct doctor *d, double ret[WIRE_RADIOS])
{
    static const double usual_hz[] = { 2.4e6, 10e6, 20e6, 30.72e6, 61.44e6 };
    unsigned n = 0;

    if (d->rate_hz > 0)
        ret[n++] = d->rate_hz;
    for (unsigned i = 0; !n && d->cfg && i < d->cfg->n_radios; i++)
        if (d->cfg->radio[i].rate_hz > 0)
            ret[n++] = d->cfg->radio[i].rate_hz;
    for (unsigned i = 0; d->rate_hz <= 0 && !d->cfg && i < sizeof usual_hz / sizeof *usual_hz; i++)
        ret[n++] = usual_hz[i];
    return n;
}

void doctor_plans(struct doctor *d)
{
    double rate_hz[WIRE_RADIOS];
    char path[SENSORD_PATH + 16], why[PLANS_WHY];
    unsigned n = rates(d, rate_hz);

    snprintf(path, sizeof path, "%s/" PLANS_FILE, d->spool ? d->spool : DOCTOR_SPOOL);
    if (d->tune && plans_tune(path, rate_hz, n, why) < 0) {
        doctor_say(d, DOCTOR_WRONG, "run it as the user who runs the sensor; --spool DIR says "
                   "where", "%s", why);
        return;
    }
    int r = plans_load(path, why);
    if (r == -ENOENT)
        doctor_say(d, DOCTOR_NOTE, TUNE, "transforms are not measured on this machine: they may "
                   "take a tenth to a half more of the processor");
    else if (r < 0)
        doctor_say(d, DOCTOR_WRONG, TUNE, "%s; the sensor does without", why);
    else if (d->tune)
        doctor_say(d, DOCTOR_OK, NULL, "transforms measured for %u rate%s, in %s: the sensor takes "
                   "them from its next start on", n, n == 1 ? "" : "s", path);
    else
        doctor_say(d, DOCTOR_OK, NULL, "transforms as measured, %s", path);
}
