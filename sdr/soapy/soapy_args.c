// SPDX-License-Identifier: GPL-3.0-or-later
// Device arguments ("driver=tyto,scene=event,overflow_every=50") into a checked struct, and what
// outlives a process: the mark of an unplugged device.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utc.h"
#include "sdr/soapy/soapy_dev.h"
#include "sdr/src/source.h"

enum kind { TEXT, NUMBER, COUNT, SWITCH, SEED, TIME, CODE, IGNORED };

// IGNORED: what SoapySDR and its programs add of their own, and what find() tells.
static const struct key { const char *name; enum kind kind; size_t at, size; } keys[] = {
#define F(name, kind, field) { name, kind, offsetof(struct soapy_cfg, field), \
                               sizeof ((struct soapy_cfg *)0)->field }
    F("scene", TEXT, scene), F("file", TEXT, file), F("format", TEXT, format),
    F("serial", TEXT, serial), F("seed", SEED, seed), F("rate", NUMBER, rate_hz),
    F("freq", NUMBER, freq_hz), F("loop", SWITCH, loop),
    F("overflow_every", COUNT, overflow_every), F("stall_after", NUMBER, stall_after_s),
    F("hang_after", NUMBER, hang_after_s), F("crash_after", NUMBER, crash_after_s),
    F("unplug_after", NUMBER, unplug_after_s), F("unplug_for", NUMBER, unplug_for_s),
    F("unplug_mark", TEXT, unplug_mark), F("unplug_error", CODE, unplug_unsupported),
    F("timeout_only", SWITCH, timeout_only), F("fail_open", SWITCH, fail_open),
    F("short_reads", SWITCH, short_reads), F("time", TIME, time),
    F("time_jump_every", COUNT, time_jump_every), F("time_jump", NUMBER, time_jump_s),
    { "driver", IGNORED, 0, 0 }, { "label", IGNORED, 0, 0 }, { "origin", IGNORED, 0, 0 },
    { "type", IGNORED, 0, 0 }, { "product", IGNORED, 0, 0 },
#undef F
};

static int word_of(const char *const *words, const char *s)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], s))
            return i;
    return -1;
}

static bool number_of(const char *s, double *ret)
{
    char *end;
    double v = strtod(s, &end);

    if (end == s || *end || !isfinite(v) || fabs(v) > 1e15)
        return false;
    *ret = v;
    return true;
}

// Puts one value where it belongs; what was expected, or NULL where all is well.
static const char *take(struct soapy_cfg *c, const struct key *k, const char *value)
{
    char *at = (char *)c + k->at, *end;
    double v = 0;
    int w;

    switch (k->kind) {
    case TEXT:
        if (strlen(value) >= k->size)
            return "something shorter";
        memcpy(at, value, strlen(value) + 1);
        return NULL;
    case NUMBER:
        if (!number_of(value, &v) || (v < 0 && k->at != offsetof(struct soapy_cfg, time_jump_s)))
            return "a number";
        *(double *)(void *)at = v;
        return NULL;
    case COUNT:
        if (!number_of(value, &v) || v < 0 || v > 1e9 || v != floor(v))
            return "a whole number of blocks";
        *(unsigned *)(void *)at = (unsigned)v;
        return NULL;
    case SWITCH:
        w = word_of((const char *const[]){ "0", "1", "false", "true", NULL }, value);
        *(bool *)(void *)at = w & 1;
        return w < 0 ? "0 or 1" : NULL;
    case SEED:
        errno = 0;
        c->seed = strtoull(value, &end, 10);
        c->seed_given = true;
        return errno || *end || *value < '0' || *value > '9' ? "a whole number" : NULL;
    case TIME:
        w = word_of((const char *const[]){ "good", "none", "jump", NULL }, value);
        c->time = w < 0 ? SOAPY_TIME_GOOD : (enum soapy_time)w;
        return w < 0 ? "good, none or jump" : NULL;
    case CODE:
        w = word_of((const char *const[]){ "stream", "unsupported", NULL }, value);
        c->unplug_unsupported = w == 1;
        return w < 0 ? "stream or unsupported" : NULL;
    case IGNORED:
        break;
    }
    return NULL;
}

static int check(const struct soapy_cfg *c, char why[SOAPY_WHY])
{
    if (c->scene[0] && c->file[0])
        return src_why(why, -EINVAL, "driver=tyto: scene and file are both given, expected one");
    if (!c->file[0] && (c->rate_hz || c->loop || c->format[0] || !isnan(c->freq_hz)))
        return src_why(why, -EINVAL,
                       "driver=tyto: rate, freq, format, loop belong to file=, which is missing");
    if (c->time == SOAPY_TIME_JUMP && !c->time_jump_every)
        return src_why(why, -EINVAL, "driver=tyto: time_jump_every is 0, expected 1 or more");
    return 0;
}

// "remote:mtu", "soapy_remote_no_deeper" and the like are between SoapySDR's programs.
static bool is_transport(const char *key)
{
    return strchr(key, ':') || !strncmp(key, "soapy", 5) || !strncmp(key, "remote", 6);
}

int soapy_cfg_read(struct soapy_cfg *ret, const struct soapy_pair *p, size_t n,
                   char why[SOAPY_WHY])
{
    struct soapy_cfg c = { .freq_hz = NAN, .time_jump_every = 500, .time_jump_s = 1 };

    for (size_t i = 0; i < n; i++) {
        const struct key *k = keys, *end = keys + sizeof keys / sizeof keys[0];
        while (k < end && strcmp(k->name, p[i].key))
            k++;
        if (k == end && is_transport(p[i].key))
            continue;
        if (k == end)
            return src_why(why, -EINVAL, "driver=tyto: there is no argument \"%s\"", p[i].key);
        const char *expected = take(&c, k, p[i].value);
        if (expected)
            return src_why(why, -EINVAL, "driver=tyto: %s is \"%.100s\", expected %s", k->name,
                           p[i].value, expected);
    }
    if (!c.scene[0] && !c.file[0])
        snprintf(c.scene, sizeof c.scene, "%s", soapy_scene_name(0));
    if (!c.serial[0])
        snprintf(c.serial, sizeof c.serial, "tyto-%s", c.file[0] ? "recording" : "simulation");
    int err = check(&c, why);
    if (!err)
        *ret = c;
    return err;
}

// ---- Unplugged: a file that holds the moment, by the machine's monotonic clock ---------------
//
// No file, or an empty one: plugged in.  An empty one is for those who may write but not create,
// as a driver's process in its jail.

// When it was pulled; -1: it is there, or was never away.
static int64_t unplugged_at(const struct soapy_cfg *c)
{
    char text[32] = "";
    int fd = c->unplug_mark[0] ? open(c->unplug_mark, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

    if (fd < 0)
        return -1;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    return n > 0 ? strtoll(text, NULL, 10) : -1;
}

bool soapy_cfg_present(const struct soapy_cfg *c)
{
    int64_t at = unplugged_at(c);

    return at < 0 || (c->unplug_for_s > 0 && (double)(mono_now_ns() - at) >= c->unplug_for_s * 1e9);
}

void soapy_cfg_unplug(const struct soapy_cfg *c)
{
    char text[32];

    if (!c->unplug_mark[0] || unplugged_at(c) >= 0)     // pulled before: once is enough
        return;
    int fd = open(c->unplug_mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    int n = snprintf(text, sizeof text, "%lld\n", (long long)mono_now_ns());
    (void)!write(fd, text, (size_t)n);
    close(fd);
}
