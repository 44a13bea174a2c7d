// SPDX-License-Identifier: GPL-3.0-or-later
// One write(2) a line: lines of several threads or processes never mix.
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE 1024

static char name[64];

void log_name(const char *s)
{
    snprintf(name, sizeof name, "%s", s);
}

void log_say(enum log_level level, const char *fmt, ...)
{
    char line[LINE + 1];
    va_list ap;
    int n = 0;

    if (getenv("JOURNAL_STREAM"))
        n = snprintf(line, LINE, "<%d>", (int)level);
    if (name[0])
        n += snprintf(line + n, LINE - (size_t)n, "%s: ", name);
    va_start(ap, fmt);
    vsnprintf(line + n, LINE - (size_t)n, fmt, ap);
    va_end(ap);
    for (unsigned char *c = (unsigned char *)line; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
    size_t len = strlen(line);
    line[len] = '\n';
    (void)!write(STDERR_FILENO, line, len + 1);
}
