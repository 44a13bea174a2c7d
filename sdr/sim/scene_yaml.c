// SPDX-License-Identifier: GPL-3.0-or-later
// YAML to C through libcyaml: the schema below is the format.  Unknown keys, aliases and wrong
// types are refused by the library; ranges are checked in scene.c.
//
// libcyaml tells an error as a log: first what, then a backtrace whose first line is the place.
// The log is folded into one sentence.
#include "sdr/sim/scene_yaml.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sdr/sim/scene.h"
#include "base/yaml.h"

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

#define UNEXPECTED "Unexpected key: "

// libcyaml places an unexpected key where the value before it ends: moves on to the key itself.
static void find_key(const char *yaml, size_t len, const char *key, unsigned *line,
                     unsigned *column)
{
    size_t n = strlen(key);
    unsigned l = 1, c = 1;
    for (size_t i = 0; n && i + n <= len; i++, c++) {
        bool behind = l > *line || (l == *line && c >= *column);
        if (behind && !memcmp(yaml + i, key, n)) {
            *line = l;
            *column = c;
            return;
        }
        if (yaml[i] == '\n') {
            l++;
            c = 0;
        }
    }
}

int yaml_scene_load(struct yaml_scene **ret_y, const void *yaml, size_t len, const char *origin,
                    char why[IQ_WHY])
{
    struct yaml_told t = { 0 };
    cyaml_config_t cfg = yaml_config(&t);
    struct yaml_scene *y = NULL;
    cyaml_err_t e = cyaml_load_data(yaml, len, &cfg, &scene_value, (cyaml_data_t **)&y, NULL);
    unsigned line = 0, column = 0;
    if (e == CYAML_OK && y) {
        *ret_y = y;
        return 0;
    }
    if (e == CYAML_OK || !t.what[0])
        snprintf(t.what, sizeof t.what, "%s", e == CYAML_OK ? "an empty document"
                                                            : cyaml_strerror(e));
    bool placed = sscanf(t.where, "(line: %u, column: %u", &line, &column) == 2;
    if (placed && !strncmp(t.what, UNEXPECTED, strlen(UNEXPECTED)))
        find_key(yaml, len, t.what + strlen(UNEXPECTED), &line, &column);
    if (placed)
        snprintf(t.where, sizeof t.where, "line %u, column %u: ", line, column);
    snprintf(why, IQ_WHY, "%.150s: %s%.200s; expected a scene as in docs/SCENES.md", origin,
             t.where, t.what);
    return e == CYAML_ERR_OOM ? -ENOMEM : -EINVAL;
}

void yaml_scene_free(struct yaml_scene *y)
{
    struct yaml_told t = { 0 };
    cyaml_config_t cfg = yaml_config(&t);
    cyaml_free(&cfg, &scene_value, y, 0);
}
