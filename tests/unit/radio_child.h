// SPDX-License-Identifier: GPL-3.0-or-later
// A child that plays tyto-radio for tests, as the device arguments ask for: "driver=fake,stall=1".
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/utc.h"
#include "sdr/radio/ring.h"
#include "sdr/radio/talk.h"

#define RATE 1e6
#define BLOCK 1024

struct play {
    struct talk_ask   ask;
    struct ring_out   ring;
    struct ring_head *head;
    int16_t           v[2 * BLOCK];
    uint64_t          k;
    bool              tuned, doomed;
};

static bool asked(const struct play *p, const char *what) { return strstr(p->ask.args, what); }

static void nap(double s)
{
    nanosleep(&(struct timespec){ (time_t)s, (long)((s - floor(s)) * 1e9) }, NULL);
}

static void greet(struct play *p, const char *origin)
{
    struct talk_hello h = { .kind = TALK_HELLO, .format = IQ_CI16, .hardware_time = 1,
                            .rate_hz = p->ask.rate_hz, .centre_hz = p->ask.centre_hz,
                            .gain_db = 20, .driver = "tyto", .device = "made up",
                            .antenna = "A", .bandwidth_hz = 7e6 };
    snprintf(h.origin, sizeof h.origin, "%s", origin);
    if (asked(p, "badhello"))
        h.rate_hz = NAN;
    send(TALK_SOCKET_FD, &h, sizeof h, 0);
}

// One block; each sample says which one it is.
static void block(struct play *p)
{
    for (unsigned i = 0; i < BLOCK; i++, p->k++) {
        p->v[2 * i] = asked(p, "flat") ? 5 : (int16_t)(p->k & 0x7fff);
        p->v[2 * i + 1] = asked(p, "flat") ? 5 : (int16_t)(p->k >> 15 & 0x3fff);
    }
    ring_put(&p->ring, p->v, BLOCK, mono_now_ns());
}

static void hear_tune(struct play *p, int flags)
{
    struct talk_ask a;
    if (recv(TALK_SOCKET_FD, &a, sizeof a, flags) != sizeof a || a.kind != TALK_TUNE)
        return;
    if (asked(p, "picky") && a.centre_hz > 1.5e9) {     // stays there, and dies soon
        p->doomed = true;
        return;
    }
    p->tuned = true;
    ring_lose(&p->ring, 100, mono_now_ns());
    // What of a place is asked for where nobody named it: as the hello said it was opened.
    bool own = !strcmp(a.antenna, "A") && a.bandwidth_hz == 7e6 && a.gain_db == 20;
    ring_tuned(&p->ring, a.centre_hz, own ? 20 : 0, mono_now_ns());
}

// Writes the next slot as no honest child would.
static void lie(struct play *p, const char *args)
{
    const struct ring_shape *shape = &p->ring.shape;
    struct ring_slot *s = (struct ring_slot *)((char *)(p->head + 1) +
                              (p->ring.seq & (shape->slots - 1)) * shape->stride);
    int64_t now = mono_now_ns();

    *s = (struct ring_slot){ .seq = p->ring.seq, .index = p->ring.index, .mono_ns = now,
                             .centre_hz = 1e9, .n = BLOCK };
    if (strstr(args, "lie=long")) s->n = 1u << 31;
    if (strstr(args, "lie=none")) s->n = 0;
    if (strstr(args, "lie=seq")) s->seq += 7;
    if (strstr(args, "lie=index")) s->index += 99;
    if (strstr(args, "lie=ahead")) s->index = s->lost = (uint64_t)1e12;
    if (strstr(args, "lie=wrap")) { s->lost = UINT64_MAX; s->index = UINT64_MAX; }
    if (strstr(args, "lie=nan")) s->centre_hz = NAN;
    if (strstr(args, "lie=future")) s->mono_ns = now + INT64_C(3600000000000);
    if (strstr(args, "lie=past")) s->mono_ns = INT64_MIN;
    if (strstr(args, "lie=negative")) s->centre_hz = -1;
    if (strstr(args, "lie=back")) s->index = 0;
    atomic_store(&p->head->written, p->ring.seq + (strstr(args, "lie=many") ? 1u << 30 : 1));
    if (strstr(args, "lie=less"))
        atomic_store(&p->head->written, p->ring.seq - 1);
    if (strstr(args, "lie=count"))
        atomic_store(&p->head->count[RING_OVERFLOWS], UINT64_MAX);
    ssize_t r = write(TALK_WAKE_FD, &(uint64_t){ 1 }, 8);
    (void)r;
}

