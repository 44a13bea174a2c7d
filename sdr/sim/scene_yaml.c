// SPDX-License-Identifier: GPL-3.0-or-later
// YAML to C through libcyaml: the schema below is the format.  Unknown keys, aliases and wrong
// types are refused by the library; ranges are checked in scene.c.
#include "sdr/sim/scene_yaml.h"

#include <stdio.h>

#include "base/yaml.h"
#include "sdr/sim/scene.h"

#define OPT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, type, max) CYAML_FIELD_STRING_PTR(#key, OPT, struct type, key, 0, max)
// Numbers as text, read in scene.c: libcyaml would take "5 MHz" for 5 and -1 for 2^64 - 1.
#define NUM(key, type)   TEXT(key, type, 31)
#define COUNT(key, type) TEXT(key, type, 31)

static const cyaml_schema_field_t fading_fields[] = {
    NUM(delay_ns, yaml_fading), NUM(level_db, yaml_fading), NUM(phase_deg, yaml_fading),
    NUM(doppler_hz, yaml_fading), CYAML_FIELD_END
};

static const cyaml_schema_field_t emitter_fields[] = {
    TEXT(name, yaml_emitter, 31), TEXT(model, yaml_emitter, 31), TEXT(mode, yaml_emitter, 63),
    TEXT(payload, yaml_emitter, 2 * SCENE_PAYLOAD), TEXT(variant, yaml_emitter, 31),
    NUM(start_s, yaml_emitter), NUM(stop_s, yaml_emitter), NUM(freq_hz, yaml_emitter),
    NUM(snr_db, yaml_emitter), NUM(level_dbfs, yaml_emitter),
    NUM(crystal_ppm, yaml_emitter), NUM(carrier_ppm, yaml_emitter),
    NUM(carrier_hz, yaml_emitter), NUM(clock_ppm, yaml_emitter), NUM(ramp_us, yaml_emitter),
    NUM(jitter_us, yaml_emitter),
    NUM(period_s, yaml_emitter), NUM(duration_s, yaml_emitter), NUM(duty, yaml_emitter),
    NUM(value, yaml_emitter), TEXT(uid, yaml_emitter, 31), COUNT(count, yaml_emitter),
    CYAML_FIELD_MAPPING_PTR("fading", OPT, struct yaml_emitter, fading, fading_fields),
    CYAML_FIELD_END
};

static const cyaml_schema_value_t emitter_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_emitter, emitter_fields)
};

static const cyaml_schema_field_t receiver_fields[] = {
    NUM(noise_dbfs_hz, yaml_receiver), NUM(noise_dbfs, yaml_receiver),
    NUM(dc_dbfs, yaml_receiver), NUM(dc_deg, yaml_receiver), NUM(iq_gain_db, yaml_receiver),
    NUM(iq_phase_deg, yaml_receiver), NUM(clock_ppm, yaml_receiver), NUM(rolloff, yaml_receiver),
    COUNT(adc_bits, yaml_receiver), NUM(intercept_dbfs, yaml_receiver),
    NUM(blocking_dbfs, yaml_receiver), NUM(clock_hz, yaml_receiver),
    NUM(clock_dbfs, yaml_receiver), NUM(dc_per_db, yaml_receiver), CYAML_FIELD_END
};

static const cyaml_schema_field_t scene_fields[] = {
    TEXT(name, yaml_scene, 63), TEXT(format, yaml_scene, 15), TEXT(utc, yaml_scene, 39),
    NUM(rate_hz, yaml_scene), NUM(centre_hz, yaml_scene), NUM(duration_s, yaml_scene),
    NUM(tune_lo_hz, yaml_scene), NUM(tune_hi_hz, yaml_scene),
    TEXT(seed, yaml_scene, 31),
    CYAML_FIELD_MAPPING_PTR("receiver", OPT, struct yaml_scene, receiver, receiver_fields),
    CYAML_FIELD_SEQUENCE("emitters", OPT, struct yaml_scene, emitters, &emitter_value, 0,
                         SCENE_EMITTERS),
    CYAML_FIELD_END
};

static const cyaml_schema_value_t scene_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct yaml_scene, scene_fields)
};

int yaml_scene_load(struct yaml_scene **ret_y, const void *yaml, size_t len, const char *origin,
                    char why[IQ_WHY])
{
    char where[64] = "";
    struct yaml_told t;
    int r = yaml_load((void **)ret_y, &scene_value, yaml, len, &t);

    if (r < 0) {
        if (t.column)
            snprintf(where, sizeof where, "line %u, column %u: ", t.line, t.column);
        snprintf(why, IQ_WHY, "%.150s: %s%.200s; expected a scene as in docs/SCENES.md", origin,
                 where, t.what);
    }
    return r;
}

void yaml_scene_free(struct yaml_scene *y)
{
    yaml_drop(&scene_value, y);
}
