// SPDX-License-Identifier: GPL-3.0-or-later
// YAML to C through libcyaml: the schema below is the format.  Unknown keys, aliases and wrong
// types are refused by the library; values are judged in sensord_cfg.c.
#include "classifier/sensord_yaml.h"

#include <stdio.h>

#include "base/yaml.h"
#include "classifier/wire.h"

#define OPT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, type) CYAML_FIELD_STRING_PTR(#key, OPT, struct type, key, 0, 255)

static const cyaml_schema_field_t radio_fields[] = {
    TEXT(name, yaml_radio), TEXT(profile, yaml_radio), TEXT(args, yaml_radio),
    TEXT(rate_hz, yaml_radio), TEXT(centre_hz, yaml_radio), TEXT(gain_db, yaml_radio),
    TEXT(gain, yaml_radio),
    TEXT(bandwidth_hz, yaml_radio), TEXT(ppm, yaml_radio), TEXT(antenna, yaml_radio),
    TEXT(channel, yaml_radio), TEXT(scene, yaml_radio), TEXT(seed, yaml_radio),
    TEXT(file, yaml_radio), TEXT(format, yaml_radio), TEXT(scan, yaml_radio), CYAML_FIELD_END
};
static const cyaml_schema_value_t radio_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_radio, radio_fields)
};
static const cyaml_schema_field_t post_fields[] = {
    TEXT(endpoint, yaml_post), TEXT(key, yaml_post), CYAML_FIELD_END
};
static const cyaml_schema_field_t spool_fields[] = {
    TEXT(dir, yaml_spool), TEXT(max_mb, yaml_spool), TEXT(max_h, yaml_spool), CYAML_FIELD_END
};
static const cyaml_schema_field_t place_fields[] = {
    TEXT(gpsd, yaml_place), TEXT(lat_deg, yaml_place), TEXT(lon_deg, yaml_place),
    TEXT(alt_m, yaml_place), TEXT(err_m, yaml_place), CYAML_FIELD_END
};
static const cyaml_schema_field_t keep_fields[] = {
    TEXT(dir, yaml_keep), TEXT(key, yaml_keep), TEXT(seconds, yaml_keep), TEXT(max_mb, yaml_keep),
    TEXT(days, yaml_keep), CYAML_FIELD_END
};
static const cyaml_schema_field_t baseline_fields[] = {
    TEXT(dir, yaml_baseline), TEXT(learn_h, yaml_baseline), CYAML_FIELD_END
};
static const cyaml_schema_field_t sensord_fields[] = {
    TEXT(name, yaml_sensord), TEXT(production, yaml_sensord), TEXT(keys_dir, yaml_sensord),
    TEXT(sig_dir, yaml_sensord), TEXT(plugin_path, yaml_sensord), TEXT(threads, yaml_sensord),
    TEXT(droneid, yaml_sensord), TEXT(legal_basis, yaml_sensord), TEXT(p_drone, yaml_sensord),
    TEXT(heading_deg, yaml_sensord), TEXT(local, yaml_sensord), TEXT(policy, yaml_sensord),
    TEXT(bands, yaml_sensord),
    CYAML_FIELD_MAPPING_PTR("post", OPT, struct yaml_sensord, post, post_fields),
    CYAML_FIELD_MAPPING_PTR("spool", OPT, struct yaml_sensord, spool, spool_fields),
    CYAML_FIELD_MAPPING_PTR("place", OPT, struct yaml_sensord, place, place_fields),
    CYAML_FIELD_MAPPING_PTR("keep", OPT, struct yaml_sensord, keep, keep_fields),
    CYAML_FIELD_MAPPING_PTR("baseline", OPT, struct yaml_sensord, baseline, baseline_fields),
    CYAML_FIELD_SEQUENCE("radios", OPT, struct yaml_sensord, radios, &radio_value, 0,
                         WIRE_RADIOS),
    CYAML_FIELD_END
};
static const cyaml_schema_value_t sensord_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct yaml_sensord, sensord_fields)
};

int yaml_sensord_load(struct yaml_sensord **ret, const char *yaml, size_t len, const char *file,
                      char *why, size_t size)
{
    struct yaml_told t;
    int r = yaml_load((void **)ret, &sensord_value, yaml, len, &t);

    if (r < 0)
        snprintf(why, size, "%.200s:%u: %.200s; expected a configuration as in docs/sensord.yaml",
                 file, t.line, t.what);
    return r;
}

void yaml_sensord_free(struct yaml_sensord *y)
{
    yaml_drop(&sensord_value, y);
}
