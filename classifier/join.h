// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: a weak packet that was told in pieces becomes one again.
#pragma once

#include "classifier/obs.h"

#define JOIN_MAX 64             // packets on the air at once

struct join {
    struct obs o[JOIN_MAX];     // in order of arrival
    unsigned   n;
};

// What joining is for: packets of links, LoRa and FSK.
bool join_wants(const struct obs *o);
// true: o was a piece of a packet that waits, and is in it now.
bool join_piece(struct join *j, const struct obs *o);
// Faint energy beside a packet while it is sent: its skirt, nobody's own transmission.
bool join_shadows(const struct join *j, const struct obs *o);
// o waits for more pieces; false when there is no room.
bool join_put(struct join *j, const struct obs *o);
// The next packet that nothing starting at now_s or later can belong to; false when none.
bool join_take(struct join *j, double now_s, struct obs *ret);
