// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *why_error(int err)
{
    switch (abs(err)) {
    case ENOENT: return "No such file or directory: check its name and folder";
    case EACCES: return "Permission denied: run this as the user to whom it belongs";
    case EROFS:  return "Read-only file system: name a place that can be written";
    case ENOSPC: return "No space left on device: make room there, or name another place";
    case EISDIR: return "Is a directory: name a file";
    case ENOTDIR: return "Not a directory: name a folder";
    default:     return strerror(abs(err));
    }
}
