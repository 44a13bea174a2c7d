// SPDX-License-Identifier: GPL-3.0-or-later
// How things look as JSON (docs/API.md), and what of them outlives a restart: the same tables.
#include "alertd/core.h"

#define T struct track_rec
static const struct field end_fields[] = {
    F_TEXT(struct wire_end, role, "role"), F_U64(struct wire_end, bursts, "bursts"),
    F_NUMBER(struct wire_end, level_dbfs, "level_dbfs", 1),
    F_NUMBER(struct wire_end, cfo_hz, "cfo_hz", 0), F_TRI(struct wire_end, airborne, "airborne"),
    F_END
};

const struct field track_fields[] = {
    F_TEXT(T, id, "id"), F_TEXT(T, sensor, "sensor"), F_TEXT(T, w.radio, "radio"),
    F_TEXT(T, w.state, "state"), F_U32(T, w.revision, "revision"),
    F_TEXT(T, w.family, "family"), F_TEXT(T, w.link, "link"),
    { FIELD_TEXTS, "link_alternatives", offsetof(T, w.link_alternatives), 64,
      offsetof(T, n_alternatives), 4, NULL },
    F_TEXT(T, w.role, "role"), F_TEXT(T, w.verdict, "verdict"),
    F_NUMBER(T, w.p_drone, "p_drone", 4), F_NUMBER(T, w.confidence, "confidence", 4),
    F_TIME(T, w.first_ns, "first"), F_TIME(T, w.last_ns, "last"),
    F_TIME(T, received_ns, "received"), F_BOOL(T, late, "late"),
    F_U64(T, w.bursts, "bursts"), F_U64(T, w.decodes, "decodes"),
    F_NUMBER(T, w.freq_lo_hz, "freq_lo_hz", 0), F_NUMBER(T, w.freq_hi_hz, "freq_hi_hz", 0),
    F_NUMBER(T, w.level_dbfs, "level_dbfs", 1), F_NUMBER(T, w.snr_db, "snr_db", 1),
    F_TEXTS(T, w.why, w.n_why, "why"),
    F_OPEN(T, w.runner_up, "runner_up"), F_TEXT(T, w.runner_up, "family"),
        F_NUMBER(T, w.runner_up_confidence, "confidence", 4), F_CLOSE,
    F_LIST(T, w.ends, w.n_ends, "ends", end_fields),
    F_TEXT(T, w.claimed_serial, "serial"), F_BOOL(T, w.usual, "usual"),
    F_OPEN(T, claim.protocol, "claim"),
        F_TEXT(T, claim.protocol, "protocol"), F_TEXT(T, claim.serial, "serial"),
        F_TEXT(T, claim.model, "model"), F_NUMBER(T, claim.lat_deg, "lat_deg", 7),
        F_NUMBER(T, claim.lon_deg, "lon_deg", 7), F_NUMBER(T, claim.alt_m, "alt_m", 1),
        F_NUMBER(T, claim.height_m, "height_m", 1), F_NUMBER(T, claim.speed_mps, "speed_mps", 1),
        F_NUMBER(T, claim.track_deg, "track_deg", 1), F_TIME(T, claim.at_ns, "at"),
        F_OPEN(T, claim.person_kind, "person_position"),
            F_TEXT(T, claim.person_kind, "kind"),
            F_NUMBER(T, claim.person_lat_deg, "lat_deg", 7),
            F_NUMBER(T, claim.person_lon_deg, "lon_deg", 7),
            F_TIME(T, claim.person_at_ns, "at"), F_CLOSE, F_CLOSE,
    F_TEXT(T, origin, "origin"), F_TEXT(T, boot, "boot"), F_TEXT(T, w.id, "sensor_track"), F_END
};
#undef T

#define T struct incident
static const struct field member_fields[] = {
    F_TEXT(struct member, track, "track"), F_TEXT(struct member, sensor, "sensor"),
    F_TEXT(struct member, reason, "reason"), F_END
};

