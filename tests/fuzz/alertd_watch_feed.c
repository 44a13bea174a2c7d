// SPDX-License-Identifier: GPL-3.0-or-later
// Events as a hostile post might send them, and the screen drawn of them.
#include <stdlib.h>

#include "alertd/watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct watch w;
    struct watch_feed f = { .line = NULL };
    char *text = NULL;
    size_t len = 0;
    watch_init(&w);
    if (watch_feed_take(&w, &f, (const char *)data, size) == 0) {
        FILE *out = open_memstream(&text, &len);
        if (out) {
            watch_screen(&w, out, 40, 10, true);
            fclose(out);
        }
        for (size_t i = 0; i < len; i++)        // our own sequences only
            if ((unsigned char)text[i] < 0x20 && text[i] != '\n' && text[i] != '\033')
                abort();
        free(text);
    }
    watch_feed_done(&f);
    watch_done(&w);
    return 0;
}
