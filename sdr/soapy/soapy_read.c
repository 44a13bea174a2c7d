// SPDX-License-Identifier: GPL-3.0-or-later
// Reading: blocks from the queue become samples of the wanted format, with a time stamp, and
// whatever fault was asked for on the way.
//
//     index   0 ......... next ........ slot->index    next < index: the samples between are lost
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sdr/soapy/soapy_own.h"

static int64_t stamp(struct soapy_dev *d, uint64_t index)
{
    return d->start_ns + d->offset_ns + llround(soapy_air_s(d, index) * 1e9) + d->jumped_ns;
}

static void wait_us(long us)
{
    struct timespec t = { us / 1000000, us % 1000000 * 1000 };
    nanosleep(&t, NULL);
}

static bool due(const struct soapy_dev *d, double after_s)
{
    return after_s > 0 && soapy_air_s(d, d->next) >= after_s;
}

// Whether a fault stands between the reader and its samples: an enum soapy_read, or 0.
static int fault_now(struct soapy_dev *d, long timeout_us)
{
    const struct soapy_cfg *c = &d->cfg;

    if (due(d, c->crash_after_s))
        abort();
    while (due(d, c->hang_after_s))
        pause();                    // as a driver that waits for a transfer that never ends
    if (!d->gone && due(d, c->unplug_after_s)) {
        d->gone = true;
        soapy_cfg_unplug(c);
    }
    if (d->gone)
        return c->unplug_unsupported ? SOAPY_UNSUPPORTED : SOAPY_ERROR;
    if (c->timeout_only || due(d, c->stall_after_s)) {
        wait_us(timeout_us);
        return SOAPY_TIMEOUT;
    }
    return 0;
}

// The next block in hand: 0, TIMEOUT or OVERFLOW (told once, the block stays in hand).
static int block_get(struct soapy_dev *d, long timeout_us)
{
    struct pollfd p = { .fd = queue_fd(d->queue), .events = POLLIN };
    struct slot *i = queue_try_pop(d->queue);

    if (!i && queue_ended(d->queue))
        wait_us(timeout_us);        // the recording is over: a radio that has fallen silent
    else if (!i && poll(&p, 1, (int)((timeout_us + 999) / 1000)) > 0)
        i = queue_try_pop(d->queue);
    if (!i)
        return SOAPY_TIMEOUT;
    d->in_hand = i;
    d->at = 0;
    if (d->cfg.time == SOAPY_TIME_JUMP && ++d->blocks % d->cfg.time_jump_every == 0)
        d->jumped_ns += llround(d->cfg.time_jump_s * 1e9);
    bool hole = !d->fresh && i->index != d->next;
    d->fresh = false;
    d->next = i->index;
    return hole ? SOAPY_OVERFLOW : 0;
}

static int16_t to_i16(float v)
{
    v = roundf(v * 32768.0f);
    return (int16_t)fmaxf(fminf(v, 32767.0f), -32768.0f);
}

// n samples of the block in hand in the stream's format; a recording's louder by the gain's
// difference, a scene was received with it (soapy_dev.c).
static void convert(struct soapy_dev *d, char *dst, uint32_t n)
{
    double gain_db = d->cfg.file[0] ? d->gain_db - SOAPY_GAIN_DB : 0;
    bool as_is = fabs(gain_db) < 1e-9;
    float g = as_is ? 1 : (float)pow(10, gain_db / 20);

    if (as_is && !d->floats && d->info.format == IQ_CI16) {
        memcpy(dst, d->in_hand->data + (size_t)d->at * 4, (size_t)n * 4);
        return;
    }
    for (uint32_t k = 0; k < n; k += PIECE) {
        uint32_t m = n - k < PIECE ? n - k : PIECE;
        iq_to_cf32(&d->in_hand->b, d->at + k, m, d->piece);
        for (uint32_t i = 0; i < m; i++) {
            float re = crealf(d->piece[i]) * g, im = cimagf(d->piece[i]) * g;
            if (d->floats)
                memcpy(dst + (size_t)(k + i) * 8, (float[]){ re, im }, 8);
            else
                memcpy(dst + (size_t)(k + i) * 4, (int16_t[]){ to_i16(re), to_i16(im) }, 4);
        }
    }
}

int soapy_dev_read(struct soapy_dev *d, void *dst, size_t n, long timeout_us,
                   bool *ret_has_time, int64_t *ret_t_ns)
{
    *ret_has_time = false;
    *ret_t_ns = 0;
    int r = fault_now(d, timeout_us);
    if (!r && (!d->in_hand || d->at == d->in_hand->b.n)) {
        d->in_hand = NULL;
        r = block_get(d, timeout_us);
    }
    if (r < 0)
        return r;
    uint32_t left = d->in_hand->b.n - d->at, m = n < left ? (uint32_t)n : left;
    if (d->cfg.short_reads && m > 1)
        m = 1 + (uint32_t)((d->next * 7919) % m);       // any odd-looking length will do
    convert(d, dst, m);
    *ret_has_time = soapy_dev_has_time(d);
    *ret_t_ns = *ret_has_time ? stamp(d, d->next) : 0;
    d->at += m;
    d->next += m;
    return (int)m;
}
