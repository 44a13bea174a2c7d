// SPDX-License-Identifier: GPL-3.0-or-later
// The configuration's values, judged: each fault is one sentence with file and line.
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/why.h"
#include "base/yaml.h"
#include "classifier/args.h"
#include "classifier/sensord.h"
#include "classifier/sensord_yaml.h"

#define FILE_MOST 65536
#define FREQ_MAX_HZ 300e9

struct reading {
    const char *path, *text;
    char        dir[SENSORD_PATH];      // of the file: relative paths begin there
    unsigned    radio, from;            // which radio is read, and the line it begins on
    char       *why;
    struct sensord_cfg *c;
};

__attribute__((format(printf, 3, 4)))
static int bad(struct reading *r, const char *key, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(r->why, SENSORD_WHY, "%.200s:%u: %s: ", r->path,
                     yaml_line(r->text, strlen(r->text), key, 0, r->from), key);

    va_start(ap, fmt);
    vsnprintf(r->why + n, SENSORD_WHY - (size_t)n, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

// A number within bounds; left as it is where it is not given.
static int number(struct reading *r, const char *key, const char *text, double lo, double hi,
                  double *ret)
{
    if (!text || args_number(text, lo, hi, ret) == 0)
        return 0;
    return bad(r, key, "a number from %.12g to %.12g was expected, not '%.40s'", lo, hi, text);
}

static int text(struct reading *r, const char *key, const char *s, char *ret, size_t size)
{
    if (!s)
        return 0;
    if (strlen(s) >= size)
        return bad(r, key, "at most %zu characters fit", size - 1);
    memcpy(ret, s, strlen(s) + 1);
    return 0;
}

static int path(struct reading *r, const char *key, const char *s, char *ret, size_t size)
{
    if (!s || s[0] == '/' || !r->dir[0])
        return text(r, key, s, ret, size);
    int n = snprintf(ret, size, "%s/%s", r->dir, s);
    return n < 0 || (size_t)n >= size ? bad(r, key, "the path is too long") : 0;
}

static int yes_no(struct reading *r, const char *key, const char *s, bool *ret)
{
    static const char *const words[] = { "no", "false", "off", "yes", "true", "on" };

    for (unsigned i = 0; s && i < 6; i++)
        if (!strcmp(words[i], s)) {
            *ret = i >= 3;
            return 0;
        }
    return s ? bad(r, key, "yes or no was expected, not '%.40s'", s) : 0;
}

// ---- Radios ----------------------------------------------------------------------------------

static int radio_kind(struct reading *r, const struct yaml_radio *y, struct sensord_radio *o)
{
    unsigned n = (y->args || y->profile) + (y->scene != NULL) + (y->file != NULL);

    if (n != 1)
        return bad(r, "name", "one of args (a radio), scene (a simulation) and file (a recording) "
                   "was expected");
    o->kind = y->scene ? RADIO_SCENE : y->file ? RADIO_FILE : RADIO_LIVE;
    if (o->kind == RADIO_LIVE)
        return 0;
    return path(r, y->scene ? "scene" : "file", y->scene ? y->scene : y->file, o->path,
                sizeof o->path);
}

static int radio_live(struct reading *r, const struct yaml_radio *y, struct sensord_radio *o)
{
    char why[HW_WHY];

    if (y->profile && hw_profile_load(&o->hw, y->profile, why) < 0)
        return bad(r, "profile", "%.300s", why);
    if (!y->args)
        memcpy(stpcpy(o->args, "driver="), o->hw.driver, sizeof o->hw.driver);
    if (!y->profile) {              // what is known of the driver, where anything is
        const char *driver = strstr(o->args, "driver=");
        char name[32] = "";
        if (driver)
            sscanf(driver + 7, "%31[^,]", name);
        const char *known = name[0] ? hw_profile_for_driver(name) : NULL;
        if (known && hw_profile_load(&o->hw, known, why) == 0)
            snprintf(o->profile, sizeof o->profile, "%s", known);
    }
    if (!y->rate_hz)
        return bad(r, "name", "a radio needs rate_hz");
    if (!y->centre_hz && !o->scan)
        return bad(r, "name", "a radio needs centre_hz, or scan: yes and a band plan (bands:)");
    if (o->profile[0] && isfinite(o->hw.rate_hi_hz.v) && o->rate_hz > o->hw.rate_hi_hz.v)
        return bad(r, "rate_hz", "%s gives at most %.0f samples a second", o->hw.title,
                   o->hw.rate_hi_hz.v);
    if (o->profile[0] && !o->scan &&
        (o->centre_hz < o->hw.freq_lo_hz.v || o->centre_hz > o->hw.freq_hi_hz.v))
        return bad(r, "centre_hz", "%s hears %.0f to %.0f MHz, not %.6f (2440e6 is 2440 MHz)",
                   o->hw.title, o->hw.freq_lo_hz.v / 1e6, o->hw.freq_hi_hz.v / 1e6,
                   o->centre_hz / 1e6);
    if (sensord_gain(o, y->gain, why) < 0)
        return bad(r, "gain", "%.300s", why);
    return 0;
}

static int radio_read(struct reading *r, const struct yaml_radio *y, struct sensord_radio *o)
{
    double channel = 0, seed = 0;
    int e;

    *o = (struct sensord_radio){ .gain_db = NAN };
    snprintf(o->name, sizeof o->name, "radio-%u", r->radio + 1);
    if ((e = text(r, "name", y->name, o->name, sizeof o->name)) ||
        (e = radio_kind(r, y, o)) ||
        (e = text(r, "args", y->args, o->args, sizeof o->args)) ||
        (e = text(r, "profile", y->profile, o->profile, sizeof o->profile)) ||
        (e = text(r, "antenna", y->antenna, o->antenna, sizeof o->antenna)) ||
        (e = text(r, "format", y->format, o->format, sizeof o->format)) ||
        (e = number(r, "rate_hz", y->rate_hz, IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ, &o->rate_hz)) ||
        (e = number(r, "centre_hz", y->centre_hz, 0, FREQ_MAX_HZ, &o->centre_hz)) ||
        (e = number(r, "gain_db", y->gain_db, -100, 200, &o->gain_db)) ||
        (e = number(r, "bandwidth_hz", y->bandwidth_hz, 0, IQ_RATE_MAX_HZ, &o->bandwidth_hz)) ||
        (e = number(r, "ppm", y->ppm, -1000, 1000, &o->ppm)) ||
        (e = yes_no(r, "scan", y->scan, &o->scan)) ||
        (e = number(r, "channel", y->channel, 0, 15, &channel)) ||
        (e = number(r, "seed", y->seed, 0, WIRE_MAX * 65536.0, &seed)))
        return e;
    o->channel = (unsigned)channel;
    o->seed = (uint64_t)seed;
    o->seed_given = y->seed != NULL;
    o->freq_given = y->centre_hz != NULL;
    if (!o->name[0])
        return bad(r, "name", "a name was expected");
    if (o->scan && (o->kind == RADIO_FILE || y->centre_hz || !y->rate_hz))
        return bad(r, "scan", "a radio or a scene with rate_hz and without centre_hz was expected; "
                   "the band plan says where it listens");
    for (unsigned i = 0; i < r->radio; i++)
        if (!strcmp(r->c->radio[i].name, o->name))
            return bad(r, "name", "two radios are called %s", o->name);
    return o->kind == RADIO_LIVE ? radio_live(r, y, o) : 0;
}

static int radios_read(struct reading *r, const struct yaml_sensord *y)
{
    unsigned top = yaml_line(r->text, strlen(r->text), "radios", 0, 1);
    int e = 0;

    if (!y->radios_count)
        return bad(r, "radios", "one radio at least was expected");
    for (r->radio = 0; r->radio < y->radios_count && !e; r->radio++) {
        const struct yaml_radio *x = &y->radios[r->radio];
        r->from = x->name ? yaml_line(r->text, strlen(r->text), "name", r->radio, top) : top;
        e = radio_read(r, x, &r->c->radio[r->radio]);
    }
    r->from = 1;
    r->c->n_radios = y->radios_count;
    return e;
}

// ---- The rest --------------------------------------------------------------------------------

static int post_read(struct reading *r, const struct yaml_post *p)
{
    uint8_t raw[32];
    int e;

    if (!p)
        return 0;
    if (!p->endpoint || !p->key)
        return bad(r, "post", "endpoint and key were expected");
    if ((e = text(r, "endpoint", p->endpoint, r->c->endpoint, sizeof r->c->endpoint)))
        return e;
    if (!args_endpoint(p->endpoint))
        return bad(r, "endpoint", "tcp://HOST:PORT was expected, not '%.60s'", p->endpoint);
    if (keys_raw(p->key, raw) < 0 || !keys_trustworthy(raw))
        return bad(r, "key", "the 40 characters that tyto keys show prints at the post were "
                   "expected");
    memcpy(r->c->post_key, p->key, KEYS_Z85);
    return 0;
}

static int spool_read_cfg(struct reading *r, const struct yaml_spool *s)
{
    double mb = 64, h = 24;
    int e;

    if (s && ((e = path(r, "dir", s->dir, r->c->spool_dir, sizeof r->c->spool_dir)) ||
              (e = number(r, "max_mb", s->max_mb, 1, 1e6, &mb)) ||
              (e = number(r, "max_h", s->max_h, 0.1, 24 * 366, &h))))
        return e;
    r->c->spool_bytes = mb * 1048576;
    r->c->spool_s = h * 3600;
    if (r->c->endpoint[0] && !r->c->spool_dir[0])
        return bad(r, "post", "a link needs a spool (spool: dir:)");
    if (r->c->endpoint[0] && !r->c->keys_dir[0])
        return bad(r, "post", "a link needs keys_dir");
    return 0;
}

static int place_read(struct reading *r, const struct yaml_place *p)
{
    struct hw_place *o = &r->c->place;
    int e;

    *o = (struct hw_place){ .source = "none", .alt_m = NAN, .err_m = NAN };
    if (!p)
        return 0;
    if (p->gpsd && sscanf(p->gpsd, "%63[^:]:%7[0-9]", r->c->gpsd_host, r->c->gpsd_port) != 2)
        return bad(r, "gpsd", "HOST:PORT was expected, not '%.60s'", p->gpsd);
    if (!p->lat_deg != !p->lon_deg || (!p->gpsd && !p->lat_deg))
        return bad(r, "place", "gpsd, or lat_deg and lon_deg were expected");
    if (!p->lat_deg)
        return 0;
    o->err_m = 10;                      // a place read off a map
    if ((e = number(r, "lat_deg", p->lat_deg, -90, 90, &o->lat_deg)) ||
        (e = number(r, "lon_deg", p->lon_deg, -180, 180, &o->lon_deg)) ||
        (e = number(r, "alt_m", p->alt_m, -500, 9000, &o->alt_m)) ||
        (e = number(r, "err_m", p->err_m, 0, 1e6, &o->err_m)))
        return e;
    snprintf(o->source, sizeof o->source, "config");
    r->c->fixed = o->known = true;
    return 0;
}

// What the installation's policy forbids, no configuration allows.
static int policy_read(struct reading *r, const struct yaml_sensord *y)
{
    char further[SENSORD_PATH] = "", where[HW_WHERE], why[HW_WHY];
    int e = path(r, "policy", y->policy, further, sizeof further);

    if (e)
        return e;
    int most = hw_policy_droneid(y->policy ? further : NULL, where, why);
    if (most < 0)
        return bad(r, "policy", "%.300s", why);
    return (int)r->c->droneid <= most ? 0
         : bad(r, "droneid", "%.200s allows %s and no more; that was expected here", where,
               hw_droneid_name((enum hw_droneid)most));
}

// What is kept of alarms: only where the policy says so.
static int keep_read(struct reading *r, const struct yaml_sensord *y)
{
    const struct yaml_keep *k = y->keep;
    struct keep_cfg *o = &r->c->keep;
    char further[SENSORD_PATH] = "", where[HW_WHERE], why[HW_WHY];
    double mb = 1000, days = 30;
    int e;

    if (!k)
        return 0;
    o->seconds = 4;                     // a hopping link is named within three
    if ((e = path(r, "dir", k->dir, o->dir, sizeof o->dir)) ||
        (e = path(r, "policy", y->policy, further, sizeof further)) ||
        (e = number(r, "seconds", k->seconds, 1, 30, &o->seconds)) ||
        (e = number(r, "max_mb", k->max_mb, 1, 1e7, &mb)) ||
        (e = number(r, "days", k->days, 0.01, 3660, &days)))
        return e;
    if (!k->dir || !k->key)
        return bad(r, "keep", "dir and key were expected");
    if (keys_raw(k->key, o->key) < 0 || !keys_trustworthy(o->key))
        return bad(r, "keep", "a key of 40 characters as tyto keys show prints it, of whoever may "
                   "open what is kept, was expected");
    int may = hw_policy_keep(y->policy ? further : NULL, where, why);
    if (may < 0)
        return bad(r, "policy", "%.300s", why);
    if (!may)
        return bad(r, "keep", "%.200s does not allow it; keep: evidence was expected there",
                   where);
    o->max_bytes = mb * 1048576;
    o->max_s = days * 86400;
    r->c->keeps = true;
    return 0;
}

static int droneid_read(struct reading *r, const struct yaml_sensord *y)
{
    static const char *const words[] = { "off", "recognise", "decode" };
    const char *s = y->droneid ? y->droneid : "recognise";

    for (unsigned i = 0; i < 3; i++)
        if (!strcmp(words[i], s)) {
            r->c->droneid = (enum droneid_mode)i;
            if (i == DRONEID_DECODE && (!y->legal_basis || strlen(y->legal_basis) < 3))
                return bad(r, "droneid", "decode reads what aircraft say of themselves and their "
                           "pilots: a legal_basis line was expected beside it");
            return 0;
        }
    return bad(r, "droneid", "off, recognise or decode was expected, not '%.40s'", s);
}

static int all_read(struct reading *r, const struct yaml_sensord *y)
{
    struct sensord_cfg *c = r->c;
    double threads = 0;
    int e;

    snprintf(c->name, sizeof c->name, "sensor");
    c->p_drone = 0.5;
    c->heading_deg = NAN;
    if ((e = text(r, "name", y->name, c->name, sizeof c->name)) ||
        (e = yes_no(r, "production", y->production, &c->production)) ||
        (e = path(r, "keys_dir", y->keys_dir, c->keys_dir, sizeof c->keys_dir)) ||
        (e = path(r, "sig_dir", y->sig_dir, c->sig_dir, sizeof c->sig_dir)) ||
        (e = path(r, "plugin_path", y->plugin_path, c->plugin_path, sizeof c->plugin_path)) ||
        (e = path(r, "local", y->local, c->local, sizeof c->local)) ||
        (e = number(r, "threads", y->threads, 0, 64, &threads)) ||
        (e = number(r, "p_drone", y->p_drone, 0.01, 1, &c->p_drone)) ||
        (e = number(r, "heading_deg", y->heading_deg, 0, 360, &c->heading_deg)) ||
        (e = droneid_read(r, y)) || (e = policy_read(r, y)) || (e = keep_read(r, y)) ||
        (e = post_read(r, y->post)) ||
        (e = spool_read_cfg(r, y->spool)) || (e = place_read(r, y->place)))
        return e;
    double hours = 24;
    c->threads = (unsigned)threads;
    if (y->baseline && ((e = path(r, "dir", y->baseline->dir, c->site_dir, sizeof c->site_dir)) ||
        (e = number(r, "learn_h", y->baseline->learn_h, 0.001, 24 * 366, &hours))))
        return e;
    if (y->baseline && !c->site_dir[0])
        return bad(r, "baseline", "dir was expected");
    c->site_learn_s = hours * 3600;
    bool named = y->bands && !strpbrk(y->bands, "./");      // one that we bring along
    e = named ? text(r, "bands", y->bands, c->bands, sizeof c->bands)
              : path(r, "bands", y->bands, c->bands, sizeof c->bands);
    if (!e)
        e = radios_read(r, y);
    const char *key = "bands";
    char why[SENSORD_WHY];
    return e ? e : sensord_bands(c, &key, why) < 0 ? bad(r, key, "%.400s", why) : 0;
}

static int slurp(const char *file, char ret[FILE_MOST + 1], char *why)
{
    FILE *f = fopen(file, "rb");
    int err = errno;
    size_t n = f ? fread(ret, 1, FILE_MOST + 1, f) : 0;

    if (f && ferror(f))
        err = errno ? errno : EIO;
    else if (f)
        err = n > FILE_MOST ? EFBIG : memchr(ret, 0, n) ? EINVAL : 0;
    if (f)
        fclose(f);
    if (err) {
        snprintf(why, SENSORD_WHY, "%.200s:1: %s; a configuration as in docs/sensord.yaml was "
                 "expected", file, why_error(err));
        return -err;
    }
    ret[n] = 0;
    return (int)n;
}

int sensord_cfg_load(struct sensord_cfg *ret, const char *file, char why[SENSORD_WHY])
{
    char *yaml = malloc(FILE_MOST + 1);
    struct yaml_sensord *y = NULL;
    struct sensord_cfg *c = calloc(1, sizeof *c);
    struct reading r = { .path = file, .text = yaml, .from = 1, .why = why, .c = c };
    const char *slash = strrchr(file, '/');
    int n = -ENOMEM;

    snprintf(why, SENSORD_WHY, "not enough memory");
    if (slash && (size_t)(slash - file) < sizeof r.dir)
        snprintf(r.dir, sizeof r.dir, "%.*s", (int)(slash - file), file);
    if (yaml && c && (n = slurp(file, yaml, why)) >= 0 &&
        (n = yaml_sensord_load(&y, yaml, (size_t)n, file, why, SENSORD_WHY)) == 0 &&
        (n = all_read(&r, y)) == 0)
        *ret = *c;
    yaml_sensord_free(y);
    free(c);
    free(yaml);
    return n;
}
