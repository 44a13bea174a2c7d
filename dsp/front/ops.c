// SPDX-License-Identifier: GPL-3.0-or-later
// Chooses the front's inner loops for this machine.
#include <stddef.h>

#include "dsp/kernel/band.h"
#include "dsp/kernel/powers.h"
#include "dsp/kernel/tile.h"
#include "dsp/kernel/wola.h"
#include "hw/hw.h"

extern const struct tile_ops tile_ops_plain;
#ifdef __x86_64__
extern const struct tile_ops tile_ops_v2, tile_ops_v3, tile_ops_v4;
#endif

const struct tile_ops *tile_ops(void)
{
    switch (hw_isa()) {
#ifdef __x86_64__
    case HW_ISA_X86_V4: return &tile_ops_v4;
    case HW_ISA_X86_V3: return &tile_ops_v3;
    case HW_ISA_X86_V2: return &tile_ops_v2;
#endif
    default:            return &tile_ops_plain;
    }
}

extern const struct wola_ops wola_ops_plain;
#ifdef __x86_64__
extern const struct wola_ops wola_ops_v2, wola_ops_v3, wola_ops_v4;
#endif

const struct wola_ops *wola_ops(void)
{
    switch (hw_isa()) {
#ifdef __x86_64__
    case HW_ISA_X86_V4: return &wola_ops_v4;
    case HW_ISA_X86_V3: return &wola_ops_v3;
    case HW_ISA_X86_V2: return &wola_ops_v2;
#endif
    default:            return &wola_ops_plain;
    }
}

extern const struct band_ops band_ops_plain;
#ifdef __x86_64__
extern const struct band_ops band_ops_v2, band_ops_v3, band_ops_v4;
#endif

const struct band_ops *band_ops(void)
{
    switch (hw_isa()) {
#ifdef __x86_64__
    case HW_ISA_X86_V4: return &band_ops_v4;
    case HW_ISA_X86_V3: return &band_ops_v3;
    case HW_ISA_X86_V2: return &band_ops_v2;
#endif
    default:            return &band_ops_plain;
    }
}

#ifdef __x86_64__
extern const struct powers_ops powers_ops_v4;
#endif

const struct powers_ops *powers_ops(void)
{
#ifdef __x86_64__
    if (hw_isa() == HW_ISA_X86_V4)
        return &powers_ops_v4;
#endif
    return NULL;
}
