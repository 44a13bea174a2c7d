// SPDX-License-Identifier: GPL-3.0-or-later
// What tests of the core share: a core without threads, sensors, and messages as sensors make them.
#pragma once

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alertd/core.h"
#include "alertd/core_more.h"

#define S INT64_C(1000000000)
#define T0 (INT64_C(1800000000) * S)
#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct feed {
    struct core *c;
    struct alertd_cfg cfg;
    int64_t  now_ns;
    uint64_t seq[2], boot[2];
    bool     alone;             // the second sensor stays out of it
};

static inline void feed_time(struct feed *f, double s)
{
    f->now_ns += (int64_t)(s * 1e9);
    core_time(f->c, T0 + f->now_ns, S + f->now_ns);
}

static inline void feed_enrol(struct feed *f)
{
    struct keys_peer p[2] = { { .name = "north", .z85 = KEY_A },
                              { .name = "tower", .z85 = KEY_B } };
    core_peers(f->c, p, 2);
}

static inline void feed_core(struct feed *f)
{
    f->c = core_new(&f->cfg, "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii");
    assert_non_null(f->c);
    core_time(f->c, T0 + f->now_ns, S + f->now_ns);
    feed_enrol(f);
}

static inline void feed_init(struct feed *f)
{
    memset(f, 0, sizeof *f);
    f->cfg.n_zones = 1;
    f->cfg.zone[0] = (struct alertd_zone){ .id = "pitch", .name = "Pitch", .lat_deg = 50,
                                           .lon_deg = 14, .radius_m = 200 };
    f->cfg.n_ours = 1;
    f->cfg.ours[0] = (struct alertd_ours){ .serial = "OURS1", .name = "Patrol", .model = "Mini 2" };
    f->boot[0] = 11;
    f->boot[1] = 22;
    feed_core(f);
}

static inline struct wire_msg feed_head(const struct feed *f, int who, enum wire_kind k)
{
    return (struct wire_msg){ .head = {
        .v = 1, .boot = f->boot[who], .stream = WIRE_STREAM_EVENT, .seq = f->seq[who],
        .t_ns = T0 + f->now_ns, .mono_ns = f->now_ns, .origin = "live", .kind = k,
        .clock = { .source = "gnss", .locked = true, .age_s = 1, .err_ns = 1000 } } };
}

static inline enum core_taken feed_send(struct feed *f, int who, const struct wire_msg *m)
{
    static const uint8_t raw[4] = { 1, 2, 3, 4 };
    if (m->head.stream == WIRE_STREAM_EVENT && m->head.seq == f->seq[who])
        f->seq[who]++;
    return core_message(f->c, who ? KEY_B : KEY_A, m, raw, sizeof raw, true);
}

static inline struct wire_msg feed_track(const struct feed *f, int who, const char *id,
                                         uint32_t revision, const char *family, const char *role)
{
    struct wire_msg m = feed_head(f, who, WIRE_TRACK);
    m.track = (struct wire_track){ .state = "named", .verdict = "drone", .p_drone = 0.98,
        .confidence = 0.95, .first_ns = T0, .last_ns = T0 + f->now_ns, .bursts = 9,
        .revision = revision, .freq_lo_hz = 2.41e9, .freq_hi_hz = 2.42e9, .level_dbfs = -40,
        .snr_db = 12, .n_why = 1, .why = { "because" }, .runner_up = "wifi",
        .runner_up_confidence = 0.01 };
    snprintf(m.track.id, sizeof m.track.id, "%s", id);
    snprintf(m.track.radio, sizeof m.track.radio, "a");
    snprintf(m.track.family, sizeof m.track.family, "%s", family);
    snprintf(m.track.role, sizeof m.track.role, "%s", role);
    return m;
}

static inline void feed_num(struct wire_decode *d, const char *key, double v)
{
    struct wire_field *w = &d->field[d->n_fields++];
    *w = (struct wire_field){ .type = WIRE_F_NUM, .num = v };
    snprintf(w->key, sizeof w->key, "%s", key);
}

static inline void feed_str(struct wire_decode *d, const char *key, const char *v)
{
    struct wire_field *w = &d->field[d->n_fields++];
    *w = (struct wire_field){ .type = WIRE_F_STR };
    snprintf(w->key, sizeof w->key, "%s", key);
    snprintf(w->str, sizeof w->str, "%s", v);
}

static inline struct wire_msg feed_decode(const struct feed *f, int who, const char *track,
                                          const char *serial, double lat, double lon)
{
    struct wire_msg m = feed_head(f, who, WIRE_DECODE);
    snprintf(m.decode.protocol, sizeof m.decode.protocol, "dji-droneid");
    snprintf(m.decode.check, sizeof m.decode.check, "crc24a+crc16");
    snprintf(m.decode.track, sizeof m.decode.track, "%s", track);
    feed_str(&m.decode, "serial", serial);
    feed_num(&m.decode, "lat_deg", lat);
    feed_num(&m.decode, "lon_deg", lon);
    return m;
}

static inline struct wire_msg feed_health(const struct feed *f, int who)
{
    struct wire_msg m = feed_head(f, who, WIRE_HEALTH);
    m.health = (struct wire_health){ .n_radios = 1, .disk_free_bytes = 1e10 };
    struct wire_radio *r = &m.health.radio[0];
    *r = (struct wire_radio){ .name = "a", .state = "running", .last_sample_s = 0.1,
                              .samples = 1000000 * (uint64_t)(1 + f->now_ns / S) };
    return m;
}

// Commits what there is: as the loop does when the store says yes.
static inline void feed_commit(struct feed *f)
{
    struct core_work *w = core_collect(f->c);
    assert_non_null(w);
    for (size_t i = 0; i < w->n_ack; i++)
        core_committed(f->c, &w->ack[i]);
    core_work_free(w);
}

static inline void feed_tick(struct feed *f, double s)
{
    feed_time(f, s);
    core_tick(f->c);
    feed_commit(f);
}

// The only alert of a lane; NULL where there is none, fails where there are more.
static inline struct alert *feed_alert(struct feed *f, const char *lane)
{
    struct alert *a = NULL;
    for (size_t i = 0; i < f->c->n_alerts; i++)
        if (!strcmp(f->c->alert[i]->lane, lane)) {
            assert_null(a);
            a = f->c->alert[i];
        }
    return a;
}

// ---- Around each test ---------------------------------------------------------------------------

static inline int feed_set_up(void **state)
{
    struct feed *f = *state = calloc(1, sizeof *f);
    assert_non_null(f);
    feed_init(f);
    return 0;
}

static inline int feed_set_up_alone(void **state)
{
    feed_set_up(state);
    struct feed *f = *state;
    f->alone = true;
    f->c->n_sensors = 1;
    return 0;
}

static inline int feed_tear_down(void **state)
{
    struct feed *f = *state;
    if (f->alone)
        f->c->n_sensors = 2;
    core_free(f->c);
    free(f);
    return 0;
}

#define FEED_CASE(name) cmocka_unit_test_setup_teardown(name, feed_set_up, feed_tear_down)
#define FEED_CASE_ALONE(name) \
    cmocka_unit_test_setup_teardown(name, feed_set_up_alone, feed_tear_down)
