// SPDX-License-Identifier: GPL-3.0-or-later
// What each kind of message holds.  Bounds are those of the quantity (a latitude) or far outside
// what any radio gives (levels, frequencies): they keep nonsense out, not surprises.
#include "classifier/wire/table.h"

#include <string.h>

#include "classifier/families.h"

#define FREQ_HZ 300e9           // end of the radio spectrum; negative: recordings centred on 0
#define DB      1000.0
#define UTC_NS  9.2e18          // the year 2261
#define AGE_S   1e9             // 30 years

#define AT(f) (uint16_t)offsetof(ITEM, f)
#define SZ(f) (uint16_t)sizeof(((ITEM *)0)->f)
#define WORD(k, f, m, list, a) \
    { .key = k, .type = WT_WORD, .must = m, .off = AT(f), .size = SZ(f), .closed = list, \
      .about = a }
#define TEXT(k, f, m, a) \
    { .key = k, .type = WT_TEXT, .must = m, .off = AT(f), .size = SZ(f), .about = a }
#define NUM(k, f, m, l, h, a) \
    { .key = k, .type = WT_NUM, .must = m, .off = AT(f), .lo = l, .hi = h, .about = a }
#define AGE(k, f, a) \
    { .key = k, .type = WT_AGE, .off = AT(f), .lo = 0, .hi = AGE_S, .about = a }
#define U64(k, f, m, h, a) \
    { .key = k, .type = WT_U64, .must = m, .off = AT(f), .hi = h, .about = a }
#define COUNT(k, f, a) U64(k, f, false, WIRE_COUNT_MAX, a)
#define U32(k, f, m, a) \
    { .key = k, .type = WT_U32, .must = m, .off = AT(f), .hi = 4294967295.0, .about = a }
#define I64(k, f, m, h, a) \
    { .key = k, .type = WT_I64, .must = m, .off = AT(f), .hi = h, .about = a }
#define BOOL(k, f, a) { .key = k, .type = WT_BOOL, .off = AT(f), .about = a }
#define ENUM(k, f, m, names, a) \
    { .key = k, .type = WT_ENUM, .must = m, .off = AT(f), .closed = names, .about = a }
#define LIST(k, f, count, m, t, a) \
    { .key = k, .type = WT_LIST, .must = m, .off = AT(f), .size = SZ(f[0]), .n_off = AT(count), \
      .max = SZ(f) / SZ(f[0]), .sub = &(t), .about = a }
#define TABLE(name, keys) \
    static const struct wire_table name = { keys, sizeof keys / sizeof keys[0] }

static const char *const origins[] = { "live", "recording", "simulation", "selftest", "exercise",
                                       NULL };
static const char *const roles[] = { "control", "telemetry", "video", "identification", "unknown",
                                     NULL };
static const char *const verdicts[] = { "drone", "not-drone", "unknown", NULL };
static const char *const track_states[] = { "tentative", "named", "quiet", "ended", NULL };
static const char *const radio_states[] = { "starting", "running", "silent", "restarting", NULL };
static const char *const gain_whys[] = { "clipping", "strong", "steps", "calm", NULL };
static const char *const band_states[] = { "watched", "deaf", "not-watched", NULL };
static const char *const kinds[] = { "lora", "fsk", "msk", "ofdm", "dsss", "fm", "am", "cw",
                                     "unknown", NULL };
static const char *const protocols[] = {
    "dji-droneid", "dji-droneid-encrypted", "rid-ble", "rid-ble-coded", "rid-wifi-beacon",
    "rid-wifi-nan", "rid-french", "rid-gb46750", "dji-wifi", NULL
};

