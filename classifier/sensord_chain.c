// SPDX-License-Identifier: GPL-3.0-or-later
// One radio's thread: opens it, for ever if need be, and reads findings until told to stop.
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utc.h"
#include "classifier/sensord.h"

#define WAIT_FIRST_S 1.0        // before a radio that did not open is tried again; doubles
#define WAIT_MAX_S   30.0

int sensord_origin_ok(const struct sensord_cfg *c, const char *radio, enum iq_origin o,
                      bool exercise, char why[SENSORD_WHY])
{
    if (o == IQ_LIVE || !c->production || exercise)
        return 0;
    snprintf(why, SENSORD_WHY, "%s: its samples are of origin %s, and this is a production sensor "
             "(production: yes); --exercise runs it all the same", radio, iq_origin_name(o));
    return -EPERM;
}

int64_t chain_utc_ns(struct chain *c, double t_s, int64_t *ret_err_ns)
{
    if (c->r->kind != RADIO_LIVE) {     // played as if it were now
        *ret_err_ns = 0;
        return c->anchor_ns + (int64_t)llround(t_s * 1e9);
    }
    int64_t ns = iq_utc_ns(atomic_load(&c->src), t_s, ret_err_ns);
    return ns > 0 ? ns : utc_now_ns();
}

static unsigned pool_of(const struct chain *c)
{
    return DSP_POOL_BLOCKS + (c->cfg->keeps ? keep_pool(&c->cfg->keep) : 0);
}

static int open_live(struct chain *c, struct iq_source **src, double centre_hz, char why[IQ_WHY])
{
    const struct sensord_radio *r = c->r;

    return iq_open_live(src, &(struct iq_live_cfg){
        .name = r->name, .args = r->args, .profile = r->profile[0] ? &r->hw : NULL,
        .rate_hz = r->rate_hz, .centre_hz = centre_hz, .gain_db = r->gain_db,
        .bandwidth_hz = r->bandwidth_hz, .ppm = r->ppm, .channel = r->channel,
        .antenna = r->antenna[0] ? r->antenna : NULL,
        .plugin_path = c->cfg->plugin_path[0] ? c->cfg->plugin_path : NULL,
        .pool_blocks = pool_of(c) }, why);
}

// In the first band that the radio takes: what one of many bands is to it, the walk finds out.
static int open_walk(struct chain *c, struct iq_source **src, char why[IQ_WHY])
{
    struct iq_place p;
    int e = -EINVAL;

    for (unsigned n = 0; e == -EINVAL && scan_start(c->scan, n, &p); n++)
        e = open_live(c, src, p.centre_hz, why);
    return e;
}

static int open_it(struct chain *c, struct iq_source **src, char why[IQ_WHY])
{
    const struct sensord_radio *r = c->r;

    if (r->kind == RADIO_LIVE)
        return c->scan ? open_walk(c, src, why) : open_live(c, src, r->centre_hz, why);
    if (r->kind == RADIO_SCENE)
        return iq_open_sim(src, &(struct iq_sim_cfg){ .path = r->path, .seed = r->seed,
            .seed_given = r->seed_given, .paced = true, .pool_blocks = pool_of(c) }, why);
    return iq_open_file(src, &(struct iq_file_cfg){ .path = r->path,
        .format = r->format[0] ? r->format : NULL, .rate_hz = r->rate_hz, .freq_hz = r->centre_hz,
        .freq_given = r->freq_given, .paced = true, .pool_blocks = pool_of(c) }, why);
}

static void wait_s(struct chain *c, double s)
{
    for (double t = 0; t < s && !atomic_load(&c->stop); t += 0.1)
        nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
}

// A radio that is not there may be plugged in yet; a file that is not there is a fault.
static struct iq_source *open_until(struct chain *c)
{
    struct iq_source *src = NULL;
    char why[IQ_WHY] = "";
    double wait = WAIT_FIRST_S;

