// SPDX-License-Identifier: GPL-3.0-or-later
// A radio as a source: a driver behind the front (sdr/src/source.h).
#include "sdr/radio/live.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/utc.h"
#include "hw/hw.h"

#define OPEN_S   10.0           // sdr.h promises it
#define SILENCE_S 2.0
#define SETTLE_S 0.02           // tuners lock within a few ms; without a profile, some more

static void live_stop(void *state)
{
    struct live *l = state;

    atomic_store(&l->stop, true);
    ssize_t r = write(l->stop_fd, &(uint64_t){ 1 }, 8);
    (void)r;
}

static int live_tune(void *state, const struct iq_place *p)
{
    struct live *l = state;

    if (!(p->centre_hz > 0 && p->centre_hz <= 300e9))
        return -EINVAL;
    board_write(&l->wanted, p, sizeof *p);
    ssize_t r = write(l->stop_fd, &(uint64_t){ 1 }, 8);
    (void)r;
    return 0;
}

static void live_radio(void *state, struct iq_radio *ret)
{
    struct live *l = state;
    struct live_board b;
    int64_t now_ns = mono_now_ns();

    board_read(&l->board, &b, sizeof b);
    *ret = b.radio;
    ret->since_s = fmax(0, 1e-9 * (double)(now_ns - b.since_ns));
    ret->last_sample_s = b.last_ns ? fmax(0, 1e-9 * (double)(now_ns - b.last_ns)) : ret->since_s;
}

static bool live_mark(void *state, struct src_mark *ret)
{
    struct live *l = state;

    while (!l->holding && !atomic_load(&l->stop))
        if (!live_take(l))
            live_step(l, mono_now_ns() + 1000000000);
    if (!l->holding || !l->fresh)
        return false;
    l->fresh = false;
    *ret = (struct src_mark){ .lost = l->gap };
    if (l->tell_utc) {
        ret->utc_ns = clock_utc_ns(&l->clock, l->handed - l->slot.n);
        ret->utc_err_ns = l->clock.err_ns;
        l->tell_utc = false;
    }
    ret->tuned = l->slot.centre_hz != l->centre_hz;
    ret->centre_hz = l->centre_hz = l->slot.centre_hz;
    ret->gained = l->slot.gain_db != l->gain_db;
    ret->gain_db = l->gain_db = l->slot.gain_db;
    return ret->lost || ret->utc_ns || ret->tuned || ret->gained;
}

static int64_t live_read(void *state, void *dst, size_t n)
{
    struct live *l = state;
    size_t size = iq_format_bytes(l->first.format);

    if (!l->holding || atomic_load(&l->stop))
        return 0;
    n = n < l->slot.n - l->at ? n : l->slot.n - l->at;
    memcpy(dst, l->samples + l->at * size, n * size);
    l->at += (uint32_t)n;
    if (l->at == l->slot.n) {
        ring_release(&l->ring);
        l->holding = false;
    }
    return (int64_t)n;
}

static void live_close(void *state)
{
    struct live *l = state;

    child_kill(&l->child);
    for (int i = 0; i < 100 && !child_is_gone(&l->child); i++)
        usleep(10000);          // gone in ms, but for one that hangs in the kernel
    if (l->stop_fd >= 0)
        close(l->stop_fd);
    free(l);
}

static double live_behind_s(void *state)
{
    struct live *l = state;
    return l->heard ? ring_waiting(&l->ring) * (double)l->shape.block_len / l->ring.rate_hz : 0;
}

static const struct src_ops live_ops = {
    .read = live_read, .mark = live_mark, .stop = live_stop, .tune = live_tune,
    .radio = live_radio, .behind_s = live_behind_s, .close = live_close,
};

// ---- Opening ---------------------------------------------------------------------------------

// SoapySDR's arguments: key=value, key=value.
static bool has_arg(const char *args, const char *key, const char *value)
{
    size_t n = strlen(key);

    for (const char *p = args; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        while (*p == ' ')
            p++;
        if (!strncmp(p, key, n) && p[n] == '=' &&
            (!value || !strncmp(p + n + 1, value, strlen(value))))
            return true;
    }
    return false;
}

static int judge_cfg(const struct iq_live_cfg *c, char why[IQ_WHY])
{
    const struct hw_profile *p = c->profile;
    const char *name = c->name ? c->name : "radio";

    if (!c->args || !c->args[0])
        return src_why(why, -EINVAL, "%.60s: which device? expected arguments as SoapySDR takes "
                       "them, such as driver=rtlsdr", name);
    if (strlen(c->args) >= sizeof ((struct talk_ask *)0)->args ||
        (c->antenna && strlen(c->antenna) >= sizeof ((struct talk_ask *)0)->antenna) ||
        (c->settings && strlen(c->settings) >= sizeof ((struct talk_ask *)0)->settings))
        return src_why(why, -EINVAL, "%.60s: device arguments, antenna or settings are too long",
                       name);
    if (!(c->rate_hz >= IQ_RATE_MIN_HZ && c->rate_hz <= IQ_RATE_MAX_HZ))
        return src_why(why, -EINVAL, "%.60s: a sample rate of %g Hz is out of range, expected "
                       "%.9g to %.9g", name, c->rate_hz, IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ);
    if (!(c->centre_hz >= 0 && c->centre_hz <= 300e9))
        return src_why(why, -EINVAL, "%.60s: a centre of %g Hz is out of range", name,
                       c->centre_hz);
    if (p && p->rate_hi_hz.v > 0 && (c->rate_hz > p->rate_hi_hz.v * (1 + 1e-9) ||
                                     c->rate_hz < p->rate_lo_hz.v * (1 - 1e-9)))
        return src_why(why, -EINVAL, "%.60s: %.9g Hz is no sample rate of %.60s, expected %.9g to "
                       "%.9g", name, c->rate_hz, p->title, p->rate_lo_hz.v, p->rate_hi_hz.v);
    if (p && p->freq_hi_hz.v > 0 && (c->centre_hz > p->freq_hi_hz.v ||
                                     c->centre_hz < p->freq_lo_hz.v))
        return src_why(why, -EINVAL, "%.60s: %.60s does not reach %.9g Hz, expected %.9g to %.9g",
                       name, p->title, c->centre_hz, p->freq_lo_hz.v, p->freq_hi_hz.v);
    return 0;
}

