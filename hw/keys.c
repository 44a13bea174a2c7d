// SPDX-License-Identifier: GPL-3.0-or-later
// The box's own pair.  The public half is written first and the secret last, under the directory's
// lock: where a secret is, the pair is whole.
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hw/keys_priv.h"

// The first line of a file as a key; 0, or -EINVAL with a sentence that does not repeat it.
static int key_line(char *text, const char *path, const char *name, uint8_t ret[32],
                    char why[KEYS_WHY])
{
    text[strcspn(text, "\n")] = 0;
    if (z85_decode(text, ret) < 0)
        return keys_fail(why, EINVAL, "%.200s/%s:1: 40 characters of Z85 were expected", path,
                         name);
    return 0;
}

static int pair_write(int fd, const char *dir, char why[KEYS_WHY])
{
    uint8_t pk[32], sk[32];
    char text[KEYS_Z85 + 1] = { 0 };
    int r;

    crypto_box_keypair(pk, sk);
    z85_encode(pk, text);
    text[KEYS_Z85 - 1] = '\n';
    r = keys_file_write(fd, dir, "public.key", text, true, why);
    z85_encode(sk, text);
    text[KEYS_Z85 - 1] = '\n';
    if (r == 0)
        r = keys_file_write(fd, dir, "secret.key", text, false, why);
    sodium_memzero(sk, sizeof sk);
    sodium_memzero(text, sizeof text);
    return r;
}

int keys_make(const char *dir, char why[KEYS_WHY])
{
    int fd = keys_dir_open(dir, true, why), r;

    if (fd < 0)
        return fd;
    if (sodium_init() < 0)
        r = keys_fail(why, EIO, "this machine gives no random numbers");
    else if (faccessat(fd, "secret.key", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        r = keys_fail(why, EEXIST, "%.200s holds a key already; who replaces it must be enrolled "
                      "anew: move the directory away first", dir);
    else
        r = pair_write(fd, dir, why);
    close(fd);
    return r;
}

static int no_key(const char *dir, char why[KEYS_WHY])
{
    return keys_fail(why, ENOENT, "%.200s holds no key; tyto keys make --dir %.200s makes it", dir,
                     dir);
}

static int secret_read(int fd, const char *dir, uint8_t ret[32], char why[KEYS_WHY])
{
    char text[KEYS_LINE + 1];
    int r = keys_file_read(fd, dir, "secret.key", text, why);

    if (r == -ENOENT)
        return no_key(dir, why);
    if (r >= 0)
        r = key_line(text, dir, "secret.key", ret, why);
    sodium_memzero(text, sizeof text);
    return r;
}

int keys_load(const char *dir, struct keys_own *ret, char why[KEYS_WHY])
{
    uint8_t sk[32], pk[32], told[32];
    char text[KEYS_LINE + 1];
    int fd = keys_dir_open(dir, false, why);

    if (fd < 0)
        return fd == -ENOENT ? no_key(dir, why) : fd;
    int r = secret_read(fd, dir, sk, why);
    if (r == 0 && (sodium_init() < 0 || crypto_scalarmult_base(pk, sk) != 0))
        r = keys_fail(why, EINVAL, "%.200s/secret.key is no secret key", dir);
    if (r == 0 && keys_file_read(fd, dir, "public.key", text, why) >= 0 &&
        (key_line(text, dir, "public.key", told, why) < 0 || memcmp(told, pk, sizeof pk)))
        r = keys_fail(why, EINVAL, "%.200s: public.key does not belong to secret.key", dir);
    if (r == 0) {
        z85_encode(pk, ret->public_z85);
        z85_encode(sk, ret->secret_z85);
    }
    sodium_memzero(sk, sizeof sk);
    close(fd);
    return r;
}

int keys_public(const char *dir, char ret_z85[KEYS_Z85], char why[KEYS_WHY])
{
    char text[KEYS_LINE + 1];
    uint8_t pk[32];
    int fd = keys_dir_open(dir, false, why);

    if (fd < 0)
        return fd == -ENOENT ? no_key(dir, why) : fd;
    int r = keys_file_read(fd, dir, "public.key", text, why);
    close(fd);
    if (r == -ENOENT)
        return no_key(dir, why);
    if (r < 0 || (r = key_line(text, dir, "public.key", pk, why)) < 0)
        return r;
    if (!keys_trustworthy(pk))
        return keys_fail(why, EINVAL, "%.200s/public.key is no public key", dir);
    z85_encode(pk, ret_z85);
    return 0;
}

void keys_wipe(struct keys_own *k) { sodium_memzero(k, sizeof *k); }
