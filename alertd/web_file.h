// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the web thread: the page's files, read once at start into a fixed list, so that no
// path that comes from outside ever meets the file system.
#pragma once

#include <stddef.h>

#include "alertd/alertd.h"

#define FILE_COUNT 256              // files of a page
#define FILE_BYTES (4u << 20)       // of one

struct web_file {
    char        path[128];          // "/index.html"
    const char *type;
    char        etag[36];           // with its quotes
    char       *data;
    size_t      len;
};

struct web_files { struct web_file *file; size_t n; };

// Regular files with a known suffix, three folders deep; names of [A-Za-z0-9._-] that do not begin
// with a dot.  0, or -errno with a sentence.
int  files_load(struct web_files *ret, const char *dir, char why[ALERTD_WHY]);
void files_done(struct web_files *f);
const struct web_file *files_find(const struct web_files *f, const char *path); // "/" is index.html
