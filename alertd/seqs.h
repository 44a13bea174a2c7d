// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: which messages of one boot of a sensor have been received.
//
//     0 ......... next-1 | gap | from..to | gap | from..to        live goes before late: gaps are
//     all received           \____ spans ahead ____/              normal while the late ones come
//
// A message is new once; what the sensor says it lost counts as received, and as lost.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SEQS_SPANS 64           // spans ahead; a link that flaps more often than that repeats some
#define SEQS_TEXT  3200

struct seqs {
    uint64_t boot, next;
    unsigned n;
    struct seqs_span { uint64_t from, to; } span[SEQS_SPANS];
    uint64_t lost;              // messages the sensor could not keep
    uint64_t told;              // `next` as last acknowledged
    uint64_t durable;           // `next` as the store has it
    int64_t  named_mono_ns;     // when a hello last held it; 0 none did
};

enum seqs_result { SEQS_NEW, SEQS_SEEN, SEQS_NO_ROOM };
static inline bool seqs_moved(const struct seqs *s) { return s->n || s->told != s->next; }
bool seqs_has(const struct seqs *s, uint64_t seq);
enum seqs_result seqs_add(struct seqs *s, uint64_t from, uint64_t to);  // NEW: at least one was

// For the store.  0 or -EINVAL.
void seqs_text(const struct seqs *s, char ret[SEQS_TEXT]);
int  seqs_parse(struct seqs *ret, const char *text);
