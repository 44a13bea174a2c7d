// SPDX-License-Identifier: GPL-3.0-or-later
// Tracks to people.  Two threads of its own and the web's:
//
//     sensors --CURVE--> [ingest] ROUTER, who-is-who from the key, one seq space per boot
//                            |  wire_msg
//                        [loop] owns all state: sensors, tracks -> incidents -> alerts; no locks
//                            |  batch (events, revisions, changes)          ^ action
//                        [store] SQLite, one transaction a batch            |
//                            |  committed                                   |
//                        [loop] -> ack to sensors                           |
//                            '--> [feed] change n --queue--> [web] snapshot, server-sent events
//
// Nothing is acknowledged to a sensor and nothing is shown to a person before its commit.  The web
// thread keeps its own picture of the world, made of committed changes only; what people do comes
// back as an action, is judged by the loop, and is answered after its commit.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/wire.h"

#define ALERTD_WHY 512

// ---- Changes: loop to web (and to other feeds) ------------------------------------------------

enum change_kind { CHANGE_ALERT, CHANGE_INCIDENT, CHANGE_TRACK, CHANGE_SENSOR, CHANGE_ZONE,
                   CHANGE_HEALTH, CHANGE_VIEW, CHANGE_KINDS };
const char *change_kind_name(enum change_kind k);   // "alert", "incident", ...

// The newest state of one thing as JSON, as the API gives it.  CHANGE_VIEW (spectrum, bursts) is
// not stored and has no number: n is 0.
struct change {
    uint64_t         n;             // the store's change number, growing; server-sent events' id
    enum change_kind kind;
    char             id[40];
    bool             gone;          // the thing is no longer there; json is "{}"
    bool             calls;         // an alert that is new, or calls again with this revision
    size_t           len;
    char             json[];        // NUL behind len bytes
};
void change_free(struct change *c);

// ---- Actions: web to loop --------------------------------------------------------------------

enum action_verb { ACT_SEEN, ACT_ASSIGN, ACT_CLOSE, ACT_NOTE, ACT_KNOWN, ACT_UNKNOWN, ACT_HANDOVER,
                   ACT_REOPEN, ACT_REVEAL, ACT_VERBS };
int action_verb_of(const char *name);               // or -EINVAL
enum action_result { ACT_DONE, ACT_STALE, ACT_NO_SUCH, ACT_BAD, ACT_NOT_DURABLE };

struct action {
    enum action_verb verb;
    char     alert[40];
    uint32_t rev;                   // the revision the person saw
    char     key[64];               // Idempotency-Key: the same key gives the same answer
    char     user[48];
    char     text[512];             // note, assignee, ...
    char     name[64];              // known: what it is,
    int64_t  until_ns;              // and until when
    char     reason[32];            // close: pilot-found authorised left false-alarm-KIND unknown
    // the answer, filled by the loop after the commit
    enum action_result result;
    char     why[160];              // ACT_BAD: what is wrong
    char    *json;                  // the alert as it is now (also when stale); malloc'd, NULL none
    void    *cookie;                // the web's own
};

// ---- The daemon ------------------------------------------------------------------------------

#define ALERTD_ZONES  32
#define ALERTD_POINTS 32
#define ALERTD_OURS   256

struct alertd_point { double lat_deg, lon_deg; };

// A circle, or a polygon of 3 points or more (then the circle around its middle that holds it).
struct alertd_zone {
    char     id[40], name[64];
    double   lat_deg, lon_deg, radius_m;
    unsigned n_points;              // 0: a circle
    struct alertd_point point[ALERTD_POINTS];
};

// One of the force's own aircraft.  model and links: what it must be, as far as is known ("", 0).
#define ALERTD_LINKS 8
struct alertd_ours {
    char     serial[48], name[64], model[48];
    unsigned n_links;
    char     link[ALERTD_LINKS][24];            // families (contract, section 2)
};

struct alertd_cfg {
    char     file[256];             // the configuration was read from
    char     site[64];              // name of the command post
    char     keys_dir[256], data_dir[256], page_dir[256];
    char     bind[128];             // "tcp://*:5670", ...
    char     feed[128];             // the fused feed for other programs, likewise; "": none
    char     web_host[64];          // default 127.0.0.1
    unsigned web_port;              // default 8443
    char     web_cert[256], web_key[256];   // "" : made at first start in data_dir
    bool     web_tls;               // false only on loopback
    char     web_name[128];         // host name people type, for Host and Origin checks
    bool     exercise;              // other origins than live are accepted, and bannered
    bool     have_place;
    double   lat_deg, lon_deg;      // centre of the range rings
    unsigned n_zones;
    struct alertd_zone zone[ALERTD_ZONES];
    unsigned n_ours;                // the force's own aircraft, by the serial they declare
    struct alertd_ours ours[ALERTD_OURS];
    double   keep_days;             // how long the store keeps events
};
// YAML; 0, or -errno with one sentence with file and line.  Paths in it are relative to its folder.
int alertd_cfg_load(struct alertd_cfg *ret, const char *path, char why[ALERTD_WHY]);
