// SPDX-License-Identifier: GPL-3.0-or-later
// The simulator as a source: a driver behind the front (sdr/src/source.h).
#include <errno.h>
#include <stdlib.h>

#include "sdr/sim/engine.h"
#include "sdr/src/source.h"

struct state { struct scene *scene; struct sim *sim; int64_t err; };

static int64_t sim_src_read(void *state, void *dst, size_t n)
{
    struct state *s = state;
    return s->err = sim_read(s->sim, dst, n);
}

static void sim_src_ended(void *state, struct iq_counts *c)
{
    struct state *s = state;
    if (s->err < 0)
        src_why(c->fault, 0, "the simulation ran out of memory");
}

static const struct iq_truth *sim_src_truth(void *state, uint64_t upto, size_t *ret_n)
{
    return sim_truth(((struct state *)state)->sim, upto, ret_n);
}

static void sim_src_close(void *state)
{
    struct state *s = state;
    sim_free(s->sim);
    scene_free(s->scene);
    free(s);
}

static const struct src_ops sim_ops = { .read = sim_src_read, .ended = sim_src_ended,
                                        .truth = sim_src_truth, .close = sim_src_close };

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
        struct src_driver d = { .ops = &sim_ops, .state = s, .rate_hz = sc->rate_hz,
                                .centre_hz = sc->centre_hz, .format = sc->format,
                                .origin = IQ_SIMULATION, .total = sc->samples,
                                .utc_ns = sc->utc_ns };
        err = src_open(ret_src, &d, cfg->path ? cfg->path : "scene", cfg->paced, cfg->pool_blocks,
                       why);
    }
    if (err)
        sim_src_close(s);
    return err;
}
