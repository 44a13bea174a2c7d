// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: the envelope of what comes late.
//
//     { late: true, msg: the message's bytes }         sent before, from memory
//     { late: true, sealed: crypto_box_seal of them }  from the spool, which the sensor cannot read
#pragma once

#include "classifier/wire.h"

#define WIRE_SEAL     48        // bytes a seal adds (crypto_box_SEALBYTES)
#define WIRE_ENVELOPE 128       // more than an envelope and a seal add together

// The message sealed to the post's key, for the spool; its length, or -errno.
int wire_seal(const uint8_t *msg, size_t len, const uint8_t post[32], uint8_t *buf, size_t size);
int wire_pack_sealed(const uint8_t *sealed, size_t len, uint8_t *buf, size_t size);

// Is it an envelope?  *ret_p, *ret_n: what is inside.
enum envelope { ENVELOPE_NONE, ENVELOPE_PLAIN, ENVELOPE_SEALED };
enum envelope wire_envelope(const uint8_t *p, size_t len, const uint8_t **ret_p, size_t *ret_n);
