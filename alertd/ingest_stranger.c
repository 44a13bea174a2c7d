// SPDX-License-Identifier: GPL-3.0-or-later
// Who knocks with a key that is not enrolled: from where, and the six words of the key, so that a
// person can ask the colleague who sets up a sensor for his.
//
//     ZAP refuses --> a place per address, STRANGERS of them --> counts, once a second --> loop
//                                   '-- a new key --> [hash] thread: six words cost 0.1 s --> loop
//
// Bounded: of one address one key in ten seconds is put into words, and who finds no place is only
// counted.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/ingest_in.h"
#include "base/utc.h"

#define S_NS INT64_C(1000000000)
#define FORGET_NS (300 * S_NS)
#define HASH_NS   (10 * S_NS)

static struct in_item *item_of(const struct stranger *p)
{
    struct in_stranger s = { .tries = p->tries, .keys = p->keys };
    struct in_item *i = calloc(1, sizeof *i + sizeof s);
    if (!i)
        return NULL;
    memcpy(s.from, p->from, sizeof s.from);
    memcpy(i->z85, p->z85, sizeof i->z85);
    i->kind = IN_STRANGER;
    i->len = sizeof s;
    memcpy(i->raw, &s, sizeof s);
    return i;
}

static void *hash(void *arg)
{
    struct ingest *g = arg;
    struct in_item *i;
    while ((i = queue_pop(g->hash))) {
        struct in_stranger s;
        memcpy(&s, i->raw, sizeof s);
        if (keys_phrase(i->z85, s.words) < 0)
            snprintf(s.words, sizeof s.words, "%s", "");
        memcpy(i->raw, &s, sizeof s);
        if (queue_push(g->items, i) < 0)
            in_item_free(i);    // the loop is behind: the next key of this address is told
    }
    return NULL;
}

int stranger_start(struct ingest *g)
{
    if (!(g->hash = queue_new(STRANGERS, QUEUE_REFUSE)) ||
        pthread_create(&g->hasher, NULL, hash, g)) {
        queue_free(g->hash);
        g->hash = NULL;
        return -ENOMEM;
    }
    pthread_setname_np(g->hasher, "stranger");
    return 0;
}

void stranger_stop(struct ingest *g)
{
    if (!g->hash)
        return;
    queue_close(g->hash);
    pthread_join(g->hasher, NULL);
    queue_free(g->hash);
}

static struct stranger *place_of(struct ingest *g, const char *from, int64_t now_ns)
{
    struct stranger *spare = NULL;
    for (unsigned k = 0; k < STRANGERS; k++) {
        struct stranger *p = &g->strange[k];
        if (p->seen_ns && !strcmp(p->from, from))
            return p;
        if (!p->seen_ns || now_ns - p->seen_ns > FORGET_NS)
            spare = p;
    }
    if (spare) {
        *spare = (struct stranger){ .told_ns = now_ns };
        snprintf(spare->from, sizeof spare->from, "%s", from);
    }
    return spare;
}

void stranger_seen(struct ingest *g, const char *from, const char *z85)
{
    int64_t now = mono_now_ns();
    struct stranger *p = place_of(g, from, now);
    if (!p) {
        g->crowd++;
        return;
    }
    p->seen_ns = now;
    p->tries++;
    if (!strcmp(p->z85, z85) || (p->hashed_ns && now - p->hashed_ns < HASH_NS))
        return;
    snprintf(p->z85, sizeof p->z85, "%s", z85);
    p->keys++;
    p->hashed_ns = now;
    struct in_item *i = *z85 ? item_of(p) : NULL;
    if (i && queue_push(g->hash, i) < 0)
        in_item_free(i);
}

void stranger_tell(struct ingest *g, int64_t now_ns)
{
    for (unsigned k = 0; k < STRANGERS && in_room(g); k++) {
        struct stranger *p = &g->strange[k];
        if (p->tries == p->told_tries || now_ns - p->told_ns < S_NS)
            continue;
        struct in_item *i = item_of(p);
        if (!i)
            return;
        p->told_tries = p->tries;
        p->told_ns = now_ns;
        in_push(g, i);
    }
}
