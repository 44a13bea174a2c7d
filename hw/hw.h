// SPDX-License-Identifier: GPL-3.0-or-later
// The box: what the machine can do.  (Device profiles, position, time and health come with the
// live radio.)
#pragma once

#include <stddef.h>

// Instruction sets the hot kernels are built for, worst to best; the numbers are comparable.
enum hw_isa { HW_ISA_PLAIN, HW_ISA_X86_V2, HW_ISA_X86_V3, HW_ISA_X86_V4 };

// The best set of this machine, found once; TYTO_ISA=plain|v2|v3|v4 in the environment lowers it
// (never raises it), for tests and for comparing.  Thread-safe.
enum hw_isa hw_isa(void);
const char *hw_isa_name(enum hw_isa isa);

// Processors this process may run on, at least 1.
unsigned hw_cpus(void);

// Directory of the running program into dir (no trailing slash); 0 or -errno.  Data files are
// found beside it: <dir>/../share/tyto.
int hw_program_dir(char *dir, size_t size);
