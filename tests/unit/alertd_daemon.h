// SPDX-License-Identifier: GPL-3.0-or-later
// The real tyto-alertd as a child, and a sensor small enough to be wrong on purpose.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "base/utc.h"
#include "classifier/wire.h"
#include "hw/hw.h"
#include "hw/keys.h"

#define S INT64_C(1000000000)
#define SENSORS 3

extern char **environ;

struct post {
    char  dir[200], endpoint[128], port[16], key[KEYS_Z85];
    const char *web;            // NULL: no page; else lines of its configuration
    char  page[128];            // where it is
    pid_t pid;
};

struct unit {                   // a sensor: its key, and messages 0..n-1 of one boot
    struct keys_own own;
    void    *ctx, *socket, *monitor;
    uint64_t boot, n, acked;    // acked: one past the last acknowledged
    int64_t  resent_ns;
};

static const char *const unit_name[SENSORS] = { "north", "tower", "gate" };

static inline void post_file(const struct post *p, const char *bind)
{
    char path[256];
    snprintf(path, sizeof path, "%s/post.yaml", p->dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "keys_dir: keys\ndata_dir: data\nbind: %s\nkeep_days: 1\n%s", bind,
            p->web ? p->web : "");
    fclose(f);
}

// Makes folders and keys; SENSORS of them enrolled.
static inline void post_make(struct post *p, struct unit u[SENSORS])
{
    char path[256], why[KEYS_WHY];
    const char *tmp = getenv("TMPDIR");
    snprintf(p->dir, sizeof p->dir, "%.150s/tyto-post-%d", tmp ? tmp : "/tmp", (int)getpid());
    assert_int_equal(mkdir(p->dir, 0700), 0);
    snprintf(path, sizeof path, "%s/keys", p->dir);
    assert_int_equal(keys_make(path, why), 0);
    assert_int_equal(keys_public(path, p->key, why), 0);
    for (int i = 0; i < SENSORS; i++) {
        u[i] = (struct unit){ .boot = 1000 + (uint64_t)i };
        assert_int_equal(zmq_curve_keypair(u[i].own.public_z85, u[i].own.secret_z85), 0);
        assert_true(keys_enrol(path, unit_name[i], u[i].own.public_z85, why) >= 0);
    }
    post_file(p, "tcp://127.0.0.1:*");
}

static inline void post_start(struct post *p)
{
    char bin[300], cfg[256], line[200] = "";
    int out[2];
    assert_true(hw_program_dir(bin, 200) >= 0);
    strncat(bin, "/../bin/tyto-alertd", 50);
    snprintf(cfg, sizeof cfg, "%s/post.yaml", p->dir);
    char *argv[] = { bin, (char *)(uintptr_t)(p->web ? "--next-port" : "--no-page"), cfg, NULL };
    posix_spawn_file_actions_t fa;
    assert_int_equal(pipe(out), 0);
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, out[1], 1);
    posix_spawn_file_actions_addclose(&fa, out[1]);
    assert_int_equal(posix_spawn(&p->pid, bin, &fa, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&fa);
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    assert_non_null(fgets(line, sizeof line, f));
    assert_int_equal(sscanf(line, "sensors %127s", p->endpoint), 1);
    if (p->web && fgets(line, sizeof line, f))
        assert_int_equal(sscanf(line, "page %127s", p->page), 1);
    fclose(f);
    post_file(p, p->endpoint);          // the next start listens where this one did
}

