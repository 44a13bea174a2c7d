// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: tyto-sensord's configuration as written, all as text.
#pragma once

#include <stddef.h>

struct yaml_radio {
    char *name, *profile, *args, *rate_hz, *centre_hz, *gain_db, *gain, *bandwidth_hz, *ppm,
         *antenna, *channel, *scene, *seed, *file, *format, *scan;
};
struct yaml_post  { char *endpoint, *key; };
struct yaml_spool { char *dir, *max_mb, *max_h; };
struct yaml_keep  { char *dir, *key, *seconds, *max_mb, *days; };
struct yaml_baseline { char *dir, *learn_h; };
struct yaml_place { char *gpsd, *lat_deg, *lon_deg, *alt_m, *err_m; };

struct yaml_sensord {
    char *name, *production, *keys_dir, *sig_dir, *plugin_path, *threads, *droneid, *legal_basis,
         *p_drone, *heading_deg, *local, *policy, *bands;
    struct yaml_post  *post;
    struct yaml_spool *spool;
    struct yaml_place *place;
    struct yaml_keep  *keep;
    struct yaml_baseline *baseline;
    struct yaml_radio *radios;
    unsigned           radios_count;
};

// 0, or -errno with a sentence.
int  yaml_sensord_load(struct yaml_sensord **ret, const char *yaml, size_t len, const char *file,
                       char *why, size_t size);
void yaml_sensord_free(struct yaml_sensord *y);
