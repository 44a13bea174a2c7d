// SPDX-License-Identifier: GPL-3.0-or-later
// The post's configuration: any bytes are read or refused in one sentence with file and line.
#include <assert.h>
#include <string.h>

#include "alertd/cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct alertd_cfg cfg;
    char why[ALERTD_WHY] = "";
    if (cfg_parse(&cfg, (const char *)data, size, "f.yaml", why) == 0)
        assert(cfg.n_zones <= ALERTD_ZONES && cfg.keys_dir[0] && cfg.data_dir[0]);
    else
        assert(!strncmp(why, "f.yaml, line ", 13) && strlen(why) < ALERTD_WHY);
    return 0;
}
