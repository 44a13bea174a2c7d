// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as the file of what is usual at a place: refused in a sentence, or taken
// within bounds.
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "classifier/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct site s;
    char why[IQ_WHY] = "", path[40];
    int fd = memfd_create("site", MFD_CLOEXEC);

    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int r = site_load(&s, path, 3600, why);
    assert(r < 0 ? why[0] && strlen(why) < IQ_WHY : s.n <= SITE_EMITTERS);
    for (unsigned i = 0; !r && i < s.n; i++)
        assert(s.emitter[i].lo_hz <= s.emitter[i].hi_hz && memchr(s.emitter[i].family, 0, 24));
    for (unsigned b = 0; !r && b < SITE_BANDS; b++)
        assert(!(site_busy(&s, b) < 0 || site_busy(&s, b) > 1.000001));
    close(fd);
    return 0;
}