    while (!atomic_load(&c->stop)) {
        bool planned = c->r->kind == RADIO_SCENE;
        void *token = planned ? queue_pop(c->turn) : NULL;
        int r = open_it(c, &src, why);
        if (token)
            queue_push(c->turn, token);
        if (r == 0)
            return src;
        if (c->r->kind != RADIO_LIVE || r == -EINVAL)
            break;
        char *told = strdup(why);
        if (told && queue_push(c->troubles, told) < 0)
            free(told);                 // the last ones are not read yet, and say the same
        wait_s(c, wait);
        wait = wait * 2 < WAIT_MAX_S ? wait * 2 : WAIT_MAX_S;
    }
    if (!atomic_load(&c->stop)) {
        snprintf(c->why, sizeof c->why, "%.500s", why);
        atomic_store(&c->refused, true);
    }
    return NULL;
}

// The walk begins, if there is one; its windows were cut for the rate that was configured.
static bool walk(struct chain *c, struct iq_source *src, const struct iq_info *info)
{
    const struct sensord_radio *r = c->r;

    if (!c->scan)
        return true;
    if (fabs(info->rate_hz / r->rate_hz - 1) > 1e-3)
        snprintf(c->why, sizeof c->why, "%s: rate_hz is %.9g, and %.200s has %.9g", r->name,
                 r->rate_hz, r->path, info->rate_hz);
    else if (iq_scan(src, c->scan) == -ENOTSUP)
        snprintf(c->why, sizeof c->why, "%s: cannot be tuned, so that it cannot scan (a scene "
                 "needs tune_lo_hz and tune_hi_hz)", r->name);
    else
        return true;
    atomic_store(&c->refused, true);
    return false;
}

static bool keep(struct chain *c, struct iq_source *src)
{
    struct keep_cfg k = c->cfg->keep;

    if (!c->cfg->keeps)
        return true;
    snprintf(k.radio, sizeof k.radio, "%s", c->r->name);
    k.droneid = c->cfg->droneid;
    k.turn = c->turn;
    c->keeper.keep = keep_new(&k);
    if (c->keeper.keep && keep_start(c->keeper.keep, src) == 0) {
        atomic_store(&c->keeps, c->keeper.keep);
        return true;
    }
    snprintf(c->why, sizeof c->why, "%s: not enough memory to keep %g s", c->r->name, k.seconds);
    atomic_store(&c->refused, true);
    return false;
}

static bool begin(struct chain *c, struct iq_source *src)
{
    struct iq_info info = iq_info(src);
    unsigned share = hw_cpus() / c->cfg->n_radios;

    c->anchor_ns = utc_now_ns();
    c->rate_hz = info.rate_hz;
    atomic_store(&c->origin, (int)info.origin);
    atomic_store(&c->centre_hz, info.centre_hz);
    atomic_store(&c->now_rate_hz, info.rate_hz);
    atomic_store(&c->moved_ns, mono_now_ns());
    bool ok = sensord_origin_ok(c->cfg, c->r->name, info.origin, c->exercise, c->why) >= 0;
    if (!ok) {
        atomic_store(&c->refused, true);
        atomic_store(&c->forbidden, true);
    }
    ok = ok && walk(c, src, &info);
    atomic_store(&c->src, src);         // others look at the walk from here on: it has begun
    if (atomic_load(&c->stop))
        iq_stop(src);                   // who asked before it was open could not
    if (!ok || !keep(c, src))
        return false;
    void *token = queue_pop(c->turn);
    c->dsp = dsp_new(&(struct dsp_cfg){ .source = src, .droneid = c->cfg->droneid,
        .steps = c->r->kind == RADIO_LIVE && !c->r->scan, .gain_auto = c->r->gain_auto,
        .profile = c->r->profile[0] ? &c->r->hw : NULL,
        .threads = c->cfg->threads ? c->cfg->threads : share ? share : 1,
        .ticks = true, .on_psd = say_psd, .arg = c });
    queue_push(c->turn, token);
    if (c->dsp)
        return true;
    snprintf(c->why, sizeof c->why, "%s: not enough memory for %.0f samples a second", c->r->name,
             info.rate_hz);
    atomic_store(&c->refused, true);
    return false;
}

