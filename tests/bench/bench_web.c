// SPDX-License-Identifier: GPL-3.0-or-later
// From a change in the queue to the same change read by each of 100 browsers: server and clients in
// one process on this machine's cores, over TLS and without.  One thread polls all clients, so the
// client side's own work is in the figures: they are upper bounds.
//
// Also: how long 200 clients take to connect, and what a burst of changes costs.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/unit/alertd_client.h"

#define MOST 200

struct browser { struct client c; struct lines l; struct answer a; uint64_t seen; };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double ms_since(int64_t t) { return (double)(mono_now_ns() - t) / 1e6; }

static bool join(struct post *p, struct browser *b, const char *cookie)
{
    char h[300];

    b->l.c = &b->c;
    snprintf(h, sizeof h, "Cookie: %s\r\nLast-Event-ID: 0\r\n", cookie);
    return client_open(&b->c, web_port(p->web), p->cfg.web_tls) &&
           client_ask(&b->c, &b->a, true, "GET", "/api/v1/events", h, NULL) && b->a.status == 200;
}

// Reads what is there on all until each has seen n; notes when each got it.
static size_t collect(struct browser *b, unsigned n_b, uint64_t n, int64_t sent, double *ms)
{
    struct pollfd f[MOST];
    struct event e;
    size_t got = 0;
    unsigned left = 0;

    for (unsigned i = 0; i < n_b; i++) {
        f[i] = (struct pollfd){ .fd = b[i].c.fd, .events = POLLIN };
        left += b[i].seen < n;
    }
    while (left && poll(f, n_b, 10000) > 0)
        for (unsigned i = 0; i < n_b; i++) {
            if (!f[i].revents)
                continue;
            do {
                if (!event_next(&b[i].l, &e, 10000))
                    return got;
                b[i].seen = strtoull(e.id, NULL, 10);
                if (ms)
                    ms[got++] = ms_since(sent);
            } while (b[i].seen < n && (b[i].c.len || b[i].l.len ||
                     (b[i].c.tls && gnutls_record_check_pending(b[i].c.tls))));
            left -= b[i].seen == n;
        }
    return got;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(bool tls, unsigned n_b, unsigned changes, const char *json)
{
    struct post p;
    char cookie[128];
    struct browser *b = calloc(n_b, sizeof *b);
    double *ms = calloc((size_t)n_b * changes, sizeof *ms);
    size_t got = 0;

    post_new(&p, tls);
    assert(b && ms && post_start(&p, NULL, 0, 0));
    int64_t t = mono_now_ns();
    for (unsigned i = 0; i < n_b; i++) {
        if (i % 8 == 0)                 // a few screens each
            post_session(&p, "duty", ROLE_OPERATOR, utc_now_ns() / 1000000000, cookie);
        assert(join(&p, &b[i], cookie));
    }
    double joined = ms_since(t);
    for (unsigned k = 0; k < changes; k++) {
        nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);     // 50 changes a second
        t = mono_now_ns();
        post_change(&p, CHANGE_ALERT, "A", json);
        got += collect(b, n_b, p.n, t, ms + got);
    }
    qsort(ms, got, sizeof *ms, by_size);
    // A burst: all at once, until the last client has the last.
    unsigned burst = changes * 5;
    double cpu = cpu_s();
    t = mono_now_ns();
    for (unsigned k = 0; k < burst; k++)
        post_change(&p, CHANGE_ALERT, "A", json);
    collect(b, n_b, p.n, t, NULL);
    double all = ms_since(t);
    printf("| %-4s | %3u | %5.0f | %5.2f | %5.2f | %5.2f | %7.0f | %4.1f |\n", tls ? "yes" : "no",
           n_b, joined, ms[got / 2], ms[got * 99 / 100], ms[got - 1],
           burst * n_b / all * 1e3, (cpu_s() - cpu) * 1e6 / (burst * (double)n_b));
    for (unsigned i = 0; i < n_b; i++)
        client_close(&b[i].c);
    post_stop(&p);
    post_remove(&p);
    free(b);
    free(ms);
}

int main(void)
{
    static char json[801];
    const char *quick = getenv("QUICK");
    unsigned changes = quick && *quick ? 50 : 200;

    memset(json, 'x', 800);                 // an alert has about this many bytes
    memcpy(json, "{\"id\":\"", 7);
    memcpy(json + 798, "\"}", 2);
    printf("From a change in the queue to it read by the client; an alert of 800 bytes, 50 a "
           "second, then %u at once.\n\n", changes * 5);
    printf("| TLS | clients | all joined ms | median ms | 99 %% ms | most ms | burst, events/s | "
           "us CPU an event, both ends |\n|---|---|---|---|---|---|---|---|\n");
    measure(false, 1, changes, json);
    measure(true, 1, changes, json);
    measure(false, 100, changes, json);
    measure(true, 100, changes, json);
    measure(true, MOST, changes, json);
    return 0;
}
