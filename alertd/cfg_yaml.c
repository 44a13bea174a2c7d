// SPDX-License-Identifier: GPL-3.0-or-later
// YAML to C through libcyaml: the schema below is the format.  Unknown keys, aliases and wrong
// types are refused by the library; values are judged in cfg.c.
#include "alertd/cfg.h"

#include <stdio.h>

#include "base/yaml.h"

#define OPT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, type) CYAML_FIELD_STRING_PTR(#key, OPT, struct type, key, 0, 255)

static const cyaml_schema_field_t point_fields[] = {
    TEXT(lat_deg, yaml_point), TEXT(lon_deg, yaml_point), CYAML_FIELD_END
};
static const cyaml_schema_value_t point_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_point, point_fields)
};

static const cyaml_schema_field_t zone_fields[] = {
    TEXT(id, yaml_zone), TEXT(name, yaml_zone), TEXT(lat_deg, yaml_zone),
    TEXT(lon_deg, yaml_zone), TEXT(radius_m, yaml_zone),
    CYAML_FIELD_SEQUENCE("points", OPT, struct yaml_zone, points, &point_value, 0, ALERTD_POINTS),
    CYAML_FIELD_END
};
static const cyaml_schema_value_t zone_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_zone, zone_fields)
};

static const cyaml_schema_field_t web_fields[] = {
    TEXT(host, yaml_web), TEXT(port, yaml_web), TEXT(tls, yaml_web), TEXT(name, yaml_web),
    TEXT(cert, yaml_web), TEXT(key, yaml_web), TEXT(page_dir, yaml_web), CYAML_FIELD_END
};

static const cyaml_schema_value_t serial_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, 255)
};

static const cyaml_schema_field_t ours_fields[] = {
    TEXT(serial, yaml_ours), TEXT(name, yaml_ours), TEXT(model, yaml_ours),
    CYAML_FIELD_SEQUENCE("links", OPT, struct yaml_ours, links, &serial_value, 0, ALERTD_LINKS),
    CYAML_FIELD_END
};
static const cyaml_schema_value_t ours_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_ours, ours_fields)
};

static const cyaml_schema_field_t cfg_fields[] = {
    TEXT(site, yaml_cfg), TEXT(keys_dir, yaml_cfg), TEXT(data_dir, yaml_cfg), TEXT(bind, yaml_cfg),
    TEXT(feed, yaml_cfg),
    TEXT(exercise, yaml_cfg), TEXT(keep_days, yaml_cfg),
    CYAML_FIELD_MAPPING_PTR("web", OPT, struct yaml_cfg, web, web_fields),
    CYAML_FIELD_MAPPING_PTR("place", OPT, struct yaml_cfg, place, point_fields),
    CYAML_FIELD_SEQUENCE("zones", OPT, struct yaml_cfg, zones, &zone_value, 0, ALERTD_ZONES),
    CYAML_FIELD_SEQUENCE("own_serials", OPT, struct yaml_cfg, own_serials, &serial_value, 0,
                         ALERTD_OURS),
    CYAML_FIELD_SEQUENCE("own_aircraft", OPT, struct yaml_cfg, own_aircraft, &ours_value, 0,
                         ALERTD_OURS),
    CYAML_FIELD_END
};
static const cyaml_schema_value_t cfg_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct yaml_cfg, cfg_fields)
};

int yaml_cfg_load(struct yaml_cfg **ret, const char *yaml, size_t len, const char *file,
                  char why[ALERTD_WHY])
{
    struct yaml_told t;
    int r = yaml_load((void **)ret, &cfg_value, yaml, len, &t);

    if (r < 0)
        snprintf(why, ALERTD_WHY, "%.200s, line %u: %.200s; expected a configuration as in "
                 "docs/alertd.yaml", file, t.line, t.what);
    return r;
}

void yaml_cfg_free(struct yaml_cfg *y)
{
    yaml_drop(&cfg_value, y);
}
