// SPDX-License-Identifier: GPL-3.0-or-later
// Second door of classifier, for those who receive: what travels from a sensor to the command post
// (contract, section 5; docs/WIRE.md is the reference and a test holds it against this code).
//
//     sensor                                           command post
//     hello {versions, boots held, first..last} ---->
//                                               <----  resume {boot, next}      per boot
//     event messages, live before late          ---->  (commit)
//                                               <----  ack {boot, seq}          cumulative
//     lost {boot, from, to}                     ---->
//                                               <----  view {psd, bursts}       what screens want
//     view messages (lossy)                     ---->
//
// A message is one msgpack map in one ZeroMQ frame.  Who sends is known from its key, never from
// the body.  Unknown keys are ignored, missing optional ones unknown (NAN, -1, "").
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_VERSION 1
#define WIRE_MAX     65536          // bytes of a message; larger ones are refused before unpacking
#define WIRE_WHY     8
#define WIRE_BINS    512            // of a spectrum line
#define WIRE_RADIOS  8
#define WIRE_BANDS   16
#define WIRE_BOOTS   8
#define WIRE_FIELDS  48
#define WIRE_BURSTS  64

enum wire_kind {
    WIRE_NONE,
    WIRE_TRACK, WIRE_DECODE, WIRE_HEALTH, WIRE_LEDGER,      // stream "event"
    WIRE_PSD, WIRE_BURST,                                   // stream "view"
    WIRE_HELLO, WIRE_LOST,                                  // about the link, sensor to post
    WIRE_RESUME, WIRE_ACK, WIRE_VIEW,                       // post to sensor
    WIRE_KINDS
};
enum wire_stream { WIRE_STREAM_LINK, WIRE_STREAM_EVENT, WIRE_STREAM_VIEW };
const char *wire_kind_name(enum wire_kind k);
const char *wire_stream_name(enum wire_stream s);
enum wire_stream wire_kind_stream(enum wire_kind k);

struct wire_clock { char source[16]; bool locked; double age_s; int64_t err_ns; };

// What every event and view message carries.
struct wire_head {
    unsigned          v;
    uint64_t          boot;         // random per start of the sensor
    enum wire_stream  stream;
    uint64_t          seq;          // from 0, without holes, per boot and stream
    int64_t           t_ns;         // UTC of the event, from the sample clock
    int64_t           mono_ns;
    struct wire_clock clock;
    char              origin[12];   // contract, section 4
    enum wire_kind    kind;
    bool              late;         // came in a late envelope: was sent before, or waited
};

struct wire_end { char role[16]; uint64_t bursts; double level_dbfs, cfo_hz; int airborne; };

struct wire_track {                 // the contract's track, times as UTC
    char     id[24], radio[32], state[12];      // state: tentative named quiet ended
    uint32_t revision;
    char     family[24], link[64], role[16], verdict[12];
    char     link_alternatives[4][64];
    double   p_drone, confidence;
    int64_t  first_ns, last_ns;
    uint64_t bursts, decodes;
    double   freq_lo_hz, freq_hi_hz, freq_err_hz, level_dbfs, level_dbm, level_err_db, snr_db;
    uint64_t clipped;
    unsigned n_why;
    char     why[WIRE_WHY][160];
    char     runner_up[24];         // "" none
    double   runner_up_confidence;
    unsigned n_ends;
    struct wire_end ends[2];
    char     claimed_serial[48];    // claimed by the sender in a checked frame; "" none
    bool     usual;                 // like what was here before the event; never a drone's
};

enum wire_field_type { WIRE_F_NULL, WIRE_F_NUM, WIRE_F_STR, WIRE_F_BOOL };
struct wire_field { char key[32]; enum wire_field_type type; double num; char str[48]; };

struct wire_decode {                // the contract's decode line
    char     protocol[24], check[24], track[24], radio[32];     // track: id it belongs to, "" none
    double   freq_hz, snr_db;
    bool     assisted;
    uint16_t raw_len;
    uint8_t  raw[256];
    unsigned n_fields;
    struct wire_field field[WIRE_FIELDS];
};

struct wire_radio {
    char     name[32], device[64], state[12];   // starting running silent restarting
    char     what[160];                         // last trouble in words
    double   centre_hz, rate_hz, rate_measured_hz, gain_db;
    double   since_s, last_sample_s, floor_dbfs, occupancy;
    uint64_t samples, lost, overflows, restarts, shed_bursts, time_jumps;
    bool     clipping;
    bool     gain_auto;             // the sensor sets it: how often since the start, and why last
    uint64_t gain_changes;
    char     gain_why[12];          // clipping strong steps calm; "" never
    bool     keeps;                 // samples of what it alarms for (its policy allows it)
    uint64_t kept, keep_refused, keep_expired;      // files; spans that could not be; files gone
};

