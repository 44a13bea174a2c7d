// SPDX-License-Identifier: GPL-3.0-or-later
// The simulator makes its samples in steps of a fixed size, whatever sizes are read, so that the
// same scene and seed give the same bytes.
//
//     for each step:   emitter 0 + emitter 1 + ...  + noise (own random stream per step)
//                      -> DC, IQ imbalance, converter -> handed out in any portions
//
// Memory: one step, and per emitter two packets and what is on the air.  Truth grows by about
// 0.5 kB a transmission unless it is taken.
#include "sdr/sim/engine.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/sim/edge.h"
#include "sdr/sim/emitter.h"
#include "sdr/sim/noise.h"
#include "sdr/sim/overload.h"
#include "sdr/sim/receiver.h"

#define BLOCKED 256             // samples over which an overloaded receiver's noise follows
#define STEP 8192               // samples: 64 kB of cf32, stays in the second cache level

// Random streams of a seed: emitters from EMITTER_STREAM up, noise of step k from NOISE_STREAM + k.
#define EMITTER_STREAM 1
#define NOISE_STREAM   ((uint64_t)1 << 32)

struct told {
    uint64_t order, start, key;     // key: of the emitter's transmission
    unsigned emitter;
    bool     closed;
};

struct sim {
    const struct scene *scene;
    struct view      view;
    struct rng       rng;
    struct receiver  rx;
    const struct noise_ops *noise;
    struct emitter **emitter;
    unsigned         n_emitters;
    uint64_t         made, read;    // samples
    double           gain_db;       // against the scene's
    // told[i] belongs to truth[i]: n_told in order of start, behind them those still to be ordered
    struct told     *told;
    struct iq_truth *truth;
    size_t           n_told, n_all, cap;
    size_t           first_open;    // all before it are closed
    uint64_t         orders;
    struct edge     *edge;          // or NULL: flat
    uint64_t         raw;           // samples of the world so far: made, or up to a step more
    float complex    x[STEP];
    int16_t          ci16[2 * STEP];
};

static int make_emitters(struct sim *m, char why[IQ_WHY])
{
    const struct scene *s = m->scene;
    char said[IQ_WHY];
    for (unsigned i = 0; i < s->n_emitters; i++)
        for (unsigned k = 0; k < s->emitter[i].copies; k++) {
            struct rng r;
            int err;
            rng_fork(&r, &m->rng, EMITTER_STREAM + ((uint64_t)i << 16) + k);
            m->emitter[m->n_emitters] = emitter_new(&s->emitter[i], k, &m->view, &r, &err, said);
            if (!m->emitter[m->n_emitters]) {
                snprintf(why, IQ_WHY, "emitter %u (%s): %.400s", i + 1, s->emitter[i].name,
                         err == -ENOMEM || !said[0] ? "out of memory" : said);
                return err;
            }
            m->n_emitters++;
        }
    return 0;
}

int sim_new(struct sim **ret_sim, const struct scene *s, uint64_t seed, char why[IQ_WHY])
{
    struct sim *m = calloc(1, sizeof *m);
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_emitters; i++)
        n += s->emitter[i].copies;
    if (m)
        m->emitter = calloc(n + 1, sizeof(struct emitter *));
    if (!m || !m->emitter) {
        sim_free(m);
        snprintf(why, IQ_WHY, "out of memory");
        return -ENOMEM;
    }
    m->scene = s;
    m->view = (struct view){ .rate_hz = s->rate_hz, .centre_hz = s->centre_hz,
                             .scale = 1 + s->rx.clock_ppm * 1e-6,
                             .noise_dbfs_hz = s->rx.noise_dbfs_hz, .samples = s->samples,
                             .lo_hz = s->tune_lo_hz - s->rate_hz / 2,
                             .hi_hz = s->tune_hi_hz + s->rate_hz / 2 };
    rng_init(&m->rng, seed);
    receiver_init(&m->rx, &s->rx, 0);
    m->noise = noise_ops();
    int err = make_emitters(m, why);
    if (!err && s->rx.rolloff > 0 && !(m->edge = edge_new(s->rx.rolloff, STEP))) {
        snprintf(why, IQ_WHY, "out of memory");
        err = -ENOMEM;
    }
    if (err < 0) {
        sim_free(m);
        return err;
    }
    *ret_sim = m;
    return 0;
}

