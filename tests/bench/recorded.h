// SPDX-License-Identifier: GPL-3.0-or-later
// Candidates forced on recordings by others that hold no DroneID.
#pragma once

#include <stdbool.h>

struct recorded {
    double   s;                         // of it read
    unsigned forced, seen, verified;
    double   most;                      // of root 147's |rho|^2
};

// The first blocks of a recording of ../shared/captures; false where it is not there.
bool recorded_run(const char *name, unsigned forced, struct recorded *ret);
