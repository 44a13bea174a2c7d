// SPDX-License-Identifier: GPL-3.0-or-later
// What an errno means, with what to do about it, to end a sentence with:
//
//     flight.sigmf-meta: No such file or directory: check its name and folder
#pragma once

const char *why_error(int err);         // positive or negative; any thread, as strerror
