// SPDX-License-Identifier: GPL-3.0-or-later
// Measurements as Prometheus reads them (text format 0.0.4).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/web_in.h"
#include "base/version.h"

static void one(FILE *f, const char *name, const char *type, const char *help, double v)
{
    fprintf(f, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name, v);
}

static void things(FILE *f, const struct web *w)
{
    fprintf(f, "# HELP tyto_things Things of each kind as last shown.\n"
               "# TYPE tyto_things gauge\n");
    for (int k = 0; k < CHANGE_VIEW; k++)
        fprintf(f, "tyto_things{kind=\"%s\"} %zu\n", change_kind_name((enum change_kind)k),
                w->world.things[k]);
}

static void answers(FILE *f, const struct web *w)
{
    fprintf(f, "# HELP tyto_web_answers_total Answers by class of status.\n"
               "# TYPE tyto_web_answers_total counter\n");
    for (int c = 2; c < 6; c++)
        fprintf(f, "tyto_web_answers_total{class=\"%dxx\"} %llu\n", c,
                (unsigned long long)w->count.by_class[c]);
}

// Who did not get a place, or lost it to another, and why (web_room.c).
static void places(FILE *f, const struct web *w)
{
    const struct web_count *n = &w->count;
    const struct { const char *what, *why; uint64_t v; } line[] = {
        { "refused", "address", n->refused_address },
        { "refused", "strangers", n->refused_strangers },
        { "refused", "full", n->refused_full },
        { "refused", "screens", n->refused_screens },
        { "moved", "address", n->moved_address },
        { "moved", "strangers", n->moved_strangers },
        { "moved", "full", n->moved_full },
    };
    static const char *const help[] = { "Connections and streams refused.",
                                        "Idle connections ended to make room for others." };
    for (size_t i = 0; i < sizeof line / sizeof line[0]; i++) {
        if (!i || strcmp(line[i].what, line[i - 1].what))
            fprintf(f, "# HELP tyto_web_%s_total %s\n# TYPE tyto_web_%s_total counter\n",
                    line[i].what, help[i > 0], line[i].what);
        fprintf(f, "tyto_web_%s_total{why=\"%s\"} %llu\n", line[i].what, line[i].why,
                (unsigned long long)line[i].v);
    }
}

static unsigned connections(const struct web *w)
{
    unsigned n = 0;
    for (const struct conn *c = w->conns; c; c = c->next)
        n++;
    return n;
}

static void counters(FILE *f, const struct web *w)
{
    const struct web_count *n = &w->count;
    const struct { const char *name, *help; uint64_t v; } line[] = {
        { "requests", "Requests begun.", n->requests },
        { "streams", "Long answers begun.", n->streams },
        { "bad_host", "Refused: a name that is not ours.", n->bad_host },
        { "bad_origin", "Refused: from another page.", n->bad_origin },
        { "unauthorised", "Refused: not signed in.", n->unauthorised },
        { "forbidden", "Refused: not for this role.", n->forbidden },
        { "stale", "Actions on an alert that had changed.", n->stale },
        { "actions", "Actions handed to the loop.", n->actions },
        { "actions_late", "Actions not answered in time.", n->actions_late },
        { "sign_ins", "Sign-ins.", n->sign_ins },
        { "wrong_passwords", "Wrong passwords.", n->wrong_passwords },
        { "cut_slow", "Clients cut because they did not read.", n->cut_slow },
        { "cut_late", "Clients cut because they did not finish asking.", n->cut_late },
        { "dropped_views", "Spectrum lines left out for slow readers.", n->dropped_views },
        { "http_errors", "Faults told by the HTTP library.", atomic_load(&w->mhd_errors) },
        { "certificate_faults", "Times the certificate could not be renewed.", n->tls_faults },
        { "no_memory", "Times there was no memory.", n->no_memory },
        { "changes_out_of_order", "Changes without a number of their own.", w->world.refused },
        { "things_evicted", "Things no longer shown because there are too many.",
          w->world.evicted },
    };
    char name[80];
    for (size_t i = 0; i < sizeof line / sizeof line[0]; i++) {
        snprintf(name, sizeof name, "tyto_web_%s_total", line[i].name);
        one(f, name, "counter", line[i].help, (double)line[i].v);
    }
}

char *web_metrics(const struct web *w)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    if (!f)
        return NULL;
    fprintf(f, "# HELP tyto_build_info The release.\n# TYPE tyto_build_info gauge\n"
               "tyto_build_info{version=\"%s\"} 1\n", TYTO_VERSION);
    one(f, "tyto_change_number", "gauge", "Number of the newest change.", (double)w->world.last_n);
    things(f, w);
    answers(f, w);
    counters(f, w);
    places(f, w);
    one(f, "tyto_web_connections", "gauge", "Connections open.", connections(w));
    one(f, "tyto_web_open_streams", "gauge", "Long answers open.", w->n_streams);
    one(f, "tyto_web_viewers", "gauge", "Who looks at the spectrum.",
        atomic_load(&w->viewers));
    if (w->tls)
        one(f, "tyto_web_certificate_expires_seconds", "gauge",
            "When the certificate runs out, seconds since 1970.", (double)tls_expires_s(w->tls));
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}
