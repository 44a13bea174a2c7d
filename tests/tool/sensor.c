// SPDX-License-Identifier: GPL-3.0-or-later
// A sensor without radios, for tests of what people see: says to a command post, over the real link
// and with a real key, what it is told on standard input, one JSON object a line.
//
//     sensor KEYS_DIR ENDPOINT POST_KEY [ORIGIN, else live]
//     sensor --local SOCKET [ORIGIN]          no post: to whoever listens at its own socket
//
//     {"track":"t1","family":"dji-ocusync","role":"video"}     heard from now on, told each second
//     {"track":"t1","state":"quiet"}                           and no longer
//     {"radio":"north","state":"silent","what":"unplugged"}    in its health, told each second
//     {"band":"2.4 GHz","ago_min":9,"minutes":4,"share":1}      its ledger of then; state, deaf
//     {"mute":true}                                              says nothing more, stays connected
//     {"end":true}                                               as does the end of the input
//
// Of a track with "lat" and "lon" a checked frame claims them, with "serial", "model" and the
// person's position ("person" is its kind, "plat", "plon").
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/utc.h"
#include "classifier/wire.h"
#include "hw/keys.h"
#include "tests/tool/json_get.h"

#define S INT64_C(1000000000)
#define TRACKS 256
#define HELD 8192               // messages that can be told again

struct track { struct wire_track w; json_t *line; bool live; };
struct held { uint8_t *p; int n; };

static struct {
    void        *socket;
    uint64_t     boot, seq, view_seq;
    const char  *origin;
    struct track track[TRACKS];
    unsigned     n_tracks;
    struct wire_radio radio[WIRE_RADIOS];
    unsigned     n_radios;
    struct held  held[HELD];
    int64_t      heard_ns, ledger_ns;
    bool         mute, up, views, local;
} u;

static struct wire_msg message(enum wire_kind k)
{
    enum wire_stream s = wire_kind_stream(k);
    struct wire_msg m = { .head = {
        .v = 1, .boot = u.boot, .stream = s, .t_ns = utc_now_ns(), .mono_ns = mono_now_ns(),
        .kind = k, .clock = { .source = "gnss", .locked = true, .age_s = 1, .err_ns = 1000 } } };
    snprintf(m.head.origin, sizeof m.head.origin, "%s", u.origin);
    if (s != WIRE_STREAM_LINK)
        m.head.seq = s == WIRE_STREAM_VIEW ? u.view_seq++ : u.seq++;
    return m;
}

static void send_msg(const struct wire_msg *m)
{
    static uint8_t buf[WIRE_MAX];
    int n = wire_pack(m, buf, sizeof buf);
    if (n < 0) {
        fprintf(stderr, "sensor: %s cannot be told: %s\n", wire_kind_name(m->head.kind),
                strerror(-n));
        exit(2);
    }
    if (m->head.stream == WIRE_STREAM_EVENT) {
        struct held *h = &u.held[m->head.seq % HELD];
        free(h->p);
        *h = (struct held){ malloc((size_t)n), n };
        if (!h->p)
            exit(2);
        memcpy(h->p, buf, (size_t)n);
        if (!u.up)
            return;             // told once the post says where it is
    }
    zmq_send(u.socket, buf, (size_t)n, ZMQ_DONTWAIT);
}

static void say_hello(void)
{
    struct wire_msg m = message(WIRE_HELLO);
    m.hello = (struct wire_hello){ .v_lo = 1, .v_hi = 1, .name = "test", .version = "0", .n = 1,
        .held = { { u.boot, u.seq > HELD ? u.seq - HELD : 0, u.seq ? u.seq - 1 : 0 } } };
    send_msg(&m);
}

static void resume(uint64_t next)
{
    static uint8_t env[WIRE_MAX];
    u.up = true;
    for (; next < u.seq; next++) {
        const struct held *h = &u.held[next % HELD];
        int n = wire_pack_late(h->p, (size_t)h->n, env, sizeof env);
        if (n > 0)
            zmq_send(u.socket, env, (size_t)n, ZMQ_DONTWAIT);
    }
}

