// SPDX-License-Identifier: GPL-3.0-or-later
// Bands to radios: each band to one that reaches it, the loads as even as they get; what has the
// fewest radios to choose from goes first.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sdr/scan.h"

#define RETUNE_S 0.06           // of a usual radio, to compare loads by

// Share of a radio's time that this band asks for; 0: it may not, or cannot.
static double load_of(const struct scan_band *b, const struct scan_reach *r)
{
    if (b->radio[0] && strcmp(b->radio, r->radio))
        return 0;
    return scan_windows(b, r) * (b->dwell_s + RETUNE_S) / b->every_s;
}

// The band not given away yet that has the fewest radios to choose from, of those the heaviest.
static int pick(const struct scan_plan *p, const struct scan_reach *r, unsigned n, uint32_t given)
{
    unsigned fewest = UINT32_MAX;
    double most = 0;
    int best = -1;

    for (unsigned k = 0; k < p->n; k++) {
        unsigned can = 0;
        double load = 0;
        for (unsigned i = 0; i < n; i++) {
            double x = load_of(&p->band[k], &r[i]);
            can += x > 0;
            load = fmax(load, x);
        }
        if (given & 1u << k || can > fewest || (can == fewest && load <= most))
            continue;
        fewest = can;
        most = load;
        best = (int)k;
    }
    return best;
}

// Does each key of one "key=value,key=value" stand in the other, too?
static bool has_keys(const char *all, const char *one)
{
    for (const char *k = one; k && *k; k = strchr(k, ',') ? strchr(k, ',') + 1 : NULL) {
        size_t n = strcspn(k, "=,");
        const char *p = all;
        while (p && !(strcspn(p, "=,") == n && !memcmp(p, k, n)))
            p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL;
        if (!p)
            return false;
    }
    return true;
}

// What a switch was before anybody set it no driver tells: a band that does not name it would be
// heard through what the band before it has set.
static int judge_settings(const struct scan_plan *p, uint32_t bands, char why[IQ_WHY])
{
    for (unsigned i = 0; i < p->n; i++)
        for (unsigned k = 0; k < p->n; k++) {
            const struct scan_band *a = &p->band[i], *b = &p->band[k];
            if (!(bands & 1u << i) || !(bands & 1u << k) || has_keys(b->settings, a->settings))
                continue;
            snprintf(why, IQ_WHY, "line %u: band %s lacks settings that band %s (line %u) of the "
                     "same radio has (%s): expected each of them in both, since the radio stays "
                     "as it was set", b->line, b->name, a->name, a->line, a->settings);
            return -EINVAL;
        }
    return 0;
}

int scan_share(const struct scan_plan *p, const struct scan_reach *r, unsigned n, uint32_t *ret,
               char why[IQ_WHY])
{
    double load[32] = { 0 };
    unsigned steps[32] = { 0 };
    uint32_t given = 0;

    n = n < 32 ? n : 32;
    memset(ret, 0, n * sizeof *ret);
    for (int k; (k = pick(p, r, n, given)) >= 0; given |= 1u << k) {
        const struct scan_band *b = &p->band[k];
        int to = -1;
        for (unsigned i = 0; i < n; i++)
            if (load_of(b, &r[i]) > 0 && steps[i] + scan_windows(b, &r[i]) <= SCAN_STEPS &&
                (to < 0 || load[i] + load_of(b, &r[i]) < load[to] + load_of(b, &r[to])))
                to = (int)i;
        if (to < 0) {
            snprintf(why, IQ_WHY, "line %u: band %s is out of reach: expected a radio with scan: "
                     "yes%s%s that can be tuned from %.6g to %.6g MHz", b->line, b->name,
                     b->radio[0] ? " called " : "", b->radio, b->lo_hz / 1e6, b->hi_hz / 1e6);
            return -ERANGE;
        }
        ret[to] |= 1u << k;
        load[to] += load_of(b, &r[to]);
        steps[to] += scan_windows(b, &r[to]);
    }
    for (unsigned i = 0; i < n; i++)
        if (judge_settings(p, ret[i], why))
            return -EINVAL;
    return 0;
}
