// SPDX-License-Identifier: GPL-3.0-or-later
// Chooses the front's inner loops for this machine.
#include <stddef.h>

#include "dsp/kernel/band.h"
#include "dsp/kernel/powers.h"
#include "dsp/kernel/tile.h"
#include "dsp/kernel/wola.h"
#include "hw/hw.h"

HW_PICK(tile_ops, tile_ops)
HW_PICK(wola_ops, wola_ops)
HW_PICK(band_ops, band_ops)

// One set has them; see powers.h for what the others do.
const struct powers_ops *powers_ops(void)
{
#ifdef __x86_64__
    extern const struct powers_ops powers_ops_v4;

    return hw_isa() == HW_ISA_X86_V4 ? &powers_ops_v4 : NULL;
#else
    return NULL;
#endif
}
