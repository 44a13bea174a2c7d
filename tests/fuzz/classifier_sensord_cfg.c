// SPDX-License-Identifier: GPL-3.0-or-later
// The sensor's configuration: any bytes are read or refused in one sentence with file and line, and
// what is read keeps its ranges.
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "classifier/sensord.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sensord_cfg c;
    char why[SENSORD_WHY] = "", path[40];
    int fd = memfd_create("sensor.yaml", MFD_CLOEXEC);

    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (sensord_cfg_load(&c, path, why) < 0)
        assert(!strncmp(why, path, strlen(path)) && why[strlen(path)] == ':' &&
               strlen(why) < SENSORD_WHY);
    else {
        assert(c.n_radios >= 1 && c.n_radios <= WIRE_RADIOS && c.threads <= 64);
        assert(c.p_drone >= 0 && c.p_drone <= 1 && (unsigned)c.droneid <= DRONEID_DECODE);
        for (unsigned i = 0; i < c.n_radios; i++)
            assert(c.radio[i].name[0] && !(c.radio[i].rate_hz > IQ_RATE_MAX_HZ));
    }
    close(fd);
    return 0;
}