static void field(struct wire_decode *d, const json_t *line, const char *from, const char *key)
{
    const json_t *v = json_object_get(line, from);
    struct wire_field *f = &d->field[d->n_fields];
    if (!v)
        return;
    *f = (struct wire_field){ .type = json_is_string(v) ? WIRE_F_STR : WIRE_F_NUM,
                              .num = json_number_value(v) };
    snprintf(f->key, sizeof f->key, "%s", key);
    put(f->str, sizeof f->str, line, from, "");
    d->n_fields++;
}

static void say_frame(const struct track *t)
{
    struct wire_msg m = message(WIRE_DECODE);
    struct wire_decode *d = &m.decode;
    PUT(d->protocol, t->line, "protocol", "dji-droneid");
    snprintf(d->check, sizeof d->check, "crc24a+crc16");
    snprintf(d->track, sizeof d->track, "%s", t->w.id);
    snprintf(d->radio, sizeof d->radio, "%s", t->w.radio);
    d->freq_hz = t->w.freq_lo_hz;
    d->snr_db = t->w.snr_db;
    field(d, t->line, "serial", "serial");
    field(d, t->line, "model", "product");
    field(d, t->line, "lat", "lat_deg");
    field(d, t->line, "lon", "lon_deg");
    field(d, t->line, "alt", "alt_hae_m");
    field(d, t->line, "person", "operator_position");
    field(d, t->line, "plat", "operator_lat_deg");
    field(d, t->line, "plon", "operator_lon_deg");
    send_msg(&m);
}

static void say_track(struct track *t)
{
    struct wire_msg m = message(WIRE_TRACK);
    if (t->live)
        t->w.last_ns = m.head.t_ns;
    t->w.revision++;
    t->w.bursts += 2;
    m.track = t->w;
    send_msg(&m);
    if (t->live && json_object_get(t->line, "lat"))
        say_frame(t);
}

static void say_health(void)
{
    struct wire_msg m = message(WIRE_HEALTH);
    m.health = (struct wire_health){ .name = "test", .version = "0", .place_known = true,
        .place_source = "gpsd", .lat_deg = 50, .lon_deg = 14, .alt_m = 200, .place_err_m = 3,
        .place_age_s = 1, .heading_deg = NAN, .uptime_s = 100, .cpu_share = 0.3, .rss_bytes = 9e7,
        .disk_free_bytes = 9e9, .temperature_c = 41, .n_radios = u.n_radios };
    memcpy(m.health.radio, u.radio, sizeof u.radio);
    send_msg(&m);
}

static struct wire_band watched(double lo_hz, double hi_hz, double s, double floor_dbfs)
{
    return (struct wire_band){ .lo_hz = lo_hz, .hi_hz = hi_hz, .watched_s = s,
                               .floor_dbm_hz = NAN, .floor_dbfs = floor_dbfs };
}

static void say_ledger(int64_t from_ns, int64_t to_ns, unsigned n, const struct wire_band *b)
{
    struct wire_msg m = message(WIRE_LEDGER);
    m.ledger = (struct wire_ledger){ .from_ns = from_ns, .to_ns = to_ns, .n_bands = n };
    memcpy(m.ledger.band, b, n * sizeof *b);
    send_msg(&m);
}

static void say_watched(void)
{
    int64_t now = utc_now_ns();
    double s = (double)(now - u.ledger_ns) / 1e9;
    say_ledger(u.ledger_ns, now, 2, (struct wire_band[]){ watched(2400e6, 2483.5e6, s, -92),
                                                          watched(5725e6, 5875e6, 0.4 * s, -94) });
    u.ledger_ns = now;
}

static void say_spectrum(void)
{
    static unsigned row;
    struct wire_msg m = message(WIRE_PSD);
    m.psd = (struct wire_psd){ .centre_hz = 2441e6, .rate_hz = 20e6, .floor_db = -90, .top_db = -20,
                               .occupancy = 0.2, .bins = WIRE_BINS };
    snprintf(m.psd.radio, sizeof m.psd.radio, "%s", u.radio[0].name);
    for (unsigned i = 0; i < WIRE_BINS; i++)
        m.psd.v[i] = (uint8_t)(i / 40 == row % 13 ? 60 : 138 + (i * 7 + row) % 5);
    row++;
    send_msg(&m);
}

