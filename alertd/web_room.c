// SPDX-License-Identifier: GPL-3.0-or-later
// Who gets a place.  Connections are few, and whoever can reach the port can open as many as he
// likes: one machine that holds them open must not keep a duty officer out.
//
//     |<------------------------ WEB_CONNECTIONS 512 ------------------------>|
//     | strangers, 128 at most |  only signed-in ones          | loopback: 32 |
//     one address (IPv6: one /64): 32 strangers, 256 in all
//
// Everybody comes as a stranger, and is known once a request brings a session.  So newcomers are
// let in, and where there is no room one goes who holds a place without using it: first of the
// newcomer's own address, else of the address that holds the most.  Who came first and asked for
// nothing yet goes first; who is being answered, or waits for an answer, stays.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "alertd/web_in.h"

// FNV-1a: most addresses differ in it, so that counting all of them is cheap.
uint64_t room_key(const char *address)
{
    uint64_t h = 14695981039346656037ull;
    for (; *address; address++)
        h = (h ^ (uint8_t)*address) * 1099511628211ull;
    return h;
}

struct place { const char *address; uint64_t key; };    // address NULL: anywhere

static bool same(const struct conn *c, struct place p)
{
    return !p.address || (c->key == p.key && !strcmp(c->address, p.address));
}

// Places held there, of strangers alone or of everybody.
static unsigned held(const struct web *w, struct place p, bool strangers)
{
    unsigned n = 0;
    for (const struct conn *c = w->conns; c; c = c->next)
        n += !c->cut && same(c, p) && (!strangers || !c->known);
    return n;
}

// The address that holds the most of them.
static struct place greediest(const struct web *w, bool strangers)
{
    struct place who = { "", 0 };
    unsigned most = 0;

    for (const struct conn *c = w->conns; c; c = c->next) {
        struct place p = { c->address, c->key };
        unsigned n = same(c, who) || c->cut || (strangers && c->known) ? 0 : held(w, p, strangers);
        if (n > most) {
            most = n;
            who = p;
        }
    }
    return who;
}

// One of these goes; false: all are busy.  New ones stand in front: the last found is the oldest.
static bool make_go(struct web *w, struct place p, bool strangers)
{
    struct conn *idle = NULL, *mute = NULL;

    for (struct conn *c = w->conns; c; c = c->next) {
        if (c->cut || c->busy || !same(c, p) || (strangers && c->known))
            continue;
        idle = c;
        if (!c->asked)
            mute = c;
    }
    if (!idle)
        return false;
    conn_cut(mute ? mute : idle);
    return true;
}

static const struct place anywhere = { NULL, 0 };

static bool stranger_fits(struct web *w, struct place p)
{
    if (held(w, p, true) >= WEB_STRANGERS_SAME) {
        if (!make_go(w, p, true))
            return w->count.refused_address++, false;
        w->count.moved_address++;
    } else if (held(w, anywhere, true) >= WEB_STRANGERS) {
        if (!make_go(w, greediest(w, true), true) && !make_go(w, anywhere, true))
            return w->count.refused_strangers++, false;
        w->count.moved_strangers++;
    }
    return true;
}

// Full: somebody idle of an address that holds more than the newcomer's.
static bool share(struct web *w, struct place p)
{
    unsigned own = held(w, p, false);
    struct place most = greediest(w, false);

    if (own < held(w, most, false) && make_go(w, most, false))
        return true;
    for (struct conn *c = w->conns; c; c = c->next) {
        struct place q = { c->address, c->key };
        if (!c->cut && !c->busy && own < held(w, q, false))
            return make_go(w, q, false);
    }
    return false;
}

bool room_make(struct web *w, const char *address, bool loopback)
{
    struct place p = { address, room_key(address) };
    unsigned all = WEB_CONNECTIONS - (loopback ? 0 : WEB_LOOPBACK);

    if (!stranger_fits(w, p))
        return false;
    if (held(w, p, false) >= WEB_PER_ADDRESS) {
        if (!make_go(w, p, false))
            return w->count.refused_address++, false;
        w->count.moved_address++;
    }
    if (held(w, anywhere, false) < all)
        return true;
    if (share(w, p))
        return w->count.moved_full++, true;
    return w->count.refused_full++, false;
}

unsigned room_screens(const struct web *w, const uint8_t session[ACCT_HASH])
{
    unsigned n = 0;
    for (const struct stream *s = w->streams; s; s = s->next)
        n += s->kind != STREAM_LIST && !memcmp(s->session, session, ACCT_HASH);
    return n;
}

static bool is_loopback(const struct sockaddr *a)
{
    const struct sockaddr_in6 *six = (const void *)a;
    const struct sockaddr_in *four = (const void *)a;

    if (a->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) && six->sin6_addr.s6_addr[12] == 127);
    return a->sa_family == AF_INET && ntohl(four->sin_addr.s_addr) >> 24 == 127;
}

enum MHD_Result web_on_accept(void *cls, const struct sockaddr *a, socklen_t len)
{
    char address[ACCT_ADDRESS];

    (void)len;
    acct_address(address, a);
    return room_make(cls, address, is_loopback(a)) ? MHD_YES : MHD_NO;
}
