// SPDX-License-Identifier: GPL-3.0-or-later
// A scene from YAML: defaults, ranges, one sentence for the first thing that is wrong.
#include "sdr/sim/scene.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "sdr/sim/scene_yaml.h"

// Where a check stands: whose keys, and the sentence.  The first error sticks.
struct check {
    const char *origin, *part;
    char       *why;
    int         err;
};

static void fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct check *c, const char *fmt, ...)
{
    char text[300];
    va_list args;
    if (c->err)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    snprintf(c->why, IQ_WHY, "%.150s: %s%s", c->origin, c->part, text);
    c->err = -EINVAL;
}

// A number that was given must lie in lo..hi; NaN does not.
static double num(struct check *c, const char *key, const char *s, double dflt, double lo,
                  double hi)
{
    char *end;
    if (!s)
        return dflt;
    double v = strtod(s, &end);
    if (end == s || *end || !(v >= lo && v <= hi))
        fail(c, "%s is '%s', expected a number from %.9g to %.9g", key, s, lo, hi);
    return v;
}

static double need(struct check *c, const char *key, const char *s, double lo, double hi)
{
    if (!s)
        fail(c, "%s is missing, expected a number from %.9g to %.9g", key, lo, hi);
    return num(c, key, s, lo, lo, hi);
}

// A whole number, decimal or 0x.
static uint64_t whole(struct check *c, const char *key, const char *s, uint64_t dflt, uint64_t lo,
                      uint64_t hi)
{
    char *end;
    if (!s)
        return dflt;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 0);
    if (errno || *end || *s < '0' || *s > '9' || v < lo || v > hi)
        fail(c, "%s is '%s', expected a whole number from %llu to %llu", key, s,
             (unsigned long long)lo, (unsigned long long)hi);
    return v;
}

static void text(char *dst, size_t size, const char *s) { snprintf(dst, size, "%s", s ? s : ""); }

static void check_hex(struct check *c, const char *s)
{
    size_t n = strspn(s, "0123456789abcdefABCDEF");
    if (s[n] || n % 2)
        fail(c, "payload is no hexadecimal of whole bytes at character %zu", s[n] ? n + 1 : n);
}

static int64_t check_utc(struct check *c, const char *s)
{
    int64_t ns = 0, err_ns;
    if (utc_parse(s, &ns, &err_ns) < 0)
        fail(c, "utc is '%s', expected the form 2026-07-01T12:00:00Z", s);
    return ns;
}

const struct tx_model *tx_model_of(const char *name)
{
    for (const struct tx_model *const *m = tx_models; *m; m++)
        if (!strcmp((*m)->name, name))
            return *m;
    return NULL;
}

static void take_fading(struct check *c, struct scene_emitter *e, const struct yaml_fading *y)
{
    e->faded = y != NULL;
    if (!y)
        return;
    e->fading = (struct scene_fading){
        .delay_ns   = num(c, "fading.delay_ns", y->delay_ns, 0, 0, 100e3),     // 30 km of detour
        .level_db   = num(c, "fading.level_db", y->level_db, 0, -100, 40),
        .phase_deg  = num(c, "fading.phase_deg", y->phase_deg, 0, -360, 360),
        .doppler_hz = num(c, "fading.doppler_hz", y->doppler_hz, 0, -10e3, 10e3),
    };
}

static void take_errors(struct check *c, struct scene_emitter *e, const struct yaml_emitter *y)
{
    double crystal = num(c, "crystal_ppm", y->crystal_ppm, 0, -1000, 1000);
    if (y->carrier_ppm && y->carrier_hz)
        fail(c, "carrier_ppm and carrier_hz are both given, expected one of them");
    e->carrier_ppm = y->carrier_hz ? 0
                                   : num(c, "carrier_ppm", y->carrier_ppm, crystal, -1000, 1000);
    e->carrier_hz = num(c, "carrier_hz", y->carrier_hz, 0, -10e6, 10e6);
    e->clock_ppm = num(c, "clock_ppm", y->clock_ppm, crystal, -1000, 1000);
}

static void take_level(struct check *c, struct scene_emitter *e, const struct yaml_emitter *y,
                       bool noise)
{
    if (!y->snr_db == !y->level_dbfs)
        fail(c, "%s of snr_db and level_dbfs given, expected one", y->snr_db ? "both" : "none");
    e->by_snr = y->snr_db != NULL;
    if (e->by_snr && !noise)
        fail(c, "snr_db stands in a scene without noise, expected level_dbfs");
    e->level_db = e->by_snr ? num(c, "snr_db", y->snr_db, 0, -100, 200)
                            : num(c, "level_dbfs", y->level_dbfs, 0, -300, 60);
}

