// SPDX-License-Identifier: GPL-3.0-or-later
// The air: a paced source whose blocks go into the reader's queue, whether or not anybody reads.
//
//     source ==block==> copy into the next slot ==> queue, which refuses when full
//                  |  left out: a fault's turn, or nobody listens
#include "base/utc.h"
#include "sdr/soapy/soapy_own.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

int soapy_air_open(struct soapy_dev *d, char why[SOAPY_WHY])
{
    const struct soapy_cfg *c = &d->cfg;

    if (c->file[0]) {
        struct iq_file_cfg f = {
            .path = c->file, .format = c->format[0] ? c->format : NULL, .rate_hz = c->rate_hz,
            .freq_hz = isnan(c->freq_hz) ? 0 : c->freq_hz, .freq_given = !isnan(c->freq_hz),
            .paced = true, .pool_blocks = 4,
        };
        return iq_open_file(&d->src, &f, why);
    }
    const char *text = soapy_scene_builtin(c->scene);
    struct iq_sim_cfg s = {
        .path = text ? NULL : c->scene, .text = text, .seed = c->seed,
        .seed_given = c->seed_given, .paced = true, .pool_blocks = 4,
    };
    return iq_open_sim(&d->src, &s, why);
}

// A radio is never late, but this thread may be, and then gives a burst of blocks faster than any
// reader takes them.  What is late by our own fault waits for room; what is on time is lost when
// there is none: that is the reader's fault.
#define LATE_S  0.002           // more than a block, less than anybody's patience
#define GIVE_UP_S 2.0           // later than that, the reader is slow too

static bool waits(const struct soapy_dev *d)
{
    double passed_s = (double)(mono_now_ns() - d->start_ns) * 1e-9;
    double lag_s = passed_s - soapy_air_s(d, (uint64_t)d->now_index);

    return lag_s > LATE_S && lag_s < GIVE_UP_S && !atomic_load(&d->quit) &&
           atomic_load(&d->wanted);
}

static void push(struct soapy_dev *d, struct slot *s)
{
    int r;

    while ((r = queue_push(d->queue, s)) == -EAGAIN && waits(d))
        nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
    d->pushed += !r;            // else lost, and the hole in the indices will tell
}

// One block into the queue, unless a fault takes it or nobody listens.
static void offer(struct soapy_dev *d, const struct iq_block *b)
{
    struct slot *s = &d->slot[d->pushed % SLOTS];
    bool lose = d->cfg.overflow_every && d->kept == d->cfg.overflow_every;

    atomic_store(&d->now_index, (long long)(d->base + b->n0 + b->n));
    d->kept = lose ? 0 : d->kept + 1;
    if (lose || !atomic_load(&d->wanted))
        return;
    s->b = *b;
    s->b.data = s->data;
    s->index = d->base + b->n0;
    memcpy(s->data, b->data, b->n * iq_format_bytes(b->format));
    push(d, s);
}

// The recording anew, its indices behind those of the round before.
static bool again(struct soapy_dev *d)
{
    char why[SOAPY_WHY];

    if (!d->cfg.loop)
        return false;
    d->base = (uint64_t)atomic_load(&d->now_index);
    iq_close(d->src);
    d->src = NULL;
    return soapy_air_open(d, why) >= 0;
}

void *soapy_air_run(void *arg)
{
    struct soapy_dev *d = arg;
    struct iq_block *b;

    pthread_setname_np(pthread_self(), "tyto-air");
    do
        while (!atomic_load(&d->quit) && (b = iq_next(d->src))) {
            offer(d, b);
            iq_unref(b);
        }
    while (!atomic_load(&d->quit) && again(d));
    queue_close(d->queue);
    return NULL;
}
