// SPDX-License-Identifier: GPL-3.0-or-later
// The real daemons for a measurement: a post with its page and a sensor, as processes in a folder
// of their own, with fresh keys.
#pragma once

#include "alertd/demo/demo.h"

enum { DAEMON_POST, DAEMON_SENSOR, DAEMONS };

struct daemons {
    struct demo_proc proc[DAEMONS];
    struct keys_own  post;
    char     dir[DEMO_PATH], build[DEMO_PATH - 40];
    char     endpoint[128], token[128];     // of the post; a sign-in link's
    unsigned port;                          // of the page
};

// Folder, keys, the post; returns when its page answers.  Ends the program where that fails.
void daemons_begin(struct daemons *d);
// A sensor with these radios (YAML of a list's entries).
void daemons_sensor(struct daemons *d, const char *radios);
void daemons_end(struct daemons *d);

// ---- What processes take ---------------------------------------------------------------------

struct usage { double cpu_s, rss_mb; };     // so far; the most at once
struct usage usage_of(pid_t pid);
double usage_machine_s(void);               // busy time of all processors
unsigned usage_children(pid_t pid, pid_t *ret, unsigned most);
// fn for each thread of a process: its name and processor time.
void usage_threads(pid_t pid, void (*fn)(const char *name, double cpu_s, void *arg), void *arg);

int usage_by_size(const void *a, const void *b);        // of doubles, for qsort
