// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the hw room: what a client of gpsd counts.
#pragma once

#include "hw/hw.h"

uint64_t hw_gps_bad(const struct hw_gps *g);        // lines that made no sense
uint64_t hw_gps_connects(const struct hw_gps *g);
