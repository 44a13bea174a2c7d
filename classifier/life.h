// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: the life of a track as a table of states.
#pragma once

#include "classifier/classifier.h"

enum life_event {
    LIFE_HEARD,         // a burst of it
    LIFE_NAMED,         // the evidence suffices to tell of it
    LIFE_SILENT,        // nothing for LIFE_QUIET_S
    LIFE_GONE,          // nothing for LIFE_GONE_S
    LIFE_EVENTS
};

#define LIFE_QUIET_S 2.0        // three DroneID periods of 640 ms and a lost frame fit in
#define LIFE_GONE_S  30.0       // a drone behind a house comes back in less; its track goes on

// Moves *s; 0, or -EPERM for an event the table refuses (*s stays).
int life_move(enum track_state *s, enum life_event e);
