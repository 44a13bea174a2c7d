// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the hw room: a profile from bytes.
#pragma once

#include "hw/hw.h"

// 0, or -errno with a sentence that begins "origin:line: ".
int hw_profile_parse(struct hw_profile *ret, const char *text, size_t len, const char *origin,
                     char why[HW_WHY]);
