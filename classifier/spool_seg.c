// SPDX-License-Identifier: GPL-3.0-or-later
// A segment file.
//
//     0      8     16        24          56   64
//     | magic | boot | UTC ns | post's key | 0 |            all numbers little-endian
//     | magic 4 | length 4 | seq 8 | mac 8 | sealed message |   one record
//
// The mac is keyed with the sensor's secret and covers the file's number and boot, too: a record
// that was changed, moved to another file, or written by another sensor is none.  Behind one, the
// next is looked for by its magic.  A power cut leaves a torn record at the end.
#include "classifier/spool_seg.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

#define SEG_MAGIC "TYTOSPL2"
#define REC_MAGIC 0x32434552u   // "REC2"
#define SEARCHES  64            // for the next record in a damaged file: bounds the time it takes

static void put_le(uint8_t *p, unsigned n, uint64_t v)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

// 64 of its bits: who forges has one try for each message.
static void record_mac(const struct seg *g, const uint8_t *rec, const uint8_t *p, size_t len,
                       uint8_t ret[8])
{
    crypto_generichash_state h;
    uint8_t file[12], all[crypto_generichash_BYTES_MIN];

    put_le(file, 4, g->no);
    put_le(file + 4, 8, g->boot);
    crypto_generichash_init(&h, g->mac, 32, sizeof all);
    crypto_generichash_update(&h, file, sizeof file);
    crypto_generichash_update(&h, rec + 4, 12);
    crypto_generichash_update(&h, p, len);
    crypto_generichash_final(&h, all, sizeof all);
    memcpy(ret, all, 8);
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
    record_mac(g, rec, p, len, rec + 16);
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

// One record at off; 1: there, 0: what lies there is none of ours, -EIO.
static int record_read(int fd, const struct seg *g, uint64_t off, uint8_t *buf, size_t size,
                       uint32_t *ret_len, uint64_t *ret_seq)
{
    uint8_t h[SEG_REC], mac[8];

    if (pread(fd, h, sizeof h, (off_t)off) != (ssize_t)sizeof h)
        return -EIO;
    struct bytes b = bytes_of(h, sizeof h);
    uint32_t magic = bytes_u32(&b), len = bytes_u32(&b);
    uint64_t seq = bytes_u64(&b);
    if (magic != REC_MAGIC || !len || len > size || len > g->bytes - off - SEG_REC)
        return 0;
    if (pread(fd, buf, len, (off_t)(off + SEG_REC)) != (ssize_t)len)
        return -EIO;
    record_mac(g, h, buf, len, mac);
    *ret_len = len;
    *ret_seq = seq;
    return !sodium_memcmp(mac, h + 16, sizeof mac);
}

// The next place behind `off` that looks like a record; the end where there is none.
static uint64_t record_find(int fd, const struct seg *g, uint64_t off)
{
    uint8_t piece[4096], magic[4];
    ssize_t n;

    put_le(magic, 4, REC_MAGIC);
    for (off++; off + SEG_REC < g->bytes; off += (uint64_t)n - 3) {
        n = pread(fd, piece, sizeof piece, (off_t)off);
        if (n < 4)
            break;
        const uint8_t *at = memmem(piece, (size_t)n, magic, 4);
        if (at)
            return off + (uint64_t)(at - piece);
    }
    return g->bytes;
}

int seg_read(int fd, struct seg *g, uint64_t *off, uint8_t *buf, size_t size, uint64_t *ret_seq)
{
    uint64_t seq = 0;
    uint32_t len = 0;
    int r = 0;

    for (unsigned i = 0; i < SEARCHES && *off + SEG_REC <= g->bytes; i++) {
        r = record_read(fd, g, *off, buf, size, &len, &seq);
        if (r)
            break;
        g->damaged = true;
        *off = record_find(fd, g, *off);
    }
    if (r <= 0)
        return r;
    *off += SEG_REC + len;
    *ret_seq = seq;
    return (int)len;
}

static int head_check(int fd, const struct seg *g, const uint8_t post[32], int64_t *ret_utc_ns)
{
    uint8_t h[SEG_HEAD];

    if (pread(fd, h, sizeof h, 0) != (ssize_t)sizeof h || memcmp(h, SEG_MAGIC, 8))
        return -EBADMSG;
    if (memcmp(h + 24, post, 32))
        return -EKEYREJECTED;
    struct bytes b = bytes_of(h + 8, 16);
    if (bytes_u64(&b) != g->boot)
        return -EBADMSG;
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
        r = -EBADMSG;
    if (r == 0 && (r = head_check(fd, g, post, ret_utc_ns)) == 0) {
        g->bytes = (uint64_t)st.st_size;
        uint64_t good = off;
        while (seg_read(fd, g, &off, buf, sizeof buf, &seq) > 0) {
            if (g->n && seq <= g->last)
                continue;               // a copy of an earlier one
            if (!g->n++)
                g->first = seq;
            g->last = seq;
            good = off;
        }
        g->torn = good < (uint64_t)st.st_size;
        g->damaged = g->damaged || g->torn;
        if (g->damaged && !g->n)
            r = -EBADMSG;
        g->bytes = good;
    }
    close(fd);
    return r;
}
