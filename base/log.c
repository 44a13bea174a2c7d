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

// head, then the rest of the line; what steers a terminal does not.
__attribute__((format(printf, 2, 0)))
static void line_write(const char *head, const char *fmt, va_list ap)
{
    char line[LINE + 1];
    int n = snprintf(line, LINE, "%s", head);

    vsnprintf(line + n, LINE - (size_t)n, fmt, ap);
    for (unsigned char *c = (unsigned char *)line; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
    size_t len = strlen(line);
    line[len] = '\n';
    (void)!write(STDERR_FILENO, line, len + 1);
}

void log_say(enum log_level level, const char *fmt, ...)
{
    char head[sizeof name + 16];
    va_list ap;
    int n = 0;

    if (getenv("JOURNAL_STREAM"))
        n = snprintf(head, sizeof head, "<%d>", (int)level);
    snprintf(head + n, sizeof head - (size_t)n, "%s%s", name, name[0] ? ": " : "");
    va_start(ap, fmt);
    line_write(head, fmt, ap);
    va_end(ap);
}

int log_refuse(const char *program, const char *fmt, ...)
{
    char head[sizeof name + 16];
    va_list ap;

    snprintf(head, sizeof head, "%.60s: ", program);
    va_start(ap, fmt);
    line_write(head, fmt, ap);
    va_end(ap);
    return 2;
}
