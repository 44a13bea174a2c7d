// SPDX-License-Identifier: GPL-3.0-or-later
// The sealed file of sdr/keep.h.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdr/keep.h"
#include "sdr/src/source.h"

#define MAGIC     "TYTOKEEP1"
#define MAGIC_LEN 9
#define CHUNK     65536
#define SEALED_KEY (crypto_secretstream_xchacha20poly1305_KEYBYTES + crypto_box_SEALBYTES)
#define HEADER    crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define MORE      crypto_secretstream_xchacha20poly1305_ABYTES
#define META_MAX  (16u << 20)
#define META      ".sigmf-meta"

typedef crypto_secretstream_xchacha20poly1305_state stream;

// ---- Sealing ---------------------------------------------------------------------------------

struct writer { FILE *f; stream st; uint8_t plain[CHUNK]; size_t n; };

static void flush_chunk(struct writer *w, bool last)
{
    uint8_t sealed[CHUNK + MORE];
    unsigned long long len = 0;

    crypto_secretstream_xchacha20poly1305_push(&w->st, sealed, &len, w->plain, w->n, NULL, 0,
        last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
    fwrite(sealed, 1, (size_t)len, w->f);
    w->n = 0;
}

static void put(struct writer *w, const void *p, size_t n)
{
    for (const uint8_t *at = p; n;) {
        size_t k = n < CHUNK - w->n ? n : CHUNK - w->n;
        memcpy(w->plain + w->n, at, k);
        w->n += k;
        at += k;
        n -= k;
        if (w->n == CHUNK)
            flush_chunk(w, false);
    }
}

// False: to this key nothing can be sealed, and nothing was written.
static bool put_all(struct writer *w, const uint8_t pk[32], const char *meta, size_t meta_len,
                    const void *data, size_t len)
{
    uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES], sealed[SEALED_KEY];
    uint8_t header[HEADER], size[8];

    crypto_secretstream_xchacha20poly1305_keygen(key);
    bool ok = !crypto_box_seal(sealed, key, sizeof key, pk) &&
              !crypto_secretstream_xchacha20poly1305_init_push(&w->st, header, key);
    sodium_memzero(key, sizeof key);
    if (!ok)
        return false;
    fwrite(MAGIC, 1, MAGIC_LEN, w->f);
    fwrite(sealed, 1, sizeof sealed, w->f);
    fwrite(header, 1, sizeof header, w->f);
    for (int i = 0; i < 8; i++)
        size[i] = (uint8_t)((uint64_t)meta_len >> 8 * i);
    put(w, size, sizeof size);
    put(w, meta, meta_len);
    put(w, data, len);
    flush_chunk(w, true);
    return true;
}

int keep_seal(const char *path, const uint8_t public_key[32], const char *meta, size_t meta_len,
              const void *data, size_t len, char why[IQ_WHY])
{
    char part[PATH_MAX], shown[SRC_NAME];
    struct writer *w = calloc(1, sizeof *w);

    if (!w || sodium_init() < 0) {
        free(w);
        return src_why(why, -ENOMEM, "no memory");
    }
    snprintf(part, sizeof part, "%s~", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600), err = 0;
    w->f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!w->f) {
        err = -errno;
        if (fd >= 0)
            close(fd);
    } else {
        err = !put_all(w, public_key, meta, meta_len, data, len) ? -EINVAL
            : ferror(w->f) || fflush(w->f) || fsync(fd) ? (errno ? -errno : -EIO) : 0;
        if (fclose(w->f) && !err)
            err = -errno;
        if (!err && rename(part, path))
            err = -errno;
        if (err)
            unlink(part);
    }
    sodium_memzero(w, sizeof *w);       // samples as they were, and the key of the stream
    free(w);
    return err ? src_why(why, err, "%s: it cannot be kept: %s", src_name(shown, path),
                         strerror(-err)) : 0;
}

// ---- Opening ---------------------------------------------------------------------------------

struct opener {
    FILE    *f, *meta, *data;
    stream   st;
    uint8_t  size[8];
    uint64_t got, meta_len;     // plain bytes so far
};