const struct field incident_fields[] = {
    F_TEXT(T, id, "id"), F_TEXTS(T, alerts, n_alerts, "alerts"),
    F_LIST(T, member, n_members, "members", member_fields), F_TEXT(T, serial, "serial"),
    F_TEXT(T, merged_into, "merged_into"), F_TEXT(T, split_from, "split_from"),
    F_TIME(T, first_ns, "first"), F_TIME(T, last_ns, "last"),
    F_U32(T, occurrence, "occurrence"), F_TEXT(T, conflict, "conflict"),
    F_TEXT(T, conflict_what, "conflict_what"), F_END
};
#undef T

#define T struct alert
static const struct field note_fields[] = {
    F_TEXT(struct act_note, who, "who"), F_TEXT(struct act_note, did, "did"),
    F_TIME(struct act_note, when_ns, "when"), F_TEXT(struct act_note, text, "text"), F_END
};
static const struct field named_fields[] = {
    F_TEXT(struct named, id, "id"), F_TEXT(struct named, name, "name"), F_END
};

const struct field alert_fields[] = {
    F_TEXT(T, id, "id"), F_U32(T, rev, "rev"), F_U32(T, matter_rev, "matter_rev"),
    F_TEXT(T, incident, "incident"), F_TEXT(T, rule, "rule"), F_TEXT(T, rules_hash, "rules_hash"),
    F_TEXT(T, lane, "lane"), F_TEXT(T, severity, "severity"), F_TEXT(T, work, "work"),
    F_TEXT(T, signal, "signal"), F_NUMBER(T, quiet_s, "quiet_s", 1),
    F_TIME(T, signal_since_ns, "signal_since"), F_U32(T, calls, "calls"),
    F_TEXT(T, call_reason, "call_reason"), F_U32(T, occurrence, "occurrence"),
    F_OPEN_ALWAYS("line"), F_TEXT(T, line_key, "key"), F_PARAMS(T, param, n_params, "params"),
        F_CLOSE,
    F_OPEN_ALWAYS("what"), F_TEXT(T, family, "family"), F_TEXT(T, link, "link"),
        F_TEXT(T, role, "role"), F_TEXT(T, model, "model"), F_TEXT(T, serial, "serial"),
        F_TEXT(T, protocol, "protocol"), F_TEXT(T, verdict, "verdict"), F_CLOSE,
    F_OPEN(T, where.kind, "where"), F_TEXT(T, where.kind, "kind"),
        F_NUMBER(T, where.lat_deg, "lat_deg", 7), F_NUMBER(T, where.lon_deg, "lon_deg", 7),
        F_NUMBER(T, where.alt_m, "alt_m", 1), F_NUMBER(T, where.height_m, "height_m", 1),
        F_NUMBER(T, where.error_m, "error_m", 0), F_NUMBER(T, where.age_s, "age_s", 1),
        F_TIME(T, where.at_ns, "at"), F_CLOSE,
    F_OPEN(T, person.kind, "person_position"), F_TEXT(T, person.kind, "kind"),
        F_NUMBER(T, person.lat_deg, "lat_deg", 7), F_NUMBER(T, person.lon_deg, "lon_deg", 7),
        F_TIME(T, person.at_ns, "at"), F_CLOSE,
    F_OPEN(T, known.name, "known"), F_TEXT(T, known.name, "name"), F_TEXT(T, known.text, "text"),
        F_TEXT(T, known.who, "by"), F_TIME(T, known.from_ns, "from"),
        F_TIME(T, known.until_ns, "until"), F_NUMBER(T, known.lat_deg, "lat_deg", 7),
        F_NUMBER(T, known.lon_deg, "lon_deg", 7), F_TEXT(T, known.family, "family"),
        F_TEXT(T, known.line, "line"), F_TEXT(T, known.serial, "serial"),
        F_TEXT(T, known.model, "model"), F_TEXT(T, known.zone, "zone"),
        F_U32(T, known.drones, "drones"),
        F_LIST(T, known.sensors, known.n_sensors, "sensors", named_fields), F_CLOSE,
    F_TEXT(T, zone, "zone"), F_U32(T, drones, "drones"),
    F_OPEN(T, friend_state, "friend"), F_TEXT(T, friend_state, "state"),
        F_TEXT(T, friend_name, "name"), F_TEXT(T, friend_what, "what"), F_CLOSE,
    F_TEXTS(T, why, n_why, "why"), F_TEXTS(T, why_not, n_why_not, "why_not"),
    F_OPEN(T, runner_up, "runner_up"), F_TEXT(T, runner_up, "family"),
        F_NUMBER(T, runner_up_confidence, "confidence", 4), F_CLOSE,
    F_NUMBER(T, p_drone, "p_drone", 4), F_NUMBER(T, confidence, "confidence", 4),
    F_NUMBER(T, freq_lo_hz, "freq_lo_hz", 0), F_NUMBER(T, freq_hi_hz, "freq_hi_hz", 0),
    F_NUMBER(T, level_dbfs, "level_dbfs", 1), F_NUMBER(T, snr_db, "snr_db", 1),
    F_NUMBER(T, trend_db, "trend_db", 1), F_BOOL(T, usual, "usual"),
    F_LIST(T, sensors, n_sensors, "sensors", named_fields), F_TEXTS(T, tracks, n_tracks, "tracks"),
    F_TEXT(T, previous, "previous"), F_TEXT(T, merged_into, "merged_into"),
    F_TIME(T, first_ns, "first"), F_TIME(T, last_ns, "last"), F_TIME(T, received_ns, "received"),
    F_TIME(T, rev_ns, "revised"), F_BOOL(T, late, "late"), F_TEXT(T, origin, "origin"),
    F_TEXT(T, assigned_to, "assigned_to"), F_TEXT(T, reason, "reason"),
    F_LIST(T, by, n_by, "by", note_fields), F_END
};
#undef T

