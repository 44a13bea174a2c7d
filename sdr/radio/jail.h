// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room, tyto-radio only: what the driver must not be able to do.
#pragma once

#include <stdbool.h>

// For the rest of this process, which must have one thread yet: no new privileges, no core dumps,
// no network (unless `network`), no files but those of the system, of plugin_path (NULL: none) and
// those named in the device arguments.  Gives what could not be shut, enum talk_door.
unsigned jail_enter(bool network, const char *plugin_path, const char *args);

// Of it only the second way to have no network, for where there are no name spaces.
unsigned jail_filter(void);
