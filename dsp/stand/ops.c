// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/stand/ops.h"

#include "hw/hw.h"

HW_PICK(stand_ops, stand_ops)

static const struct lane_ops *lane8(void), *lane16(void);
HW_PICK(lane_ops, lane8)
HW_PICK(lane_ops, lane16)

const struct lane_ops *lane_ops(unsigned lanes) { return lanes <= 8 ? lane8() : lane16(); }
