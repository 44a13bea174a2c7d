// SPDX-License-Identifier: GPL-3.0-or-later
// Six words of ten bits from a slow hash of the public key.
//
// Who wants another key with the same six words tries 2^60 keys, each for 64 MiB and a tenth of a
// second (Argon2id); even four words that match are 2^40 tries.
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "hw/keys_priv.h"

#define PHRASE_OPS   3                  // passes over the memory
#define PHRASE_BYTES (64u << 20)        // what a Raspberry Pi can spare

int keys_phrase(const char z85[KEYS_Z85], char ret[KEYS_PHRASE])
{
    static const uint8_t salt[crypto_pwhash_SALTBYTES + 1] = "tyto key phrase1";
    uint8_t key[32], hash[crypto_pwhash_BYTES_MIN];     // 16 bytes, of which 60 bits are told
    uint64_t bits = 0;
    size_t at = 0;

    if (z85_decode(z85, key) < 0 || !keys_trustworthy(key))
        return -EINVAL;
    if (crypto_pwhash(hash, sizeof hash, (const char *)key, sizeof key, salt, PHRASE_OPS,
                      PHRASE_BYTES, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return -ENOMEM;
    for (unsigned i = 0; i < 8; i++)
        bits = bits << 8 | hash[i];
    for (unsigned i = 0; i < 6; i++) {
        const char *w = keys_words[bits >> (54 - 10 * i) & (KEYS_WORDS - 1)];
        size_t n = strlen(w);           // 9 at most: 6 words and 5 blanks are 59
        memcpy(ret + at, w, n);
        at += n;
        ret[at++] = i < 5 ? ' ' : 0;
    }
    return 0;
}
