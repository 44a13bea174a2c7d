// SPDX-License-Identifier: GPL-3.0-or-later
// Standing detectors of 802.11's preambles: probability of detection, false alarms, cost.
#pragma once

#include <stdbool.h>

void wifi_curves(bool quick);
