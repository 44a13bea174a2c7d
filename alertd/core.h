// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: all state, and what follows from a message, an action or the passing of time.
// No thread, no clock, no file: the loop brings time and messages, and takes a batch and changes.
//
//     core_message --> sensor, track --> incident (touched) -----.
//     core_act     --> alert ------------------------------------+--> dirty things
//     core_tick    --> silence, quiet, equipment ----------------'
//                                          core_collect: touched incidents are judged once,
//                                          dirty things become rows of the batch and changes
//
// One collect, one commit: what a person is shown is the state after whole messages, never between.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "alertd/alertd.h"
#include "alertd/core_sensor.h"
#include "alertd/fields.h"
#include "alertd/ingest.h"
#include "alertd/map.h"
#include "alertd/seqs.h"
#include "alertd/store.h"
#include "classifier/wire.h"
#include "hw/hw.h"
#include "hw/keys.h"

#define CORE_ID        25       // 12 bytes in hex and a NUL
#define CORE_TRACKS    12000    // 10,000 live ones and what has just ended
#define CORE_INCIDENTS 8192
#define CORE_ALERTS    4096     // in memory; the store keeps all
#define CORE_MEMBERS   32
#define CORE_BY        24       // newest acts on an alert shown; the store keeps all
#define CORE_REPLIES   256

enum severity { SEV_NONE, SEV_INFO, SEV_WATCH, SEV_ALARM, SEV_CRITICAL };
const char *severity_name(enum severity s);
enum severity severity_of(const char *name);

// ---- Tracks, incidents, alerts ----------------------------------------------------------------

// Level of the last half minute, one value a second of the sensor's clock; bounded and not stored.
#define LEVEL_SECONDS 32
#define LEVEL_NONE    INT16_MIN
struct level_log { int64_t newest_s; int16_t value[LEVEL_SECONDS]; };   // 0.1 dB, at s % 32

struct track_rec {
    char     id[CORE_ID], sensor[KEYS_NAME], boot[17], origin[12];
    struct wire_track w;
    unsigned n_alternatives;    // of w.link_alternatives
    struct claim claim;
    bool     late, unproven;    // unproven: of the store, and no sensor has said so since
    int64_t  received_ns;
    double   level_was_dbfs;    // about 10 s ago
    int64_t  level_was_ns;
    struct level_log level;
    struct incident *incident;
    int64_t  ended_mono_ns;     // 0: not ended
    bool     dirty, matter;     // matter: more than level and counts changed
    int64_t  told_mono_ns, stored_mono_ns;
    size_t   at;                // where in core->track
};

struct member { char track[CORE_ID], sensor[KEYS_NAME], reason[96]; };

// Of frames with one serial: where and on which carrier it was last; not stored.  core_friend.c
struct twin_place { char sensor[KEYS_NAME]; double lat_deg, lon_deg; int64_t t_ns; unsigned n; };
struct twin_frame { char sensor[KEYS_NAME]; double freq_hz; int64_t t_ns; };
struct twins {
    struct twin_place place[2];
    struct twin_frame frame;
    unsigned at, turns, n_close;
    int64_t  turns_ns, close_ns;
};

struct incident {
    char     id[CORE_ID], serial[48], merged_into[CORE_ID], split_from[CORE_ID];
    unsigned n_members, n_alerts;
    struct member member[CORE_MEMBERS];
    struct { char id[CORE_ID]; } alerts[8];
    int64_t  first_ns, last_ns;
    char     conflict[12], conflict_what[80];   // places carriers sensors model; "" none
    struct twins twins;
    uint32_t occurrence;
    struct alert *alert;        // of the last occurrence; NULL none
    bool     dirty, touched;
    int64_t  idle_mono_ns;      // since when nothing of it is heard; 0: heard
    size_t   at;
};

struct act_note { char who[48], did[16], text[512]; int64_t when_ns; };
struct where { char kind[12]; double lat_deg, lon_deg, alt_m, height_m, error_m, age_s;
               int64_t at_ns; };
struct named { char id[KEYS_NAME], name[KEYS_NAME]; };

// What somebody vouches for, and how it was then (core_known.c); name "": nobody does.
struct known {
    char     name[64], text[256], who[48];
    int64_t  from_ns, until_ns;
    double   lat_deg, lon_deg;
    char     family[24], line[32], serial[48], model[48], zone[40];
    uint32_t drones;
    unsigned n_sensors;
    struct named sensors[16];
};

