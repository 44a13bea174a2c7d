// SPDX-License-Identifier: GPL-3.0-or-later
// Judges what the YAML says and fills the gaps.  One fault, one sentence, with the line of the key:
// the n-th "key:" of the text, which is where the n-th of its kind stands in any YAML people write.
#include "alertd/cfg.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/why.h"

#define FILE_MAX (1 << 20)      // a configuration of more than a megabyte is not one

struct load {
    const char *yaml, *file;
    size_t      len;
    char       *why;
    struct alertd_cfg *c;
};

// Line of the nth (from 0) "key:" that begins a line, after blanks, a dash or a brace.
static unsigned line_of(const struct load *l, const char *key, unsigned nth)
{
    size_t n = strlen(key);
    unsigned line = 1;
    bool start = true;
    for (size_t i = 0; i + n < l->len; i++) {
        char c = l->yaml[i];
        if (start && !strncmp(l->yaml + i, key, n) && l->yaml[i + n] == ':' && !nth--)
            return line;
        line += c == '\n';
        start = strchr(" \n{-,", c) && c;
    }
    return line;
}

__attribute__((format(printf, 4, 5)))
static int bad(const struct load *l, const char *key, unsigned nth, const char *fmt, ...)
{
    char what[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    snprintf(l->why, ALERTD_WHY, "%.200s, line %u: %s: %s", l->file, line_of(l, key, nth), key,
             what);
    return -EINVAL;
}

static int number(const struct load *l, const char *key, unsigned nth, const char *s, double lo,
                  double hi, double *ret)
{
    char *end;
    if (!s)
        return 0;
    double v = strtod(s, &end);
    if (!*s || *end || !isfinite(v))
        return bad(l, key, nth, "\"%.60s\" is no number", s);
    if (v < lo || v > hi)
        return bad(l, key, nth, "%g; expected %g to %g", v, lo, hi);
    *ret = v;
    return 0;
}

static int yes_no(const struct load *l, const char *key, const char *s, bool *ret)
{
    if (!s)
        return 0;
    bool yes = !strcmp(s, "true") || !strcmp(s, "yes");
    if (!yes && strcmp(s, "false") && strcmp(s, "no"))
        return bad(l, key, 0, "\"%.60s\"; expected yes or no", s);
    *ret = yes;
    return 0;
}

static int text(const struct load *l, const char *key, unsigned nth, const char *s, char *ret,
                size_t size)
{
    if (!s)
        return 0;
    if (strlen(s) >= size)
        return bad(l, key, nth, "is longer than %zu characters", size - 1);
    snprintf(ret, size, "%s", s);
    return 0;
}

// A path as it stands, or beside the configuration when it is relative.
static int path(const struct load *l, const char *key, const char *s, char *ret, size_t size)
{
    const char *slash = strrchr(l->file, '/');
    int dir = slash ? (int)(slash - l->file) + 1 : 0;
    if (!s || !*s)
        return 0;
    int n = snprintf(ret, size, "%.*s%s", *s == '/' ? 0 : dir, l->file, s);
    return n < 0 || (size_t)n >= size ? bad(l, key, 0, "is too long a path") : 0;
}

static bool loopback(const char *host)
{
    return !strcmp(host, "localhost") || !strcmp(host, "::1") || !strncmp(host, "127.", 4);
}

static int web(const struct load *l, const struct yaml_web *w)
{
    struct alertd_cfg *c = l->c;
    double port = c->web_port;
    int r = 0;
    if (!w)
        return 0;
    if ((r = text(l, "host", 0, w->host, c->web_host, sizeof c->web_host)) < 0 ||
        (r = number(l, "port", 0, w->port, 0, 65535, &port)) < 0 ||
        (r = yes_no(l, "tls", w->tls, &c->web_tls)) < 0 ||
        (r = text(l, "name", 0, w->name, c->web_name, sizeof c->web_name)) < 0 ||
        (r = path(l, "cert", w->cert, c->web_cert, sizeof c->web_cert)) < 0 ||
        (r = path(l, "key", w->key, c->web_key, sizeof c->web_key)) < 0 ||
        (r = path(l, "page_dir", w->page_dir, c->page_dir, sizeof c->page_dir)) < 0)
        return r;
    c->web_port = (unsigned)port;
    if (c->web_port != port)
        return bad(l, "port", 0, "%g is not a whole number", port);
    if (!c->web_tls && !loopback(c->web_host))
        return bad(l, "tls", 0, "only a page on 127.0.0.1 may do without TLS, not one on %s",
                   c->web_host);
    if (!c->web_cert[0] != !c->web_key[0])
        return bad(l, c->web_cert[0] ? "cert" : "key", 0, "cert and key go together");
    return 0;
}

// The circle around the middle of a polygon's box: 111.2 km a degree of latitude.
static void around(struct alertd_zone *z)
{
    double lo[2] = { 90, 180 }, hi[2] = { -90, -180 };
    for (unsigned i = 0; i < z->n_points; i++) {
        lo[0] = fmin(lo[0], z->point[i].lat_deg), hi[0] = fmax(hi[0], z->point[i].lat_deg);
        lo[1] = fmin(lo[1], z->point[i].lon_deg), hi[1] = fmax(hi[1], z->point[i].lon_deg);
    }
    z->lat_deg = (lo[0] + hi[0]) / 2;
    z->lon_deg = (lo[1] + hi[1]) / 2;
    double k = cos(z->lat_deg * M_PI / 180);
    for (unsigned i = 0; i < z->n_points; i++)
        z->radius_m = fmax(z->radius_m, 111200 * hypot(z->point[i].lat_deg - z->lat_deg,
                                                       (z->point[i].lon_deg - z->lon_deg) * k));
}

static int point(const struct load *l, const struct yaml_point *y, unsigned nth, double *lat_deg,
                 double *lon_deg)
{
    int r;
    if (!y->lat_deg || !y->lon_deg)
        return bad(l, y->lat_deg ? "lat_deg" : "lon_deg", nth, "lat_deg and lon_deg go together");
    r = number(l, "lat_deg", nth, y->lat_deg, -90, 90, lat_deg);
    return r < 0 ? r : number(l, "lon_deg", nth, y->lon_deg, -180, 180, lon_deg);
}

// nth_point: how many "lat_deg:" stand before this zone.
static int zone(const struct load *l, const struct yaml_zone *y, unsigned nth, unsigned *nth_point)
{
    struct alertd_zone *z = &l->c->zone[nth];
    int r;
    if (!y->id || !*y->id)
        return bad(l, "zones", 0, "zone %u has no id", nth + 1);
    for (unsigned i = 0; i < nth; i++)
        if (!strcmp(l->c->zone[i].id, y->id))
            return bad(l, "id", nth, "two zones are called %.40s", y->id);
    if ((r = text(l, "id", nth, y->id, z->id, sizeof z->id)) < 0 ||
        (r = text(l, "name", nth, y->name ? y->name : y->id, z->name, sizeof z->name)) < 0)
        return r;
    if (y->points_count) {
        if (y->points_count < 3)
            return bad(l, "points", 0, "zone %s has %u; a polygon has 3 or more", z->id,
                       y->points_count);
        for (unsigned i = 0; i < y->points_count; i++)
            if ((r = point(l, &y->points[i], (*nth_point)++, &z->point[i].lat_deg,
                           &z->point[i].lon_deg)) < 0)
                return r;
        z->n_points = y->points_count;
        around(z);
        return 0;
    }
    if (!y->radius_m || !y->lat_deg)
        return bad(l, "id", nth, "zone %s needs lat_deg, lon_deg and radius_m, or points", z->id);
    r = point(l, &(struct yaml_point){ y->lat_deg, y->lon_deg }, (*nth_point)++, &z->lat_deg,
              &z->lon_deg);
    return r < 0 ? r : number(l, "radius_m", nth, y->radius_m, 1, 1e5, &z->radius_m);
}

static int ours(const struct load *l, const struct yaml_ours *y, unsigned nth)
{
    if (l->c->n_ours == ALERTD_OURS)
        return bad(l, "own_aircraft", 0, "more than %d with own_serials", ALERTD_OURS);
    struct alertd_ours *o = &l->c->ours[l->c->n_ours];
    int r;
    if (!y->serial || !*y->serial)
        return bad(l, "own_aircraft", 0, "entry %u has no serial", nth + 1);
    if ((r = text(l, "serial", nth, y->serial, o->serial, sizeof o->serial)) < 0 ||
        (r = text(l, "own_aircraft", 0, y->name, o->name, sizeof o->name)) < 0 ||
        (r = text(l, "model", nth, y->model, o->model, sizeof o->model)) < 0)
        return r;
    for (unsigned i = 0; i < y->links_count; i++, o->n_links++)
        if ((r = text(l, "links", nth, y->links[i], o->link[i], sizeof o->link[i])) < 0)
            return r;
    return 0;
}

static int lists(const struct load *l, const struct yaml_cfg *y)
{
    struct alertd_cfg *c = l->c;
    unsigned points = y->place != NULL;
    int r;
    for (unsigned i = 0; i < y->zones_count; i++, c->n_zones++)
        if ((r = zone(l, &y->zones[i], i, &points)) < 0)
            return r;
    for (unsigned i = 0; i < y->own_serials_count; i++, c->n_ours++)
        if ((r = text(l, "own_serials", 0, y->own_serials[i], c->ours[i].serial,
                      sizeof c->ours[i].serial)) < 0)
            return r;
    for (unsigned i = 0; i < y->own_aircraft_count; i++, c->n_ours++)
        if ((r = ours(l, &y->own_aircraft[i], i)) < 0)
            return r;
    return 0;
}

static int judge(const struct load *l, const struct yaml_cfg *y)
{
    struct alertd_cfg *c = l->c;
    int r;
    if ((r = text(l, "site", 0, y->site, c->site, sizeof c->site)) < 0 ||
        (r = path(l, "keys_dir", y->keys_dir, c->keys_dir, sizeof c->keys_dir)) < 0 ||
        (r = path(l, "data_dir", y->data_dir, c->data_dir, sizeof c->data_dir)) < 0 ||
        (r = text(l, "bind", 0, y->bind, c->bind, sizeof c->bind)) < 0 ||
        (r = text(l, "feed", 0, y->feed, c->feed, sizeof c->feed)) < 0 ||
        (r = yes_no(l, "exercise", y->exercise, &c->exercise)) < 0 ||
        (r = number(l, "keep_days", 0, y->keep_days, 0.01, 3650, &c->keep_days)) < 0 ||
        (r = web(l, y->web)) < 0)
        return r;
    if (!c->keys_dir[0] || !c->data_dir[0])
        return bad(l, c->keys_dir[0] ? "data_dir" : "keys_dir", 0, "is missing");
    if (strncmp(c->bind, "tcp://", 6) && strncmp(c->bind, "ipc://", 6))
        return bad(l, "bind", 0, "\"%.60s\"; expected tcp://ADDRESS:PORT", c->bind);
    if (c->feed[0] && strncmp(c->feed, "tcp://", 6) && strncmp(c->feed, "ipc://", 6))
        return bad(l, "feed", 0, "\"%.60s\"; expected tcp://ADDRESS:PORT", c->feed);
    if (y->place) {
        c->have_place = true;
        if ((r = point(l, y->place, 0, &c->lat_deg, &c->lon_deg)) < 0)
            return r;
    }
    return lists(l, y);
}

int cfg_parse(struct alertd_cfg *ret, const char *yaml, size_t len, const char *file,
              char why[ALERTD_WHY])
{
    struct alertd_cfg *c = malloc(sizeof *c);
    struct yaml_cfg *y = NULL;
    if (!c) {
        snprintf(why, ALERTD_WHY, "%.200s: there is not enough memory to read it", file);
        return -ENOMEM;
    }
    *c = (struct alertd_cfg){ .site = "command post", .bind = "tcp://*:5670",
                              .web_host = "127.0.0.1", .web_port = 8443, .web_tls = true,
                              .web_name = "localhost", .keep_days = 30 };
    struct load l = { yaml, file, len, why, c };
    snprintf(c->file, sizeof c->file, "%s", file);
    int r = yaml_cfg_load(&y, yaml, len, file, why);
    if (r >= 0)
        r = judge(&l, y);
    if (r >= 0)
        *ret = *c;
    yaml_cfg_free(y);
    free(c);
    return r;
}

int alertd_cfg_load(struct alertd_cfg *ret, const char *file, char why[ALERTD_WHY])
{
    char *yaml = malloc(FILE_MAX + 1);
    FILE *f = fopen(file, "re");
    int r;
    if (!f || !yaml) {
        r = f ? -ENOMEM : -errno;
        snprintf(why, ALERTD_WHY, "%.200s: %s; expected a configuration as in docs/alertd.yaml",
                 file, why_error(r));
    } else {
        size_t len = fread(yaml, 1, FILE_MAX + 1, f);
        r = ferror(f) ? -EIO : len > FILE_MAX ? -EFBIG : 0;
        if (r < 0)
            snprintf(why, ALERTD_WHY, "%.200s: %s; expected a configuration as in docs/alertd.yaml",
                 file, why_error(r));
        else
            r = cfg_parse(ret, yaml, len, file, why);
    }
    if (f)
        fclose(f);
    free(yaml);
    return r;
}
