// SPDX-License-Identifier: GPL-3.0-or-later
// In noise the planted candidate is exact: given that the root-600 component of 601 carriers is
// large, everything at right angles to it is still the same noise.  The component keeps the phase
// it has and gets the size that makes |rho|^2 the threshold (of a candidate that may be told alone:
// RX_CAND_MIN) plus an exponential of mean 1/601, its
// law above any threshold: a complex Gaussian's |.|^2.
//
//     x    |....noise and confuser.....|cp| 600 |....|cp|(147)|............|
//                                           ^ at
#include "tests/bench/force.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "dsp/burst.h"
#include "dsp/droneid/corr.h"
#include "dsp/droneid/rx.h"

#define BOTH  0.07                      // |rho|^2 that structure.c asks of both roots on the mean

int force_init(struct force *f, enum conf_class cls, uint64_t seed)
{
    *f = (struct force){ .cls = cls, .n = (unsigned)lround(FORCE_HZ / DID_SPACING_HZ) };
    rng_init(&f->rng, seed * 977 + cls);
    f->conf = conf_new(cls, FORCE_HZ, seed);
    f->rx = droneid_rx_new(FORCE_HZ);
    f->fwd = dft_new(f->n, DFT_FORWARD, 1);
    f->inv = dft_new(f->n, DFT_BACKWARD, 1);
    f->x = dft_alloc(FORCE_LEN);
    f->spec = dft_alloc(f->n);
    for (int r = 0; r < 2; r++)
        f->chirp[r] = dft_alloc(f->n);
    if (!f->conf || !f->rx || !f->fwd || !f->inv || !f->x || !f->spec || !f->chirp[0] ||
        !f->chirp[1]) {
        force_done(f);
        return -ENOMEM;
    }
    for (int r = 0; r < 2; r++) {
        for (unsigned i = 0; i < f->n; i++)
            f->spec[i] = 0;
        for (int i = 0; i < DID_CARRIERS; i++)
            f->spec[(did_carrier(i) + (int)f->n) % (int)f->n] =
                did_zc(r ? DID_ROOT_B : DID_ROOT_A, did_carrier(i) + 300) / sqrtf(DID_CARRIERS);
        dft_run(f->inv, f->spec, f->chirp[r]);
    }
    return 0;
}

void force_done(struct force *f)
{
    conf_free(f->conf);
    droneid_rx_free(f->rx);
    dft_free(f->fwd);
    dft_free(f->inv);
    free(f->x);
    free(f->spec);
    free(f->chirp[0]);
    free(f->chirp[1]);
}

void force_set(struct force *f, const struct force_place *p) { conf_seed(f->conf, p->seed); }

struct force_place force_draw(struct force *f, bool grid)
{
    struct force_place p = { .seed = rng_u64(&f->rng) >> 8 };
    force_set(f, &p);
    p.n0 = (int64_t)(rng_uniform(&f->rng) * 3e7);
    p.at = FORCE_AT + (int)rng_below(&f->rng, 64);
    double centre = conf_emitters(f->conf) ? conf_centre_hz(f->conf, 0) : 0;
    p.hz = centre + rng_between(&f->rng, -4.5e6, 4.5e6);
    if (grid) {
        p.n0 = conf_symbol_near(f->conf, 0, p.n0 + p.at) - p.at;
        // the confuser's own centre every other time, else some carriers off
        int off = (int)rng_below(&f->rng, 401) - 200;
        p.hz = centre + (rng_u64(&f->rng) & 1 ? DID_SPACING_HZ * off : 0);
    }
    for (int r = 0; r < 2; r++)
        p.draw[r] = rng_cnormal(&f->rng);
    return p;
}

static double rho_of(const struct force_place *p, int r, double threshold)
{
    return threshold + creal(p->draw[r] * conjf(p->draw[r])) / DID_ZC_LEN;
}

static float complex turn(double turns)
{
    return cexpf(2 * (float)M_PI * I * (float)(turns - floor(turns)));
}

// Gives root r at x[at] the normalised correlation rho, prefix included: that only helps it.
static void plant(struct force *f, int r, int at, double hz, double rho)
{
    double complex got = 0;
    double energy = 0, step = hz / FORCE_HZ;
    for (unsigned i = 0; i < f->n; i++) {
        f->spec[i] = f->x[at + (int)i] * turn(-step * (at + (double)i));
        got += f->spec[i] * conjf(f->chirp[r][i]) / f->n;
    }
    dft_run(f->fwd, f->spec, f->spec);
    for (int i = 0; i < DID_CARRIERS; i++) {
        float complex y = f->spec[(did_carrier(i) + (int)f->n) % (int)f->n];
        energy += creal(y * conjf(y)) / f->n / f->n;
    }
    // |a|^2 / (energy - |got|^2 + |a|^2) = rho
    double is = creal(got * conj(got)), a = sqrt(rho / (1 - rho) * fmax(energy - is, 0));
    double complex more = a * got / fmax(cabs(got), 1e-12) - got;
    for (int i = -(int)f->n * 72 / 1024; i < (int)f->n; i++)
        f->x[at + i] += (float complex)more * f->chirp[r][(i + (int)f->n) % (int)f->n] *
                        turn(step * (at + i));
}

struct force_result force_run(struct force *f, const struct force_place *p, enum force_plant what)
{
    conf_make(f->conf, p->n0, FORCE_LEN, f->x);
    return force_judge(f, p, what);
}

struct force_result force_judge(struct force *f, const struct force_place *p,
                                enum force_plant what)
{
    struct finding found = { 0 };
    double metric = rho_of(p, 0, what == FORCE_AB ? BOTH : fmax(PASS_2 / DID_ZC_LEN, RX_CAND_MIN));
    plant(f, 0, p->at, p->hz, metric);
    if (what == FORCE_AB)
        plant(f, 1, p->at + did_symbol_at[DID_SYM_B] * (int)f->n / DID_N, p->hz,
              rho_of(p, 1, BOTH));
    struct iq_block blk = { .n = FORCE_LEN, .rate_hz = FORCE_HZ, .format = IQ_CF32, .data = f->x };
    struct burst b = { .hyp = HYP_DRONEID, .rate_hz = FORCE_HZ,
                       .droneid = { .zc_n = p->at, .zc_f_hz = p->hz,
                                    .metric = (float)metric },
                       .cut = { .n = FORCE_LEN, .n_blk = 1, .blk = { &blk } } };
    droneid_receive(f->rx, &b, DRONEID_RECOGNISE, &found);
    const struct rx_trace *t = &f->rx->trace;
    return (struct force_result){ .seen = found.droneid.seen, .verified = found.droneid.verified,
                                  .rho_b = fmax(t->rho_b, t->coarse_b),
                                  .hz = found.droneid.freq_hz.v };
}
