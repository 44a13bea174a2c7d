// SPDX-License-Identifier: GPL-3.0-or-later
// The inner loops of this machine's instruction set (dsp/kernel/look.c).
#include "dsp/kernel/look.h"
#include "hw/hw.h"

#ifdef __x86_64__
extern const struct look_ops look_ops_plain, look_ops_v2, look_ops_v3, look_ops_v4;
#else
extern const struct look_ops look_ops_plain;
#endif

const struct look_ops *look_ops(void)
{
    switch (hw_isa()) {
#ifdef __x86_64__
    case HW_ISA_X86_V4: return &look_ops_v4;
    case HW_ISA_X86_V3: return &look_ops_v3;
    case HW_ISA_X86_V2: return &look_ops_v2;
#endif
    default:            return &look_ops_plain;
    }
}
