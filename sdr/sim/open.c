// SPDX-License-Identifier: GPL-3.0-or-later
// The simulator as a source: a driver behind the front (sdr/src/source.h).
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "sdr/sim/engine.h"
#include "sdr/src/source.h"

struct state {
    struct scene  *scene;
    struct sim    *sim;
    int64_t        err;
    _Atomic double want_hz, want_db;    // to be tuned to
    double         centre_hz, gain_db;
};

// Of a scene without end nobody can ask for the truth: it would have no end either.
static int forget(uint64_t order, const struct iq_truth *t, void *arg)
{
    (void)order, (void)t, (void)arg;
    return 0;
}

static int64_t sim_src_read(void *state, void *dst, size_t n)
{
    struct state *s = state;
    if (s->err >= 0)
        s->err = sim_read(s->sim, dst, n);
    if (s->scene->endless && s->err >= 0)
        sim_truth_take(s->sim, forget, NULL);
    return s->err;
}

// A scene has one antenna.  Its gain is against the one that it was made for.
static int sim_src_tune(void *state, const struct iq_place *p)
{
    struct state *s = state;
    const struct scene *sc = s->scene;
    double centre_hz = p->centre_hz;
    double gain_db = isnan(p->gain_db) ? 0 : p->gain_db;
    bool stays = !(fabs(centre_hz - s->want_hz) > 0);
    if (!(fabs(gain_db) <= 100))
        return -ERANGE;
    if (!stays && !(sc->tune_hi_hz > sc->tune_lo_hz))
        return -ENOTSUP;
    if (!(centre_hz >= sc->tune_lo_hz && centre_hz <= sc->tune_hi_hz))
        return -ERANGE;
    s->want_db = gain_db;
    s->want_hz = centre_hz;
    return 0;
}

static bool sim_src_mark(void *state, struct src_mark *ret)
{
    struct state *s = state;
    double want_hz = s->want_hz, want_db = s->want_db;
    bool moves = fabs(want_hz - s->centre_hz) > 0, gains = fabs(want_db - s->gain_db) > 0;
    if (!(moves || gains) || !sim_may_tune(s->sim))
        return false;
    if (gains)
        sim_gain(s->sim, want_db);
    s->gain_db = want_db;
    s->err = moves ? sim_tune(s->sim, want_hz) : 0;
    s->centre_hz = want_hz;
    *ret = (struct src_mark){ .lost = s->err > 0 ? (uint64_t)s->err : 0, .tuned = moves,
                              .centre_hz = want_hz, .gained = gains, .gain_db = want_db };
    return true;
}

static void sim_src_ended(void *state, struct iq_counts *c)
{
    struct state *s = state;
    if (s->err < 0)
        src_why(c->fault, 0, "the simulation ran out of memory");
}

static const struct iq_truth *sim_src_truth(void *state, uint64_t upto, size_t *ret_n)
{
    struct state *s = state;
    return s->scene->endless ? NULL : sim_truth(s->sim, upto, ret_n);
}

static void sim_src_close(void *state)
{
    struct state *s = state;
    sim_free(s->sim);
    scene_free(s->scene);
    free(s);
}

static const struct src_ops sim_ops = { .read = sim_src_read, .ended = sim_src_ended,
                                        .truth = sim_src_truth, .mark = sim_src_mark,
                                        .tune = sim_src_tune, .close = sim_src_close };

int iq_open_sim(struct iq_source **ret_src, const struct iq_sim_cfg *cfg, char why[IQ_WHY])
{
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return src_why(why, -ENOMEM, "out of memory");
    int err = scene_load(&s->scene, cfg->path, cfg->text, why);
    if (!err)
        err = sim_new(&s->sim, s->scene, cfg->seed_given ? cfg->seed : s->scene->seed, why);
    if (!err) {
        const struct scene *sc = s->scene;
        s->want_hz = s->centre_hz = sc->centre_hz;
        struct src_driver d = { .ops = &sim_ops, .state = s, .rate_hz = sc->rate_hz,
                                .centre_hz = sc->centre_hz, .format = sc->format,
                                .origin = IQ_SIMULATION, .total = sc->endless ? 0 : sc->samples,
                                .utc_ns = sc->utc_ns };
        err = src_open(ret_src, &d, cfg->path ? cfg->path : "scene", cfg->paced, cfg->pool_blocks,
                       why);
    }
    if (err)
        sim_src_close(s);
    return err;
}
