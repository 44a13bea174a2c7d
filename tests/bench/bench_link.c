// SPDX-License-Identifier: GPL-3.0-or-later
// The link: what a message costs to pack, to take in and to seal, and how many a sensor and a post
// exchange over CURVE on loopback, each acknowledged.  Processor time where a thread is alone.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/utc.h"
#include "classifier/pub.h"
#include "classifier/wire/envelope.h"
#include "tests/unit/post_made.h"
#include "tests/unit/wire_made.h"

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void codec(enum wire_kind k, unsigned n)
{
    static struct wire_msg m, out;
    static uint8_t buf[WIRE_MAX], sealed[WIRE_MAX];
    uint8_t post[32];
    int len = 0;

    made_msg(&m, k, 1, 1);
    keys_raw(POST_PUBLIC, post);
    double t0 = cpu_s();
    for (unsigned i = 0; i < n; i++)
        len = wire_pack(&m, buf, sizeof buf);
    double t1 = cpu_s();
    for (unsigned i = 0; i < n; i++)
        if (wire_unpack(&out, buf, (size_t)len))
            exit(2);
    double t2 = cpu_s();
    for (unsigned i = 0; i < n / 100; i++)
        wire_seal(buf, (size_t)len, post, sealed, sizeof sealed);
    double t3 = cpu_s();
    printf("| %s | %d | %.0f | %.0f | %.0f |\n", wire_kind_name(k), len, n / (t1 - t0),
           n / (t2 - t1), n / 100 / (t3 - t2));
}

static void exchange(unsigned n)
{
    static struct post p;
    static struct wire_msg m;
    char why[PUB_WHY], at[64], dir[] = "/tmp/tyto-bench-link", cmd[64];
    struct pub_cfg c = { .post_z85 = POST_PUBLIC, .own = { SENSOR_PUBLIC, SENSOR_SECRET },
                         .spool_dir = dir, .endpoint = at };
    struct pub_stats s;
    struct pub *pub;

    p.port = port_free();
    post_start(&p);
    snprintf(at, sizeof at, "tcp://127.0.0.1:%d", p.port);
    if (pub_new(&pub, &c, why) < 0) {
        fprintf(stderr, "%s\n", why);
        exit(2);
    }
    do
        pub_stats(pub, &s);
    while (!s.connected && !poll(NULL, 0, 1));
    made_msg(&m, WIRE_TRACK, 0, 0);
    int64_t t0 = mono_now_ns();
    for (unsigned i = 0; i < n; i++)
        while (pub_event(pub, &m) == -EAGAIN)
            poll(NULL, 0, 1);
    do
        pub_stats(pub, &s);
    while (s.acked < n && !poll(NULL, 0, 1));
    double took_s = (double)(mono_now_ns() - t0) * 1e-9;
    printf("\n%u tracks over CURVE on loopback, sealed to the spool, each acknowledged by "
           "a post in the same process: %.0f a second.\n", n, n / took_s);
    pub_free(pub, 1);
    post_stop(&p);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    if (system(cmd))
        exit(2);
}

int main(void)
{
    unsigned n = getenv("QUICK") && *getenv("QUICK") ? 20000 : 200000;

    puts("| message | bytes | packed /s | taken in /s | sealed /s |\n|---|---|---|---|---|");
    for (int k = WIRE_TRACK; k <= WIRE_BURST; k++)
        codec((enum wire_kind)k, n);
    exchange(16000);
    return 0;
}
