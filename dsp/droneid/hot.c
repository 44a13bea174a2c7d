// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/droneid/hot.h"

#include "hw/hw.h"

const struct did_hot *did_hot(void)
{
    static const struct did_hot plain = { droneid_siso_plain, droneid_smooth_plain };
#ifdef __x86_64__
    static const struct did_hot v2 = { droneid_siso_v2, droneid_smooth_v2 };
    static const struct did_hot v3 = { droneid_siso_v3, droneid_smooth_v3 };
    static const struct did_hot v4 = { droneid_siso_v4, droneid_smooth_v4 };
    switch (hw_isa()) {
    case HW_ISA_X86_V4: return &v4;
    case HW_ISA_X86_V3: return &v3;
    case HW_ISA_X86_V2: return &v2;
    default:            break;
    }
#endif
    return &plain;
}
