// SPDX-License-Identifier: GPL-3.0-or-later
// Second door of hw: the keys of the box and of those it trusts.  CURVE (Curve25519) keys; text
// form Z85 of 40 characters.  The secret is made on the box and never leaves it.
//
//     DIR/secret.key       mode 0600, 40 characters, one line
//     DIR/public.key       what `tyto keys show` prints
//     DIR/peers/NAME.key   enrolled: line 1 the peer's public key, line 2 when; removed = revoked
//
// No trust on first use: who is not in peers is refused.  Files readable by others, links and
// devices are refused with a sentence.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYS_Z85   41           // with its NUL
#define KEYS_WHY   512
#define KEYS_NAME  48           // of a peer: [a-z0-9-], 1 to 47 characters
#define KEYS_PEERS 4096
#define KEYS_PHRASE 96

struct keys_own { char public_z85[KEYS_Z85]; char secret_z85[KEYS_Z85]; };

// Makes the pair; -EEXIST with a sentence when there is one already.
int keys_make(const char *dir, char why[KEYS_WHY]);
int keys_load(const char *dir, struct keys_own *ret, char why[KEYS_WHY]);
int keys_public(const char *dir, char ret_z85[KEYS_Z85], char why[KEYS_WHY]);
void keys_wipe(struct keys_own *k);

// The 32 bytes behind the text of a public or a secret key; 0, or -EINVAL.
int keys_raw(const char *z85, uint8_t ret[32]);
// May 32 bytes be somebody's public key?  Points of low order and second writings are none.
bool keys_trustworthy(const uint8_t key[32]);

// Six words that two people compare over the radio or the phone: a slow hash of the public key, so
// that a key with the same words cannot be searched for.  0 or -EINVAL (not a key).
int keys_phrase(const char z85[KEYS_Z85], char ret[KEYS_PHRASE]);

int keys_enrol(const char *dir, const char *name, const char *z85, char why[KEYS_WHY]);
int keys_revoke(const char *dir, const char *name, char why[KEYS_WHY]);

struct keys_peer { char name[KEYS_NAME]; char z85[KEYS_Z85]; int64_t since_ns; };
// All peers in order of name, malloc'd; how many, or -errno with a sentence.
int keys_peers(const char *dir, struct keys_peer **ret, char why[KEYS_WHY]);
