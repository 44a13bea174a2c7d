// SPDX-License-Identifier: GPL-3.0-or-later
// How a sensor and the post are, as JSON for screens: what was measured and received, and when.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"
#include "base/utc.h"

#define S_NS INT64_C(1000000000)

struct change *core_change(struct core *c, enum change_kind kind, const char *id,
                           const struct field *f, const void *base)
{
    size_t len;
    struct change *h;
    char *text = fields_text(f, base, sizeof *h, &len);
    if (!text)
        return NULL;
    h = (struct change *)(void *)text;
    *h = (struct change){ .n = ++c->n, .kind = kind, .len = len };
    snprintf(h->id, sizeof h->id, "%s", id);
    return h;
}

static void write_watched(const struct core *c, struct json *j, const struct sensor *s)
{
    const struct wire_ledger *l = NULL;
    for (unsigned i = 0; i < CORE_LEDGERS && i < s->n_ledger; i++)
        if (!l || s->ledger[i].to_ns > l->to_ns)
            l = &s->ledger[i];
    json_open(j, "watched", '[');
    bool hears = s->state == SENSOR_OK || s->state == SENSOR_DEGRADED;
    for (unsigned b = 0; hears && l && b < l->n_bands && b < WIRE_BANDS; b++) {
        const struct wire_band *w = &l->band[b];
        if (!(w->hi_hz > w->lo_hz))
            continue;
        json_open(j, NULL, '{');
        json_num(j, "lo_hz", w->lo_hz, 0);
        json_num(j, "hi_hz", w->hi_hz, 0);
        json_num(j, "share", sensor_watched(c, s, w->lo_hz, w->hi_hz), 3);
        json_num(j, "floor_dbfs", w->floor_dbfs, 1);
        json_num(j, "floor_dbm_hz", w->floor_dbm_hz, 1);
        if (w->state[0])
            json_str(j, "state", w->state);
        if (w->name[0])
            json_str(j, "band", w->name);
        if (w->state[0])
            json_num(j, "smallest_dbfs", w->smallest_dbfs, 1);
        if (w->windows) {
            json_num(j, "revisit_p95_s", w->revisit_p95_s, 1);
            json_num(j, "revisit_max_s", w->revisit_max_s, 1);
        }
        json_close(j);
    }
    json_close(j);
}

static void put_time(struct json *j, const char *key, int64_t ns)
{
    char s[UTC_LEN];
    utc_format(s, ns, 3);
    json_str(j, key, ns ? s : NULL);
}

static void write_place(struct json *j, const struct wire_health *h)
{
    json_open(j, "place", '{');
    json_bool(j, "known", h->place_known);
    if (h->place_known) {
        json_str(j, "source", h->place_source);
        json_num(j, "lat_deg", h->lat_deg, 7);
        json_num(j, "lon_deg", h->lon_deg, 7);
        json_num(j, "alt_m", h->alt_m, 1);
        json_num(j, "error_m", h->place_err_m, 1);
        json_num(j, "age_s", h->place_age_s, 1);
    }
    json_close(j);
    json_num(j, "heading_deg", h->heading_deg, 1);
}

static void write_health(const struct core *c, struct json *j, const struct sensor *s)
{
    const struct wire_health *h = &s->health;
    json_str(j, "calls_itself", h->name);
    json_str(j, "version", h->version);
    write_place(j, h);
    json_num(j, "uptime_s", h->uptime_s, 0);
    json_num(j, "cpu_share", h->cpu_share, 3);
    json_num(j, "rss_bytes", h->rss_bytes, 0);
    json_num(j, "disk_free_bytes", h->disk_free_bytes, 0);
    json_num(j, "temperature_c", h->temperature_c, 1);
    json_num(j, "spool_bytes", (double)h->spool_bytes, 0);
    json_num(j, "spool_lost", (double)h->spool_lost, 0);
    json_num(j, "loss_share", s->loss_share, 5);
    json_open(j, "radios", '[');
    for (unsigned i = 0; i < h->n_radios && i < WIRE_RADIOS; i++) {
        struct wire_radio r;
        radio_now(c, s, i, &r);
        json_open(j, NULL, '{');
        fields_write(j, wire_radio_fields, &r);
        json_close(j);
    }
    json_close(j);
}

static void write_floors(struct json *j, const struct sensor *s)
{
    struct floor_kept k[FLOOR_PLACES];
    unsigned n = floor_kept_of(s, k);
    json_open(j, "floors", '[');
    for (unsigned i = 0; i < n; i++) {
        json_open(j, NULL, '{');
        fields_write(j, floor_fields, &k[i]);
        json_close(j);
    }
    json_close(j);
}

