// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: text on the wire is UTF-8 without control characters.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// The text into dst[size], NUL-terminated: what is no UTF-8 and what is a control character becomes
// U+FFFD; what does not fit is cut at a character.
void text_mend(char *dst, size_t size, const void *src, size_t len);
// Printable ASCII only: identifiers and words of closed lists.
bool text_plain(const void *src, size_t len);
