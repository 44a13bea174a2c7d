// SPDX-License-Identifier: GPL-3.0-or-later
// The simulator's inner loops: sdr/kernel/*.c, each compiled once per instruction set with ISA as
// the suffix of its table of functions, as in dsp/kernel.  Unlike there every set gives the same
// bits, so that a seed's samples are the same on every machine: integers, single additions,
// multiplications and square roots of IEEE, in an order that the source lays down; nothing fused,
// nothing from libm.
#pragma once

#define KERNEL_PASTE_(a, b) a##_##b
#define KERNEL_PASTE(a, b)  KERNEL_PASTE_(a, b)
#define KERNEL(name)        KERNEL_PASTE(name, ISA)

#define KERNEL_INLINE static inline __attribute__((always_inline))

// The table of this machine's set; in files that include hw/hw.h.
#ifdef __x86_64__
#define KERNEL_PICK(type, name)                                                 \
    extern const struct type name##_plain, name##_v2, name##_v3, name##_v4;     \
    const struct type *name(void)                                               \
    {                                                                           \
        switch (hw_isa()) {                                                     \
        case HW_ISA_X86_V4: return &name##_v4;                                  \
        case HW_ISA_X86_V3: return &name##_v3;                                  \
        case HW_ISA_X86_V2: return &name##_v2;                                  \
        default:            return &name##_plain;                               \
        }                                                                       \
    }
#else
#define KERNEL_PICK(type, name)                                                 \
    extern const struct type name##_plain;                                      \
    const struct type *name(void) { return &name##_plain; }
#endif