void sim_free(struct sim *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < m->n_emitters; i++)
        emitter_free(m->emitter[i]);
    free(m->emitter);
    edge_free(m->edge);
    free(m->told);
    free(m->truth);
    free(m);
}

static int grow(struct sim *m)
{
    if (m->n_all < m->cap)
        return 0;
    size_t cap = m->cap ? 2 * m->cap : 64;
    struct told *t = realloc(m->told, cap * sizeof *t);
    if (t)
        m->told = t;
    struct iq_truth *u = t ? realloc(m->truth, cap * sizeof *u) : NULL;
    if (!u)
        return -ENOMEM;
    m->truth = u;
    m->cap = cap;
    return 0;
}

static int hear(struct sim *m, unsigned emitter, const struct emitter_news *w)
{
    for (size_t i = m->n_all; w->again && i-- > m->first_open;)
        if (!m->told[i].closed && m->told[i].emitter == emitter && m->told[i].key == w->key) {
            m->told[i].closed = w->closed;
            m->truth[i] = w->truth;
            return 0;
        }
    int err = grow(m);
    if (err < 0)
        return err;
    m->told[m->n_all] = (struct told){ .start = w->start, .key = w->key, .emitter = emitter,
                                       .closed = w->closed };
    m->truth[m->n_all++] = w->truth;
    return 0;
}

static bool before(const struct told *a, const struct told *b)
{
    if (a->start != b->start)
        return a->start < b->start;
    return a->emitter != b->emitter ? a->emitter < b->emitter : a->key < b->key;
}

// Puts those that start before the end of this step into order: few, so by insertion.
static void order(struct sim *m, uint64_t end)
{
    for (size_t i = m->n_told; i < m->n_all; i++) {
        struct told t = m->told[i];
        struct iq_truth u = m->truth[i];
        size_t at = i;
        for (; at > m->n_told && before(&t, &m->told[at - 1]); at--) {
            m->told[at] = m->told[at - 1];
            m->truth[at] = m->truth[at - 1];
        }
        m->told[at] = t;
        m->truth[at] = u;
    }
    while (m->n_told < m->n_all && m->told[m->n_told].start < end)
        m->told[m->n_told++].order = m->orders++;
}

static void add_noise(struct sim *m, uint64_t stream, float complex *x, size_t n)
{
    struct rng r;
    double density = m->view.noise_dbfs_hz;
    if (density <= SCENE_NO_NOISE)
        return;
    rng_fork(&r, &m->rng, stream);
    double power = pow(10, density / 10) * m->view.rate_hz;
    if (!(m->scene->rx.blocking_dbfs < SCENE_NO_IP3)) {
        noise_add(m->noise, &r, power, x, n);
        return;
    }
    for (size_t i = 0; i < n; i += BLOCKED) {
        size_t len = n - i < BLOCKED ? n - i : BLOCKED;
        struct rng part;
        rng_fork(&part, &r, i);
        power = pow(10, density / 10) * m->view.rate_hz * overload_noise(&m->scene->rx, x + i, len);
        noise_add(m->noise, &part, power, x + i, len);
    }
}

// The next n samples as they are before the receiver: signals and noise.
static int make_raw(struct sim *m, float complex *x, size_t n)
{
    memset(x, 0, n * sizeof *x);
    for (unsigned i = 0; i < m->n_emitters; i++) {
        const struct emitter_news *w;
        int err = emitter_add(m->emitter[i], m->raw, n, x);
        while (!err && (w = emitter_news(m->emitter[i])))
            err = hear(m, i, w);
        if (err < 0)
            return err;
    }
    order(m, m->raw + n);
    add_noise(m, NOISE_STREAM + m->raw / STEP, x, n);
    m->raw += n;
    return 0;
}