static void fill_ask(struct live *l, const struct iq_live_cfg *c)
{
    const struct hw_profile *p = c->profile;

    l->ask = (struct talk_ask){
        .kind = TALK_OPEN, .channel = c->channel, .block_len = src_block_len(c->rate_hz),
        .hardware_time = p ? p->hardware_time : -1, .rate_hz = c->rate_hz,
        .centre_hz = c->centre_hz, .gain_db = isnan(c->gain_db) && p ? p->gain_db : c->gain_db,
        .bandwidth_hz = c->bandwidth_hz, .ppm = c->ppm,
        .settle_s = p && p->settle_s.v >= 0 ? p->settle_s.v : SETTLE_S, .network = l->remote,
    };
    snprintf(l->ask.args, sizeof l->ask.args, "%s", c->args);
    snprintf(l->ask.antenna, sizeof l->ask.antenna, "%s", c->antenna ? c->antenna : "");
    snprintf(l->ask.settings, sizeof l->ask.settings, "%s", c->settings ? c->settings : "");
    l->opened = l->ask;
    l->shape = ring_shape(c->rate_hz, l->ask.block_len);
}

static int find_program(struct live *l, const struct iq_live_cfg *c, char why[IQ_WHY])
{
    char dir[PATH_MAX - 16];

    if (c->program) {
        snprintf(l->program, sizeof l->program, "%s", c->program);
        return 0;
    }
    int r = hw_program_dir(dir, sizeof dir);
    if (r < 0)
        return src_why(why, r, "%s: where this program lies cannot be found out: %s", l->name,
                       strerror(-r));
    snprintf(l->program, sizeof l->program, "%s/tyto-radio", dir);
    return 0;
}

// Until samples wait, the child gave up, or the time is over.
static int first_samples(struct live *l, char why[IQ_WHY])
{
    int64_t end_ns = mono_now_ns() + (int64_t)(OPEN_S * 1e9);

    while (!live_take(l)) {
        int r = l->before[RING_ERRORS] ? -EIO : live_step(l, end_ns);
        if (r < 0 || l->before[RING_ERRORS])
            return src_why(why, r < 0 ? r : -EIO, "%s: %s", l->name, l->why);
        if (mono_now_ns() >= end_ns)
            return src_why(why, -ETIMEDOUT, "%s: the device gave no samples within %.0f s%s%s; "
                           "unplug it and plug it in again, then see tyto doctor", l->name, OPEN_S,
                           l->said.what[0] ? ": " : "", l->said.what);
    }
    return 0;
}

static int open_live(struct live *l, struct iq_source **ret_src, const struct iq_live_cfg *c,
                     char why[IQ_WHY])
{
    int r = find_program(l, c, why);

    if (!r && (l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        r = src_why(why, -errno, "%s: %s", l->name, strerror(errno));
    if (!r)
        r = first_samples(l, why);
    if (r)
        return r;
    struct src_driver d = {
        .ops = &live_ops, .state = l, .endless = true, .rate_hz = l->first.rate_hz,
        .centre_hz = l->first.centre_hz, .gain_db = l->first.gain_db,
        .format = l->first.format, .origin = l->origin,
    };
    return src_open(ret_src, &d, l->name, false, c->pool_blocks, why);
}

int iq_open_live(struct iq_source **ret_src, const struct iq_live_cfg *cfg, char why[IQ_WHY])
{
    int r = judge_cfg(cfg, why);

    if (r)
        return r;
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return src_why(why, -ENOMEM, "no memory");
    child_init(&l->child);
    l->stop_fd = -1;
    snprintf(l->name, sizeof l->name, "%s", cfg->name ? cfg->name : "radio");
    l->plugins = cfg->plugin_path;
    if (cfg->plugin_path)
        snprintf(l->plugin_path, sizeof l->plugin_path, "%s", cfg->plugin_path);
    l->remote = (cfg->profile && cfg->profile->remote) || has_arg(cfg->args, "driver", "remote") ||
                has_arg(cfg->args, "remote", NULL);
    l->silence_s = cfg->silence_s > 0 ? cfg->silence_s : SILENCE_S;
    fill_ask(l, cfg);
    r = open_live(l, ret_src, cfg, why);
    if (r)
        live_close(l);
    return r;
}
