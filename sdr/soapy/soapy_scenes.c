// SPDX-License-Identifier: GPL-3.0-or-later
// Scenes that the module brings along, so that `driver=tyto` alone is a radio.  Both without end.
#include <string.h>

#include "sdr/soapy/soapy_dev.h"

// Rates that one core simulates in real time with room to spare.
static const char event[] =
    "name: built-in event\n"
    "rate_hz: 15.36e6\n"
    "centre_hz: 2437e6\n"
    "tune_lo_hz: 2400e6\n"
    "tune_hi_hz: 2500e6\n"
    "duration_s: 0\n"
    "receiver: {noise_dbfs: -55, dc_dbfs: -60, iq_gain_db: 0.1, iq_phase_deg: 1, clock_ppm: 0.5}\n"
    "emitters:\n"
    "    - {name: drone, model: droneid, uid: 1001, freq_hz: 2434.5e6, snr_db: 20, start_s: 0.5}\n"
    "    - {name: access point, model: wifi, freq_hz: 2437e6, duty: 0.05, uid: 6, snr_db: 20}\n"
    "    - {name: phones, model: ble, uid: 31, snr_db: 15, count: 3}\n";

static const char quiet[] =
    "name: built-in silence\n"
    "rate_hz: 2.4e6\n"
    "centre_hz: 868e6\n"
    "tune_lo_hz: 50e6\n"
    "tune_hi_hz: 6000e6\n"
    "duration_s: 0\n"
    "receiver: {noise_dbfs: -50}\n";

static const struct { const char *name, *text; } scenes[] = {
    { "event", event }, { "quiet", quiet },
};

const char *soapy_scene_name(size_t i)
{
    return i < sizeof scenes / sizeof scenes[0] ? scenes[i].name : NULL;
}

const char *soapy_scene_builtin(const char *name)
{
    for (size_t i = 0; soapy_scene_name(i); i++)
        if (!strcmp(scenes[i].name, name))
            return scenes[i].text;
    return NULL;
}
