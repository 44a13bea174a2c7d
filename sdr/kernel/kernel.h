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
