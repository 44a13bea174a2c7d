// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: the configuration as libcyaml reads it, before anything is judged.
// Everything is text here: libcyaml would take "8443 please" for 8443 and "5 km" for 5.
#pragma once

#include <stddef.h>

#include "alertd/alertd.h"

struct yaml_point { char *lat_deg, *lon_deg; };
struct yaml_zone {
    char *id, *name, *lat_deg, *lon_deg, *radius_m;
    struct yaml_point *points;
    unsigned points_count;
};
struct yaml_ours { char *serial, *name, *model; char **links; unsigned links_count; };
struct yaml_web { char *host, *port, *tls, *name, *cert, *key, *page_dir; };
struct yaml_cfg {
    char *site, *keys_dir, *data_dir, *bind, *feed, *exercise, *keep_days;
    struct yaml_web   *web;
    struct yaml_point *place;
    struct yaml_zone  *zones;
    unsigned           zones_count;
    char             **own_serials;
    unsigned           own_serials_count;
    struct yaml_ours  *own_aircraft;
    unsigned           own_aircraft_count;
};

// 0, or -errno with one sentence with file and line.  ret is freed with yaml_cfg_free.
int  yaml_cfg_load(struct yaml_cfg **ret, const char *yaml, size_t len, const char *file,
                   char why[ALERTD_WHY]);
void yaml_cfg_free(struct yaml_cfg *y);

// The text of a file in memory, for those who test and fuzz; alertd_cfg_load reads the file.
int cfg_parse(struct alertd_cfg *ret, const char *yaml, size_t len, const char *file,
              char why[ALERTD_WHY]);
