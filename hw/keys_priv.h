// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the hw room: files of keys.
//
// A directory of keys is 0700 and ours; a file in it is 0600, plain, ours or the directory's
// owner's.  Everything is opened from the directory's descriptor and without following links.
#pragma once

#include "hw/keys.h"

#define KEYS_WORDS 1024
#define KEYS_LINE  128          // the longest file of keys
extern const char *const keys_words[KEYS_WORDS];

void z85_encode(const uint8_t raw[32], char ret[KEYS_Z85]);
int  z85_decode(const char *text, uint8_t ret[32]);             // 0 or -EINVAL

__attribute__((format(printf, 3, 4)))
int  keys_fail(char why[KEYS_WHY], int err, const char *fmt, ...);  // the sentence; returns -err
// The directory's descriptor, locked against others who write; made where make.
int  keys_dir_open(const char *dir, bool make, char why[KEYS_WHY]);
int  keys_dir_sub(int dir, const char *path, const char *name, bool make, char why[KEYS_WHY]);
// The whole file, NUL behind it; its length or -errno with a sentence (path is for the sentence).
int  keys_file_read(int dir, const char *path, const char *name, char ret[KEYS_LINE + 1],
                    char why[KEYS_WHY]);
// Whole or not at all, and on the disk when it returns; replace: over what is there.
int  keys_file_write(int dir, const char *path, const char *name, const char *text, bool replace,
                     char why[KEYS_WHY]);
