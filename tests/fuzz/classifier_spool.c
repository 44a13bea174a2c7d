// SPDX-License-Identifier: GPL-3.0-or-later
// A segment of the spool: any bytes after the head are records or their end, read in bounded time.
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "classifier/spool_seg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[WIRE_MAX];
    static const uint8_t mac[32];
    struct seg g = { .mac = mac, .bytes = size };
    uint64_t off = 0, before = 0, seq = 0;
    int fd = memfd_create("segment", MFD_CLOEXEC), n;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    while ((n = seg_read(fd, &g, &off, buf, sizeof buf, &seq)) > 0) {
        assert(off > before && off <= size && (size_t)n <= sizeof buf);
        before = off;
    }
    close(fd);
    return 0;
}
