// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: what the source and its child (tyto-radio) say to each other, over a
// socket pair that keeps messages whole.  Plain structs: both ends are one version on one machine.
//
//     source                         tyto-radio
//       | --- ask: TALK_OPEN ---------> |      what to open, how to set it
//       | <-- hello: what came of it -- |      or say: why nothing came of it
//       | --- ask: TALK_TUNE ---------> |      any time
//       | <-- say: trouble in words --- |      any time
//
// The child's descriptors:
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sdr/sdr.h"

#define TALK_MEMORY_FD 3        // the ring
#define TALK_SOCKET_FD 4        // this conversation; its end is the end of the child
#define TALK_WAKE_FD   5        // eventfd: the reader may look again
#define TALK_END_FD    6        // first descriptor the child must not have

// A kind names its version: after an upgrade a program that runs may start a newer tyto-radio.  To
// be raised with every change in this file or in the ring.
#define TALK_VERSION 4
enum talk_kind { TALK_OPEN = TALK_VERSION << 16 | 1, TALK_TUNE, TALK_HELLO, TALK_SAY, TALK_FAIL };
static inline unsigned talk_version(uint32_t kind) { return kind >> 16; }

struct talk_ask {               // source -> child
    uint32_t kind;              // TALK_OPEN, TALK_TUNE (centre, gain, filter, antenna, settings)
    uint32_t channel, block_len;
    int32_t  hardware_time;     // what the profile says of time stamps: 1 sample clock, 0 not,
                                // -1 nothing known
    double   rate_hz, centre_hz, gain_db, bandwidth_hz, ppm, settle_s;  // gain_db NAN: driver's
    uint32_t network;           // the device is reached over one: do not take it away
    char     args[512], antenna[64], settings[64];  // settings: key=value,key=value of the driver
};

struct talk_hello {             // child -> source, once the device gives samples
    uint32_t kind;
    uint32_t format;            // enum iq_format
    uint32_t hardware_time;
    uint32_t open_doors;        // of the jail: enum talk_door
    double   rate_hz, centre_hz, gain_db;       // as the driver set them
    char     driver[32], origin[16], device[160];
    double   bandwidth_hz;      // and what of it was not asked for: 0, "" where the driver tells
    char     antenna[64];       // nothing
};

// What of the jail could not be shut (sdr/radio/jail.h).
enum talk_door { TALK_DOOR_NETWORK = 1, TALK_DOOR_FILES = 2 };

// How long what is said holds: it passed by, or until this child ends; stamps have their own place.
enum talk_trouble { TALK_PASSING, TALK_JUMP, TALK_DISTRUST };

struct talk_say {               // child -> source
    uint32_t kind;              // TALK_SAY: trouble it lives with; TALK_FAIL: why it ends
    uint32_t code;              // errno of TALK_FAIL; enum talk_trouble of TALK_SAY
    char     text[400];
};

union talk { uint32_t kind; struct talk_ask ask; struct talk_hello hello; struct talk_say say; };
