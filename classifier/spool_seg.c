// SPDX-License-Identifier: GPL-3.0-or-later
// A segment file.
//
//     0      8     16        24          56   64
//     | magic | boot | UTC ns | post's key | 0 |            all numbers little-endian
//     | magic 4 | length 4 | seq 8 | crc 4 | 0 4 | sealed message |   one record
//
// A power cut leaves a torn record at the end: the length or the crc tells, and what stands before
// it is good.  A message damaged in the middle is passed over by its length.
#include "classifier/spool_seg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

#define SEG_MAGIC "TYTOSPL1"
#define REC_MAGIC 0x31434552u   // "REC1"

static void put_le(uint8_t *p, unsigned n, uint64_t v)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

// CRC-32 (IEEE 802.3), four bits a step.
static uint32_t crc32(uint32_t c, const uint8_t *p, size_t n)
{
    static const uint32_t t[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158,
        0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4,
        0xa00ae278, 0xbdbdf21c };
    c = ~c;
    for (size_t i = 0; i < n; i++) {
        c = t[(c ^ p[i]) & 15] ^ c >> 4;
        c = t[(c ^ p[i] >> 4) & 15] ^ c >> 4;
    }
    return ~c;
}

void seg_name(const struct seg *g, char ret[SEG_NAME])
{
    snprintf(ret, SEG_NAME, "%08x-%016llx.seg", g->no, (unsigned long long)g->boot);
}

bool seg_name_parse(const char *name, struct seg *ret)
{
    char again[SEG_NAME];
    unsigned long long boot;

    *ret = (struct seg){ 0 };
    if (sscanf(name, "%8x-%16llx.seg", &ret->no, &boot) != 2)
        return false;
    ret->boot = boot;
    seg_name(ret, again);
    return !strcmp(name, again);
}

int seg_make(int dir, const struct seg *g, const uint8_t post[32], int64_t now_ns)
{
    uint8_t h[SEG_HEAD] = SEG_MAGIC;
    char name[SEG_NAME];

    put_le(h + 8, 8, g->boot);
    put_le(h + 16, 8, (uint64_t)now_ns);
    memcpy(h + 24, post, 32);
    seg_name(g, name);
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    errno = ENOSPC;             // what a short write means
    if (write(fd, h, sizeof h) == (ssize_t)sizeof h)
        return fd;
    int r = -errno;
    close(fd);
    unlinkat(dir, name, 0);
    return r;
}

int seg_add(int fd, struct seg *g, uint64_t seq, const uint8_t *p, size_t len)
{
    uint8_t rec[SEG_REC + WIRE_MAX];

    if (len > WIRE_MAX)
        return -EMSGSIZE;
    put_le(rec, 4, REC_MAGIC);
    put_le(rec + 4, 4, len);
    put_le(rec + 8, 8, seq);
    put_le(rec + 20, 4, 0);
    put_le(rec + 16, 4, crc32(crc32(0, rec + 4, 12), p, len));
    memcpy(rec + SEG_REC, p, len);
    errno = ENOSPC;
    if (write(fd, rec, SEG_REC + len) != (ssize_t)(SEG_REC + len)) {
        int r = -errno;
        (void)!ftruncate(fd, (off_t)g->bytes);
        return r;
    }
    if (!g->n++)
        g->first = seq;
    g->last = seq;
    g->bytes += SEG_REC + len;
    return 0;
}

// One record.  1: its message is damaged, *off stands behind it all the same.
static int record_read(int fd, const struct seg *g, uint64_t *off, uint8_t *buf, size_t size,
                       uint32_t *ret_len, uint64_t *ret_seq)
{
    uint8_t h[SEG_REC];

    if (pread(fd, h, sizeof h, (off_t)*off) != (ssize_t)sizeof h)
        return -EIO;
    struct bytes b = bytes_of(h, sizeof h);
    uint32_t magic = bytes_u32(&b), len = bytes_u32(&b);
    uint64_t seq = bytes_u64(&b);
    uint32_t crc = bytes_u32(&b);
    if (magic != REC_MAGIC || !len || len > size || len > g->bytes - *off - SEG_REC)
        return -EBADMSG;            // where the next one begins nobody knows
    if (pread(fd, buf, len, (off_t)(*off + SEG_REC)) != (ssize_t)len)
        return -EIO;
    *off += SEG_REC + len;
    *ret_len = len;
    *ret_seq = seq;
    return crc32(crc32(0, h + 4, 12), buf, len) != crc;
}

int seg_read(int fd, const struct seg *g, uint64_t *off, uint8_t *buf, size_t size,
             uint64_t *ret_seq)
{
    uint64_t seq = 0;
    uint32_t len = 0;
    int r = 1;

    while (r == 1) {
        if (*off + SEG_REC > g->bytes)
            return 0;
        r = record_read(fd, g, off, buf, size, &len, &seq);
    }
    if (r < 0)
        return r;
    *ret_seq = seq;
    return (int)len;
}

static int head_check(int fd, const struct seg *g, const uint8_t post[32], int64_t *ret_utc_ns)
{
    uint8_t h[SEG_HEAD];

    if (pread(fd, h, sizeof h, 0) != (ssize_t)sizeof h || memcmp(h, SEG_MAGIC, 8) ||
        memcmp(h + 24, post, 32))
        return -EINVAL;
    struct bytes b = bytes_of(h + 8, 16);
    if (bytes_u64(&b) != g->boot)
        return -EINVAL;
    *ret_utc_ns = (int64_t)bytes_u64(&b);
    return 0;
}

int seg_scan(int dir, struct seg *g, const uint8_t post[32], int64_t *ret_utc_ns)
{
    static const uint64_t most = UINT64_C(1) << 40;
    uint8_t buf[WIRE_MAX];
    uint64_t off = SEG_HEAD, seq;
    char name[SEG_NAME];
    struct stat st;

    seg_name(g, name);
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && (!S_ISREG(st.st_mode) || st.st_size < SEG_HEAD || (uint64_t)st.st_size > most))
        r = -EINVAL;
    if (r == 0 && (r = head_check(fd, g, post, ret_utc_ns)) == 0) {
        g->bytes = (uint64_t)st.st_size;
        uint64_t good = off;
        while (seg_read(fd, g, &off, buf, sizeof buf, &seq) > 0) {
            if (g->n && seq <= g->last)
                break;                  // no order of ours
            if (!g->n++)
                g->first = seq;
            g->last = seq;
            good = off;
        }
        g->bytes = good;
    }
    close(fd);
    return r;
}