static void *run(void *arg)
{
    struct chain *c = arg;
    struct iq_source *src = open_until(c);
    struct finding *f;

    if (src && begin(c, src)) {
        while ((f = dsp_next(c->dsp))) {
            say_finding(c, f);
            finding_free(f);
        }
        say_end(c);
    }
    atomic_store(&c->ended, true);
    return NULL;
}

// What a radio not opened yet will most likely be; known before its first sample.
static enum iq_origin origin_guess(const struct sensord_radio *r)
{
    if (r->kind == RADIO_FILE)
        return IQ_RECORDING;
    return r->kind == RADIO_SCENE || strstr(r->args, "driver=tyto") ? IQ_SIMULATION : IQ_LIVE;
}

int chain_new(struct chain **ret, const struct sensord_cfg *cfg, unsigned i, struct tell *tell,
              struct queue *turn, bool exercise, char why[SENSORD_WHY])
{
    struct chain *c = calloc(1, sizeof *c);
    int r = -ENOMEM;

    snprintf(why, SENSORD_WHY, "not enough memory");
    if (c)
        r = cls_new(&c->cls, &(struct cls_cfg){ .droneid = cfg->droneid,
            .sig_dir = cfg->sig_dir[0] ? cfg->sig_dir : NULL,
            .p_drone_threshold = cfg->p_drone }, why);
    struct scan_reach reach = sensord_reach(&cfg->radio[i]);
    if (r == 0 && (!(c->troubles = queue_new(4, QUEUE_REFUSE)) || (cfg->radio[i].scan &&
                   !(c->scan = scan_new(&cfg->plan, cfg->radio[i].bands, &reach)))))
        r = -ENOMEM;
    if (r < 0) {
        if (c) {
            cls_free(c->cls);
            queue_free(c->troubles);
        }
        free(c);
        return r;
    }
    c->cfg = cfg;
    c->r = &cfg->radio[i];
    c->index = i;
    c->tell = tell;
    c->turn = turn;
    c->exercise = exercise;
    c->state_told = -1;
    r = chain_site_open(c, why);
    if (r < 0) {
        chain_free(c);
        return r;
    }
    atomic_store(&c->floor_dbfs_hz, NAN);
    atomic_store(&c->gain_db, NAN);
    c->gain_lo_db = c->gain_hi_db = NAN;
    for (unsigned k = 0; k < SCAN_STEPS; k++)
        atomic_store(&c->window_dbfs_hz[k], NAN);
    atomic_store(&c->occupancy, NAN);
    atomic_store(&c->moved_ns, mono_now_ns());
    atomic_store(&c->origin, (int)origin_guess(c->r));
    atomic_store(&c->centre_hz, c->r->centre_hz);
    atomic_store(&c->now_rate_hz, c->r->rate_hz);
    *ret = c;
    return 0;
}

int chain_start(struct chain *c)
{
    char name[16];
    int r = pthread_create(&c->thread, NULL, run, c);

    snprintf(name, sizeof name, "chain-%.9s", c->r->name);
    if (r == 0)
        pthread_setname_np(c->thread, name);
    return -r;
}

void chain_stop(struct chain *c)
{
    atomic_store(&c->stop, true);       // before: a chain that opens now sees it, or is seen
    struct iq_source *src = atomic_load(&c->src);
    if (src)
        iq_stop(src);
}

void chain_free(struct chain *c)
{
    if (!c)
        return;
    dsp_free(c->dsp);
    cls_free(c->cls);
    keep_free(c->keeper.keep);
    iq_close(atomic_load(&c->src));
    scan_free(c->scan);
    for (char *t; (t = queue_try_pop(c->troubles));)
        free(t);
    queue_free(c->troubles);
    free(c);
}
