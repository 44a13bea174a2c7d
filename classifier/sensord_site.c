// SPDX-License-Identifier: GPL-3.0-or-later
// A radio's baseline: learnt with each spectrum, written every ten minutes until it is fixed.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "classifier/sensord.h"

#define SAVE_S 600.0
#define EASE   0.1              // of the running mean: some ten spectra

static void path_of(const struct chain *c, char *ret, size_t size)
{
    snprintf(ret, size, "%s/%s.json", c->cfg->site_dir, c->r->name);
    for (char *p = ret + strlen(c->cfg->site_dir) + 1; *p; p++)
        *p = *p == '/' ? '_' : *p;
}

static void tell_usual(struct chain *c)
{
    for (unsigned k = 0; k < SCAN_BANDS; k++)
        atomic_store(&c->usual_busy[k], site_fixed(&c->site) ? site_busy(&c->site, k) : NAN);
}

int chain_site_open(struct chain *c, char why[SENSORD_WHY])
{
    char path[SENSORD_PATH + 48];

    for (unsigned k = 0; k < SCAN_BANDS; k++) {
        atomic_store(&c->busy[k], NAN);
        atomic_store(&c->usual_busy[k], NAN);
    }
    if (!c->cfg->site_dir[0])
        return 0;
    path_of(c, path, sizeof path);
    int r = site_load(&c->site, path, c->cfg->site_learn_s, why);
    if (r == 0)
        tell_usual(c);
    return r;
}

static void save(struct chain *c, double now_s)
{
    char path[SENSORD_PATH + 48];

    path_of(c, path, sizeof path);
    site_save(&c->site, path);          // a disk that is full keeps the older one
    c->site_saved_s = now_s;
}

void chain_site_psd(struct chain *c, const struct psd_frame *f)
{
    unsigned band = 0;
    double busy = f->occupancy, was;

    if (c->scan && scan_window_at(c->scan, f->centre_hz, &band) < 0)
        return;
    if (busy >= 0 && busy <= 1) {
        was = atomic_load(&c->busy[band]);
        atomic_store(&c->busy[band], isnan(was) ? busy : was + EASE * (busy - was));
    }
    if (!c->cfg->site_dir[0] || site_fixed(&c->site))
        return;
    if (site_time(&c->site, f->t_s, f->t_s - c->site_s, band, busy)) {
        site_minute(&c->site, c->cls, f->t_s);
        if (site_fixed(&c->site) || f->t_s - c->site_saved_s > SAVE_S)
            save(c, f->t_s);
        tell_usual(c);
    }
    c->site_s = f->t_s;
}

void chain_site_end(struct chain *c)
{
    if (c->cfg->site_dir[0] && !site_fixed(&c->site))
        save(c, c->site_s);
}