// ---- Every message ---------------------------------------------------------------------------
#define ITEM struct wire_clock
static const struct wire_key clock_keys[] = {
    WORD("source", source, true, NULL, "what disciplines the clock: `gnss`, `ntp`, `rtc`, `none`"),
    BOOL("locked", locked, "disciplined just now"),
    AGE("age_s", age_s, "since it was last corrected"),
    I64("err_ns", err_ns, false, UTC_NS, "bound on its error"),
};
TABLE(clock_table, clock_keys);
#undef ITEM
#define ITEM struct wire_msg
static const struct wire_key link_keys[] = {
    U32("v", head.v, true, "version of this schema"),
    ENUM("kind", head.kind, true, wire_kind_names, "the kind of message"),
};
TABLE(link_table, link_keys);
static const struct wire_key head_keys[] = {
    U32("v", head.v, true, "version of this schema"),
    ENUM("kind", head.kind, true, wire_kind_names, "the kind of message"),
    ENUM("stream", head.stream, true, wire_stream_names, "the stream it belongs to"),
    U64("boot", head.boot, true, 1.9e19, "random per start of the sensor"),
    U64("seq", head.seq, true, WIRE_COUNT_MAX, "from 0, without holes, per boot and stream"),
    I64("t_ns", head.t_ns, true, UTC_NS, "UTC of the event, from the sample clock"),
    I64("mono_ns", head.mono_ns, true, UTC_NS, "the sensor's monotonic clock when it was made"),
    { .key = "clock", .type = WT_MAP, .must = true, .off = AT(head.clock), .sub = &clock_table,
      .about = "how good the sensor's clock is" },
    WORD("origin", head.origin, true, origins, "where the samples come from"),
};
TABLE(head_table, head_keys);

// ---- track -----------------------------------------------------------------------------------
#undef ITEM
#define ITEM struct wire_end
static const struct wire_key end_keys[] = {
    WORD("role", role, true, roles, "what this end does"),
    COUNT("bursts", bursts, "transmissions of it"),
    NUM("level_dbfs", level_dbfs, false, -DB, DB, "mean of the last second heard"),
    NUM("cfo_hz", cfo_hz, false, -FREQ_HZ, FREQ_HZ, "its carrier's offset"),
    { .key = "airborne", .type = WT_TRI, .off = AT(airborne), .about = "in the air, where known" },
};
TABLE(end_table, end_keys);
#undef ITEM
#define ITEM struct wire_msg
static const struct wire_key runner_keys[] = {
    WORD("family", track.runner_up, true, families, "the next likely family"),
    NUM("confidence", track.runner_up_confidence, true, 0, 1, "its probability"),
};
TABLE(runner_table, runner_keys);
static const struct wire_key track_keys[] = {
    WORD("id", track.id, true, NULL, "of the track, unique within a boot"),
    TEXT("radio", track.radio, false, "the radio that hears it"),
    WORD("state", track.state, true, track_states, "its life"),
    U32("revision", track.revision, true, "grows with each change"),
    WORD("family", track.family, true, families, "contract, section 2"),
    TEXT("link", track.link, false, "name of the link's mode"),
    { .key = "link_alternatives", .type = WT_TEXTS, .off = AT(track.link_alternatives),
      .size = SZ(track.link_alternatives[0]), .max = 4,
      .about = "modes with the same waveform and cadence" },
    WORD("role", track.role, true, roles, "what the link carries"),
    WORD("verdict", track.verdict, true, verdicts, "by the sensor's threshold"),
    NUM("p_drone", track.p_drone, true, 0, 1, "probability of a drone's link"),
    NUM("confidence", track.confidence, true, 0, 1, "probability of the family"),
    I64("first_ns", track.first_ns, true, UTC_NS, "UTC of its first burst"),
    I64("last_ns", track.last_ns, true, UTC_NS, "UTC of its last burst"),
    COUNT("bursts", track.bursts, "transmissions of it"),
    COUNT("decodes", track.decodes, "frames of it whose checks passed"),
    NUM("freq_lo_hz", track.freq_lo_hz, false, -FREQ_HZ, FREQ_HZ, "lowest frequency"),
    NUM("freq_hi_hz", track.freq_hi_hz, false, -FREQ_HZ, FREQ_HZ, "highest frequency"),
    NUM("freq_err_hz", track.freq_err_hz, false, 0, FREQ_HZ,
        "of both, by the receiver's crystal"),
    NUM("level_dbfs", track.level_dbfs, false, -DB, DB, "mean of the last second heard"),
    NUM("level_dbm", track.level_dbm, false, -DB, DB, "the same at the antenna's socket"),
    NUM("level_err_db", track.level_err_db, false, 0, DB, "its standard error"),
    COUNT("clipped", track.clipped, "of them while the converter was at its stops"),
    NUM("snr_db", track.snr_db, false, -DB, DB, "mean of the last second heard"),
    { .key = "why", .type = WT_TEXTS, .off = AT(track.why), .size = SZ(track.why[0]),
      .max = WIRE_WHY, .n_off = AT(track.n_why), .about = "reasons, the weightiest first" },
    { .key = "runner_up", .type = WT_MAP, .sub = &runner_table, .about = "what it is next likely" },
    LIST("ends", track.ends, track.n_ends, false, end_table, "the two ends, where told apart"),
    TEXT("claimed_serial", track.claimed_serial, false, "claimed by the sender, checks passed"),
    BOOL("usual", track.usual, "like what was here before the event; never of a drone's link"),
};
TABLE(track_table, track_keys);

