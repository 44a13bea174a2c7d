// SPDX-License-Identifier: GPL-3.0-or-later
// A CURVE server whose ZAP handler is not reached accepts every key, without a word.  So each start
// proves, over the endpoint the sensors use, that a key nobody knows is refused; and, so that the
// refusal means something, that a key on the list (for this moment) is let in.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "alertd/ingest_in.h"
#include "base/utc.h"

#define PATIENCE_NS INT64_C(5000000000)

enum verdict { NONE, REFUSED, LET_IN };

// What happened to the client's handshake so far.
static enum verdict look(void *monitor)
{
    uint8_t head[6], address[256];
    uint16_t event;
    enum verdict v = NONE;
    while (v == NONE && zmq_recv(monitor, head, sizeof head, ZMQ_DONTWAIT) == sizeof head) {
        memcpy(&event, head, 2);
        zmq_recv(monitor, address, sizeof address, 0);
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
            v = LET_IN;
        else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
            v = REFUSED;
    }
    return v;
}

static void where(const struct ingest *g, char ret[256])
{
    const char *any = "tcp://0.0.0.0:", *any6 = "tcp://[::]:";
    if (!strncmp(g->endpoint, any, strlen(any)))
        snprintf(ret, 256, "tcp://127.0.0.1:%.200s", g->endpoint + strlen(any));
    else if (!strncmp(g->endpoint, any6, strlen(any6)))
        snprintf(ret, 256, "tcp://[::1]:%.200s", g->endpoint + strlen(any6));
    else
        snprintf(ret, 256, "%s", g->endpoint);
}

// `name`: of its monitor, another for each attempt (a name is free again only some time later).
static enum verdict attempt(struct ingest *g, const char *name, const char *pub, const char *sec)
{
    char endpoint[256];
    int zero = 0, yes = 1;
    enum verdict v = NONE;
    void *client = zmq_socket(g->ctx, ZMQ_DEALER), *monitor = zmq_socket(g->ctx, ZMQ_PAIR);
    where(g, endpoint);
    if (client && monitor &&
        !zmq_setsockopt(client, ZMQ_LINGER, &zero, sizeof zero) &&
        !zmq_setsockopt(monitor, ZMQ_LINGER, &zero, sizeof zero) &&
        !zmq_setsockopt(client, ZMQ_IPV6, &yes, sizeof yes) &&
        !zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, g->own.public_z85, KEYS_Z85) &&
        !zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, pub, KEYS_Z85) &&
        !zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, sec, KEYS_Z85) &&
        !zmq_socket_monitor(client, name, ZMQ_EVENT_ALL) &&
        !zmq_connect(monitor, name) && !zmq_connect(client, endpoint)) {
        int64_t until = mono_now_ns() + PATIENCE_NS;
        while (v == NONE && mono_now_ns() < until) {
            zmq_pollitem_t p[] = { { g->zap, 0, ZMQ_POLLIN, 0 }, { monitor, 0, ZMQ_POLLIN, 0 } };
            zmq_poll(p, 2, 100);
            zap_answer(g);
            v = look(monitor);
        }
    }
    if (client) {
        zmq_socket_monitor(client, NULL, 0);
        zmq_close(client);
    }
    if (monitor)
        zmq_close(monitor);
    return v;
}

int proof_run(struct ingest *g, char why[ALERTD_WHY])
{
    char known_sec[KEYS_Z85], stranger_sec[KEYS_Z85];
    if (zmq_curve_keypair(g->proof, known_sec) < 0 ||
        zmq_curve_keypair(g->stranger, stranger_sec) < 0) {
        snprintf(why, ALERTD_WHY, "this ZeroMQ has no CURVE: the sensors cannot be let in safely");
        return -ENOTSUP;
    }
    enum verdict unknown = attempt(g, "inproc://proof-unknown", g->stranger, stranger_sec);
    enum verdict known = unknown == REFUSED
                         ? attempt(g, "inproc://proof-known", g->proof, known_sec) : NONE;
    memset(known_sec, 0, sizeof known_sec);
    g->proof[0] = 0;
    if (unknown == REFUSED && known == LET_IN)
        return 0;
    if (unknown == LET_IN)
        snprintf(why, ALERTD_WHY, "%s let in a key that nobody enrolled: nothing it heard could be "
                 "trusted, so it does not start", g->endpoint);
    else
        snprintf(why, ALERTD_WHY, "%s: the proof that unknown keys are refused did not end (%s key "
                 "%s): is something between alertd and its own port?", g->endpoint,
                 unknown == REFUSED ? "a known" : "an unknown",
                 known == REFUSED ? "was refused" : "got no answer");
    return -EACCES;
}
