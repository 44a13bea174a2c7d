// SPDX-License-Identifier: GPL-3.0-or-later
// The rest of a packet whose preamble was found: where its down-chirps lie, where it ends.
//
//     /|/|/|/|/|/|/|/| /|/| \|\|\  /|/|/|/|/|...
//     preamble         sync  SFD   payload: each symbol one tone somewhere
//                           2.25
//
// Up-chirps give carrier minus delay, the two down-chirps carrier plus delay: together both.
// The payload is followed symbol by symbol: the strongest two neighbouring bins of each count for
// it or against it (between samples, a wrap within the symbol splits its tone), and the packet ends
// where the sum was largest.
#include "dsp/stand/lora.h"

#include <math.h>

#define SYNC      2             // symbols between preamble and down-chirps
#define SFD       2             // whole down-chirps
#define HEAD      4.25          // symbols from the preamble's end to the payload
#define FAR       0.14          // of the bandwidth: carriers so far off the raster are looked for
#define SURE      9.0           // two windows' power over the mean: 1e-3 of bins pass it
#define GIVE_UP   3.0           // the score fell so much: it has ended
#define DIP       1.0           // fell so much, then rose again: a pause, or the next packet
#define SPLIT     0.85          // of a tone is in two bins, on average
#define MOST      256           // payload symbols
#define MOST_FOR  1.0           // by a symbol: the law of noise falls much faster than that of ours
#define LOUDER    3.0           // of the preamble's energy: somebody else's, no word on ours

// What the best two neighbouring bins of n hold in noise: where 1/n of sums of two exponentials
// lie, and the mean of the largest beyond.
static double chance(unsigned n)
{
    double x = log(n);
    return x + log(1 + x + log(1 + x)) + 0.577;
}

// |X|^2 over energy of the window at q against the chirp of direction d: into bin[n], added.
static double window_bins(struct lora *l, const struct packet *p, unsigned d, int64_t q,
                          float *bin, bool add)
{
    const struct chirps *c = &l->chirps[p->h.sf];
    double e = 0;
    narrow_read(&l->group[p->h.group].s, p->h.lane, q, c->n, l->z);
    for (unsigned i = 0; i < c->n; i++) {
        e += crealf(l->z[i]) * crealf(l->z[i]) + cimagf(l->z[i]) * cimagf(l->z[i]);
        l->z[i] *= conjf(c->ref[d][i]);
    }
    dft_run(c->fwd, l->z, l->y);
    float scale = e > 1e-30 ? (float)(1 / e) : 0;
    for (unsigned i = 0; i < c->n; i++) {
        float v = (crealf(l->y[i]) * crealf(l->y[i]) + cimagf(l->y[i]) * cimagf(l->y[i])) * scale;
        bin[i] = add ? bin[i] + v : v;
    }
    return e;
}

// SFD symbols from m symbols beside where they should be: into l->w.
static void sfd_bins(struct lora *l, const struct packet *p, int m)
{
    int64_t n = l->chirps[p->h.sf].n, q = p->q + ((int64_t)p->preamble + SYNC + m) * n;
    for (int i = 0; i < SFD; i++)
        window_bins(l, p, !p->h.down, q + i * n, l->w, i);
}

// How far beside bin k a tone lies that is strongest there: of a rectangle's transform two
// neighbours are to each other as their distances from it.  Less what noise puts into each.
static double between(const float *bin, int k, int n)
{
    double at = sqrt(bin[k & (n - 1)]);
    double lo = sqrt(fmax(bin[(k - 1) & (n - 1)] - SFD, 0));
    double hi = sqrt(fmax(bin[(k + 1) & (n - 1)] - SFD, 0));
    return hi > lo ? hi / (at + hi) : -lo / (at + lo);
}

// Down-chirps (up-chirps where the preamble's are down) around where they should be.
static void place(struct lora *l, struct packet *p)
{
    int n = (int)l->chirps[p->h.sf].n, far = (int)(2 * FAR * n) + 1, best_k = 0, best_m = 0;
    float *bin = l->w, best = 0;
    for (int m = -1; m <= 1; m++) {
        sfd_bins(l, p, m);
        for (int k = -far; k <= far; k++)
            if (bin[k & (n - 1)] > best) {
                best = bin[k & (n - 1)];
                best_k = k;
                best_m = m;
            }
    }
    p->placed = true;
    if (best < SURE)
        return;
    // up: phi = nu - tau in the preamble, chi = nu + tau here; down: the other way round
    sfd_bins(l, p, best_m);
    double tau0 = p->tau, chi = best_k + between(bin, best_k, n);
    double phi = p->h.down ? tau0 : -tau0;
    p->nu = (phi + chi) / 2;
    p->tau = p->h.down ? (phi - chi) / 2 : (chi - phi) / 2;
    p->preamble = (unsigned)((int)p->preamble + best_m);
}

static bool payload(struct lora *l, struct packet *p, int64_t q)
{
    unsigned n = l->chirps[p->h.sf].n;
    double sent = SPLIT * n * p->rho2 + 2, noise = chance(n), top = 0;
    if (sent < noise + 1)
        return true;                // too faint to be followed
    double e = window_bins(l, p, p->h.down, q, l->w, false);
    for (unsigned i = 0; i < n; i++)
        top = fmax(top, l->w[i] + l->w[(i + 1) & (n - 1)]);
    double s = (top - noise) / (sent - noise) - 0.5;
    s = fmax(-0.5, fmin(MOST_FOR, s));
    if (s < 0 && e > LOUDER * p->energy)
        s = 0;
    p->score += s;
    p->symbols++;
    p->low = fmin(p->low, p->score);
    if (p->score > p->best) {
        if (p->best - p->low >= DIP)
            p->before = p->last;
        p->best = p->low = p->score;
        p->last = (int)p->symbols - 1;
    }
    return p->score < p->best - GIVE_UP || p->symbols >= MOST;
}

bool follow_packet(struct lora *l, struct packet *p)
{
    const struct narrow *s = &l->group[p->h.group].s;
    int64_t n = l->chirps[p->h.sf].n;
    int64_t need = p->q + ((int64_t)p->preamble + SYNC + SFD + 2) * n;
    bool ended = l->group[p->h.group].ended;
    if (!p->placed && !ended && (int64_t)s->have < need)
        return false;
    if (!p->placed)
        place(l, p);
    for (;;) {
        double at = (double)p->q + p->tau + (p->preamble + HEAD + p->symbols) * (double)n;
        int64_t q = (int64_t)lround(at);
        if (!ended && (int64_t)s->have < q + n)
            return false;
        if (payload(l, p, q))
            return true;
    }
}