// ---- decode ----------------------------------------------------------------------------------
static const struct wire_key decode_keys[] = {
    WORD("protocol", decode.protocol, true, protocols, "contract, section 2"),
    WORD("check", decode.check, true, NULL, "which checks passed"),
    WORD("track", decode.track, false, NULL, "id of the track it belongs to"),
    TEXT("radio", decode.radio, false, "the radio that heard it"),
    NUM("freq_hz", decode.freq_hz, false, -FREQ_HZ, FREQ_HZ, "its measured centre"),
    NUM("snr_db", decode.snr_db, false, -DB, DB, "contract, section 2"),
    BOOL("assisted", decode.assisted, "won with help from earlier frames"),
    { .key = "raw", .type = WT_BIN16, .off = AT(decode.raw), .max = 256,
      .n_off = AT(decode.raw_len), .about = "the frame's bytes" },
    { .key = "fields", .type = WT_FIELDS, .off = AT(decode.field), .max = WIRE_FIELDS,
      .n_off = AT(decode.n_fields), .about = "what it says, keys of the contract, section 2" },
};
TABLE(decode_table, decode_keys);

// ---- health ----------------------------------------------------------------------------------
#undef ITEM
#define ITEM struct wire_radio
static const struct wire_key radio_keys[] = {
    TEXT("name", name, true, "what people call it"),
    TEXT("device", device, false, "what the driver says it is"),
    WORD("state", state, true, radio_states, "from its samples, never from its process"),
    TEXT("what", what, false, "last trouble in words"),
    NUM("centre_hz", centre_hz, false, -FREQ_HZ, FREQ_HZ, "middle of what it hears"),
    NUM("rate_hz", rate_hz, false, 0, 1e9, "samples a second, as set"),
    NUM("rate_measured_hz", rate_measured_hz, false, 0, 1e9, "as they arrive"),
    NUM("gain_db", gain_db, false, -DB, DB, "as set"),
    AGE("since_s", since_s, "in this state"),
    AGE("last_sample_s", last_sample_s, "since the last sample"),
    NUM("floor_dbfs", floor_dbfs, false, -DB, DB, "noise floor, dBFS per Hz"),
    NUM("occupancy", occupancy, false, 0, 1, "share of time and frequency above the floor"),
    COUNT("samples", samples, "since the radio was opened"),
    COUNT("lost", lost, "samples lost, for any reason"),
    COUNT("overflows", overflows, "told by the driver"),
    COUNT("restarts", restarts, "of the radio's process"),
    COUNT("shed_bursts", shed_bursts, "bursts that were measured without their samples"),
    COUNT("time_jumps", time_jumps, "of its time stamps, or of the clock"),
    BOOL("clipping", clipping, "samples at full scale since the last message"),
    BOOL("gain_auto", gain_auto, "the sensor sets the gain"),
    COUNT("gain_changes", gain_changes, "of the gain by the sensor, since the start"),
    WORD("gain_why", gain_why, false, gain_whys, "of the last one"),
    BOOL("keeps", keeps, "samples of what it alarms for are kept"),
    COUNT("kept", kept, "files of them, since the start"),
    COUNT("keep_refused", keep_refused, "spans that could not be kept"),
    COUNT("keep_expired", keep_expired, "files that went, by age or for room"),
};
TABLE(radio_table, radio_keys);
#undef ITEM
#define ITEM struct wire_msg
static const struct wire_key health_keys[] = {
    TEXT("name", health.name, true, "the sensor's name for people: shown, never trusted"),
    WORD("version", health.version, false, NULL, "of its program"),
    BOOL("place_known", health.place_known, "is it known where the sensor stands"),
    WORD("place_source", health.place_source, false, NULL, "`gpsd` or `config`"),
    NUM("lat_deg", health.lat_deg, false, -90, 90, "WGS 84"),
    NUM("lon_deg", health.lon_deg, false, -180, 180, "WGS 84"),
    NUM("alt_m", health.alt_m, false, -1e4, 1e7, "above mean sea level"),
    NUM("place_err_m", health.place_err_m, false, 0, 1e8, "95 %, horizontal"),
    AGE("place_age_s", health.place_age_s, "of the fix"),
    NUM("heading_deg", health.heading_deg, false, 0, 360, "of the antenna, from true north"),
    AGE("uptime_s", health.uptime_s, "since the sensor's program started"),
    NUM("cpu_share", health.cpu_share, false, 0, 1e5, "of one core"),
    NUM("rss_bytes", health.rss_bytes, false, 0, 1e18, "memory in use"),
    NUM("disk_free_bytes", health.disk_free_bytes, false, 0, 1e21, "where the spool is"),
    NUM("temperature_c", health.temperature_c, false, -300, 1000, "hottest thermal zone"),
    COUNT("spool_bytes", health.spool_bytes, "waiting for an acknowledgement"),
    COUNT("spool_lost", health.spool_lost, "messages dropped before one, since the start"),
    LIST("radios", health.radio, health.n_radios, true, radio_table, "each radio"),
};
TABLE(health_table, health_keys);