// Where plain bytes go; false: no such file could be.
static bool take(struct opener *o, const uint8_t *p, size_t n)
{
    while (n && o->got < 8) {
        o->size[o->got++] = *p++;
        n--;
        for (int i = 0; o->got == 8 && i < 8; i++)
            o->meta_len |= (uint64_t)o->size[i] << 8 * i;
    }
    if (o->got >= 8 && o->meta_len > META_MAX)
        return false;
    uint64_t left = o->got < 8 + o->meta_len ? 8 + o->meta_len - o->got : 0;
    size_t k = n < left ? n : (size_t)left;
    bool ok = fwrite(p, 1, k, o->meta) == k && fwrite(p + k, 1, n - k, o->data) == n - k;
    o->got += n;
    return ok;
}

// 0 whole, 1 not what was sealed, -errno.
static int unseal(struct opener *o, const uint8_t pk[32], const uint8_t sk[32])
{
    uint8_t head[MAGIC_LEN + SEALED_KEY + HEADER], plain[CHUNK], sealed[CHUNK + MORE], tag = 0;
    uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    unsigned long long len;

    if (fread(head, 1, sizeof head, o->f) != sizeof head || memcmp(head, MAGIC, MAGIC_LEN) ||
        crypto_box_seal_open(key, head + MAGIC_LEN, SEALED_KEY, pk, sk))
        return 1;
    int bad = crypto_secretstream_xchacha20poly1305_init_pull(&o->st,
                                                head + MAGIC_LEN + SEALED_KEY, key);
    sodium_memzero(key, sizeof key);
    while (!bad && tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL) {
        size_t n = fread(sealed, 1, sizeof sealed, o->f);
        if (n < MORE || crypto_secretstream_xchacha20poly1305_pull(&o->st, plain, &len, &tag,
                                                                   sealed, n, NULL, 0))
            return 1;
        errno = 0;
        if (!take(o, plain, (size_t)len))
            return errno ? -errno : 1;
    }
    return bad || fgetc(o->f) != EOF || o->got < 8 + o->meta_len ? 1 : 0;
}

static FILE *make(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");

    if (!f && fd >= 0)
        close(fd);
    return f;
}

static int closed(FILE *f, int r)
{
    return f && fclose(f) && r >= 0 ? -errno : r;
}

int keep_open(const char *path, const uint8_t public_key[32], const uint8_t secret_key[32],
              const char *out_meta, char why[IQ_WHY])
{
    char out_data[PATH_MAX], shown[SRC_NAME];
    size_t n = strlen(out_meta), s = strlen(META);
    struct opener o = { 0 };

    if (n <= s || n + 8 > PATH_MAX || strcmp(out_meta + n - s, META))
        return src_why(why, -EINVAL, "%s: an output name that ends in " META " was expected",
                       src_name(shown, out_meta));
    if (sodium_init() < 0)
        return src_why(why, -ENOMEM, "no memory");
    snprintf(out_data, sizeof out_data, "%.*s.sigmf-data", (int)(n - s), out_meta);
    if (!(o.f = fopen(path, "rbe")))
        return src_why(why, -errno, "%s: %s", src_name(shown, path), strerror(errno));
    if (!(o.meta = make(out_meta)) || !(o.data = make(out_data))) {
        int err = -errno;
        if (o.meta)
            unlink(out_meta);
        closed(o.meta, 0);
        fclose(o.f);
        return src_why(why, err, "%s: cannot be written: %s", src_name(shown, out_meta),
                       strerror(-err));
    }
    int r = unseal(&o, public_key, secret_key);
    sodium_memzero(&o.st, sizeof o.st);
    r = closed(o.data, closed(o.meta, r));
    fclose(o.f);
    if (r) {
        unlink(out_meta);
        unlink(out_data);
    }
    return r > 0 ? src_why(why, 1, "%s: is not what was sealed, or sealed to another key",
                           src_name(shown, path))
         : r < 0 ? src_why(why, r, "%s: %s", src_name(shown, out_meta), strerror(-r)) : 0;
}
