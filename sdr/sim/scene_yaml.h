// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the simulator: a scene as it stands in YAML, before any check.  A NULL was not given.
// All values are text still.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sdr/sdr.h"

struct yaml_fading { char *delay_ns, *level_db, *phase_deg, *doppler_hz; };

struct yaml_emitter {
    char     *name, *model, *mode, *payload, *variant, *uid;
    char     *start_s, *stop_s, *freq_hz, *snr_db, *level_dbfs, *crystal_ppm, *carrier_ppm;
    char     *carrier_hz, *clock_ppm, *ramp_us, *jitter_us, *period_s, *duration_s, *duty, *value;
    char     *count;
    struct yaml_fading *fading;
};

struct yaml_receiver {
    char     *noise_dbfs_hz, *noise_dbfs, *dc_dbfs, *dc_deg, *iq_gain_db, *iq_phase_deg, *rolloff;
    char     *clock_ppm;
    char     *adc_bits;
    char     *intercept_dbfs, *blocking_dbfs, *clock_hz, *clock_dbfs, *dc_per_db;
};

struct yaml_scene {
    char     *name, *format, *utc, *seed;
    char     *rate_hz, *centre_hz, *duration_s, *tune_lo_hz, *tune_hi_hz;
    struct yaml_receiver *receiver;
    struct yaml_emitter  *emitters;
    unsigned              emitters_count;
};

// 0, or -EINVAL/-ENOMEM with a sentence that names origin, line and column.
int  yaml_scene_load(struct yaml_scene **ret_y, const void *yaml, size_t len, const char *origin,
                     char why[IQ_WHY]);
void yaml_scene_free(struct yaml_scene *y);
