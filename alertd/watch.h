// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: what `tyto watch` is made of.  It is a client like any browser: it knows the
// command post by docs/API.md only, a sensor by the wire only.
//
//     watch_http   one TLS connection, the certificate checked, the body as it comes
//     watch_feed   server-sent events into a world, with sign-in and reconnection
//     watch_tell   changes as lines and as JSON
//     watch_local  a sensor's Unix socket into the same world
//     watch_text   its things as lines of text
//     watch_screen all of it on a screen: alerts first, one plain line each, then sensors
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "alertd/words.h"

#define WATCH_WHY   300
#define WATCH_KEPT  10000       // of a kind; the post keeps fewer
#define WATCH_DEAD_S 20         // the server pings every 15 s: nothing for longer is a dead line

// ---- One connection ----------------------------------------------------------------------------
struct watch_post {
    char    host[256], port[8], token[128];     // token: what stood behind '#', "" none
    bool    tls, pinned;
    uint8_t pin[32];                            // SHA-256 of the certificate
    char    ca[256];                            // or a file of authorities
};
// "https://HOST[:PORT]/[#token=...]", http only to this machine.  0, or -EINVAL with a sentence.
int watch_url(struct watch_post *ret, const char *url, char why[WATCH_WHY]);
int watch_pin_text(struct watch_post *p, const char *hex, char why[WATCH_WHY]);
int watch_pin_file(struct watch_post *p, const char *pem, char why[WATCH_WHY]);

struct http;
struct http_answer { int status; char cookie[256]; };       // cookie: "name=value"
int  http_open(struct http **ret, const struct watch_post *p, char why[WATCH_WHY]);
void http_close(struct http *h);
// Sends a request and reads the head of the answer.  body NULL: none.  0 or -errno.
int  http_ask(struct http *h, const char *method, const char *path, const char *heads,
              const char *body, struct http_answer *ret);
int  http_fd(const struct http *h);
bool http_waiting(const struct http *h);        // bytes are here that poll does not see
// Of the body: bytes, 0 at its end, -EAGAIN not now, else -errno.
ssize_t http_read(struct http *h, void *buf, size_t size);

struct watch_session { char path[400], cookie[256]; };
// Where it is kept: the file named, or one in the person's home folder.
int watch_session_find(struct watch_session *s, const struct watch_post *p, const char *file,
                       char why[WATCH_WHY]);
int watch_session_read(struct watch_session *s, char why[WATCH_WHY]);
// The link's token for a session, written down.  -EACCES: not valid, or another certificate.
int watch_session_link(struct watch_session *s, const struct watch_post *p, char why[WATCH_WHY]);

// ---- The world ---------------------------------------------------------------------------------
enum watch_link { WATCH_STARTING, WATCH_LIVE, WATCH_LOST };
struct watch_world { json_t *alert, *sensor, *health; };    // by id; health: the one object or NULL

struct watch {
    struct watch_world now, next;       // next: a snapshot that is not whole yet
    bool    gathering, signed_out, refused;
    enum watch_link link;
    int64_t since_ns, heard_ns;         // since when it is so; UTC of the last byte
    json_t *told;                       // what watch_tell_line said last, by thing
    char    last[24];                   // number of the newest change, "" none
    const struct words *words;
    bool    local;
    // Called for each change once the world is whole, and for "link" with NULL.
    void  (*tell)(void *arg, const char *kind, const json_t *what);
    void   *arg;
};
void watch_init(struct watch *w);
void watch_done(struct watch *w);
void watch_become(struct watch *w, enum watch_link link);
void watch_put(struct watch *w, const char *kind, json_t *what);       // takes what

// Server-sent events, in pieces of any size; -EMSGSIZE: a line too long to be true.
struct watch_feed {
    char  *line, *data, event[24], id[24];
    size_t n, room, data_n;
};
int  watch_feed_take(struct watch *w, struct watch_feed *f, const char *p, size_t n);
void watch_feed_done(struct watch_feed *f);

// ---- A sensor's own socket ---------------------------------------------------------------------
struct watch_local;
int  watch_local_open(struct watch_local **ret, const char *path, char why[WATCH_WHY]);
void watch_local_close(struct watch_local *l);
int  watch_local_fd(const struct watch_local *l);
void watch_local_read(struct watch_local *l, struct watch *w);

// ---- Text --------------------------------------------------------------------------------------
void watch_line(const struct watch *w, const json_t *alert, char *ret, size_t size);
void watch_sensor(const struct watch *w, const json_t *sensor, char *ret, size_t size);
// The whole screen; cols or rows 0: as long as it gets.  Returns lines written.
int  watch_screen(const struct watch *w, FILE *out, int cols, int rows, bool steer);
// A line when what a person would read has changed, not for each new age of a position.
void watch_tell_line(struct watch *w, FILE *out, const char *kind, const json_t *what);
// Nothing of it steers a terminal: what is not plain ASCII is escaped.
void watch_tell_json(const struct watch *w, FILE *out, const char *kind, const json_t *what);
void watch_link_line(const struct watch *w, char *ret, size_t size);
// What is not live; "" where all is.
void watch_banner(const struct watch *w, char *ret, size_t size);
// "Nothing heard; watched 2.4 GHz 100 %": false: nothing is watched, and that is said.
bool watch_watched(const struct watch *w, const char *table, const char *key, char *ret,
                   size_t size);
