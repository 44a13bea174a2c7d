// SPDX-License-Identifier: GPL-3.0-or-later
// What a hostile driver's process can leave in the ring and say over the socket: blocks that can be
// true or none, and texts that end.
//
//     input: written (8 bytes) | slot 0 | slot 1 | ... (struct ring_slot each); the same bytes as
//     one message.  Times of slots count from now.
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/utc.h"
#include "sdr/radio/child.h"
#include "sdr/radio/ring.h"

#define RATE_HZ 2e6
#define BLOCK   1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ring(const uint8_t *data, size_t size)
{
    struct ring_shape shape = ring_shape(RATE_HZ, BLOCK);
    static char *memory;
    struct ring_in in;
    struct ring_slot got;
    const void *samples;
    const char *why = NULL;
    uint64_t written = 0, index = 0;
    int64_t now_ns = mono_now_ns();
    int r;

    if (!memory)
        memory = aligned_alloc(64, (shape.bytes + 63) / 64 * 64);
    assert(memory);
    ring_in_init(&in, memory, shape, RATE_HZ, now_ns);
    if (size >= 8)
        memcpy(&written, data, 8);
    in.head->written = written;
    for (uint32_t i = 0; i < shape.slots; i++) {
        struct ring_slot *s = (struct ring_slot *)(memory + sizeof *in.head + i * shape.stride);
        size_t at = 8 + i * sizeof *s;
        memset(s, 0, sizeof *s);
        if (at < size)
            memcpy(s, data + at, size - at < sizeof *s ? size - at : sizeof *s);
        s->mono_ns = (int64_t)((uint64_t)s->mono_ns + (uint64_t)now_ns);
    }
    while ((r = ring_take(&in, &got, &samples, &why)) == 1) {
        const char *p = samples;
        assert(got.n >= 1 && got.n <= BLOCK && got.index >= index);
        assert(p >= memory && p + BLOCK * 8 <= memory + shape.bytes);
        assert(got.centre_hz >= 0 && got.centre_hz <= 300e9);
        index = got.index + got.n;
        ring_release(&in);
    }
    assert(r == 0 || (r == -EBADMSG && why));
}

static void talk(const uint8_t *data, size_t size)
{
    struct child c;
    union talk t;
    uint8_t msg[1024];
    uint32_t kind = 0;
    int s[2];

    // A kind of no version is one of ours: the input stays good when the version is raised.
    size = size < sizeof msg ? size : sizeof msg;
    memcpy(msg, data, size);
    if (size >= 4)
        memcpy(&kind, msg, 4);
    if (size >= 4 && kind < 0x10000) {
        kind |= TALK_VERSION << 16;
        memcpy(msg, &kind, 4);
    }

    child_init(&c);
    assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) == 0);
    c.socket_fd = s[0];
    (void)!send(s[1], msg, size, 0);
    close(s[1]);
    int r = child_hear(&c, &t);
    close(s[0]);
    if (r != 1)
        return;
    if (t.kind == TALK_HELLO)
        assert(t.hello.rate_hz >= IQ_RATE_MIN_HZ && memchr(t.hello.driver, 0, 32) &&
               memchr(t.hello.origin, 0, 16) && memchr(t.hello.device, 0, 160) &&
               memchr(t.hello.antenna, 0, 64) && t.hello.bandwidth_hz >= 0 &&
               isfinite(t.hello.gain_db) && isfinite(t.hello.centre_hz));
    else
        assert(memchr(t.say.text, 0, sizeof t.say.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ring(data, size);
    talk(data, size);
    return 0;
}
