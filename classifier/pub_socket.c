// SPDX-License-Identifier: GPL-3.0-or-later
// The sockets of the sensor's end of the link, and how they are set.
#include "classifier/pub_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#define SEND_HWM     2048       // frames; above the late window, so that live ones find room
#define UNSENT_MS    20000      // TCP's patience with what nobody acknowledges: health goes out
                                // every 5 s, so a link that swallows all ends within 25 s
#define RECONNECT_MS 500
#define RECONNECT_MAX_MS 10000
#define HANDSHAKE_MS 15000
#define SOCKET_BUF   65536      // bytes in the kernel: what a live message may have to wait behind

int pub_fault(char why[PUB_WHY], const char *what, const char *arg, int err)
{
    snprintf(why, PUB_WHY, "%s%.200s: %s", what, arg, zmq_strerror(err));
    return -err;
}

static void option(void *socket, int name, int v)
{
    // Only a wrong number or type can fail here, which is our own fault and told at first use.
    (void)zmq_setsockopt(socket, name, &v, sizeof v);
}

// No heartbeats of ZeroMQ's: libzmq 4.3.4 aborts (its issues 3937, 4841) when the timer of one
// fires on a connection that ended while a full pipe had stopped its input, and so a post that
// floods and hangs up could end the sensor.  TCP tells of a link that is gone, pub_run.c of a post
// that is silent.
int pub_dealer(void *ctx, const struct pub_cfg *c, void **ret, void **ret_monitor,
               char why[PUB_WHY])
{
    static const struct { int name, value; } options[] = {
        { ZMQ_LINGER, 0 }, { ZMQ_IMMEDIATE, 1 }, { ZMQ_SNDHWM, SEND_HWM }, { ZMQ_RCVHWM, 1000 },
        { ZMQ_TCP_MAXRT, UNSENT_MS },
        { ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS }, { ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS },
        { ZMQ_CONNECT_TIMEOUT, HANDSHAKE_MS }, { ZMQ_TCP_KEEPALIVE, 1 },
        { ZMQ_TCP_KEEPALIVE_IDLE, 30 }, { ZMQ_TCP_KEEPALIVE_INTVL, 10 },
        { ZMQ_TCP_KEEPALIVE_CNT, 3 }, { ZMQ_SNDBUF, SOCKET_BUF },
    };
    char at[64];
    void *d = *ret = zmq_socket(ctx, ZMQ_DEALER), *m = *ret_monitor = zmq_socket(ctx, ZMQ_PAIR);

    if (!d || !m)
        return pub_fault(why, "link", "", errno);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        option(d, options[i].name, options[i].value);
    option(d, ZMQ_RECONNECT_IVL, c->reconnect_s > 0 ? (int)(c->reconnect_s * 1e3) : RECONNECT_MS);
    option(m, ZMQ_LINGER, 0);
    int64_t most = WIRE_MAX;
    zmq_setsockopt(d, ZMQ_MAXMSGSIZE, &most, sizeof most);
    // Without each of these the link would not be secret: no connection then.
    if (zmq_setsockopt(d, ZMQ_CURVE_SERVERKEY, c->post_z85, KEYS_Z85) < 0 ||
        zmq_setsockopt(d, ZMQ_CURVE_PUBLICKEY, c->own.public_z85, KEYS_Z85) < 0 ||
        zmq_setsockopt(d, ZMQ_CURVE_SECRETKEY, c->own.secret_z85, KEYS_Z85) < 0)
        return pub_fault(why, "the link's keys", "", errno);
    snprintf(at, sizeof at, "inproc://monitor-%p", d);
    if (zmq_socket_monitor(d, at, ZMQ_EVENT_DISCONNECTED |
                           ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                           ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                           ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL) < 0 ||
        zmq_connect(m, at) < 0)
        return pub_fault(why, "link", "", errno);
    return zmq_connect(d, c->endpoint) < 0 ? pub_fault(why, "", c->endpoint, errno) : 0;
}

int pub_local(void *ctx, const char *path, void **ret, char why[PUB_WHY])
{
    char at[256];
    int64_t most = 1024;                // nobody there has anything to say but "subscribe"

    void *s = *ret = zmq_socket(ctx, ZMQ_XPUB);
    if (!s)
        return pub_fault(why, "local socket", "", errno);
    option(s, ZMQ_LINGER, 0);
    option(s, ZMQ_SNDHWM, 1000);
    zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &most, sizeof most);
    snprintf(at, sizeof at, "ipc://%.240s", path);
    mode_t was = umask(0117);           // the owner and its group
    int r = zmq_bind(s, at);
    int err = errno;
    umask(was);
    return r < 0 ? pub_fault(why, "", path, err) : 0;
}

enum pub_happened pub_monitor(void *monitor, enum pub_denial *ret_why)
{
    uint8_t e[6], address[256];
    uint16_t what;

    if (zmq_recv(monitor, e, sizeof e, ZMQ_DONTWAIT) != (int)sizeof e)
        return PUB_NOTHING;
    zmq_recv(monitor, address, sizeof address, ZMQ_DONTWAIT);
    memcpy(&what, e, sizeof what);
    switch (what) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return PUB_SHAKEN;
    case ZMQ_EVENT_DISCONNECTED:        return PUB_DOWN;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        *ret_why = PUB_DENIED_KEY;
        return PUB_DENIED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        *ret_why = PUB_DENIED_TALK;
        return PUB_DENIED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        *ret_why = PUB_DENIED_END;
        return PUB_DENIED;
    default: return PUB_OTHER;
    }
}

int pub_watchers(void *local)
{
    uint8_t b[64];
    int n = zmq_recv(local, b, sizeof b, ZMQ_DONTWAIT);

    // XPUB tells the first subscription of a topic and the end of the last: everybody's is "".
    while (n >= 0 && !(n == 1 && b[0] <= 1))
        n = zmq_recv(local, b, sizeof b, ZMQ_DONTWAIT);
    return n < 0 ? -1 : b[0];
}
