// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as the installation's policy: a level, or a sentence and nothing is allowed.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hw/hw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[HW_WHY] = "", where[HW_WHERE], path[40];
    int fd = memfd_create("policy", MFD_CLOEXEC);

    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int r = hw_policy_droneid(path, where, why);
    assert(r < 0 ? why[0] && strlen(why) < HW_WHY : r <= HW_DRONEID_DECODE);
    // Only one who says so in so many words opens anything.
    if (r == HW_DRONEID_DECODE)
        assert(memmem(data, size, "decode", 6) || memchr(data, 0, size) ||
               memchr(data, '\\', size));
    close(fd);
    return 0;
}