static void take_track(const json_t *line, const char *id)
{
    unsigned i = 0;
    while (i < u.n_tracks && strcmp(u.track[i].w.id, id))
        i++;
    if (i == TRACKS)
        return;
    struct track *t = &u.track[i];
    struct wire_track *w = &t->w;
    if (i == u.n_tracks) {
        u.n_tracks++;
        *t = (struct track){ .line = json_object(), .w = { .first_ns = utc_now_ns() } };
        w->last_ns = w->first_ns;
    }
    json_object_update(t->line, (json_t *)(uintptr_t)line);
    PUT(w->id, t->line, "track", "");
    snprintf(w->radio, sizeof w->radio, "%s", u.radio[0].name);
    PUT(w->state, t->line, "state", "named");
    PUT(w->family, t->line, "family", "dji-ocusync");
    PUT(w->link, t->line, "link", "");
    PUT(w->role, t->line, "role", "video");
    PUT(w->verdict, t->line, "verdict", "drone");
    PUT(w->claimed_serial, t->line, "serial", "");
    PUT(w->runner_up, t->line, "runner_up", "wifi");
    w->runner_up_confidence = 0.02;
    w->p_drone = num(t->line, "p_drone", 0.98);
    w->confidence = num(t->line, "confidence", 0.97);
    w->freq_lo_hz = 1e6 * num(t->line, "mhz", 2440) - 5e6;
    w->freq_hi_hz = w->freq_lo_hz + 1e7;
    w->level_dbfs = -60 + num(t->line, "snr_db", 14);
    w->snr_db = num(t->line, "snr_db", 14);
    w->usual = json_is_true(json_object_get(t->line, "usual"));
    w->decodes = json_object_get(t->line, "lat") != NULL;
    w->n_why = 1;
    PUT(w->why[0], t->line, "why", "the packet grid fits on 40 of 41 bursts");
    t->live = !strcmp(w->state, "named") || !strcmp(w->state, "tentative");
    say_track(t);
}

static void take_radio(const json_t *line, const char *name)
{
    unsigned i = 0;
    while (i < u.n_radios && strcmp(u.radio[i].name, name))
        i++;
    if (i == WIRE_RADIOS)
        return;
    if (i == u.n_radios)
        u.n_radios++;
    struct wire_radio *r = &u.radio[i];
    *r = (struct wire_radio){ .centre_hz = 2441e6, .rate_hz = 20e6, .rate_measured_hz = 20e6,
        .gain_db = 40, .since_s = 100, .last_sample_s = 0.01, .floor_dbfs = -90, .occupancy = 0.2,
        .samples = 1000000 };
    PUT(r->name, line, "radio", "");
    PUT(r->device, line, "device", "driver=test");
    PUT(r->state, line, "state", "running");
    PUT(r->what, line, "what", "");
    if (strcmp(r->state, "running"))
        r->last_sample_s = 60;
    say_health();
}

// What it watched some minutes ago, a message a minute.
static void take_ledger(const json_t *line)
{
    const int64_t minute = 60 * S, now = utc_now_ns() / minute * minute;
    int64_t from = now - (int64_t)num(line, "ago_min", 1) * minute;
    int64_t to = from + (int64_t)num(line, "minutes", 1) * minute;
    struct wire_band b = watched(1e6 * num(line, "lo_mhz", 2400), 1e6 * num(line, "hi_mhz", 2483.5),
                                 60 * num(line, "share", 1), -92);

    b.deaf_s = 60 * num(line, "deaf", 0);
    b.smallest_dbfs = num(line, "smallest", NAN);
    PUT(b.name, line, "band", "");
    PUT(b.state, line, "state", "watched");
    for (; from < to; from += minute)
        say_ledger(from, from + minute, 1, &b);
}

static bool take_line(const char *text)
{
    json_t *line = json_loads(text, 0, NULL);
    const char *track = json_string_value(json_object_get(line, "track"));
    const char *radio = json_string_value(json_object_get(line, "radio"));
    bool end = json_is_true(json_object_get(line, "end"));
    if (!json_is_object(line))
        fprintf(stderr, "sensor: not a JSON object: %.100s\n", text);
    if (json_object_get(line, "mute"))
        u.mute = json_is_true(json_object_get(line, "mute"));
    if (track)
        take_track(line, track);
    if (radio)
        take_radio(line, radio);
    if (json_object_get(line, "band"))
        take_ledger(line);
    json_decref(line);
    return !end;
}