static void take_emitter(struct check *c, struct scene_emitter *e, const struct yaml_emitter *y,
                         const struct scene *s)
{
    if (!y->model || !(e->model = tx_model_of(y->model)))
        fail(c, "model is '%s', expected one that tyto sim --models lists",
             y->model ? y->model : "");
    text(e->mode, sizeof e->mode, y->mode);
    text(e->variant, sizeof e->variant, y->variant);
    text(e->payload_hex, sizeof e->payload_hex, y->payload);
    check_hex(c, e->payload_hex);
    e->start_s = num(c, "start_s", y->start_s, 0, 0, 1e6);
    e->stop_s = num(c, "stop_s", y->stop_s, fmax(s->duration_s, e->start_s), 0, 1e6);
    if (e->stop_s < e->start_s)
        fail(c, "stop_s is %g, expected start_s (%g) or later", e->stop_s, e->start_s);
    e->freq_hz = num(c, "freq_hz", y->freq_hz, NAN, -1e12, 1e12);
    take_level(c, e, y, s->rx.noise_dbfs_hz > SCENE_NO_NOISE);
    take_errors(c, e, y);
    take_fading(c, e, y->fading);
    e->ramp_us = num(c, "ramp_us", y->ramp_us, 0, 0, 1e5);
    e->jitter_us = num(c, "jitter_us", y->jitter_us, 0, 0, 1e5);
    e->period_s = num(c, "period_s", y->period_s, 0, 1e-6, 1e4);
    e->duration_s = num(c, "duration_s", y->duration_s, 0, 1e-7, 1e6);
    e->duty = num(c, "duty", y->duty, 0, 0, 1);
    e->value = num(c, "value", y->value, 0, -1e12, 1e12);
    e->uid = whole(c, "uid", y->uid, 0, 0, UINT64_MAX);
    e->copies = (unsigned)whole(c, "count", y->count, 1, 1, SCENE_EMITTERS);
}

static void take_emitters(struct check *c, struct scene *s, const struct yaml_scene *y)
{
    char part[64];
    unsigned all = 0;
    c->part = part;
    for (unsigned i = 0; i < s->n_emitters && !c->err; i++) {
        struct scene_emitter *e = &s->emitter[i];
        if (y->emitters[i].name)
            text(e->name, sizeof e->name, y->emitters[i].name);
        else
            snprintf(e->name, sizeof e->name, "emitter %u", i + 1);
        snprintf(part, sizeof part, "emitter %u (%s): ", i + 1, e->name);
        take_emitter(c, e, &y->emitters[i], s);
        all += e->copies;
        if (all > SCENE_EMITTERS)
            fail(c, "brings the emitters to %u, expected at most %d", all, SCENE_EMITTERS);
    }
    c->part = "";
}

static void take_receiver(struct check *c, struct scene *s, const struct yaml_receiver *y)
{
    static const struct yaml_receiver none;
    struct scene_receiver *r = &s->rx;
    if (!y)
        y = &none;
    c->part = "receiver: ";
    if (y->noise_dbfs && y->noise_dbfs_hz)
        fail(c, "noise_dbfs and noise_dbfs_hz are both given, expected one of them");
    double total = num(c, "noise_dbfs", y->noise_dbfs, SCENE_NOISE_DBFS, -300, 20);
    r->noise_dbfs_hz = num(c, "noise_dbfs_hz", y->noise_dbfs_hz,
                           total <= SCENE_NO_NOISE ? total : total - 10 * log10(s->rate_hz),
                           -300, 0);
    r->dc_dbfs = num(c, "dc_dbfs", y->dc_dbfs, -INFINITY, -300, 0);
    r->dc_deg = num(c, "dc_deg", y->dc_deg, 45, -360, 360);
    r->iq_gain_db = num(c, "iq_gain_db", y->iq_gain_db, 0, -20, 20);
    r->iq_phase_deg = num(c, "iq_phase_deg", y->iq_phase_deg, 0, -60, 60);
    r->clock_ppm = num(c, "clock_ppm", y->clock_ppm, 0, -1000, 1000);
    r->rolloff = num(c, "rolloff", y->rolloff, 0, 0.05, 0.5);
    r->intercept_dbfs = num(c, "intercept_dbfs", y->intercept_dbfs, SCENE_NO_IP3, -60, 100);
    r->blocking_dbfs = num(c, "blocking_dbfs", y->blocking_dbfs, SCENE_NO_IP3, -100, 100);
    r->clock_hz = num(c, "clock_hz", y->clock_hz, 0, 1e6, 1e9);
    r->clock_dbfs = num(c, "clock_dbfs", y->clock_dbfs, -60, -200, 0);
    r->dc_per_db = num(c, "dc_per_db", y->dc_per_db, 0, -5, 5);
    r->adc_bits = (int)whole(c, "adc_bits", y->adc_bits, s->format == IQ_CI16 ? 16 : 0, 2, 16);
    c->part = "";
}

