// SPDX-License-Identifier: GPL-3.0-or-later
// Forced candidates at random times and frequencies of a recording, brought to FORCE_HZ; noise
// 30 dB below its mean power fills what is outside its band.
#include "tests/bench/recorded.h"

#include <math.h>
#include <stdio.h>

#include "dsp/ddc.h"
#include "dsp/droneid/rx.h"
#include "tests/bench/force.h"

static void fill(struct force *f, const struct cut *c, double rate_hz)
{
    double len = FORCE_LEN * rate_hz / FORCE_HZ, power = 0;
    double t0 = rng_uniform(&f->rng) * fmax(c->n - len, 0);
    double pass = fmin(0.9 * rate_hz, 0.75 * FORCE_HZ);
    ddc_run(c, rate_hz, 0, t0, FORCE_HZ, pass, f->x, FORCE_LEN);
    for (int i = 0; i < FORCE_LEN; i++)
        power += creal(f->x[i] * conjf(f->x[i])) / FORCE_LEN;
    float sigma = (float)sqrt(1e-3 * power) + 1e-9f;
    for (int i = 0; i < FORCE_LEN; i++)
        f->x[i] += sigma * rng_cnormal(&f->rng);
}

static void force_all(struct force *f, const struct cut *c, double rate_hz, struct recorded *r)
{
    for (unsigned i = 0; i < r->forced; i++) {
        struct force_place p = force_draw(f, false);
        p.hz = rng_between(&f->rng, -1, 1) * fmin(rate_hz / 4, 4.5e6);
        fill(f, c, rate_hz);
        struct force_result got = force_judge(f, &p, FORCE_A);
        r->seen += got.seen;
        r->verified += got.verified;
        r->most = fmax(r->most, got.rho_b);
    }
}

bool recorded_run(const char *name, unsigned forced, struct recorded *ret)
{
    struct iq_source *s;
    struct force f;
    struct cut c = { .n = 0 };
    char path[256], why[IQ_WHY];
    snprintf(path, sizeof(path), "../shared/captures/%s.sigmf-meta", name);
    if (iq_open_file(&s, &(struct iq_file_cfg){ .path = path }, why) < 0)
        return false;
    double rate = iq_info(s).rate_hz;
    for (struct iq_block *b; c.n_blk < CUT_BLOCKS && (b = iq_next(s)); c.n += b->n)
        c.blk[c.n_blk++] = b;
    *ret = (struct recorded){ .s = c.n / rate, .forced = forced };
    bool ok = c.n && force_init(&f, CONF_NOISE, 50) == 0;
    if (ok) {
        force_all(&f, &c, rate, ret);
        force_done(&f);
    }
    for (unsigned i = 0; i < c.n_blk; i++)
        iq_unref(c.blk[i]);
    iq_close(s);
    return ok;
}
