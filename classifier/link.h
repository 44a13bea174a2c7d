// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: the table of links.  A link is a track with what it is made of.
#pragma once

#include "classifier/group.h"
#include "classifier/hop.h"
#include "classifier/judge.h"
#include "classifier/life.h"

enum link_kind { LINK_GROUP, LINK_HOP, LINK_DRONEID };

struct link {
    struct track   t;
    enum link_kind kind;
    uint64_t       seq;             // order of creation
    bool           told;            // its id is out
    bool           dirty;           // heard since it was last judged
    bool           changed;         // to be handed out by cls_changed
    struct group  *group;           // LINK_GROUP
    struct hop    *hop;             // LINK_HOP
    struct dji    *dji;             // LINK_DRONEID
};

struct links {
    struct link *link[CLS_TRACKS];
    unsigned     n;
    uint64_t     seq, told;         // created; ids given
    struct cls_counts counts;
};

void links_free(struct links *s);

// A new link, first heard at t_s; NULL when the table is full of proven ones (counted) or there is
// no memory.
struct link *links_new(struct links *s, enum link_kind kind, double t_s);
void links_drop(struct links *s, struct link *l);

// Proven: named a drone's link with at least even confidence, or a decoded frame.
bool link_proven(const struct link *l);
// A group that is likely made of what another, named link leaves around it.
bool link_in_anothers_place(const struct links *s, const struct link *l);
// Counts a transmission into the track: span, levels, number.
void link_heard(struct link *l, const struct obs *o);
// Those told, in order of their start, into ret (where not NULL): how many.
size_t links_in_order(const struct links *s, struct link **ret);
// Gives the track its id and its place among the told.
void link_tell(struct links *s, struct link *l);
