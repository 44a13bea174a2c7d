// SPDX-License-Identifier: GPL-3.0-or-later
// Signals that are no DroneID, for counting false recognitions.  They share no code with the
// simulator's transmitters, and every random part of them - each block of noise, each resource
// block of each symbol, each packet - can be drawn anew by itself: it comes of a hash of what it is
// and of one word of a table, so that a run which looks for rare outcomes may change a signal a
// little and stay within its law.
#pragma once

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_class {
    CONF_NOISE,
    CONF_LTE_FULL,          // FDD, 20 MHz: PSS, SSS, CRS of two ports, control, all blocks in use
    CONF_LTE_IDLE,          // the same with PSS, SSS, CRS, PBCH and a few blocks a frame
    CONF_LTE_TDD,           // configuration 2: downlink full, guard, SC-FDMA uplink
    CONF_V2X,               // SC-FDMA of 10, 20 or 50 blocks a subframe with its own ZC pilots
    CONF_WIFI,              // 802.11a/g packets
    CONF_DSSS,              // 802.11b packets, Barker or 11 Mchip/s QPSK
    CONF_OFDM,              // 15 kHz OFDM without pause: QPSK or 16QAM on 600 or 1200 carriers
    CONF_NEAR,              // DroneID in all but the roots: 601 carriers, prefixes, pauses, ZC pair
    CONF_CLASSES,
};

#define CONF_SALTS    1024
#define CONF_EMITTERS 3

struct conf;

const char *conf_name(enum conf_class c);
// rate_hz: 15 kHz times a multiple of 128; emitters that do not fit the capture are left out.
struct conf *conf_new(enum conf_class cls, double rate_hz, uint64_t seed);
void conf_seed(struct conf *c, uint64_t seed);          // another signal of the class
void conf_free(struct conf *c);
uint64_t *conf_salts(struct conf *c);   // CONF_SALTS words, all 0 at first: change them at will
// Samples n0 .. n0 + n of it: noise of mean power 1 and the emitters.
void conf_make(struct conf *c, int64_t n0, size_t n, float complex *x);
// Centre of emitter e, and the first useful sample of one of its symbols near sample n; a nonsense
// 0 Hz and n where the class has no symbols of 15 kHz.
double conf_centre_hz(const struct conf *c, unsigned e);
int64_t conf_symbol_near(const struct conf *c, unsigned e, int64_t n);
bool conf_has_grid(enum conf_class c);                  // 15 kHz symbols
// The same of the next symbol that is an SC-FDMA pilot.
int64_t conf_pilot_near(const struct conf *c, unsigned e, int64_t n);
bool conf_has_pilots(enum conf_class c);
unsigned conf_emitters(const struct conf *c);