struct wire_health {                // every 5 s and at each change of a state
    char     name[48], version[16]; // the sensor's name for people: shown, never trusted
    bool     place_known;
    char     place_source[16];
    double   lat_deg, lon_deg, alt_m, place_err_m, place_age_s, heading_deg;
    double   uptime_s, cpu_share, rss_bytes, disk_free_bytes, temperature_c;
    uint64_t spool_bytes, spool_lost;
    unsigned n_radios;
    struct wire_radio radio[WIRE_RADIOS];
};

// What was watched since the last ledger message (every 10 s), so that silence has a meaning.
struct wire_band {
    double lo_hz, hi_hz;
    double watched_s;               // of to_ns - from_ns; lost samples do not count
    double floor_dbm_hz, floor_dbfs;            // floor_dbm_hz NAN where no calibration exists
    char   name[16], radio[32], state[12];      // of the plan, ""; state: watched deaf not-watched
    double deaf_s, lost_s, gain_db;             // deaf_s: of watched_s
    double smallest_dbfs, link_hz, link_s;      // level of the least burst of link_hz and link_s
                                                // that would have been found; NAN: none
    double away_s, revisit_p95_s, revisit_max_s;    // of a scan: unvisited now; until now
    uint32_t windows, visits;                   // 0: not scanned
    double occupancy, usual_occupancy;          // NAN: not known; before the event
    double gain_lo_db, gain_hi_db;              // least and greatest since the last message
    uint32_t gain_changes;                      // between them
};
struct wire_ledger {
    int64_t  from_ns, to_ns;
    uint64_t kept, keep_refused;                // since the last message, of all radios
    unsigned n_bands;
    struct wire_band band[WIRE_BANDS];
};

struct wire_psd {                   // lowest frequency first, 0.5 dB a step: dBFS = top_db - v / 2
    char     radio[32];
    double   centre_hz, rate_hz, floor_db, top_db, occupancy;
    unsigned bins;
    uint8_t  v[WIRE_BINS];
};

struct wire_burst_one { double t_off_s, dur_s, freq_hz, bw_hz, snr_db; char kind[8]; };
struct wire_burst { char radio[32]; unsigned n; struct wire_burst_one b[WIRE_BURSTS]; };

struct wire_held { uint64_t boot, first, last; };       // event messages in the spool
struct wire_hello {
    unsigned v_lo, v_hi;
    char     name[48], version[16];
    unsigned n;
    struct wire_held held[WIRE_BOOTS];
};
struct wire_span { uint64_t boot, from, to; };          // lost: from..to; resume, ack: to only
struct wire_view { bool psd, bursts; };

struct wire_msg {
    struct wire_head head;
    union {
        struct wire_track  track;
        struct wire_decode decode;
        struct wire_health health;
        struct wire_ledger ledger;
        struct wire_psd    psd;
        struct wire_burst  burst;
        struct wire_hello  hello;
        struct wire_span   span;        // lost, resume (to: next seq wanted), ack (to: last held)
        struct wire_view   view;
    };
};

// Bytes of a message into buf; how many, or -EMSGSIZE, -EINVAL (a field the wire may not hold).
int wire_pack(const struct wire_msg *m, uint8_t *buf, size_t size);
// A message packed before, in its late envelope, byte for byte.
int wire_pack_late(const uint8_t *msg, size_t len, uint8_t *buf, size_t size);

// Why bytes were refused: a counter each.
enum wire_fault { WIRE_OK, WIRE_TOO_LONG, WIRE_NOT_MSGPACK, WIRE_LYING_SIZE, WIRE_TOO_DEEP,
                  WIRE_NO_MAP, WIRE_BAD_VERSION, WIRE_BAD_KIND, WIRE_MISSING, WIRE_BAD_TYPE,
                  WIRE_BAD_VALUE,
                  WIRE_SEALED,              // a late message only wire_unseal can open
                  WIRE_FAULTS };
const char *wire_fault_name(enum wire_fault f);
// Hostile bytes in, a message or a named fault out.  Bounded time and memory; allocates nothing.
enum wire_fault wire_unpack(struct wire_msg *ret, const uint8_t *p, size_t len);

// What waited in the sensor's spool comes sealed to the post's key (crypto_box_seal), in the
// envelope {late: true, sealed: bytes}.  Call this on every frame before wire_unpack:
//     n = wire_unseal(p, len, own_public_z85, own_secret_z85, buf, sizeof buf);
//     n == 0: nothing was sealed, unpack p;  n > 0: unpack the n bytes in buf (a plain late
//     envelope, byte for byte what was sent live);  -EBADMSG: sealed to another key, or damaged.
int wire_unseal(const uint8_t *p, size_t len, const char *public_z85, const char *secret_z85,
                uint8_t *buf, size_t size);
