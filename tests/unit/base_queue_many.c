// SPDX-License-Identifier: GPL-3.0-or-later
// The queue between many threads: each item to one of them, each producer's in its order, nothing
// lost or made when it is closed at any moment, and nobody left asleep.
//
//     4 x produce: (who, 1), (who, 2), ...  -->  [queue of 1..64]  -->  3 x consume
//
// The queue's way to the kernel is this program's own: it counts, and lets others run between a
// decision to sleep or to wake and the deed.
// An alarm ends a run in which somebody sleeps for ever.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/queue.h"
#include "base/rng.h"

#define PRODUCERS 4u
#define CONSUMERS 3u
#define EACH      3000u         // items of one producer
#define STUCK_S   120           // a run takes a second of one core, under a sanitizer three

static atomic_ulong calls;

__attribute__((visibility("default"))) long syscall(long n, ...)
{
    static long (*_Atomic next)(long n, ...);
    long (*call)(long n, ...) = next, a[6];
    va_list ap;

    if (!call) {
        void *p = dlsym(RTLD_NEXT, "syscall");
        memcpy(&call, &p, sizeof call);
        next = call;
    }
    va_start(ap, n);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);        // as libc's own does: they all lie in whole registers
    va_end(ap);
    if (atomic_fetch_add(&calls, 1) % 4 == 0)
        sched_yield();
    return call(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *item_of(unsigned who, unsigned k) { return (void *)(uintptr_t)(who << 20 | k); }

struct storm {
    struct queue *q;
    bool          polls;                        // the consumers poll instead of sleeping in pop
    unsigned      each;
    atomic_uint   next_who, refused;
    atomic_uchar  got[PRODUCERS][EACH + 1];     // how often each came
    unsigned      pushed[PRODUCERS];            // each producer's own: taken by the queue
    atomic_bool   disorder;
};

static void *produce(void *arg)
{
    struct storm *s = arg;
    unsigned who = atomic_fetch_add(&s->next_who, 1);
    int r;

    for (unsigned k = 1; k <= s->each; k++) {
        while ((r = queue_push(s->q, item_of(who, k))) == -EAGAIN) {
            atomic_fetch_add(&s->refused, 1);
            sched_yield();
        }
        if (r)
            break;                              // closed: this one and the rest are still ours
        s->pushed[who] = k;
    }
    return NULL;
}

static void *next(struct storm *s)
{
    struct pollfd p = { .fd = s->polls ? queue_fd(s->q) : -1, .events = POLLIN };
    void *item;

    if (!s->polls)
        return queue_pop(s->q);
    while (!(item = queue_try_pop(s->q)) && !queue_ended(s->q))
        poll(&p, 1, -1);
    return item;
}

static void *consume(void *arg)
{
    struct storm *s = arg;
    unsigned last[PRODUCERS] = { 0 };
    void *item;

    while ((item = next(s))) {
        unsigned who = (unsigned)((uintptr_t)item >> 20), k = (uintptr_t)item & 0xfffff;
        if (k <= last[who])
            atomic_store(&s->disorder, true);
        last[who] = k;
        atomic_fetch_add(&s->got[who][k], 1);
    }
    return NULL;
}

// Closes after `after` items have come, or when all producers have ended.
static void storm(unsigned cap, enum queue_full full, unsigned consumers, unsigned each, bool polls,
                  unsigned spin)
{
    static struct storm s;
    pthread_t p[PRODUCERS], c[CONSUMERS];

    memset(&s, 0, sizeof s);
    s.q = queue_new(cap, full);
    s.polls = polls;
    s.each = each;
    assert_non_null(s.q);
    for (unsigned i = 0; i < consumers; i++)
        assert_int_equal(pthread_create(&c[i], NULL, consume, &s), 0);
    for (unsigned i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&p[i], NULL, produce, &s), 0);
    for (volatile unsigned i = 0; i < spin; i++)
        ;
    if (spin)
        queue_close(s.q);
    for (unsigned i = 0; i < PRODUCERS; i++)
        pthread_join(p[i], NULL);
    queue_close(s.q);
    for (unsigned i = 0; i < consumers; i++)
        pthread_join(c[i], NULL);
    assert_true(queue_ended(s.q));
    queue_free(s.q);
    assert_false(s.disorder);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        assert_true(spin || s.pushed[i] == each);
        for (unsigned k = 1; k <= each; k++)
            assert_int_equal(s.got[i][k], k <= s.pushed[i]);
    }
    if (full == QUEUE_WAIT)
        assert_int_equal(s.refused, 0);
}

