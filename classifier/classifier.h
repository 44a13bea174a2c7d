// SPDX-License-Identifier: GPL-3.0-or-later
// Findings to tracks: which link is this, how sure, and why.
//
//     struct cls *c;
//     cls_new(&c, &(struct cls_cfg){ .sig_dir = NULL }, why);
//     cls_push(c, finding);                     for each, in order
//     while ((t = cls_changed(c)))  ...         after each push: tracks that changed at a tick
//     cls_finish(c);                            at the end; then cls_changed until NULL
//
// Decisions fall on ticks of sample time (50 ms), never on arrival: replay and live agree.
// One thread owns a struct cls.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/dsp.h"

#define CLS_TICK_S 0.050
#define CLS_WHY    8            // reasons a track carries at most
#define CLS_TRACKS 1024         // tracks at once; what is proven is never evicted by what is not

enum track_role { ROLE_UNKNOWN, ROLE_CONTROL, ROLE_TELEMETRY, ROLE_VIDEO, ROLE_IDENTIFICATION };
enum verdict    { VERDICT_UNKNOWN, VERDICT_DRONE, VERDICT_NOT_DRONE };

// Life cycle (classifier/life.c holds the table of allowed moves).
enum track_state { TRACK_TENTATIVE, TRACK_NAMED, TRACK_QUIET, TRACK_ENDED };

struct track_end {              // one of the two ends of a link, where they are told apart
    enum track_role role;
    uint64_t        bursts;
    double          level_dbfs;
    struct meas     cfo_hz;
    int             airborne;   // 1 yes, 0 no, -1 not known
};

struct track {
    char             id[24];
    enum track_state state;
    enum iq_origin   origin;
    const char      *family;            // contract's closed list
    const char      *link;              // mode name in facts/links.json without the domain, or NULL
    const char      *link_alternatives[4];
    enum track_role  role;
    enum verdict     verdict;
    double           p_drone, confidence;
    double           first_s, last_s;
    uint64_t         bursts, decodes;
    double           freq_lo_hz, freq_hi_hz;
    double           level_dbfs, snr_db;        // mean of the last second heard
    double           shift_hz, freq_err_hz;     // of the receiver's crystal: to be added to
                                        // frequencies; what remains, 0 not known
    struct meas      full_dbm;          // of 0 dBFS, where the radio has a calibration
    uint64_t         clipped;           // bursts of it that met a converter at its stops
    char             why[CLS_WHY][160];
    unsigned         n_why;
    const char      *runner_up;         // family, or NULL
    double           runner_up_confidence;
    struct track_end ends[2];
    unsigned         n_ends;
    // claimed by the sender, from checked frames only
    bool             claimed;
    char             claimed_serial[48];
    uint32_t         revision;
};

struct cls_cfg {
    const char  *sig_dir;           // signature files; NULL: beside the program, see hw_program_dir
    double       p_drone_threshold; // verdict is drone from here up; 0: 0.5
    enum droneid_mode droneid;      // DRONEID_DECODE also allows help from memory
};

struct cls;

// 0, or -errno with one sentence that names file and line.
int  cls_new(struct cls **ret, const struct cls_cfg *cfg, char why[IQ_WHY]);
void cls_free(struct cls *c);
// Takes nothing: the finding is borrowed during the call.  When memory of earlier frames wins a
// decode, *ret_assisted is filled and 1 returned; else 0.
int  cls_push(struct cls *c, const struct finding *f, struct decode *ret_assisted);
void cls_finish(struct cls *c);
// The next track changed since last asked, or NULL.  Valid until the next cls_push.
const struct track *cls_changed(struct cls *c);
// All tracks ever held that were worth telling, in order of first_s: for the end of a recording.
const struct track *cls_track(const struct cls *c, size_t i);   // NULL past the last

struct cls_counts {
    uint64_t tracks, evicted, refused;
    uint64_t unclassified;          // bursts in no track that is told; after cls_finish
};
const struct cls_counts *cls_counts(const struct cls *c);
struct crystal *cls_crystal(struct cls *c);     // what it knows of the receiver's (crystal.h)

const char *track_role_name(enum track_role r);
const char *verdict_name(enum verdict v);

// ---- Lines of the contract, section 2 --------------------------------------------------------
struct json;
void line_burst(struct json *j, const struct finding *f);
struct meas line_bw(const struct finding *f);    // the width a burst line tells
void line_decode(struct json *j, const struct decode *d, enum iq_origin origin);
void line_track(struct json *j, const struct track *t);