// ---- ledger ----------------------------------------------------------------------------------
#undef ITEM
#define ITEM struct wire_band
static const struct wire_key band_keys[] = {
    NUM("lo_hz", lo_hz, true, -FREQ_HZ, FREQ_HZ, "from"),
    NUM("hi_hz", hi_hz, true, -FREQ_HZ, FREQ_HZ, "to"),
    NUM("watched_s", watched_s, true, 0, AGE_S, "seconds of samples; lost ones do not count"),
    NUM("floor_dbm_hz", floor_dbm_hz, false, -DB, DB, "noise floor, where calibrated"),
    NUM("floor_dbfs", floor_dbfs, false, -DB, DB, "noise floor, dBFS per Hz"),
    TEXT("name", name, false, "of the band plan"),
    TEXT("radio", radio, false, "that watched it"),
    WORD("state", state, false, band_states, "could anything have been heard?"),
    NUM("deaf_s", deaf_s, false, 0, AGE_S, "seconds of them in which the radio was overdriven"),
    NUM("lost_s", lost_s, false, 0, AGE_S, "seconds of samples lost, besides"),
    NUM("gain_db", gain_db, false, -DB, DB, "as set"),
    NUM("smallest_dbfs", smallest_dbfs, false, -DB, DB,
        "level of the least burst that would have been found, nine times of ten"),
    NUM("link_hz", link_hz, false, 0, FREQ_HZ, "the width of that burst"),
    NUM("link_s", link_s, false, 0, AGE_S, "its length"),
    AGE("away_s", away_s, "of a scan: longest that a window of it waits just now"),
    AGE("revisit_p95_s", revisit_p95_s, "95 % of the waits between visits were shorter"),
    AGE("revisit_max_s", revisit_max_s, "the longest wait since the start"),
    U32("windows", windows, false, "centres it takes to cover it; 0 or absent: not scanned"),
    U32("visits", visits, false, "of all windows, since the last message"),
    NUM("occupancy", occupancy, false, 0, 1, "share of time and frequency above the floor"),
    NUM("usual_occupancy", usual_occupancy, false, 0, 1, "the same before the event"),
    NUM("gain_lo_db", gain_lo_db, false, -DB, DB, "least gain since the last message"),
    NUM("gain_hi_db", gain_hi_db, false, -DB, DB, "greatest"),
    U32("gain_changes", gain_changes, false, "of the gain by the sensor, since then"),
};
TABLE(band_table, band_keys);
#undef ITEM
#define ITEM struct wire_msg
static const struct wire_key ledger_keys[] = {
    I64("from_ns", ledger.from_ns, true, UTC_NS, "UTC, end of the last ledger message"),
    I64("to_ns", ledger.to_ns, true, UTC_NS, "UTC, until when this one tells"),
    LIST("bands", ledger.band, ledger.n_bands, true, band_table, "what was watched"),
    COUNT("kept", ledger.kept, "files of evidence since the last message, of all radios"),
    COUNT("keep_refused", ledger.keep_refused, "spans that could not be kept, since then"),
};
TABLE(ledger_table, ledger_keys);

