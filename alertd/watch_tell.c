// SPDX-License-Identifier: GPL-3.0-or-later
// Changes as lines, for logs, pipes and programs.
#include <stdlib.h>
#include <string.h>

#include "alertd/watch.h"

// A line when what a person would read has changed, not for each new age of a position.
void watch_tell_line(struct watch *w, FILE *out, const char *kind, const json_t *what)
{
    char text[2300], key[80];
    if (!strcmp(kind, "link")) {
        if (w->link == WATCH_LIVE)
            snprintf(text, sizeof text, "%s", words_of(w->words, "terminal", "connected"));
        else
            watch_link_line(w, text, sizeof text);
        fprintf(out, "%s\n", text);
        return;
    }
    const char *id = json_string_value(json_object_get(what, "id"));
    snprintf(key, sizeof key, "%.10s %.60s", kind, id ? id : "");
    json_t *state = json_pack("[O?,O?,O?,O?,O?,O?]", json_object_get(what, "state"),
        json_object_get(what, "work"), json_object_get(what, "signal"),
        json_object_get(what, "severity"), json_object_get(what, "line"),
        json_object_get(what, "trouble"));
    bool gone = json_is_true(json_object_get(what, "gone"));
    bool same = json_equal(state, json_object_get(w->told, key));
    if (gone || json_object_size(w->told) > 4 * WATCH_KEPT)
        json_object_del(w->told, key);
    else
        json_object_set(w->told, key, state);
    json_decref(state);
    if (same || gone)
        return;
    if (!strcmp(kind, "alert"))
        watch_line(w, what, text, sizeof text);
    else
        watch_sensor(w, what, text, sizeof text);
    fprintf(out, "%s\n", text);
}

// Nothing of it steers a terminal: json_dumps escapes what is not plain.
void watch_tell_json(const struct watch *w, FILE *out, const char *kind, const json_t *what)
{
    static const char *const link[] = { "starting", "live", "lost" };
    json_t *j = what ? json_pack("{s:s,s:O}", "type", kind, "data", (json_t *)(uintptr_t)what)
                     : json_pack("{s:s,s:s}", "type", kind, "state", link[w->link]);
    char *text = j ? json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    if (text)
        fprintf(out, "%s\n", text);
    free(text);
    json_decref(j);
}
