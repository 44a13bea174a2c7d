// SPDX-License-Identifier: GPL-3.0-or-later
// The inner loops of this machine's instruction set (dsp/kernel/look.c).
#include "dsp/kernel/look.h"
#include "hw/hw.h"

HW_PICK(look_ops, look_ops)
