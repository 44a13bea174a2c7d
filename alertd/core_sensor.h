// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the core: a sensor as the post knows it, with what it remembers of its radios.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "alertd/seqs.h"
#include "classifier/wire.h"
#include "hw/keys.h"

#define CORE_BOOTS     72       // starts of one sensor with messages still to come: a spool has 65
#define CORE_LEDGERS   8        // the last minute and a little, one every 10 s

struct alert;

// What can be wrong; the order is that of trouble_rule in core_equip.c.
enum trouble { TROUBLE_LOST, TROUBLE_DEAF, TROUBLE_RADIO, TROUBLE_LOSS, TROUBLE_CLOCK,
               TROUBLE_DISK, TROUBLE_SPOOL, TROUBLE_ORIGIN, TROUBLE_FLOOD, TROUBLE_FOREIGN,
               TROUBLE_CLIP, TROUBLE_FLOOR_HIGH, TROUBLE_FLOOR_LOW, TROUBLE_FAULTS,
               TROUBLE_JUMP, TROUBLE_STAMPS, TROUBLES };

enum sensor_state { SENSOR_UNKNOWN, SENSOR_OK, SENSOR_DEGRADED, SENSOR_SILENT, SENSOR_LOST };

struct claim {                  // what the sender says of itself, from checked frames only
    char    protocol[24], serial[48], model[48], operator_id[48];
    double  lat_deg, lon_deg, alt_m, height_m, speed_mps, track_deg;
    int64_t at_ns;              // of the position; 0 none
    char    person_kind[12];    // takeoff live fixed, "" none
    double  person_lat_deg, person_lon_deg;
    int64_t person_at_ns;
};

// The noise floor of one radio at one centre and gain: a value a minute, and what it usually is.
#define FLOOR_MINUTES 180       // three hours
#define FLOOR_PLACES  16        // centres of one sensor remembered; the longest unseen gives way
struct floor_log {
    char     radio[32];
    double   centre_hz, rate_hz, gain_db;
    unsigned n, next;           // of the ring
    int16_t  value[FLOOR_MINUTES];      // 0.1 dB
    double   usual_dbfs, now_dbfs;      // usual: the median; NAN until there is enough of it
    int64_t  taken_mono_ns, seen_mono_ns, off_mono_ns;  // off: since when it is far from usual
    int      side;              // +1 above, -1 below, 0 as usual
    unsigned far_minutes;
};

// What one radio lost and clipped of the last ten minutes (core_loss.c).
#define LOSS_STEPS 128
struct loss_step { float lost, all; bool unknown, clip; };
struct loss_log { char radio[32]; int64_t newest; struct loss_step step[LOSS_STEPS]; };
struct loss_news {
    bool        lost, lost_ripe, clip_ripe;     // ripe: long or often enough for an alert
    const char *clip;                           // the radio that is overdriven; NULL none
    double      share;                          // of the last 30 s, the worst radio's
    char        what[96];
};

// What of a sensor outlives a restart.
struct floor_kept { char radio[32]; double centre_hz, rate_hz, gain_db, usual_dbfs;
                    uint32_t minutes; };
struct sensor_kept {
    char     name[KEYS_NAME];
    int64_t  since_ns, heard_ns;
    uint64_t lost;
    unsigned n_floors;
    struct floor_kept floor[FLOOR_PLACES];
};

struct sensor {
    char     name[KEYS_NAME], z85[KEYS_Z85];
    bool     enrolled, connected, have_health, have_hello;
    enum sensor_state state;
    int64_t  since_ns, heard_ns, heard_mono_ns, up_mono_ns;
    int64_t  clock_off_ns;      // its clock less ours, less how long the link takes; core_clock.c
    int64_t  off_ns[2], off_from_ns;
    unsigned off_n;
    uint64_t rel_boot, jumps, stamp_jumps;
    int64_t  rel_ns, jump_ns;   // its UTC less its monotonic clock; how far it jumped
    char     stamp_radio[32];
    bool     clock_bad;
    char     origin[12];
    struct wire_clock  clock;
    struct wire_health health;
    int64_t  health_mono_ns;
    double   loss_share;                        // of the last 30 s, the worst radio's
    int64_t  loss_looked_ns;
    struct loss_log *loss;      // WIRE_RADIOS of them, from the first health on
    struct floor_log *floor;    // FLOOR_PLACES of them, from the first health on
    struct wire_ledger ledger[CORE_LEDGERS];
    unsigned n_ledger;
    struct seqs boot[CORE_BOOTS];
    unsigned n_boot;
    uint64_t boot_now;
    uint64_t lost, foreign, throttled, refused_origin, faults;
    double   fault_level;       // of malformed messages; runs out by one in two minutes
    int64_t  fault_mono_ns;     // the last
    const char *fault;
    int64_t  bad_since_ns[TROUBLES], good_since_ns[TROUBLES];   // monotonic; 0 not so
    char     bad_what[TROUBLES][96];
    bool     ripe[TROUBLES];                    // of those without a fixed time: core_equip.c
    uint64_t bad_seen[TROUBLES];                // counters when last looked at
    struct alert *trouble[TROUBLES];
    struct { char track[24]; struct claim claim; int64_t mono_ns; } orphan[4];
    unsigned n_tracks;
    int64_t  track_ended_ns;    // monotonic, when one of its tracks ended last; 0 none
    bool     dirty, progress_dirty;
    enum sensor_state stored_state;
    int64_t  stored_mono_ns;
};
