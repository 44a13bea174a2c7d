// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: a notice board.  One thread pins up a small struct, any thread reads the
// newest one whole, nobody waits for the writer.
//
//     count  even: whole     odd: being written        a reader that saw the count move reads again
//     word   [........ the struct, as 64-bit words ........]
//
// Words are atomic, so that a torn read is a number to throw away and not undefined behaviour.
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BOARD_WORDS 64

struct board {
    _Atomic uint64_t count;
    _Atomic uint64_t word[BOARD_WORDS];
};

static inline void board_write(struct board *b, const void *src, size_t size)
{
    uint64_t w[BOARD_WORDS] = { 0 };
    uint64_t n = atomic_load(&b->count);

    assert(size <= sizeof w);
    memcpy(w, src, size);
    atomic_store(&b->count, n + 1);
    for (size_t i = 0; i < (size + 7) / 8; i++)
        atomic_store(&b->word[i], w[i]);
    atomic_store(&b->count, n + 2);
}

// The count: 0 while nothing was ever written (*dst is then zero).
static inline uint64_t board_read(const struct board *b, void *dst, size_t size)
{
    struct board *v = (struct board *)b;        // C17 loads only from what is not const
    uint64_t w[BOARD_WORDS] = { 0 }, n;

    assert(size <= sizeof w);
    do {
        n = atomic_load(&v->count);
        for (size_t i = 0; i < (size + 7) / 8; i++)
            w[i] = atomic_load(&v->word[i]);
    } while (n & 1 || n != atomic_load(&v->count));
    memcpy(dst, w, size);
    return n;
}
