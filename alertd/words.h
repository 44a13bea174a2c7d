// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: an alert as one plain line for terminals and the log, in the words of
// page/words/LANGUAGE.json, the same file the page reads (docs/WORDS.md).
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "alertd/alertd.h"

struct words;

// 0, or -errno with a sentence.
int  words_load(struct words **ret, const char *page_dir, const char *language,
                char why[ALERTD_WHY]);
void words_free(struct words *w);
// "ALARM  14:02:11  Drone: DJI Mini 2, 2.4 GHz; heard by gate-north; very likely": of an alert's
// JSON.  What is not known is not there.  Never fails: without words it shows the key.
void words_line(const struct words *w, const char *alert_json, size_t len, char *ret, size_t size);
// One word or sentence of a table, the key itself where there is none.
const char *words_of(const struct words *w, const char *table, const char *key);
// A text of a table with its {parameters} filled in.
void words_fill(const struct words *w, const char *table, const char *key, const json_t *params,
                char *ret, size_t size);
