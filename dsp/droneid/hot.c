// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/droneid/hot.h"

#include "hw/hw.h"

#define OPS(isa) { droneid_siso_##isa, droneid_smooth_##isa, droneid_turn_##isa, \
                   droneid_whiten_##isa, droneid_against_##isa }

const struct did_hot *did_hot(void)
{
    static const struct did_hot plain = OPS(plain);
#ifdef __x86_64__
    static const struct did_hot v2 = OPS(v2);
    static const struct did_hot v3 = OPS(v3);
    static const struct did_hot v4 = OPS(v4);
    switch (hw_isa()) {
    case HW_ISA_X86_V4: return &v4;
    case HW_ISA_X86_V3: return &v3;
    case HW_ISA_X86_V2: return &v2;
    default:            break;
    }
#endif
    return &plain;
}
