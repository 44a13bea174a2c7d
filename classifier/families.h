// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: the contract's closed list of families, in one place for signature
// files and for the wire.
#pragma once

#include <stdbool.h>

// Drones' links first, then those of no drone, then the groups for what has no name; NULL behind.
extern const char *const families[];

// Is it a family that a signature may describe (no group)?
bool family_known(const char *family, bool *ret_not_drone);
