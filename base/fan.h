// SPDX-License-Identifier: GPL-3.0-or-later
// The same function on several threads, with the results in input order.
//
// Item k goes to worker k mod n and is collected from worker k mod n, so order
// needs no sequence numbers and one worker or eight give the same output.  The
// function therefore returns exactly one result per item, never NULL.
#pragma once

#include "base/queue.h"

struct fan;

struct fan *fan_new(unsigned n, unsigned depth, enum queue_full full,
                    void *(*work)(void *item, void *arg), void *arg);
int   fan_push(struct fan *f, void *item);  // as queue_push; one thread
void *fan_pop(struct fan *f);               // as queue_pop; one thread
void  fan_close(struct fan *f);
void  fan_free(struct fan *f);              // after fan_pop has returned NULL
