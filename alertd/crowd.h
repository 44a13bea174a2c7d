// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: who holds a connection at a ZeroMQ port.  ZeroMQ takes all that come, and one
// that says nothing holds a file descriptor until its handshake's time is over; whoever can reach
// the port could so take the descriptors that browsers and sensors need.
//
//     accepted --> unproven --ingest: a message; feed: it outlives the handshake's time--> proven
//                     '-- more than so many of them: the oldest of the address with the most goes
//
// Addresses are told apart by a hash with a key of this start (an IPv6 /64 is one): two that share
// a bucket share their luck, and nobody can choose with whom.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CROWD_FDS 65536         // file descriptors that are told apart; more are cut unseen

struct crowd;
struct crowd *crowd_new(void);                                  // NULL: no memory
void crowd_free(struct crowd *c);
void crowd_in(struct crowd *c, int fd, int64_t now_ns);         // accepted
void crowd_prove(struct crowd *c, int fd, bool yes);
void crowd_prove_old(struct crowd *c, int64_t before_ns);       // all that came before
void crowd_out(struct crowd *c, int fd);                        // ended, or told to go
unsigned crowd_all(const struct crowd *c);
unsigned crowd_unproven(const struct crowd *c);
int  crowd_pick(const struct crowd *c);                         // who goes; -1: all are proven

// An event of a ZeroMQ monitor with a descriptor that can be told apart; false: no more for now.
bool crowd_event(void *monitor, uint16_t *ret_event, int *ret_fd);
// Ends a connection, if it is one to this port of ours (0: a Unix socket): the number may be
// somebody else's by now, the database's file or a browser's.
void crowd_cut(int fd, unsigned port);
// How many unproven ones this process can afford beside `others` that it needs descriptors for.
unsigned crowd_room(unsigned others);