// ---- psd, burst ------------------------------------------------------------------------------
static const struct wire_key psd_keys[] = {
    TEXT("radio", psd.radio, true, "whose spectrum"),
    NUM("centre_hz", psd.centre_hz, true, -FREQ_HZ, FREQ_HZ, "its middle"),
    NUM("rate_hz", psd.rate_hz, true, 0, 1e9, "its width"),
    NUM("floor_db", psd.floor_db, false, -DB, DB, "noise floor per bin, dBFS"),
    NUM("top_db", psd.top_db, true, -DB, DB, "dBFS of the value 0"),
    NUM("occupancy", psd.occupancy, false, 0, 1, "share of cells above the floor"),
    { .key = "bins", .type = WT_BIN8, .must = true, .off = AT(psd.v), .max = WIRE_BINS,
      .n_off = AT(psd.bins), .about = "a byte per bin, lowest frequency first: top_db - v / 2" },
};
#undef ITEM
#define ITEM struct wire_burst_one
static const struct wire_key one_keys[] = {
    NUM("t_off_s", t_off_s, true, -AGE_S, AGE_S, "its start, after the message's `t_ns`"),
    NUM("dur_s", dur_s, false, 0, AGE_S, "its length"),
    NUM("freq_hz", freq_hz, true, -FREQ_HZ, FREQ_HZ, "its centre"),
    NUM("bw_hz", bw_hz, false, 0, FREQ_HZ, "contract, section 2"),
    NUM("snr_db", snr_db, false, -DB, DB, "contract, section 2"),
    WORD("kind", kind, true, kinds, "what was measured"),
};
TABLE(one_table, one_keys);
#undef ITEM
#define ITEM struct wire_msg
static const struct wire_key burst_keys[] = {
    TEXT("radio", burst.radio, true, "that heard them"),
    LIST("bursts", burst.b, burst.n, true, one_table, "transmissions, in order of start"),
};
TABLE(burst_table, burst_keys);

// ---- The link itself -------------------------------------------------------------------------
#undef ITEM
#define ITEM struct wire_held
static const struct wire_key held_keys[] = {
    U64("boot", boot, true, 1.9e19, "a start of the sensor"),
    U64("first", first, true, WIRE_COUNT_MAX, "oldest event message held"),
    U64("last", last, true, WIRE_COUNT_MAX, "newest event message held"),
};
TABLE(held_table, held_keys);
#undef ITEM
#define ITEM struct wire_msg
static const struct wire_key hello_keys[] = {
    U64("boot", head.boot, true, 1.9e19, "this start of the sensor"),
    U32("v_lo", hello.v_lo, true, "oldest version of this schema it speaks"),
    U32("v_hi", hello.v_hi, true, "newest version it speaks"),
    TEXT("name", hello.name, false, "the sensor's name for people: shown, never trusted"),
    WORD("version", hello.version, false, NULL, "of its program"),
    LIST("held", hello.held, hello.n, true, held_table, "event messages not acknowledged yet"),
};
static const struct wire_key lost_keys[] = {
    U64("boot", span.boot, true, 1.9e19, "a start of the sensor"),
    U64("from", span.from, true, WIRE_COUNT_MAX, "first event message that will never come"),
    U64("to", span.to, true, WIRE_COUNT_MAX, "last one"),
};
static const struct wire_key resume_keys[] = {
    U64("boot", span.boot, true, 1.9e19, "a start of the sensor"),
    U64("next", span.to, true, WIRE_COUNT_MAX, "the event message wanted next"),
};
static const struct wire_key ack_keys[] = {
    U64("boot", span.boot, true, 1.9e19, "a start of the sensor"),
    U64("seq", span.to, true, WIRE_COUNT_MAX, "it and all before are durable"),
};
static const struct wire_key view_keys[] = {
    BOOL("psd", view.psd, "spectrum lines are wanted"),
    BOOL("bursts", view.bursts, "burst summaries are wanted"),
};
TABLE(psd_table, psd_keys);
TABLE(hello_table, hello_keys);
TABLE(lost_table, lost_keys);
TABLE(resume_table, resume_keys);
TABLE(ack_table, ack_keys);
TABLE(view_table, view_keys);

const struct wire_table *wire_table_head(enum wire_kind k)
{
    return wire_kind_stream(k) == WIRE_STREAM_LINK ? &link_table : &head_table;
}

const struct wire_table *wire_table_kind(enum wire_kind k)
{
    static const struct wire_table *const table[WIRE_KINDS] = {
        [WIRE_TRACK] = &track_table, [WIRE_DECODE] = &decode_table, [WIRE_HEALTH] = &health_table,
        [WIRE_LEDGER] = &ledger_table, [WIRE_PSD] = &psd_table, [WIRE_BURST] = &burst_table,
        [WIRE_HELLO] = &hello_table, [WIRE_LOST] = &lost_table, [WIRE_RESUME] = &resume_table,
        [WIRE_ACK] = &ack_table, [WIRE_VIEW] = &view_table,
    };
    return (unsigned)k < WIRE_KINDS ? table[k] : NULL;
}
