// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room, tyto-radio only: the one place that calls SoapySDR.
#pragma once

#include <stdio.h>

#include "sdr/radio/talk.h"

// Opens what is asked for, tells the parent, and fills the ring for as long as the device gives
// samples.  Comes back only when there is no going on: errno, with why.
int soapy_run(const struct talk_ask *ask, void *memory, unsigned open_doors, char why[400]);

// The devices that fit args ("" all), one a line of key=value; how many.
int soapy_list(const char *args, FILE *out);
