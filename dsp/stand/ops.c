// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/stand/ops.h"

#include "hw/hw.h"

const struct stand_ops *stand_ops(void)
{
#ifdef __x86_64__
    extern const struct stand_ops stand_ops_v2, stand_ops_v3, stand_ops_v4;
#endif
    extern const struct stand_ops stand_ops_plain;
    switch (hw_isa()) {
#ifdef __x86_64__
    case HW_ISA_X86_V4: return &stand_ops_v4;
    case HW_ISA_X86_V3: return &stand_ops_v3;
    case HW_ISA_X86_V2: return &stand_ops_v2;
#endif
    default:            return &stand_ops_plain;
    }
}

const struct lane_ops *lane_ops(unsigned lanes)
{
#ifdef __x86_64__
    extern const struct lane_ops lane8_v2, lane8_v3, lane8_v4, lane16_v2, lane16_v3, lane16_v4;
#endif
    extern const struct lane_ops lane8_plain, lane16_plain;
    bool few = lanes <= 8;
    switch (hw_isa()) {
#ifdef __x86_64__
    case HW_ISA_X86_V4: return few ? &lane8_v4 : &lane16_v4;
    case HW_ISA_X86_V3: return few ? &lane8_v3 : &lane16_v3;
    case HW_ISA_X86_V2: return few ? &lane8_v2 : &lane16_v2;
#endif
    default:            return few ? &lane8_plain : &lane16_plain;
    }
}
