// SPDX-License-Identifier: GPL-3.0-or-later
// The publisher as the chains and the main thread see it; its thread is in pub_run.c.
#include "classifier/pub.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/utc.h"
#include "classifier/pub_item.h"
#include "classifier/pub_own.h"
#include "classifier/pub_socket.h"

// ---- From the chains -------------------------------------------------------------------------

static int hand_over(struct pub *p, struct queue *q, const struct wire_msg *m)
{
    struct item *i = item_new(m);
    int r = i ? queue_push(q, i) : -ENOMEM;

    if (r < 0) {
        free(i);
        if (q == p->events)
            atomic_fetch_add(&p->dropped, 1);
    }
    return r;
}

int pub_event(struct pub *p, const struct wire_msg *m) { return hand_over(p, p->events, m); }
int pub_view(struct pub *p, const struct wire_msg *m) { return hand_over(p, p->views, m); }
uint64_t pub_boot(const struct pub *p) { return p->boot; }

struct wire_view pub_wanted(const struct pub *p)
{
    unsigned w = atomic_load(&p->wanted);
    return (struct wire_view){ .psd = w & WANT_PSD, .bursts = w & WANT_BURSTS };
}
void pub_stats(const struct pub *p, struct pub_stats *ret)
{
    *ret = (struct pub_stats){
        .connected = atomic_load(&p->connected), .sent = atomic_load(&p->sent),
        .acked = atomic_load(&p->acked), .dropped = atomic_load(&p->dropped),
        .spool_bytes = atomic_load(&p->spool_bytes), .lost = atomic_load(&p->lost),
        .refused = atomic_load(&p->refused), .handshakes = atomic_load(&p->shakes),
        .handshakes_refused = atomic_load(&p->shakes_refused),
        .denial = (enum pub_denial)atomic_load(&p->denial), .denials = atomic_load(&p->denials),
        .found = p->found,
    };
    for (int i = 0; i < SPOOL_WHYS; i++)
        ret->lost_by[i] = atomic_load(&p->lost_by[i]);
}

// ---- Opening and closing ---------------------------------------------------------------------

// What marks the spool as this sensor's own: from its secret, and nothing that leads back to it.
static int mac_key(const struct pub *p, uint8_t ret[32])
{
    static const uint8_t use[] = "tyto spool";
    uint8_t secret[32];

    if (keys_raw(p->cfg.own.secret_z85, secret) < 0)
        return -EINVAL;
    int r = crypto_generichash(ret, 32, use, sizeof use, secret, sizeof secret);
    sodium_memzero(secret, sizeof secret);
    return r ? -EINVAL : 0;
}

static int open_all(struct pub *p, char why[PUB_WHY])
{
    struct spool_cfg sc = { .dir = p->cfg.spool_dir, .max_bytes = p->cfg.spool_bytes,
                            .max_s = p->cfg.spool_s, .boot = p->boot, .now_ns = utc_now_ns(),
                            .mono_ns = mono_now_ns() };
    bool key = keys_raw(p->cfg.post_z85, sc.post) == 0 && keys_trustworthy(sc.post);
    int r;

    if (p->cfg.endpoint && !key) {
        snprintf(why, PUB_WHY, "the post's key is no public key; the 40 characters that tyto keys "
                 "show prints there were expected");
        return -EINVAL;
    }
    p->events = queue_new(PUB_EVENTS, QUEUE_REFUSE);
    p->views = queue_new(PUB_VIEWS, QUEUE_REFUSE);
    p->ctx = zmq_ctx_new();
    if (!p->events || !p->views || !p->ctx || queue_fd(p->events) < 0 || queue_fd(p->views) < 0)
        return pub_fault(why, "link", "", ENOMEM);
    if (p->cfg.endpoint && (r = mac_key(p, sc.mac)) < 0)
        return pub_fault(why, "link", "", -r);
    r = p->cfg.endpoint ? spool_new(&p->spool, &sc, why) : 0;
    sodium_memzero(sc.mac, sizeof sc.mac);
    if (r < 0)
        return r;
    if (p->spool)
        p->found = spool_found(p->spool);
    resend_init(&p->link, p->spool, p->boot, p->cfg.retry_s, pub_dealer_send, p);
    if (p->cfg.endpoint && (r = pub_dealer(p->ctx, &p->cfg, &p->dealer, &p->monitor, why)) < 0)
        return r;
    if (p->cfg.local && (r = pub_local(p->ctx, p->cfg.local, &p->local, why)) < 0)
        return r;
    r = pthread_create(&p->thread, NULL, pub_run, p);
    if (r)
        return pub_fault(why, "thread", "", r);
    pthread_setname_np(p->thread, "pub");
    p->running = true;
    return 0;
}

int pub_new(struct pub **ret, const struct pub_cfg *cfg, char why[PUB_WHY])
{
    struct pub *p = calloc(1, sizeof *p);

    if (!p || sodium_init() < 0) {
        free(p);
        return pub_fault(why, "link", "", ENOMEM);
    }
    p->cfg = *cfg;
    p->down_ns = mono_now_ns();
    p->anew_s = PUB_ANEW_S;
    p->dead_s = cfg->dead_s > 0 ? cfg->dead_s : PUB_DEAD_S;
    snprintf(p->name, sizeof p->name, "%s", cfg->name ? cfg->name : "");
    snprintf(p->endpoint, sizeof p->endpoint, "%s", cfg->endpoint ? cfg->endpoint : "");
    p->cfg.endpoint = cfg->endpoint ? p->endpoint : NULL;
    randombytes_buf(&p->boot, sizeof p->boot);
    int r = open_all(p, why);
    if (r < 0) {
        pub_free(p, 0);
        return r;
    }
    *ret = p;
    return 0;
}

void pub_free(struct pub *p, double drain_s)
{
    if (!p)
        return;
    if (p->running) {
        queue_close(p->views);
        queue_close(p->events);
        atomic_store(&p->drain_ns, mono_now_ns() + (int64_t)(drain_s * 1e9));
        atomic_store(&p->stop, true);
        pthread_join(p->thread, NULL);
    }
    pub_dealer_close(p);
    if (p->local)
        zmq_close(p->local);
    if (p->ctx)
        zmq_ctx_term(p->ctx);
    resend_done(&p->link);
    spool_free(p->spool);
    queue_free(p->events);
    queue_free(p->views);
    keys_wipe(&p->cfg.own);
    free(p);
}
