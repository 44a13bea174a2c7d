// SPDX-License-Identifier: GPL-3.0-or-later
// Of bench_sensor: scenes of its own, rendered to a file by a process of its own, and a radio that
// plays one: at once, or live with a ring as a radio's, which loses when it is full.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "sdr/src/source.h"

#define PLAYED_TEXT 16384
#define PLAYED_MID_HZ 2440e6

struct scene { int fd; double rate_hz; char text[PLAYED_TEXT]; void *told; };

void scene_noise(struct scene *s, double rate_hz, double length_s);
// The 2.4 GHz band at a full event: a camera drone, a racer, three access points, headphones and
// phones.  A narrow capture holds those in its middle.
void scene_busy(struct scene *s, double rate_hz, double length_s);
// n emitters of 1 ms packets on frequencies of their own, per_s packets in all.
void scene_packets(struct scene *s, double rate_hz, double length_s, unsigned n, double per_s);
void scene_make(struct scene *s);           // opens fd with its samples, ci16; close it

struct radio {
    const int16_t *x;
    uint64_t n, at, ring;           // samples: in all, next, of room
    double   rate_hz, t0_s;
    bool     live;
};

// Plays fd from its start; ends the program where that cannot be.  r stays where it is.
struct src_driver radio_open(struct radio *r, const struct scene *s, bool live);
double radio_ring_s(double rate_hz, double *ret_mb);    // what a radio's ring of ci16 holds

// A process for one piece of work, so that its memory is gone with it.  told: shared memory.
void apart(void (*work)(struct scene *s), struct scene *s);
double now_s(clockid_t id);
void die(const char *why) __attribute__((noreturn));
