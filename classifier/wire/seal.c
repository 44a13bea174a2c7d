// SPDX-License-Identifier: GPL-3.0-or-later
// Seals: what lies in the spool can be read by the command post only, not by who steals the box.
#include <errno.h>
#include <sodium.h>

#include "classifier/wire/envelope.h"
#include "hw/keys.h"

_Static_assert(WIRE_SEAL == crypto_box_SEALBYTES, "as libsodium has it");

int wire_seal(const uint8_t *msg, size_t len, const uint8_t post[32], uint8_t *buf, size_t size)
{
    if (size < len + WIRE_SEAL)
        return -EMSGSIZE;
    if (sodium_init() < 0 || crypto_box_seal(buf, msg, len, post) != 0)
        return -EINVAL;
    return (int)(len + WIRE_SEAL);
}

int wire_unseal(const uint8_t *p, size_t len, const char *public_z85, const char *secret_z85,
                uint8_t *buf, size_t size)
{
    const uint8_t *sealed;
    uint8_t pk[32], sk[32], plain[WIRE_MAX];
    size_t n;

    if (len > WIRE_MAX || wire_envelope(p, len, &sealed, &n) != ENVELOPE_SEALED)
        return 0;
    if (n < WIRE_SEAL)
        return -EBADMSG;
    if (sodium_init() < 0 || keys_raw(public_z85, pk) < 0 || keys_raw(secret_z85, sk) < 0)
        return -EINVAL;
    int r = crypto_box_seal_open(plain, sealed, n, pk, sk);
    sodium_memzero(sk, sizeof sk);
    return r == 0 ? wire_pack_late(plain, n - WIRE_SEAL, buf, size) : -EBADMSG;
}