static void write_trouble(struct json *j, const struct sensor *s)
{
    static const char *const key[TROUBLES] = {
        "sensor-lost", "sensor-deaf", "radio-silent", "samples-lost", "clock", "disk-low",
        "spool-lost", "origin-refused", "flood", "foreign-name", "clipping", "floor-high",
        "floor-low", "malformed", "clock-jump", "stamps-jump" };
    json_open(j, "trouble", '[');
    for (int t = 0; t < TROUBLES; t++)
        if (s->bad_since_ns[t]) {
            json_open(j, NULL, '{');
            json_str(j, "key", key[t]);
            json_open(j, "params", '{');
            json_str(j, "sensor", s->name);
            json_str(j, "what", s->bad_what[t]);
            json_close(j);
            json_close(j);
        }
    json_close(j);
}

static void write_link(struct json *j, const struct sensor *s)
{
    uint64_t pending = 0;
    for (unsigned i = 0; i < s->n_boot; i++)
        if (s->boot[i].n)
            pending += s->boot[i].span[s->boot[i].n - 1].from - s->boot[i].next;
    json_open(j, "link", '{');
    json_bool(j, "connected", s->connected);
    json_num(j, "late_pending", (double)pending, 0);
    json_num(j, "lost", (double)s->lost, 0);
    json_num(j, "throttled", (double)s->throttled, 0);
    json_num(j, "faults", (double)s->faults, 0);
    json_num(j, "foreign", (double)s->foreign, 0);
    json_close(j);
}

static struct change *finish(struct core *c, struct json *j, FILE *out, char **text,
                             const size_t *len, enum change_kind kind, const char *id)
{
    json_end(j);
    if (fclose(out) || json_error(j)) {
        free(*text);
        return NULL;
    }
    struct change *h = (struct change *)(void *)*text;
    size_t n = *len - 1 - sizeof *h;
    *h = (struct change){ .n = ++c->n, .kind = kind, .len = n };
    h->json[n] = 0;             // over the newline
    snprintf(h->id, sizeof h->id, "%.39s", id);
    return h;
}

static FILE *begin(struct json *j, char **text, size_t *len)
{
    static const struct change none;
    FILE *out = open_memstream(text, len);
    if (!out)
        return NULL;
    fwrite(&none, sizeof none, 1, out);
    json_init(j, out);
    json_begin(j);
    return out;
}

struct change *sensor_change(struct core *c, const struct sensor *s)
{
    char *text = NULL;
    size_t len = 0;
    struct json j;
    FILE *out = begin(&j, &text, &len);
    if (!out)
        return NULL;
    json_str(&j, "id", s->name);
    json_str(&j, "name", s->name);
    json_str(&j, "state", sensor_state_name(s->state));
    put_time(&j, "since", s->since_ns);
    put_time(&j, "last_heard", s->heard_ns);
    json_str(&j, "origin", s->origin[0] ? s->origin : NULL);
    json_num(&j, "lost", (double)s->lost, 0);
    json_open(&j, "clock", '{');
    json_str(&j, "source", s->clock.source);
    json_bool(&j, "locked", s->clock.locked);
    json_num(&j, "age_s", s->clock.age_s, 1);
    json_num(&j, "err_s", s->clock.err_ns < 0 ? NAN : (double)s->clock.err_ns / 1e9, 6);
    json_num(&j, "off_s", (double)s->clock_off_ns / 1e9, 3);
    json_bool(&j, "bad", s->clock_bad);
    json_close(&j);
    write_trouble(&j, s);
    write_link(&j, s);
    if (s->have_health)
        write_health(c, &j, s);
    write_watched(c, &j, s);
    write_floors(&j, s);
    return finish(c, &j, out, &text, &len, CHANGE_SENSOR, s->name);
}

// Bands people speak of, and where drones' links stand in them.
static const struct { const char *name; double lo_hz, hi_hz; bool always; } bands[] = {
    { "433 MHz", 433.05e6, 434.79e6, false }, { "868 MHz", 863e6, 870e6, false },
    { "915 MHz", 902e6, 928e6, false },       { "1.2 GHz", 1240e6, 1300e6, false },
    { "2.4 GHz", 2400e6, 2483.5e6, true },    { "5.2 GHz", 5150e6, 5350e6, false },
    { "5.8 GHz", 5725e6, 5875e6, true },      // ISM; analog video reaches from 5645 to 5945
};

