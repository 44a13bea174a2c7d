// SPDX-License-Identifier: GPL-3.0-or-later
// Delays after wrong passwords.
//
//     wrong so far   1..3   4    5    6    7    8 ...
//     account        0      0.5  1    2    4    5 s        never more: nobody can keep another out
//     address        0      0.5  1    2    4    8 .. 30 s  and one after the other
//
// For the account each attempt waits by itself, so that a stranger who hammers on a name makes its
// owner wait five seconds and no more.  For the address attempts queue up: a guesser gets one try
// in thirty seconds, however many connections he opens.  An hour without a wrong one forgets.
// In memory only, of a stated size; the entry with the fewest wrong ones, then the oldest, goes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "alertd/acct.h"

#define ENTRIES   1024
#define FREE_TRIES 3            // a finger that slips, a caps lock
#define FORGET_NS (3600 * 1000000000ll)
#define STEP_NS   500000000ll
#define ACCOUNT_NS (5 * 1000000000ll)
#define ADDRESS_NS (30 * 1000000000ll)

struct entry {
    char     name[1 + ACCT_USER];       // "u" and the account, or "a" and the address
    unsigned wrong;
    int64_t  last_ns;                   // of the last wrong one
    int64_t  free_ns;                   // address: when the next attempt may be
};

_Static_assert(ACCT_ADDRESS <= ACCT_USER, "either fits an entry");

struct acct_delays { struct entry e[ENTRIES]; };

struct acct_delays *acct_delays_new(void) { return calloc(1, sizeof(struct acct_delays)); }
void acct_delays_free(struct acct_delays *d) { free(d); }

void acct_address(char ret[ACCT_ADDRESS], const struct sockaddr *a)
{
    struct in6_addr six;

    snprintf(ret, ACCT_ADDRESS, "?");
    if (a && a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, ret,
                  ACCT_ADDRESS);
    if (!a || a->sa_family != AF_INET6)
        return;
    six = ((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        inet_ntop(AF_INET, six.s6_addr + 12, ret, ACCT_ADDRESS);
        return;
    }
    memset(six.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &six, ret, ACCT_ADDRESS);
}

static struct entry *find(struct acct_delays *d, char kind, const char *name, int64_t now_ns)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *e = &d->e[i];
        if (e->name[0] != kind || strncmp(e->name + 1, name, sizeof e->name - 2))
            continue;
        if (now_ns - e->last_ns > FORGET_NS)
            e->wrong = 0;
        return e;
    }
    return NULL;
}

static struct entry *find_or_make(struct acct_delays *d, char kind, const char *name,
                                  int64_t now_ns)
{
    struct entry *e = find(d, kind, name, now_ns), *worst = &d->e[0];

    for (size_t i = 0; !e && i < ENTRIES; i++) {
        struct entry *x = &d->e[i];
        if (!x->name[0] || now_ns - x->last_ns > FORGET_NS) {
            worst = x;
            break;
        }
        if (x->wrong < worst->wrong || (x->wrong == worst->wrong && x->last_ns < worst->last_ns))
            worst = x;
    }
    if (!e) {
        e = worst;
        *e = (struct entry){ .last_ns = now_ns };
        snprintf(e->name, sizeof e->name, "%c%s", kind, name);
    }
    return e;
}

static int64_t delay_of(const struct entry *e, int64_t most_ns)
{
    if (!e || e->wrong <= FREE_TRIES)
        return 0;
    unsigned over = e->wrong - FREE_TRIES - 1;
    int64_t ns = over < 8 ? STEP_NS << over : most_ns;      // 0.5 s doubled eight times is past 30
    return ns < most_ns ? ns : most_ns;
}

int64_t acct_delay_ns(struct acct_delays *d, const char *user, const char *address, int64_t now_ns)
{
    struct entry *a = find(d, 'a', address, now_ns);
    int64_t by_account = delay_of(find(d, 'u', user, now_ns), ACCOUNT_NS);
    int64_t by_address = delay_of(a, ADDRESS_NS), at = now_ns;

    if (by_address) {
        at = (a->free_ns > now_ns ? a->free_ns : now_ns) + by_address;
        a->free_ns = at;
    }
    at -= now_ns;
    return at > by_account ? at : by_account;
}

void acct_delay_tell(struct acct_delays *d, const char *user, const char *address, bool good,
                     int64_t now_ns)
{
    const char *const name[] = { user, address };

    for (int i = 0; i < 2; i++) {
        struct entry *e = good ? find(d, "ua"[i], name[i], now_ns) :
                                 find_or_make(d, "ua"[i], name[i], now_ns);
        if (!e)
            continue;
        e->wrong = good ? 0 : e->wrong + 1;
        e->last_ns = now_ns;
    }
}