static void every_item_once_and_in_order(void **state)
{
    (void)state;
    for (unsigned cap = 1; cap <= 64; cap = cap * 3 + 1)
        for (unsigned c = 1; c <= CONSUMERS; c += 2) {
            storm(cap, QUEUE_WAIT, c, EACH / 2, false, 0);
            storm(cap, QUEUE_REFUSE, c, EACH / 8, false, 0);
        }
}

static void every_item_to_those_who_poll(void **state)
{
    (void)state;
    storm(1, QUEUE_WAIT, 1, EACH / 4, true, 0);
    storm(7, QUEUE_WAIT, 1, EACH, true, 0);
    storm(7, QUEUE_WAIT, 3, EACH / 4, true, 0);
    storm(5, QUEUE_REFUSE, 2, EACH / 8, true, 0);
}

// What was taken before the close comes out, what came after it stays with its owner, wherever in
// a push or a pop the close falls.
static void closed_at_any_moment(void **state)
{
    (void)state;
    struct rng r;

    rng_init(&r, 4);
    for (unsigned i = 0; i < 100; i++)
        storm(1 + i % 5, i % 2 ? QUEUE_WAIT : QUEUE_REFUSE, 1 + i % CONSUMERS, EACH,
              i % 7 == 6, 1 + (unsigned)(rng_uniform(&r) * 100e3));
}

// ---- Nobody is left asleep -------------------------------------------------------------------

struct pair { struct queue *there, *back; };

static void *answer(void *arg)
{
    struct pair *p = arg;
    void *item;

    while ((item = queue_pop(p->there)))
        queue_push(p->back, item);
    return NULL;
}

// Each side waits for the other at each step: one wake-up lost and both sleep.
static void to_and_fro(void **state)
{
    (void)state;
    struct pair p = { queue_new(1, QUEUE_WAIT), queue_new(1, QUEUE_WAIT) };
    pthread_t t;

    assert_int_equal(pthread_create(&t, NULL, answer, &p), 0);
    for (unsigned i = 1; i <= 10000; i++) {
        assert_int_equal(queue_push(p.there, item_of(0, i)), 0);
        assert_ptr_equal(queue_pop(p.back), item_of(0, i));
    }
    queue_close(p.there);
    pthread_join(t, NULL);
    queue_free(p.there);
    queue_free(p.back);
}

struct meeting { struct queue *q; atomic_uint here; };

// Goes on only when as many as there are threads hold an item at one time.
static void *meet(void *arg)
{
    struct meeting *m = arg;

    for (unsigned round = 1; queue_pop(m->q); round++) {
        atomic_fetch_add(&m->here, 1);
        while (atomic_load(&m->here) < round * CONSUMERS)
            sched_yield();
    }
    return NULL;
}

// As many items as there are sleepers: each must be woken for one, none sleeps beside an item.
static void each_sleeper_is_woken(void **state)
{
    (void)state;
    struct meeting m = { .q = queue_new(CONSUMERS, QUEUE_WAIT) };
    pthread_t t[CONSUMERS];

    for (unsigned i = 0; i < CONSUMERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, meet, &m), 0);
    for (unsigned round = 1; round <= 1000; round++) {
        for (unsigned i = 0; i < CONSUMERS; i++)
            queue_push(m.q, item_of(0, 1));
        while (atomic_load(&m.here) < round * CONSUMERS)
            sched_yield();
    }
    queue_close(m.q);
    for (unsigned i = 0; i < CONSUMERS; i++)
        pthread_join(t[i], NULL);
    queue_free(m.q);
}

// While there is work and room, nobody asks the kernel.
static void work_needs_no_kernel(void **state)
{
    (void)state;
    struct queue *q = queue_new(8, QUEUE_WAIT);

    atomic_store(&calls, 0);
    for (unsigned i = 1; i < 1000; i++) {
        queue_push(q, item_of(0, i));
        queue_push(q, item_of(1, i));
        assert_ptr_equal(queue_pop(q), item_of(0, i));
        assert_ptr_equal(queue_pop(q), item_of(1, i));
    }
    assert_int_equal(calls, 0);
    queue_close(q);
    assert_null(queue_pop(q));
    queue_free(q);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(every_item_once_and_in_order),
        cmocka_unit_test(every_item_to_those_who_poll),
        cmocka_unit_test(closed_at_any_moment),
        cmocka_unit_test(to_and_fro),
        cmocka_unit_test(each_sleeper_is_woken),
        cmocka_unit_test(work_needs_no_kernel),
    };
    alarm(STUCK_S);
    return cmocka_run_group_tests(t, NULL, NULL);
}
