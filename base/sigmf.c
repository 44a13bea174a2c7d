// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/sigmf.h"

#include <stdio.h>

#include "base/version.h"

static void optional(struct json *j, const char *key, const char *s)
{
    if (s)
        json_str(j, key, s);
}

void sigmf_global(struct json *j, const struct sigmf_head *h)
{
    char recorder[64];

    snprintf(recorder, sizeof recorder, "%s " TYTO_VERSION, h->program);
    json_open(j, "global", '{');
    json_str(j, "core:version", "1.2.0");
    json_str(j, "core:datatype", h->type);
    json_num(j, "core:sample_rate", h->rate_hz, 6);
    json_str(j, "core:recorder", recorder);
    optional(j, "core:description", h->description);
    optional(j, "core:hw", h->hardware);
    optional(j, "core:sha512", h->sha512);
    json_open(j, "core:extensions", '[');
    json_open(j, NULL, '{');
    json_str(j, "name", "tyto");
    json_str(j, "version", "1.0.0");
    json_bool(j, "optional", true);
    json_close(j);
    json_close(j);
}
