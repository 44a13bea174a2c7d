// SPDX-License-Identifier: GPL-3.0-or-later
// Where a sensor's messages go: to the link, and as JSON Lines to who asked for them.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "classifier/sensord.h"
#include "classifier/wire/line.h"

// The message as a line, malloc'd; NULL: no memory.
static char *text_of(const struct wire_msg *m, size_t *ret_n)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, ret_n);
    struct json j;

    if (!f)
        return NULL;
    json_init(&j, f);
    wire_line(&j, m);
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

static void line(struct tell *t, const struct wire_msg *m)
{
    size_t n = 0;
    char *text = text_of(m, &n);

    // One write a line: several threads share standard output.
    if (text && (fwrite(text, 1, n, stdout) != n || fflush(stdout)))
        atomic_store(t->broken, true);
    free(text);
}

// Whole or not at all: written beside, then put in its place.
void tell_health(const char *dir, const struct wire_msg *m)
{
    char path[SENSORD_PATH + 16], part[SENSORD_PATH + 16];
    size_t n = 0;
    char *text = text_of(m, &n);

    snprintf(path, sizeof path, "%s/" TELL_HEALTH, dir);
    snprintf(part, sizeof part, "%s/" TELL_HEALTH "~", dir);
    int fd = text ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    bool whole = fd >= 0 && write(fd, text, n) == (ssize_t)n;
    if (fd >= 0)
        close(fd);
    if (!whole || rename(part, path))
        unlink(part);
    free(text);
}

void tell_health_end(const char *dir)
{
    char path[SENSORD_PATH + 16];

    snprintf(path, sizeof path, "%s/" TELL_HEALTH, dir);
    unlink(path);
}

void tell_event(struct tell *t, const struct wire_msg *m)
{
    if (t->lines)
        line(t, m);
    if (t->pub)
        pub_event(t->pub, m);
}

void tell_view(struct tell *t, const struct wire_msg *m)
{
    if (t->pub)
        pub_view(t->pub, m);
}

struct wire_view tell_wanted(const struct tell *t)
{
    return t->pub ? pub_wanted(t->pub) : (struct wire_view){ false, false };
}