struct alert {
    char     id[CORE_ID], incident[CORE_ID], rule[32], rules_hash[17], lane[12];
    uint32_t rev, matter_rev;   // matter_rev: the last that changed more than place and level
    char     severity[12], work[12], signal[8];
    double   quiet_s;
    int64_t  signal_since_ns;
    uint32_t calls, occurrence;
    char     call_reason[16];
    char     line_key[32];
    unsigned n_params;
    struct param param[8];
    char     family[24], link[64], role[16], model[48], serial[48], protocol[24], verdict[12];
    struct where where;
    struct { char kind[12]; double lat_deg, lon_deg; int64_t at_ns; } person;
    char     zone[40], friend_state[32], friend_name[64], friend_what[80];
    unsigned n_why, n_why_not;
    char     why[WIRE_WHY][160], why_not[2][160];
    char     runner_up[24];
    double   runner_up_confidence, p_drone, confidence;
    double   freq_lo_hz, freq_hi_hz, level_dbfs, snr_db, trend_db;
    bool     usual;             // each track of it is like what was here before the event
    unsigned n_sensors, n_tracks;
    struct named sensors[16];
    struct { char id[CORE_ID]; } tracks[16];
    char     previous[CORE_ID], merged_into[CORE_ID];
    int64_t  first_ns, last_ns, received_ns, rev_ns;
    struct known known;
    bool     late;
    char     origin[12], assigned_to[64], reason[32];
    unsigned n_by;
    struct act_note by[CORE_BY];
    // not told
    bool     dirty, matter;
    uint32_t told_calls;        // calls that a revision has told
    uint32_t drones;            // transmitters at once of one kind, the most there were
    int64_t  soft_mono_ns;      // last revision for place and level alone
    int64_t  closed_mono_ns, lull_mono_ns;
    size_t   at;
};

extern const struct field track_fields[], incident_fields[], alert_fields[], sensor_fields[],
                          floor_fields[],
                          wire_radio_fields[];

// ---- The whole --------------------------------------------------------------------------------

struct core_reply { char z85[KEYS_Z85]; struct wire_msg msg; };
struct core_ack { char z85[KEYS_Z85]; uint64_t boot, to; };

struct post_state {             // what the loop knows of the rest of the daemon
    bool     store_ok, store_full;
    int64_t  store_rows;
    struct hw_clock clock;      // of this machine
    unsigned queue;             // messages held back
    uint64_t refused_peers, refused_crowd;      // crowd: beyond those named one by one
    char     aside[64];         // what the damaged database is called now; "" none was
    char     note[160];         // once, at start: the damaged database, ...
};

struct core {
    const struct alertd_cfg *cfg;
    char     install[KEYS_Z85], rules_hash[17];
    int64_t  now_ns, mono_ns, start_mono_ns;
    uint64_t n;                 // change number given last
    size_t   n_sensors, n_tracks, n_incidents, n_alerts;
    struct sensor    *sensor[KEYS_PEERS];
    struct track_rec *track[CORE_TRACKS];
    struct incident  *incident[CORE_INCIDENTS];
    struct alert     *alert[CORE_ALERTS];
    struct map by_key, by_name, tracks, incidents, alerts, serials;
    struct batch *batch;        // open: rows of the messages since the last collect
    struct gone { enum change_kind kind; char id[KEYS_NAME]; } *gone;     // to be told
    size_t   n_gone, cap_gone;
    struct core_reply reply[CORE_REPLIES];      // the loop sends them before there is no room
    size_t   n_reply;
    struct action *action[4096];        // answers remembered, a ring
    size_t   n_action, next_action;
    struct action *pending[256];        // judged, to be answered after the commit
    size_t   n_pending;
    struct post_state post;
    int64_t  origin_heard_ns[5];        // live recording simulation selftest exercise
    bool     health_dirty;
    int64_t  health_mono_ns, tick_mono_ns, same_s;
    uint64_t dropped[8];        // things refused because a table was full, by change_kind
    int64_t  equip_bad_ns[2];   // store full, refused peers
    struct alert *equip[2];
    struct { struct in_stranger s; int64_t first_ns, last_ns; struct alert *alert; } stranger[8];
    uint64_t refused_seen;
    int64_t  glance_mono_ns;
};

struct core *core_new(const struct alertd_cfg *cfg, const char install_z85[KEYS_Z85]);
void core_free(struct core *c);
int  core_load(struct core *c, struct store *s);    // what the store holds; before anything else
void core_time(struct core *c, int64_t now_ns, int64_t mono_ns);
void core_peers(struct core *c, const struct keys_peer *p, size_t n);
void core_link(struct core *c, const char *z85, bool up);
// fault: the name of the last one, NULL none
void core_counts(struct core *c, const char *z85, uint64_t throttled, uint64_t faults,
                 const char *fault);
void core_stranger(struct core *c, const struct in_stranger *s);

enum core_taken { CORE_TAKEN, CORE_SEEN, CORE_REFUSED };
// An event or link message of an enrolled sensor.  hold false: the store has no room just now; the
// picture follows, but the message is not received as far as the sensor is concerned.
enum core_taken core_message(struct core *c, const char *z85, const struct wire_msg *m,
                             const uint8_t *raw, size_t len, bool hold);
void core_tick(struct core *c);
void core_act(struct core *c, struct action *a);    // takes; comes back from core_collect

