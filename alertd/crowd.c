// SPDX-License-Identifier: GPL-3.0-or-later
#include "alertd/crowd.h"

#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <zmq.h>

#define BUCKETS 1024
#define ENOUGH  2048            // a thousand sensors that come back at once, twice over
#define FEWEST  64              // however few descriptors there are

struct one { int64_t since_ns; uint16_t bucket; bool here, proven; };

struct crowd {
    unsigned all, unproven, end;        // end: one past the highest descriptor seen
    unsigned held[BUCKETS];             // unproven ones by address
    uint8_t  key[crypto_shorthash_KEYBYTES];
    struct one one[CROWD_FDS];
};

struct crowd *crowd_new(void)
{
    struct crowd *c = sodium_init() < 0 ? NULL : calloc(1, sizeof *c);
    if (c)
        randombytes_buf(c->key, sizeof c->key);
    return c;
}

void crowd_free(struct crowd *c) { free(c); }
unsigned crowd_all(const struct crowd *c) { return c->all; }
unsigned crowd_unproven(const struct crowd *c) { return c->unproven; }

// IPv4 whole, also where it comes in IPv6's clothes; of IPv6 the network of one customer.
static uint16_t bucket_of(const struct crowd *c, int fd)
{
    struct sockaddr_storage a = { 0 };
    socklen_t len = sizeof a;
    uint8_t text[8] = { 0 }, hash[crypto_shorthash_BYTES];
    uint16_t n;
    (void)!getpeername(fd, (struct sockaddr *)&a, &len);
    if (a.ss_family == AF_INET) {
        memcpy(text, &((struct sockaddr_in *)&a)->sin_addr, 4);
    } else if (a.ss_family == AF_INET6) {
        const struct in6_addr *six = &((struct sockaddr_in6 *)&a)->sin6_addr;
        bool four = IN6_IS_ADDR_V4MAPPED(six);
        memcpy(text, six->s6_addr + (four ? 12 : 0), four ? 4 : 8);
    }
    crypto_shorthash(hash, text, sizeof text, c->key);
    memcpy(&n, hash, sizeof n);
    return n % BUCKETS;
}

static bool told_apart(int fd) { return fd >= 0 && fd < CROWD_FDS; }

void crowd_in(struct crowd *c, int fd, int64_t now_ns)
{
    if (!told_apart(fd))
        return;
    crowd_out(c, fd);
    c->one[fd] = (struct one){ .since_ns = now_ns, .bucket = bucket_of(c, fd), .here = true };
    c->held[c->one[fd].bucket]++;
    c->all++;
    c->unproven++;
    if ((unsigned)fd >= c->end)
        c->end = (unsigned)fd + 1;
}

void crowd_prove(struct crowd *c, int fd, bool yes)
{
    struct one *o = told_apart(fd) ? &c->one[fd] : NULL;
    if (!o || !o->here || o->proven == yes)
        return;
    o->proven = yes;
    c->unproven += yes ? -1u : 1u;
    c->held[o->bucket] += yes ? -1u : 1u;
}

void crowd_prove_old(struct crowd *c, int64_t before_ns)
{
    for (unsigned fd = 0; c->unproven && fd < c->end; fd++)
        if (c->one[fd].since_ns < before_ns)
            crowd_prove(c, (int)fd, true);
}

void crowd_out(struct crowd *c, int fd)
{
    if (!told_apart(fd) || !c->one[fd].here)
        return;
    crowd_prove(c, fd, true);
    c->one[fd].here = false;
    c->all--;
}

int crowd_pick(const struct crowd *c)
{
    unsigned most = 0;
    int oldest = -1;
    for (unsigned b = 1; b < BUCKETS; b++)
        if (c->held[b] > c->held[most])
            most = b;
    for (unsigned fd = 0; fd < c->end; fd++) {
        const struct one *o = &c->one[fd];
        if (o->here && !o->proven && o->bucket == most &&
            (oldest < 0 || o->since_ns < c->one[oldest].since_ns))
            oldest = (int)fd;
    }
    return oldest;
}

// A frame of 16 bits of event and 32 of value, and a frame with our own address.
bool crowd_event(void *monitor, uint16_t *ret_event, int *ret_fd)
{
    uint8_t head[6], address[256];
    int32_t fd;
    while (zmq_recv(monitor, head, sizeof head, ZMQ_DONTWAIT) == sizeof head) {
        zmq_recv(monitor, address, sizeof address, 0);
        memcpy(ret_event, head, 2);
        memcpy(&fd, head + 2, 4);
        *ret_fd = fd;
        if (told_apart(fd))
            return true;
    }
    return false;
}

static bool is_to(int fd, unsigned port)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        return false;
    if (a.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&a)->sin_port) == port;
    if (a.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&a)->sin6_port) == port;
    return a.ss_family == AF_UNIX && !port;
}

void crowd_cut(int fd, unsigned port)
{
    if (fd >= 0 && is_to(fd, port))
        shutdown(fd, SHUT_RDWR);
}

unsigned crowd_room(unsigned others)
{
    struct rlimit r = { .rlim_cur = 0 };
    (void)!getrlimit(RLIMIT_NOFILE, &r);
    rlim_t left = r.rlim_cur > others ? r.rlim_cur - others : 0;
    return left > ENOUGH ? ENOUGH : left > FEWEST ? (unsigned)left : FEWEST;
}
