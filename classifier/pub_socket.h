// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room, used by pub.c only: its sockets.  What was made stands in the ret_
// parameters also after a failure, for the caller to close.
#pragma once

#include "classifier/pub.h"

int pub_dealer(void *ctx, const struct pub_cfg *c, void **ret, void **ret_monitor,
               char why[PUB_WHY]);
int pub_local(void *ctx, const char *path, void **ret, char why[PUB_WHY]);
enum pub_happened { PUB_NOTHING, PUB_SHAKEN, PUB_DENIED, PUB_DOWN, PUB_OTHER };
// One of what happened to the DEALER; PUB_DENIED with its reason.
enum pub_happened pub_monitor(void *monitor, enum pub_denial *ret_why);
int pub_watchers(void *local);      // 1: somebody subscribed, 0: the last one went, -1: no news
int pub_fault(char why[PUB_WHY], const char *what, const char *arg, int err);   // -err
