// SPDX-License-Identifier: GPL-3.0-or-later
// Inside sdr/tx: reading a scene's arguments.  variant is a list of words divided by blanks or
// commas.
#pragma once

// A model passes over what falls outside the capture.  After so many in a row there is nothing of
// it in there at all: it ends, or a scene without an end would look for it for ever.
#define ARGS_SKIPS 100000

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdr/sim/tx.h"

bool words_have(const char *list, const char *word);

// Whether every word of the list is one of known (ended by NULL); else a sentence in why.
bool words_known(const char *model, const char *list, const char *const *known, char why[IQ_WHY]);

// Whether two names of a link are the same; a bracketed domain behind them does not count.
bool link_is(const char *full, const char *given);

// Bytes read from hex (blanks allowed), or -EINVAL.
int hex_bytes(const char *hex, uint8_t *out, size_t room);

// End of the emitter, infinite where not given.
double args_until(const struct tx_args *a);

// Whether freq_hz was given: 0 counts where the scene is at baseband.
bool args_has_freq(const struct tx_args *a);
bool args_need_freq(const char *model, const struct tx_args *a, char why[IQ_WHY]);  // or a sentence

// Whether the receiver sees anything of this channel; true where the window is not given.
bool args_seen(const struct tx_args *a, double freq_hz, double bw_hz);
