// SPDX-License-Identifier: GPL-3.0-or-later
// Any text as arguments of the device module, "key=value,key=value": read whole or refused in one
// sentence.
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/soapy/soapy_dev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct soapy_pair p[32];
    struct soapy_cfg c;
    char why[SOAPY_WHY] = "", *s = malloc(size + 1), *at = s, *pair;
    size_t n = 0;

    assert(s);
    memcpy(s, data, size);
    s[size] = 0;
    while (n < 32 && (pair = strsep(&at, ","))) {
        char *value = strchr(pair, '=');
        if (value)
            *value++ = 0;
        p[n++] = (struct soapy_pair){ pair, value ? value : "" };
    }
    if (soapy_cfg_read(&c, p, n, why) < 0)
        assert(why[0] && strlen(why) < SOAPY_WHY);
    else {
        assert((c.scene[0] != 0) != (c.file[0] != 0) && c.serial[0]);
        assert(isfinite(c.rate_hz) && c.stall_after_s >= 0 && isfinite(c.time_jump_s));
    }
    free(s);
    return 0;
}