static void take_scene(struct check *c, struct scene *s, const struct yaml_scene *y)
{
    text(s->name, sizeof s->name, y->name);
    text(s->utc, sizeof s->utc, y->utc);
    s->utc_ns = s->utc[0] ? check_utc(c, s->utc) : 0;
    s->rate_hz = need(c, "rate_hz", y->rate_hz, IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ);
    s->centre_hz = need(c, "centre_hz", y->centre_hz, 0, 1e12);
    s->tune_lo_hz = num(c, "tune_lo_hz", y->tune_lo_hz, s->centre_hz, 0, s->centre_hz);
    s->tune_hi_hz = num(c, "tune_hi_hz", y->tune_hi_hz, s->centre_hz, s->centre_hz, 1e12);
    s->duration_s = need(c, "duration_s", y->duration_s, 0, 86400);
    s->endless = s->duration_s <= 0;
    if (s->endless)
        s->duration_s = SCENE_ENDLESS_S;
    s->samples = (uint64_t)llround(s->duration_s * s->rate_hz);
    s->seed = whole(c, "seed", y->seed, 1, 0, UINT64_MAX);
    s->format = IQ_CI16;
    if (y->format && !strcmp(y->format, "cf32"))
        s->format = IQ_CF32;
    else if (y->format && strcmp(y->format, "ci16"))
        fail(c, "format is '%s', expected ci16 or cf32", y->format);
    if (!c->err)
        take_receiver(c, s, y->receiver);
    if (!c->err)
        take_emitters(c, s, y);
}

int scene_parse(struct scene **ret_scene, const void *yaml, size_t len, const char *origin,
                char why[IQ_WHY])
{
    struct check c = { .origin = origin, .part = "", .why = why };
    struct yaml_scene *y = NULL;
    if (len > SCENE_BYTES)
        fail(&c, "is %zu bytes long, expected at most %u", len, SCENE_BYTES);
    int err = c.err ? c.err : yaml_scene_load(&y, yaml, len, origin, why);
    if (err < 0)
        return err;
    struct scene *s = calloc(1, sizeof *s);
    if (s)
        s->n_emitters = y->emitters_count;
    if (!s || !(s->emitter = calloc(s->n_emitters + 1, sizeof *s->emitter))) {
        fail(&c, "out of memory");
        c.err = -ENOMEM;
    } else {
        take_scene(&c, s, y);
    }
    yaml_scene_free(y);
    if (c.err) {
        scene_free(s);
        return c.err;
    }
    *ret_scene = s;
    return 0;
}

static int read_all(char **ret_text, size_t *ret_len, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return -errno;
    char *p = malloc(SCENE_BYTES + 1);
    size_t n = p ? fread(p, 1, SCENE_BYTES + 1, f) : 0;
    int err = !p ? -ENOMEM : ferror(f) ? (errno ? -errno : -EIO) : 0;
    fclose(f);
    if (err < 0) {
        free(p);
        return err;
    }
    *ret_text = p;
    *ret_len = n;
    return 0;
}

int scene_load(struct scene **ret_scene, const char *path, const char *yaml, char why[IQ_WHY])
{
    char *p = NULL;
    size_t n = 0;
    if (!path)
        return scene_parse(ret_scene, yaml, strlen(yaml), "scene", why);
    int err = read_all(&p, &n, path);
    if (err < 0) {
        snprintf(why, IQ_WHY, "%.200s: cannot be read (%s); expected a scene in YAML", path,
                 strerror(-err));
        return err;
    }
    err = scene_parse(ret_scene, p, n, path, why);
    free(p);
    return err;
}

void scene_free(struct scene *s)
{
    if (s)
        free(s->emitter);
    free(s);
}
