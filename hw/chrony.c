// SPDX-License-Identifier: GPL-3.0-or-later
#include "hw/chrony.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/utc.h"

// Numbers of the protocol (chrony's candm.h); all fields big-endian.
#define VERSION      6
#define REQUEST      1
#define REPLY        2
#define ASK_TRACKING 33
#define RPY_TRACKING 5
#define AT_STATUS    8
#define AT_SEQUENCE  16
#define AT_DATA      28
#define FAMILY_IP4   1
#define FAMILY_IP6   2
#define LEAP_UNSYNC  3
#define OFFSET_MOST_S 1e6

static unsigned be16(const uint8_t *p) { return (unsigned)p[0] << 8 | p[1]; }

static uint32_t be32(const uint8_t *p) { return (uint32_t)be16(p) << 16 | be16(p + 2); }

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

// chrony's own float: 7 bits of exponent, 25 of coefficient, both signed.
static double number(const uint8_t *p)
{
    uint32_t x = be32(p);
    int exponent = (int)(x >> 25), coefficient = (int)(x & ((1u << 25) - 1));

    exponent -= exponent >= 64 ? 128 : 0;
    coefficient -= coefficient >= 1 << 24 ? 1 << 25 : 0;
    return ldexp(coefficient, exponent - 25);
}

void chrony_ask(uint8_t ret[CHRONY_PACKET], uint32_t sequence)
{
    memset(ret, 0, CHRONY_PACKET);
    ret[0] = VERSION;
    ret[1] = REQUEST;
    put16(ret + 4, ASK_TRACKING);
    put16(ret + 8, sequence >> 16);
    put16(ret + 10, sequence & 0xffff);
}

// A reference clock has no address: its id is its name in letters.
static void name_source(struct chrony *c, const uint8_t *p)
{
    unsigned family = be16(p + 20);

    c->gnss = family != FAMILY_IP4 && family != FAMILY_IP6;
    if (!c->gnss) {
        inet_ntop(family == FAMILY_IP4 ? AF_INET : AF_INET6, p + 4, c->source, sizeof c->source);
        return;
    }
    for (int i = 0; i < 4; i++)
        c->source[i] = p[i] > 0x20 && p[i] < 0x7f ? (char)p[i] : 0;
}

int chrony_answer(struct chrony *ret, const uint8_t *p, size_t n, uint32_t sequence,
                  int64_t utc_now_ns)
{
    const uint8_t *t = p + AT_DATA;
    struct chrony c = { .age_s = -1 };

    if (n < CHRONY_PACKET || p[0] != VERSION || p[1] != REPLY || be16(p + 4) != ASK_TRACKING ||
        be16(p + 6) != RPY_TRACKING || be16(p + AT_STATUS) || be32(p + AT_SEQUENCE) != sequence)
        return -EBADMSG;
    name_source(&c, t);
    c.stratum = be16(t + 24);
    c.synchronised = be16(t + 26) != LEAP_UNSYNC && c.stratum;
    // "Local" mode: it follows itself.
    if (be32(t) == 0x7f7f0101)
        c.synchronised = false;
    // Seconds in two halves (the upper one nobody sends), then nanoseconds.
    double at_s = (double)be32(t + 28) * 4294967296.0 + be32(t + 32) + be32(t + 36) * 1e-9;
    double offset_s = fabs(number(t + 40)), delay_s = number(t + 64), spread_s = number(t + 68);
    c.err_s = offset_s + delay_s / 2 + spread_s;
    if (!(c.err_s >= 0 && c.err_s < OFFSET_MOST_S && be16(t + 24) < 17))
        return -EBADMSG;
    double age_s = (double)utc_now_ns * 1e-9 - at_s;
    if (c.synchronised && age_s >= 0 && age_s < 1e7)
        c.age_s = age_s;
    *ret = c;
    return 0;
}

int chrony_read(struct chrony *ret, int port, int wait_ms)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    uint8_t p[CHRONY_PACKET + 8];
    int64_t now_ns = mono_now_ns();
    uint32_t sequence = (uint32_t)now_ns;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r = 0;

    if (fd < 0)
        return -errno;
    chrony_ask(p, sequence);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) ||
        send(fd, p, CHRONY_PACKET, MSG_NOSIGNAL) != CHRONY_PACKET)
        r = -errno;
    struct pollfd f = { .fd = fd, .events = POLLIN };
    if (!r && poll(&f, 1, wait_ms) <= 0)
        r = -ETIMEDOUT;
    ssize_t n = r ? 0 : recv(fd, p, sizeof p, MSG_DONTWAIT);
    if (n < 0)
        r = -errno;                         // refused: nobody sits there
    close(fd);
    return r ? r : chrony_answer(ret, p, (size_t)n, sequence, utc_now_ns());
}
