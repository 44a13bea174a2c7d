// SPDX-License-Identifier: GPL-3.0-or-later
// Third door of sdr: samples kept as evidence.
//
//     source --iq_tap--> queue of blocks --> ring of the last seconds (classifier/keep.c)
//                                              |  a trigger: a span of it, others' signals removed
//     keep_seal: SigMF's metadata and samples, hashed, sealed to a public key --> one file
//     keep_open: the other way, with the secret key: tyto record --open
//
//     file:  "TYTOKEEP" 1  | sealed stream key (crypto_box_seal) | header | chunks of 64 KiB, the
//            last marked as such (crypto_secretstream: none can be changed, left out or reordered)
//     plain: 8 bytes length of the metadata, little-endian; the metadata; the samples
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sdr/sdr.h"

struct queue;
// Every block also into this queue (which refuses when full), with a reference of its own; before
// the first block is read.  q NULL: no more.
void iq_tap(struct iq_source *s, struct queue *q);

// meta must hold core:sha512 of the samples.  0, or -errno with a sentence; a file that could not
// be written whole is not there.
int keep_seal(const char *path, const uint8_t public_key[32], const char *meta, size_t meta_len,
              const void *data, size_t len, char why[IQ_WHY]);
// Into OUT.sigmf-meta and OUT.sigmf-data, which must not exist.  1: it is not what was sealed, or
// sealed to another key.
int keep_open(const char *path, const uint8_t public_key[32], const uint8_t secret_key[32],
              const char *out_meta, char why[IQ_WHY]);