// With falling edges the filter looks ahead: the world is a step further than what is made.
static int make_filtered(struct sim *m)
{
    int err = 0;
    if (!m->raw) {
        add_noise(m, NOISE_STREAM - 1, edge_past(m->edge), (size_t)edge_half(m->edge));
        err = make_raw(m, edge_present(m->edge), STEP);
    }
    if (!err)
        err = make_raw(m, edge_next(m->edge), STEP);
    if (!err)
        edge_run(m->edge, m->x);
    return err;
}

static int make_step(struct sim *m, size_t n)
{
    int err = m->edge ? make_filtered(m) : make_raw(m, m->x, n);
    if (err < 0)
        return err;
    struct overload_now now = { m->made, m->view.rate_hz, m->view.centre_hz, m->gain_db };
    overload_apply(&m->scene->rx, &now, m->x, n);
    if (m->scene->format == IQ_CI16)
        receiver_ci16(&m->rx, m->x, m->ci16, n);
    else
        receiver_cf32(&m->rx, m->x, n);
    m->made += n;
    return 0;
}

int64_t sim_read(struct sim *m, void *dst, size_t n)
{
    bool ci16 = m->scene->format == IQ_CI16;
    size_t size = ci16 ? 2 * sizeof(int16_t) : sizeof(float complex);
    uint64_t left = m->scene->samples - m->read;
    if (m->read == m->made && left) {
        int err = make_step(m, left < STEP ? (size_t)left : STEP);
        if (err < 0)
            return err;
    }
    uint64_t have = m->made - m->read, first = m->read % STEP;
    if (n > have)
        n = (size_t)have;
    memcpy(dst, (const char *)(ci16 ? (const void *)m->ci16 : (const void *)m->x) + first * size,
           n * size);
    m->read += n;
    return (int64_t)n;
}

bool sim_may_tune(const struct sim *m) { return m->read == m->made; }

int64_t sim_tune(struct sim *m, double centre_hz)
{
    bool ahead = m->edge && m->raw;     // a step of the old centre is already in the filter
    int err = 0;
    m->view.centre_hz = centre_hz;
    for (unsigned i = 0; i < m->n_emitters && !err; i++) {
        const struct emitter_news *w;
        err = emitter_retune(m->emitter[i]);
        while (!err && (w = emitter_news(m->emitter[i])))
            err = hear(m, i, w);
    }
    uint64_t left = m->scene->samples - m->read;
    if (err < 0 || !ahead || left <= STEP)
        return err;
    err = make_step(m, STEP);
    m->read = m->made;
    return err < 0 ? err : STEP;
}

void sim_gain(struct sim *m, double gain_db)
{
    m->gain_db = gain_db;
    receiver_init(&m->rx, &m->scene->rx, gain_db);
}

const struct iq_truth *sim_truth(struct sim *m, uint64_t upto, size_t *ret_n)
{
    size_t lo = 0, hi = m->n_told;
    while (lo < hi) {           // told is in order of start
        size_t mid = (lo + hi) / 2;
        if (m->told[mid].start < upto)
            lo = mid + 1;
        else
            hi = mid;
    }
    while (m->first_open < lo && m->told[m->first_open].closed)
        m->first_open++;
    for (size_t i = m->first_open; i < lo; i++)
        if (!m->told[i].closed)
            m->truth[i].dur_s = (double)upto / m->view.rate_hz - m->truth[i].t_s;
    *ret_n = lo;
    return m->truth;
}

int sim_truth_take(struct sim *m, int (*fn)(uint64_t order, const struct iq_truth *t, void *arg),
                   void *arg)
{
    bool all = m->read == m->scene->samples;
    size_t kept = 0;
    if (all)
        sim_truth(m, m->read, &kept);
    kept = 0;
    m->first_open = 0;
    for (size_t i = 0; i < m->n_all; i++) {
        int err = 0;
        if (i < m->n_told && (all || m->told[i].closed)) {
            err = fn(m->told[i].order, &m->truth[i], arg);
        } else {
            m->told[kept] = m->told[i];
            m->truth[kept++] = m->truth[i];
        }
        if (err < 0)
            return err;
        if (i + 1 == m->n_told)
            m->n_told = kept;
    }
    m->n_all = kept;
    return 0;
}