static void listen_all(void)
{
    static uint8_t buf[WIRE_MAX];
    static struct wire_msg m;
    int n;
    while ((n = zmq_recv(u.socket, buf, sizeof buf, ZMQ_DONTWAIT)) > 0) {
        if (n > WIRE_MAX || wire_unpack(&m, buf, (size_t)n) != WIRE_OK)
            continue;
        u.heard_ns = mono_now_ns();
        if (m.head.kind == WIRE_RESUME && m.span.boot == u.boot)
            resume(m.span.to);
        if (m.head.kind == WIRE_VIEW)
            u.views = m.view.psd;
    }
}

static void tick(void)
{
    if (!u.local && mono_now_ns() - u.heard_ns > 2 * S) {   // acknowledged each second else
        u.up = false;
        say_hello();
    }
    say_health();
    for (unsigned i = 0; i < u.n_tracks; i++)
        if (u.track[i].live)
            say_track(&u.track[i]);
    if (u.up && utc_now_ns() - u.ledger_ns > 2 * S)
        say_watched();
}

static void *join(const char *keys, const char *endpoint, const char *post)
{
    struct keys_own own;
    char why[KEYS_WHY];
    if (keys_load(keys, &own, why) < 0) {
        fprintf(stderr, "sensor: %s\n", why);
        exit(2);
    }
    void *s = zmq_socket(zmq_ctx_new(), ZMQ_DEALER);
    zmq_setsockopt(s, ZMQ_LINGER, &(int){ 200 }, sizeof(int));
    zmq_setsockopt(s, ZMQ_RECONNECT_IVL, &(int){ 100 }, sizeof(int));
    zmq_setsockopt(s, ZMQ_CURVE_SERVERKEY, post, KEYS_Z85);
    zmq_setsockopt(s, ZMQ_CURVE_PUBLICKEY, own.public_z85, KEYS_Z85);
    zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, own.secret_z85, KEYS_Z85);
    if (zmq_connect(s, endpoint)) {
        fprintf(stderr, "sensor: %s: %s\n", endpoint, zmq_strerror(errno));
        exit(2);
    }
    return s;
}

static void *stand(const char *path)
{
    char at[300];
    void *s = zmq_socket(zmq_ctx_new(), ZMQ_PUB);
    zmq_setsockopt(s, ZMQ_LINGER, &(int){ 200 }, sizeof(int));
    snprintf(at, sizeof at, "ipc://%s", path);
    if (zmq_bind(s, at)) {
        fprintf(stderr, "sensor: %s: %s\n", at, zmq_strerror(errno));
        exit(2);
    }
    u.local = u.up = true;
    return s;
}

int main(int argc, char **argv)
{
    static char text[8192];
    size_t at = 0;
    int64_t last_ns = 0, row_ns = 0;
    bool local = argc > 2 && !strcmp(argv[1], "--local");
    if (argc < 4 && !local)
        return fputs("usage: sensor KEYS_DIR ENDPOINT POST_KEY [ORIGIN] <JSON lines\n", stderr), 2;
    u.origin = argc > 4 - local ? argv[4 - local] : "live";
    u.boot = (uint64_t)utc_now_ns();
    u.ledger_ns = utc_now_ns();
    u.socket = local ? stand(argv[2]) : join(argv[1], argv[2], argv[3]);
    for (;;) {
        struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
        if (poll(&p, 1, 50) > 0) {
            ssize_t n = read(STDIN_FILENO, text + at, sizeof text - 1 - at);
            if (n <= 0)
                break;
            at += (size_t)n;
            text[at] = '\0';
            for (char *nl; (nl = strchr(text, '\n')); memmove(text, nl + 1, at + 1)) {
                *nl = '\0';
                at -= (size_t)(nl + 1 - text);
                if (!take_line(text))
                    return 0;
            }
        }
        if (!u.local)
            listen_all();
        if (!u.mute && mono_now_ns() - last_ns > S) {
            last_ns = mono_now_ns();
            tick();
        }
        if (!u.mute && u.up && u.views && u.n_radios && mono_now_ns() - row_ns > S / 2) {
            row_ns = mono_now_ns();
            say_spectrum();
        }
    }
    return 0;
}
