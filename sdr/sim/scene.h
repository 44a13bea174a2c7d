// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: a scene of the simulator, read from YAML and checked.  docs/SCENES.md is the
// reference of the format.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sdr/sim/tx.h"

#define SCENE_EMITTERS 256      // with all copies; one channelful of traffic needs tens
#define SCENE_BYTES    (1u << 20)
#define SCENE_PAYLOAD  256      // bytes, as struct tx_packet holds

// Second ray of a two-ray channel, against the first.
struct scene_fading { double delay_ns, level_db, phase_deg, doppler_hz; };

struct scene_emitter {
    const struct tx_model *model;
    char     name[32], mode[64], variant[32], payload_hex[2 * SCENE_PAYLOAD + 1];
    unsigned copies;
    double   start_s, stop_s;
    double   freq_hz;           // NaN: not given
    bool     by_snr;            // level is an SNR in the packet's own bw_hz, else dBFS
    double   level_db;
    double   carrier_ppm, carrier_hz, clock_ppm;
    bool     faded;
    struct scene_fading fading;
    double   ramp_us, jitter_us, period_s, duration_s, duty, value;
    uint64_t uid;
};

struct scene_receiver {
    double noise_dbfs_hz;       // density; SCENE_NO_NOISE and below: none
    double dc_dbfs, dc_deg;     // -INFINITY: none
    double iq_gain_db, iq_phase_deg;
    double clock_ppm;           // of sampling and local oscillator together
    double rolloff;             // share of the band over which its edges fall; 0: flat
    int    adc_bits;            // 0: no steps (cf32 only)
    double intercept_dbfs;            // third-order intercept; SCENE_NO_IP3: none
    double blocking_dbfs;       // total power that doubles the noise; SCENE_NO_IP3: none
    double clock_hz, clock_dbfs;    // reference, and what each of its multiples leaks; 0: nothing
    double dc_per_db;           // DC offset per dB of gain
};

#define SCENE_NO_IP3 150.0

#define SCENE_ENDLESS_S 1e9     // 31 years: every count of samples still fits everywhere
#define SCENE_NO_NOISE (-250.0)
#define SCENE_NOISE_DBFS (-60.0)    // default noise power in the whole capture

struct scene {
    char     name[64], utc[40];
    int64_t  utc_ns;            // of sample 0, 0: none
    double   rate_hz, centre_hz, duration_s;
    double   tune_lo_hz, tune_hi_hz;    // where its receiver may be tuned to; equal: nowhere else
    bool     endless;           // duration_s is SCENE_ENDLESS_S
    uint64_t samples, seed;
    enum iq_format format;      // IQ_CI16 or IQ_CF32
    struct scene_receiver rx;
    unsigned n_emitters;
    struct scene_emitter *emitter;
};

// path: a YAML file, or text (path NULL).  0, or -errno and one sentence that names the place.
int  scene_load(struct scene **ret_scene, const char *path, const char *text, char why[IQ_WHY]);
// The same on bytes; origin names them in sentences.
int  scene_parse(struct scene **ret_scene, const void *yaml, size_t len, const char *origin,
                 char why[IQ_WHY]);
void scene_free(struct scene *s);   // NULL is fine

const struct tx_model *tx_model_of(const char *name);   // NULL: no such model