// What is to be committed, shown and answered; all owned by the caller.
struct core_work {
    struct batch   *batch;
    struct change **change;
    size_t          n_change;
    struct action **answer;
    size_t          n_answer;
    struct core_ack *ack;
    size_t          n_ack;
};
struct core_work *core_collect(struct core *c);
void core_committed(struct core *c, const struct core_ack *a);  // for each ack, before it is sent
void core_work_free(struct core_work *w);           // with its batch, changes and answers
// The newest state of everything as changes, for a web that starts.
size_t core_world(struct core *c, struct change ***ret);

// ---- Between the files of the core ------------------------------------------------------------

void core_id(const struct core *c, char ret[CORE_ID], const char *kind, const char *a,
             const char *b, uint64_t k);
void core_gone(struct core *c, enum change_kind kind, const char *id);
struct change *core_change(struct core *c, enum change_kind kind, const char *id,
                           const struct field *f, const void *base);
int  core_origin(const char *name);                 // index, or -EINVAL

struct sensor *sensor_by_key(struct core *c, const char *z85);
const char *sensor_state_name(enum sensor_state s);
void sensor_judge(struct core *c, struct sensor *s);        // state and troubles, at each tick
void sensor_gone(struct core *c, struct sensor *s, uint64_t now);  // tracks but of boot now end
struct change *sensor_change(struct core *c, const struct sensor *s);
struct change *health_change(struct core *c);
void sensor_mark(struct core *c, struct sensor *s, enum trouble t, bool bad, const char *what);
// A counter that grew is bad for a minute from then.  said: what to say, NULL the count.
void sensor_mark_count(struct core *c, struct sensor *s, enum trouble t, uint64_t count,
                       const char *said);
void clock_note(struct core *c, struct sensor *s, const struct wire_head *h);
void clock_radio(struct sensor *s, const struct wire_radio *new, const struct wire_radio *old);
void clock_judge(struct core *c, struct sensor *s);
void loss_take(struct core *c, struct sensor *s, const struct wire_health *new);
struct loss_news loss_look(struct core *c, struct sensor *s, bool was_lost, bool was_clipped);
// How radio i is as far as anybody knows now, which is not what was last said of it.
void radio_now(const struct core *c, const struct sensor *s, unsigned i, struct wire_radio *ret);
unsigned floor_kept_of(const struct sensor *s, struct floor_kept ret[FLOOR_PLACES]);
void floor_back(struct core *c, struct sensor *s, const struct floor_kept *k, unsigned n);
void floor_take(struct core *c, struct sensor *s);          // of the health just received
void floor_bands(struct core *c, struct sensor *s, const struct wire_ledger *l);   // of a scan
void watch_rows(struct core *c, const struct sensor *s, const struct wire_ledger *l);
double sensor_watched(const struct core *c, const struct sensor *s, double lo_hz, double hi_hz);

void track_take(struct core *c, struct sensor *s, const struct wire_msg *m);
void decode_take(struct core *c, struct sensor *s, const struct wire_msg *m);
void track_drop(struct core *c, struct track_rec *t);
const char *track_serial(const struct track_rec *t);

void fold_track(struct core *c, struct track_rec *t);
void fold_tick(struct core *c);
void incident_touch(struct incident *i);
void incident_merge(struct core *c, struct incident *from, struct incident *to,
                    const char *reason);
void incident_split(struct core *c, struct track_rec *t);   // on its own again
// Without a serial: is it the emitter another sensor (or radio) hears?  core_same.c
struct incident *same_find(struct core *c, struct track_rec *t, char reason[96]);
void same_tick(struct core *c);
void level_note(struct track_rec *t);
void incident_drop(struct core *c, struct incident *i);

void incident_merged(struct core *c, struct incident *i);     // its alert goes
unsigned incident_drones(struct track_rec *const *member, unsigned n);
bool track_heard(const struct core *c, const struct track_rec *t);
void friend_frame(const struct sensor *s, const struct track_rec *t, const struct wire_msg *m);
void judge_incident(struct core *c, struct incident *i);
struct alert *alert_new(struct core *c, const char *rule, const char *incident,
                        uint32_t occurrence);
// One sensor has its share of all alerts: what it tells beyond would drive out the others'.
bool alert_crowded(const struct core *c, const char *sensor);
void alert_touch(struct alert *a, bool matter);
void alert_call(struct alert *a, const char *reason);
void alert_note(struct core *c, struct alert *a, const char *who, const char *did,
                const char *text);
void alert_param(struct alert *a, const char *key, const char *text);
void alert_param_num(struct alert *a, const char *key, double v);
void alert_signal(struct core *c, struct alert *a, const char *signal);
void alert_tick(struct core *c);
int  known_act(struct core *c, struct alert *a, struct action *act);   // 0, or -1 with act->why
void known_text(const struct alert *a, char *ret, size_t size);     // for the note of it
void known_tick(struct core *c);
void equip_tick(struct core *c);                    // troubles to alerts of the equipment lane

double place_apart_m(double lat_deg, double lon_deg, double lat2_deg, double lon2_deg);
bool zone_holds(const struct alertd_zone *z, double lat_deg, double lon_deg);