static inline void post_end(struct post *p, int sig)
{
    int status;
    kill(p->pid, sig);
    waitpid(p->pid, &status, 0);
    if (sig == SIGTERM)
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static inline void post_remove(struct post *p)
{
    char cmd[256];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", p->dir);
    assert_int_equal(system(cmd), 0);
}

static inline int64_t post_ask(const struct post *p, const char *sql)
{
    char path[256];
    sqlite3 *db;
    sqlite3_stmt *st;
    snprintf(path, sizeof path, "%s/data/alertd.db", p->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    int64_t v = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
    sqlite3_finalize(st);
    sqlite3_close(db);
    return v;
}

// ---- A sensor ---------------------------------------------------------------------------------

static inline void unit_open(struct unit *u, const struct post *p)
{
    static int serial;
    char name[40];
    int zero = 0, ivl = 50;
    if (!u->ctx)
        u->ctx = zmq_ctx_new();
    u->socket = zmq_socket(u->ctx, ZMQ_DEALER);
    u->monitor = zmq_socket(u->ctx, ZMQ_PAIR);
    assert_non_null(u->socket);
    zmq_setsockopt(u->socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(u->monitor, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(u->socket, ZMQ_RECONNECT_IVL, &ivl, sizeof ivl);
    zmq_setsockopt(u->socket, ZMQ_SNDHWM, &(int){ 100000 }, sizeof(int));
    zmq_setsockopt(u->socket, ZMQ_CURVE_SERVERKEY, p->key, KEYS_Z85);
    zmq_setsockopt(u->socket, ZMQ_CURVE_PUBLICKEY, u->own.public_z85, KEYS_Z85);
    zmq_setsockopt(u->socket, ZMQ_CURVE_SECRETKEY, u->own.secret_z85, KEYS_Z85);
    snprintf(name, sizeof name, "inproc://unit-%d", serial++);
    assert_int_equal(zmq_socket_monitor(u->socket, name, ZMQ_EVENT_ALL), 0);
    assert_int_equal(zmq_connect(u->monitor, name), 0);
    assert_int_equal(zmq_connect(u->socket, p->endpoint), 0);
}

static inline void unit_close(struct unit *u)
{
    zmq_socket_monitor(u->socket, NULL, 0);
    zmq_close(u->socket);
    zmq_close(u->monitor);
    u->socket = NULL;
}

static inline void unit_send(struct unit *u, const struct wire_msg *m, bool late)
{
    static uint8_t buf[WIRE_MAX], env[WIRE_MAX];
    int n = wire_pack(m, buf, sizeof buf);
    assert_true(n > 0);
    int k = late ? wire_pack_late(buf, (size_t)n, env, sizeof env) : n;
    assert_true(k > 0);
    zmq_send(u->socket, late ? env : buf, (size_t)k, ZMQ_DONTWAIT);
}

static inline void unit_hello(struct unit *u, const char *name)
{
    struct wire_msg m = { .head = { .v = 1, .boot = u->boot, .kind = WIRE_HELLO,
                                    .stream = WIRE_STREAM_LINK } };
    m.hello = (struct wire_hello){ .v_lo = 1, .v_hi = 1, .n = 1,
        .held = { { u->boot, u->acked, u->acked < u->n ? u->n - 1 : u->acked } } };
    snprintf(m.hello.name, sizeof m.hello.name, "%s", name);
    unit_send(u, &m, false);
}

// Message k of this boot, always the same bytes: a drone's video link of its own.
static inline struct wire_msg unit_msg(const struct unit *u, uint64_t k)
{
    struct wire_msg m = { .head = {
        .v = 1, .boot = u->boot, .stream = WIRE_STREAM_EVENT, .seq = k,
        .t_ns = INT64_C(1800000000) * S + (int64_t)k, .mono_ns = (int64_t)k, .origin = "live",
        .kind = WIRE_TRACK, .clock = { .source = "gnss", .locked = true, .err_ns = 1000 } } };
    m.track = (struct wire_track){ .state = "named", .verdict = "drone", .p_drone = 0.98,
        .confidence = 0.95, .family = "dji-ocusync", .role = "video", .revision = 1,
        .first_ns = m.head.t_ns, .last_ns = m.head.t_ns, .freq_lo_hz = 2.41e9 + (double)k * 1e3,
        .freq_hi_hz = 2.41e9 + (double)k * 1e3 + 100, .level_dbfs = -40, .snr_db = 12 };
    snprintf(m.track.id, sizeof m.track.id, "t%u", (unsigned)k);
    return m;
}

static inline void unit_event(struct unit *u, uint64_t k, bool late)
{
    struct wire_msg m = unit_msg(u, k);
    unit_send(u, &m, late);
}

// Takes what the post says for up to ms; returns how many messages came.
static inline unsigned unit_listen(struct unit *u, int ms)
{
    static uint8_t buf[WIRE_MAX];
    struct wire_msg m;
    unsigned n = 0;
    zmq_pollitem_t p = { u->socket, 0, ZMQ_POLLIN, 0 };
    while (zmq_poll(&p, 1, ms) > 0) {
        int len = zmq_recv(u->socket, buf, sizeof buf, 0);
        ms = 0;
        if (len <= 0 || wire_unpack(&m, buf, (size_t)len) != WIRE_OK)
            continue;
        uint64_t to = m.head.kind == WIRE_ACK ? m.span.to + 1
                    : m.head.kind == WIRE_RESUME ? m.span.to : 0;
        assert_true(to <= u->n);        // the post never acknowledges what was never sent
        if (m.span.boot == u->boot && to > u->acked)
            u->acked = to;
        n++;
    }
    return n;
}

static inline bool unit_saw(struct unit *u, int event, int ms)
{
    uint8_t head[6], address[256];
    uint16_t e;
    int64_t until = mono_now_ns() + ms * (S / 1000);
    zmq_pollitem_t p = { u->monitor, 0, ZMQ_POLLIN, 0 };
    while (mono_now_ns() < until) {
        if (zmq_poll(&p, 1, 20) <= 0)
            continue;
        zmq_recv(u->monitor, head, sizeof head, 0);
        zmq_recv(u->monitor, address, sizeof address, 0);
        memcpy(&e, head, 2);
        if (e == event)
            return true;
    }
    return false;
}

// Everything acknowledged within s seconds, repeating late what is not.
static inline bool unit_finish(struct unit *u, const char *name, int s)
{
    int64_t until = mono_now_ns() + s * S;
    while (u->acked < u->n && mono_now_ns() < until) {
        if (mono_now_ns() - u->resent_ns > S / 2) {
            u->resent_ns = mono_now_ns();
            unit_hello(u, name);
            for (uint64_t k = u->acked; k < u->n && k < u->acked + 1000; k++)
                unit_event(u, k, true);
        }
        unit_listen(u, 50);
    }
    return u->acked == u->n;
}

// What is left of sensors and post after a test.
static inline int post_tear_down(struct post *p, struct unit u[SENSORS])
{
    for (int i = 0; i < SENSORS; i++) {
        if (u[i].socket)
            unit_close(&u[i]);
        if (u[i].ctx)
            zmq_ctx_term(u[i].ctx);
    }
    if (p->pid)
        post_end(p, SIGTERM);
    post_remove(p);
    return 0;
}
