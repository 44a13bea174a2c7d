// SPDX-License-Identifier: GPL-3.0-or-later
// The inner loops of this machine's instruction set (sdr/kernel/).
#include "sdr/kernel/kernel.h"

#include "hw/hw.h"
#include "sdr/kernel/interp.h"
#include "sdr/kernel/noise.h"
#include "sdr/kernel/receiver.h"
#include "sdr/kernel/turns.h"
#include "sdr/kernel/video.h"

HW_PICK(interp_ops, interp_ops)
HW_PICK(noise_ops, noise_ops)
HW_PICK(receiver_ops, receiver_ops)
HW_PICK(turns_ops, turns_ops)
HW_PICK(video_ops, video_ops)