static void write_bands(struct core *c, struct json *j)
{
    json_open(j, "watched", '[');
    for (unsigned b = 0; b < sizeof bands / sizeof bands[0]; b++) {
        double best = 0;
        for (size_t i = 0; i < c->n_sensors; i++)
            if (c->sensor[i]->state == SENSOR_OK || c->sensor[i]->state == SENSOR_DEGRADED)
                best = fmax(best, sensor_watched(c, c->sensor[i], bands[b].lo_hz, bands[b].hi_hz));
        if (!bands[b].always && best <= 0)
            continue;
        json_open(j, NULL, '{');
        json_str(j, "band", bands[b].name);
        json_num(j, "lo_hz", bands[b].lo_hz, 0);
        json_num(j, "hi_hz", bands[b].hi_hz, 0);
        json_num(j, "share", best, 3);
        json_close(j);
    }
    json_close(j);
}

static void write_counts(struct core *c, struct json *j)
{
    unsigned n[SENSOR_LOST + 1] = { 0 };
    for (size_t i = 0; i < c->n_sensors; i++)
        n[c->sensor[i]->state]++;
    json_open(j, "sensors", '{');
    for (int k = 0; k <= SENSOR_LOST; k++)
        json_int(j, sensor_state_name((enum sensor_state)k), n[k]);
    json_close(j);
}

static void write_origins(struct core *c, struct json *j)
{
    static const char *const name[] = { "live", "recording", "simulation", "selftest",
                                        "exercise" };
    json_open(j, "origins", '[');
    for (int i = 0; i < 5; i++)
        if (c->origin_heard_ns[i] && c->now_ns - c->origin_heard_ns[i] < 3600 * S_NS)
            json_str(j, NULL, name[i]);
    json_close(j);
}

// Alerts that wait for room on the disk are not shown; that they are there, and how urgent, is.
static void write_store(struct core *c, struct json *j)
{
    unsigned waiting = 0;
    enum severity worst = SEV_NONE;
    for (size_t i = 0; c->post.store_full && i < c->n_alerts; i++)
        if (c->alert[i]->dirty) {
            enum severity s = severity_of(c->alert[i]->severity);
            waiting++;
            worst = s > worst ? s : worst;
        }
    json_open(j, "store", '{');
    json_bool(j, "ok", c->post.store_ok);
    json_bool(j, "full", c->post.store_full);
    json_int(j, "rows", c->post.store_rows);
    json_int(j, "queue", c->post.queue);
    json_int(j, "waiting", waiting);
    json_str(j, "waiting_severity", waiting ? severity_name(worst) : NULL);
    json_close(j);
}

static void write_clock(const struct core *c, struct json *j)
{
    const struct hw_clock *k = &c->post.clock;
    json_open(j, "clock", '{');
    json_str(j, "source", k->source[0] ? k->source : "none");
    json_bool(j, "locked", k->locked);
    json_num(j, "err_s", k->err_ns <= 0 || k->err_ns == INT64_MAX ? NAN
                                                                  : (double)k->err_ns / 1e9, 6);
    json_close(j);
}

struct change *health_change(struct core *c)
{
    char *text = NULL;
    size_t len = 0;
    struct json j;
    FILE *out = begin(&j, &text, &len);
    if (!out)
        return NULL;
    json_str(&j, "id", "post");
    json_str(&j, "site", c->cfg->site);
    json_bool(&j, "exercise", c->cfg->exercise);
    write_origins(c, &j);
    if (c->cfg->have_place) {
        json_open(&j, "place", '{');
        json_num(&j, "lat_deg", c->cfg->lat_deg, 7);
        json_num(&j, "lon_deg", c->cfg->lon_deg, 7);
        json_close(&j);
    }
    write_clock(c, &j);
    write_store(c, &j);
    write_counts(c, &j);
    json_num(&j, "refused_peers", (double)c->post.refused_peers, 0);
    write_bands(c, &j);
    // What did not fit into a full table since the start: never silently.
    json_open(&j, "no_room", '{');
    json_num(&j, "alerts", (double)c->dropped[CHANGE_ALERT], 0);
    json_num(&j, "incidents", (double)c->dropped[CHANGE_INCIDENT], 0);
    json_num(&j, "tracks", (double)c->dropped[CHANGE_TRACK], 0);
    json_close(&j);
    json_str(&j, "note", c->post.note[0] ? c->post.note : NULL);
    put_time(&j, "now", c->now_ns);
    return finish(c, &j, out, &text, &len, CHANGE_HEALTH, "post");
}
