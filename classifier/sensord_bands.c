// SPDX-License-Identifier: GPL-3.0-or-later
// What a radio does: which bands of the plan it walks over, and whether its gain is set for it.
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "classifier/sensord.h"

#define FREQ_MAX_HZ 300e9

struct scan_reach sensord_reach(const struct sensord_radio *r)
{
    bool known = r->kind == RADIO_LIVE && r->profile[0];

    return (struct scan_reach){ .radio = r->name, .rate_hz = r->rate_hz,
        .lo_hz = known && r->hw.freq_lo_hz.v > 0 ? r->hw.freq_lo_hz.v : 1,
        .hi_hz = known && r->hw.freq_hi_hz.v > 0 ? fmin(r->hw.freq_hi_hz.v, FREQ_MAX_HZ)
                                                 : FREQ_MAX_HZ };
}

__attribute__((format(printf, 2, 3)))
static int wrong(char why[SENSORD_WHY], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, SENSORD_WHY, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

int sensord_bands(struct sensord_cfg *c, const char **ret_key, char why[SENSORD_WHY])
{
    struct scan_reach reach[WIRE_RADIOS];
    uint32_t got[WIRE_RADIOS];
    unsigned n = 0;
    char said[IQ_WHY];

    for (unsigned i = 0; i < c->n_radios; i++)
        if (c->radio[i].scan)
            reach[n++] = sensord_reach(&c->radio[i]);
    if (!n)
        return c->bands[0] ? wrong(why, "one radio at least with scan: yes was expected") : 0;
    if (!c->bands[0]) {
        *ret_key = "scan";
        return wrong(why, "a band plan was expected (bands:)");
    }
    if (scan_plan_load(&c->plan, c->bands, said) < 0)
        return wrong(why, "%s", said);
    if (c->plan.n + c->n_radios - n > WIRE_BANDS)
        return wrong(why, "at most %d bands and radios that stay were expected", WIRE_BANDS);
    if (scan_share(&c->plan, reach, n, got, said) < 0)
        return wrong(why, "%.200s, %.280s", c->bands, said);
    for (unsigned i = 0, k = 0; i < c->n_radios; i++) {
        c->radio[i].bands = c->radio[i].scan ? got[k++] : 0;
        if (c->radio[i].scan && !c->radio[i].bands) {
            *ret_key = "scan";
            return wrong(why, "no band is left for %s: a plan with more, or a radio less, was "
                         "expected", c->radio[i].name);
        }
    }
    return 0;
}

int sensord_gain(struct sensord_radio *r, const char *word, char why[SENSORD_WHY])
{
    bool may = r->profile[0] && r->hw.gain_hi_db.v > r->hw.gain_lo_db.v && !r->scan;
    bool asked = word && !strcmp(word, "auto");

    if (word && !asked && strcmp(word, "fixed"))
        return wrong(why, "auto or fixed was expected, not '%.40s' (dB are gain_db)", word);
    if (asked && !may)
        return wrong(why, "auto is for a radio that stays at one place and whose profile gives "
                     "gain_lo_db and gain_hi_db");
    r->gain_auto = asked;               // and by nothing else: levels stay comparable
    return 0;
}