static void send_kind(uint32_t kind, size_t size)
{
    union talk t = { .kind = kind };
    memset((char *)&t + 4, 0x55, sizeof t - 4);
    send(TALK_SOCKET_FD, &t, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// What a driver gone mad may do beside its samples, from the 20th block on.
static void mischief(struct play *p, unsigned n)
{
    static char noise[65536];
    uint32_t r = n * 2654435761u + (uint32_t)getpid();

    if (n < 20)
        return;
    for (int i = 0; asked(p, "flood_words") && i < 100; i++)
        send_kind(TALK_SAY, sizeof(struct talk_say));
    for (int i = 0; asked(p, "flood_errors") && i < 16; i++) {
        ssize_t w = write(STDERR_FILENO, noise, sizeof noise);
        w = w < 0 ? w : write(TALK_WAKE_FD, &(uint64_t){ 1 }, 8);
        (void)w;
    }
    if (asked(p, "hello_again"))
        greet(p, "simulation");
    if (asked(p, "other_version"))
        send_kind((TALK_VERSION + 1) << 16 | (TALK_HELLO & 0xffff), sizeof(struct talk_hello));
    if (asked(p, "short_words"))
        send_kind(TALK_SAY, 9);
    if (asked(p, "unknown_words"))
        send_kind(TALK_VERSION << 16 | 77, sizeof(struct talk_say));
    // The whole of the shared memory, the reader's own fields too.
    size_t words = asked(p, "scribble") ? p->ring.shape.bytes / 4 : 0;
    for (size_t i = 0; i < words; i++, r = r * 1664525u + 1)
        ((volatile uint32_t *)p->head)[i] = r;
    for (unsigned i = 0; asked(p, "scrawl") && i < 64; i++, r = r * 1664525u + 1013904223u)
        ((volatile uint32_t *)p->head)[r % (sizeof *p->head / 4 + 32)] = r >> (r % 32);
}

static _Noreturn void play(void)
{
    struct play *p = calloc(1, sizeof *p);
    struct talk_say fail = { .kind = TALK_FAIL, .code = ENODEV, .text = "no device fits" };

    if (recv(TALK_SOCKET_FD, &p->ask, sizeof p->ask, 0) != sizeof p->ask)
        _exit(9);
    struct ring_shape shape = ring_shape(p->ask.rate_hz, p->ask.block_len);
    p->head = mmap(NULL, shape.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, TALK_MEMORY_FD, 0);
    if (p->head == MAP_FAILED || fcntl(TALK_END_FD, F_GETFD) >= 0 || getenv("PATH"))
        _exit(9);                       // more than it should have been given
    if (ftruncate(TALK_MEMORY_FD, 0) == 0)
        _exit(9);                       // not sealed
    if (asked(p, "absent")) {
        send(TALK_SOCKET_FD, &fail, sizeof fail, 0);
        _exit(2);
    }
    if (asked(p, "picky") && p->ask.centre_hz > 1.5e9) {
        fail = (struct talk_say){ .kind = TALK_FAIL, .code = EINVAL, .text = "not there" };
        if (asked(p, "picky=1"))
            send(TALK_SOCKET_FD, &fail, sizeof fail, 0);
        _exit(2);
    }
    if (asked(p, "crash")) {
        fprintf(stderr, "firmware\033[2J not found\n");
        _exit(1);
    }
    if (asked(p, "babble"))
        send(TALK_SOCKET_FD, "hello", 5, 0);
    if (asked(p, "mute"))
        for (;;) nap(100);
    ring_out_init(&p->ring, p->head, shape, TALK_WAKE_FD, 4, p->ask.rate_hz, p->ask.centre_hz);
    ring_tuned(&p->ring, p->ask.centre_hz, 20, 0);
    greet(p, asked(p, "origin=none") ? "" : asked(p, "origin=live") ? "live" : "simulation");
    if (asked(p, "lie=") && !asked(p, "late_lie="))
        lie(p, p->ask.args);
    for (unsigned n = 1;; n++) {
        hear_tune(p, n >= 20 && !p->tuned && asked(p, "awaits_tune") ? 0 : MSG_DONTWAIT);
        if (!asked(p, "lie=") || (asked(p, "late_lie=") && n <= 20))
            block(p);
        if (asked(p, "late_lie=") && n == 20)
            lie(p, p->ask.args);
        mischief(p, n);
        if (asked(p, "overflow") && n % 10 == 0) {
            ring_count(&p->ring, RING_OVERFLOWS);
            ring_lose(&p->ring, 500, mono_now_ns());
            p->k += 500;
        }
        if (asked(p, "stall") && n == 20)
            for (;;) nap(100);
        // As much as the ring holds whatever the parent's speed: nothing is ever dropped.
        if (asked(p, "few") && n == 300)
            for (;;) nap(100);
        if ((asked(p, "die") && n == 20) || (p->doomed && n % 20 == 0))
            _exit(3);
        if (!asked(p, "burst") && !(asked(p, "flat") && n < 6 * RATE / BLOCK))
            nap(BLOCK / RATE);
    }
}
