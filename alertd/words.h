// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: an alert as one plain line for terminals and the log, in the words of
// page/words/LANGUAGE.json, the same file the page reads (docs/WORDS.md).  What comes back holds
// nothing that steers a terminal or turns the writing round, whatever a name was.
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/alertd.h"

struct words;

// English, and over it what the file of another language has.  0, or -errno with a sentence.
int  words_load(struct words **ret, const char *page_dir, const char *language,
                char why[ALERTD_WHY]);
void words_free(struct words *w);
// "ALARM  14:02:11Z  Drone: DJI Mini 2, 2.4 GHz; heard by gate-north; very likely": of an alert's
// JSON.  What is not known is not there.  Never fails: without words it shows the key.
// Times in UTC, for logs, with the day where it is not today.
void words_line(const struct words *w, const char *alert_json, size_t len, char *ret, size_t size);
// The same at a time that is not now, and as the reader's clock shows it (without "Z").
struct words_clock { int64_t now_ns; bool local; };
void words_line_at(const struct words *w, const json_t *alert, struct words_clock clock, char *ret,
                   size_t size);
// "14:02:11", "14:02:11Z"; with the day before it where it is not today: "2026-05-01 14:02:11".
#define WORDS_TIME 32
void words_time(struct words_clock clock, int64_t ns, char ret[WORDS_TIME]);
// One word or sentence of a table, the key itself where there is none.
const char *words_of(const struct words *w, const char *table, const char *key);
// A text of a table with its {parameters} filled in, each of them plain.
void words_fill(const struct words *w, const char *table, const char *key, const json_t *params,
                char *ret, size_t size);

// ---- Plain text (words_plain.c) ----------------------------------------------------------------

// Nothing that steers a terminal, turns the writing round or hides stays in s.
void words_plain(char *s);
// One character of UTF-8, -1 for what is none, and how many bytes it takes.
int32_t words_rune(const char *at, int *ret_len);