#define T struct wire_radio
const struct field wire_radio_fields[] = {
    F_TEXT(T, name, "name"), F_TEXT(T, device, "device"), F_TEXT(T, state, "state"),
    F_TEXT(T, what, "what"), F_NUMBER(T, centre_hz, "centre_hz", 0),
    F_NUMBER(T, rate_hz, "rate_hz", 0), F_NUMBER(T, rate_measured_hz, "rate_measured_hz", 0),
    F_NUMBER(T, gain_db, "gain_db", 1), F_NUMBER(T, since_s, "since_s", 1),
    F_NUMBER(T, last_sample_s, "last_sample_s", 1), F_NUMBER(T, floor_dbfs, "floor_dbfs", 1),
    F_NUMBER(T, occupancy, "occupancy", 4), F_U64(T, samples, "samples"), F_U64(T, lost, "lost"),
    F_U64(T, overflows, "overflows"), F_U64(T, restarts, "restarts"),
    F_U64(T, shed_bursts, "shed_bursts"),
    F_BOOL(T, keeps, "keeps"), F_U64(T, kept, "kept"), F_U64(T, keep_refused, "keep_refused"),
    F_U64(T, keep_expired, "keep_expired"),
    F_U64(T, time_jumps, "time_jumps"), F_BOOL(T, clipping, "clipping"), F_END
};
#undef T

#define T struct floor_kept
const struct field floor_fields[] = {
    F_TEXT(T, radio, "radio"), F_NUMBER(T, centre_hz, "centre_hz", 0),
    F_NUMBER(T, rate_hz, "rate_hz", 0), F_NUMBER(T, gain_db, "gain_db", 1),
    F_NUMBER(T, usual_dbfs, "usual_dbfs", 1), F_U32(T, minutes, "minutes"), F_END
};
#undef T

// What of a sensor outlives a restart: that it is known, when it was last heard, and how high its
// floors usually are.  The rest of its JSON (core_health.c) was measured, and is measured again.
#define T struct sensor_kept
const struct field sensor_fields[] = {
    F_TEXT(T, name, "id"), F_TEXT(T, name, "name"), F_TIME(T, since_ns, "since"),
    F_TIME(T, heard_ns, "last_heard"), F_U64(T, lost, "lost"),
    F_LIST(T, floor, n_floors, "floors", floor_fields), F_END
};
