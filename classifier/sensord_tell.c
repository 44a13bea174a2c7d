// SPDX-License-Identifier: GPL-3.0-or-later
// Where a sensor's messages go: to the link, and as JSON Lines to who asked for them.
#include <stdio.h>
#include <stdlib.h>

#include "classifier/sensord.h"
#include "classifier/wire/line.h"

static void line(struct tell *t, const struct wire_msg *m)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    struct json j;

    if (!f)
        return;
    json_init(&j, f);
    wire_line(&j, m);
    // One write a line: several threads share standard output.
    if (fclose(f) == 0 && (fwrite(text, 1, n, stdout) != n || fflush(stdout)))
        atomic_store(t->broken, true);
    free(text);
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
