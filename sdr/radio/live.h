// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: one live radio, its child and its troubles.
//
// Everything here belongs to the thread that reads the source, but for what is marked shared.
#pragma once

#include <limits.h>

#include "sdr/radio/board.h"
#include "sdr/radio/child.h"
#include "sdr/radio/clock.h"
#include "sdr/src/source.h"

// What there is to say of a radio that runs, the worst first.  Each has an end: a time, or that of
// the child.
enum remark { REMARK_RATE, REMARK_CLOCK, REMARK_STAMPS, REMARK_JUMP, REMARK_PLACE, REMARK_AWAY,
              REMARK_PASSING,
              REMARK_DOORS, REMARKS };
#define REMARK_S 60.0
#define REMARK_CHILD INFINITY   // as long as this child

struct live {
    char     name[64], program[PATH_MAX], plugin_path[PATH_MAX];
    bool     plugins;                   // plugin_path is given
    bool     remote;                    // the profile or the arguments say so
    double   silence_s;
    struct talk_ask   ask;
    struct ring_shape shape;

    struct child   child;
    struct ring_in ring;
    bool     heard, rolling;            // its hello; its first samples
    int64_t  down_ns;                   // no child: when to start the next
    int64_t  wait_ns;                   // began to wait for samples
    int64_t  good_ns;                   // when the child's first samples came
    double   backoff_s;
    char     muttered[160];

    struct talk_hello first;            // what the source was opened with; kind 0: not yet
    enum iq_origin    origin;
    struct ring_slot  slot;             // being read, from sample `at`
    const char *samples;
    uint32_t at;
    bool     holding, fresh;            // a slot; its mark is not told yet
    bool     retuned;                   // what was lost before that slot was lost by a retune
    bool     tell_utc;
    uint64_t base, handed, received;    // index of the child's sample 0; end of what was handed out
    double   centre_hz, gain_db;        // told last
    double   placed_hz, placed_db;      // of the slot taken last
    uint64_t flat;                      // samples in a row that are all one value
    struct radio_clock clock;
    uint64_t gap;                       // before the slot held
    uint64_t before[RING_COUNTS];       // counts of the children before this one
    struct iq_radio said;               // but for times; what: of a state that is not running
    struct { char text[160]; int64_t until_ns; } remark[REMARKS];   // 0: none
    int64_t  said_ns;
    bool     fatal;                     // the child said why it ended
    int      fatal_code;
    char     why[400];                  // the end of the last child, in full

    int      stop_fd;                   // shared: eventfd, for iq_stop and iq_tune
    atomic_bool stop;                   // shared
    struct board wanted;                // shared: struct iq_place, where to tune to
    uint64_t tuned_count;               // of that board, when it was last forwarded
    struct talk_ask opened;             // what is kept where a place says nothing
    struct talk_ask good;               // where samples came from last; kind 0: nowhere yet
    uint64_t good_count;                // tuned_count, then
    unsigned misses;                    // children in a row that gave none where they were asked to
    struct board board;                 // shared: struct live_board
};

struct live_board { struct iq_radio radio; int64_t since_ns, last_ns; };

#define LIVE_FLAT_S 5.0         // one value for so long is no radio's noise: converters move by a
                                // step now and then even with no antenna

// Until samples wait, something was said, or until_ns.  0, or -errno when a start failed for good
// (only before the first sample ever: said.what holds why).
int  live_step(struct live *l, int64_t until_ns);
// Takes the next slot into l->slot if one is there.
bool live_take(struct live *l);
// Ends the child; it is started again after the back-off.
void live_restart(struct live *l, enum iq_radio_state why);
void live_trouble(struct live *l, enum iq_radio_state why);     // the same, counted as an error
// Takes in where it is wanted; false: nothing new.  And at the end of a child: was it the place?
bool live_news_of_place(struct live *l);
void live_judge_place(struct live *l);
void live_hear(struct live *l);         // the child's messages, or its end
// Of the state that follows (not running), and of a radio that runs.
void live_say(struct live *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void live_remark(struct live *l, enum remark r, double seconds, const char *fmt, ...)
     __attribute__((format(printf, 4, 5)));
void live_tell(struct live *l);         // pins up what iq_radio shows
