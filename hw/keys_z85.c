// SPDX-License-Identifier: GPL-3.0-or-later
// Z85 (ZeroMQ's RFC 32): four bytes are five digits of base 85; and what makes 32 bytes a public
// key worth trusting.
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "hw/keys_priv.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             ".-:+=^!/*?&<>()[]{}@%$#";

void z85_encode(const uint8_t raw[32], char ret[KEYS_Z85])
{
    for (unsigned i = 0; i < 8; i++) {
        uint32_t v = (uint32_t)raw[4 * i] << 24 | (uint32_t)raw[4 * i + 1] << 16 |
                     (uint32_t)raw[4 * i + 2] << 8 | raw[4 * i + 3];
        for (int j = 4; j >= 0; j--, v /= 85)
            ret[5 * i + (unsigned)j] = digits[v % 85];
    }
    ret[40] = 0;
}

int z85_decode(const char *text, uint8_t ret[32])
{
    uint8_t raw[32];

    if (!text || strnlen(text, KEYS_Z85) != KEYS_Z85 - 1)
        return -EINVAL;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t v = 0;
        for (unsigned j = 0; j < 5; j++) {
            const char *d = strchr(digits, text[5 * i + j]);
            if (!d)
                return -EINVAL;
            v = v * 85 + (uint64_t)(d - digits);
        }
        if (v > UINT32_MAX)
            return -EINVAL;
        for (unsigned j = 0; j < 4; j++)
            raw[4 * i + j] = (uint8_t)(v >> (24 - 8 * j));
    }
    memcpy(ret, raw, sizeof raw);
    sodium_memzero(raw, sizeof raw);
    return 0;
}

// 2^255 - 19, little-endian: a number from there up is another writing of a smaller one, and two
// texts for one key would let a revoked one come back.
static bool canonical(const uint8_t k[32])
{
    if (k[31] != 0x7f)
        return k[31] < 0x7f;
    for (unsigned i = 30; i > 0; i--)
        if (k[i] != 0xff)
            return true;
    return k[0] < 0xed;
}

bool keys_trustworthy(const uint8_t key[32])
{
    // Any scalar (they are multiples of 8) takes a point of low order to zero, which libsodium
    // tells: with such a "key" everybody shares the secret.
    static const uint8_t scalar[32] = { 8, [31] = 0x40 };
    uint8_t shared[32];

    return sodium_init() >= 0 && canonical(key) &&
           crypto_scalarmult(shared, scalar, key) == 0 && !sodium_is_zero(shared, sizeof shared);
}

int keys_raw(const char *z85, uint8_t ret[32]) { return z85_decode(z85, ret); }
