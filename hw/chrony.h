// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the hw room: what chronyd says of the clock it keeps ("tracking", version 6 of its
// monitoring protocol, one datagram each way on the loopback; anybody may ask).
//
//     asked   20 bytes of head, zeroes to the length of the answer
//     answer  28 bytes of head | ref id 4 | address 20 | stratum 2 | leap 2 | time 12 | 9 floats
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHRONY_PORT   323
#define CHRONY_PACKET 104       // both ways: an answer is never longer than its question

struct chrony {
    bool     synchronised;      // it has a source and follows it
    bool     gnss;              // which is a receiver's clock and no other machine
    char     source[48];        // "GPS", "192.0.2.1"
    unsigned stratum;
    double   err_s;             // bound: offset + root delay / 2 + root dispersion
    double   age_s;             // since its last measurement; < 0 not known
};

void chrony_ask(uint8_t ret[CHRONY_PACKET], uint32_t sequence);
// Bytes from whoever sits on that port.  0, or -EBADMSG.
int  chrony_answer(struct chrony *ret, const uint8_t *p, size_t n, uint32_t sequence,
                   int64_t utc_now_ns);
// Asks chronyd on this machine and waits at most wait_ms.  0, or -errno: none answers.
int  chrony_read(struct chrony *ret, int port, int wait_ms);
