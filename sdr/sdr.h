// SPDX-License-Identifier: GPL-3.0-or-later
// Where samples come from: recordings (SigMF or raw) and the simulator; live radios join through
// the same verbs.
//
//     struct iq_source *s;
//     char why[IQ_WHY];
//     if (iq_open_file(&s, &(struct iq_file_cfg){ .path = "x.sigmf-meta" }, why) < 0) ...
//     while ((b = iq_next(s)))  { ...read b...;  iq_unref(b); }
//
// A block holds a fixed number of consecutive samples (iq_info.block_len), whatever sizes the
// reads came in; only the last one, and one before a gap or a retune, may be shorter.  So nothing
// behind this door can depend on how the bytes arrived.
//
//        index n0                     n0+n          n0+n+lost
//     ...|== block: n samples ==|  lost samples  |== next block ==|...
//
// Indices count lost samples too: index / rate_hz is time since open, always.
#pragma once

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IQ_WHY 512              // room for one sentence: what is wrong and what was expected
#define IQ_RATE_MIN_HZ 0.25e6
#define IQ_RATE_MAX_HZ 125e6

// How a sample lies in memory: interleaved I, Q, little-endian.  As float: ci16 x / 32768,
// ci8 x / 128, cu8 (x - 127.5) / 128.
enum iq_format { IQ_CF32, IQ_CF64, IQ_CI16, IQ_CI8, IQ_CU8, IQ_FORMATS };

// Closed list (contract, section 4).  Nothing but a radio proven to be one is ever live.
enum iq_origin { IQ_LIVE, IQ_RECORDING, IQ_SIMULATION, IQ_SELFTEST, IQ_EXERCISE };

enum iq_flags {
    IQ_CLIPPED   = 1 << 0,      // a run of samples at full scale: do not trust levels and widths
    IQ_NONFINITE = 1 << 1,      // NaN, infinite or absurd (|x| > 1e9) values were replaced by 0
    IQ_LAST      = 1 << 2,      // the source ends with this block
};

// Read-only once handed out; reference-counted; blocks come from the source's pool.
struct iq_block {
    uint64_t       n0;          // index of the first sample since open
    uint32_t       n;           // samples in it, at least 1
    uint64_t       lost;        // samples lost directly before it
    uint32_t       flags;
    int64_t        utc_ns;      // of the first sample; 0 when the source knows no UTC
    int64_t        utc_err_ns;
    double         rate_hz, centre_hz, gain_db;
    float          peak;        // greatest |I| or |Q| in it, full scale 1
    enum iq_origin origin;
    enum iq_format format;      // never IQ_CF64 here: the source narrows it
    const void    *data;        // n samples of that format, as the converter gave them
    float complex  image;       // of the receiver, x = y + image conj(y), as its reader knows it
                                // (0 nothing): iq_to_cf32 takes it away
};

struct iq_info {
    double         rate_hz, centre_hz;
    enum iq_format format;      // of blocks
    enum iq_origin origin;
    uint32_t       block_len;   // samples, about 1 ms, a power of two from 1024 to 131072
    uint64_t       total;       // samples there are, 0 when not known (standard input)
};

struct iq_counts {
    uint64_t samples;           // handed out
    uint64_t lost;
    uint64_t nonfinite;         // values (I or Q) that were NaN, infinite or absurd
    uint64_t clipped;           // samples at full scale
    uint32_t trailing_bytes;    // bytes behind the last whole sample
    char     fault[IQ_WHY];     // why the source ended early ("" at an orderly end): a read error,
                                // data shorter than its metadata says
};

struct iq_source;

struct iq_file_cfg {
    const char *path;           // SigMF metadata or data file, raw file, "-" for standard input
    const char *format;         // "cf32 cf64 ci16 ci8 cu8"; NULL: from SigMF; must agree with it
    double      rate_hz;        // 0: from SigMF; must agree with it
    double      freq_hz;        // absolute centre; used when freq_given
    bool        freq_given;
    bool        paced;          // hand blocks out no faster than real time
    unsigned    pool_blocks;    // how many blocks may be out at once; 0: 256
};

// 0, or -errno with one sentence in why that names the file, line or byte and what was expected.
int iq_open_file(struct iq_source **ret_src, const struct iq_file_cfg *cfg, char why[IQ_WHY]);

struct iq_sim_cfg {
    const char *path;           // YAML scene, or
    const char *text;           // the scene itself, NUL-terminated
    uint64_t    seed;           // 0: the scene's own
    bool        seed_given;
    bool        paced;
    unsigned    pool_blocks;
};

// The simulator as a source (docs/SCENES.md describes a scene).  Deterministic per scene and seed.
int iq_open_sim(struct iq_source **ret_src, const struct iq_sim_cfg *cfg, char why[IQ_WHY]);

// ---- A radio --------------------------------------------------------------------------------
// Each device lives in a child process (tyto-radio: the vendor's driver, no network, no keys, a
// cleared environment), which writes native samples into a ring in shared memory:
//
//     tyto-radio  |..old..|=== written ===>|        ring: a power of two of slots, one block each
//                         ^ iq_next reads       control: a socket pair; its end = the child died
//
// A child that dies, hangs or goes silent is killed and started again with back-off; the stream
// goes on behind a gap as long as the outage.  iq_next never gives NULL for that: only for iq_stop.
struct hw_profile;

struct iq_live_cfg {
    const char *name;               // what people call it, in sentences and health: "north-2g4"
    const char *args;               // SoapySDR device arguments: "driver=rtlsdr,serial=00000001"
    const struct hw_profile *profile;   // borrowed during the call
    double      rate_hz, centre_hz;
    double      gain_db;            // NAN: the profile's; automatic gain is never used
    double      bandwidth_hz;       // 0: the driver's own choice for the rate
    double      ppm;                // crystal correction, where the driver takes one
    const char *antenna, *settings; // NULL: the driver's first; none (struct iq_place)
    unsigned    channel;
    const char *plugin_path;        // where drivers are looked for; NULL: the system's own
    const char *program;            // path of tyto-radio; NULL: beside the running program
    double      silence_s;          // no sample for so long: dead.  0: 2 s
    unsigned    pool_blocks;        // 0: 256
};

// Waits for the first sample at most 10 s.  0, or -errno with one sentence that says what to do.
int iq_open_live(struct iq_source **ret_src, const struct iq_live_cfg *cfg, char why[IQ_WHY]);

enum iq_radio_state { RADIO_NONE, RADIO_STARTING, RADIO_RUNNING, RADIO_SILENT, RADIO_RESTARTING };
const char *iq_radio_state_name(enum iq_radio_state s);

struct iq_radio {                   // all counts since open; any thread may ask, any time
    enum iq_radio_state state;      // RADIO_NONE: this source is no radio
    double   since_s;               // in this state
    double   last_sample_s;         // since the last sample arrived
    double   rate_measured_hz;      // over the last seconds, by the host's clock
    uint64_t overflows, lost;       // OVERFLOW told by the driver; samples lost, but for
    uint64_t settled;               // those of retunes
    uint64_t late_reads;            // ring full: this process was too slow
    uint64_t restarts, timeouts, errors, time_jumps;
    bool     hardware_time;
    char     what[160];             // of this state: why it is in it; while it runs what is wrong
                                    // all the same, or was within the last minute.  "" nothing
    char     device[160];           // what the driver says it is
};
void iq_radio(const struct iq_source *s, struct iq_radio *ret);

// Tunes anew; samples of the settle time are thrown away and counted as lost, of a radio as
// `settled`.  The blocks behind the change carry the new centre and gain.  0, or -ENOTSUP for what
// cannot tune.  From any thread, one at a time.
struct iq_place {
    double centre_hz, gain_db, filter_hz;   // gain_db NAN, filter_hz 0: as it was opened
    char   antenna[64], settings[64];       // "": the same; settings: "key=value,key=value"
};
int iq_tune(struct iq_source *s, double centre_hz);
int iq_tune_to(struct iq_source *s, const struct iq_place *p);

// Ends the source early: iq_next gives NULL soon.  Any thread.
void iq_stop(struct iq_source *s);

// UTC of a moment of sample time and its uncertainty, from the newest anchor; 0: not known.  Any
// thread.
int64_t iq_utc_ns(const struct iq_source *s, double t_s, int64_t *ret_err_ns);

// ---- Recording ------------------------------------------------------------------------------

struct iq_recorded {                // what came of it
    uint64_t samples, lost;         // lost between them
    unsigned captures;
    double   seconds;               // of samples
    char     data[256], sha512[129];    // its file and checksum; "" where it could not be ended
};

struct iq_record_cfg {
    struct iq_recorded *ret;        // filled also after a fault; or NULL
    const char *out;                // .sigmf-meta path; must not exist
    uint64_t    max_bytes;          // of samples; 0: what leaves 5 % of the disk free
    double      max_s;              // 0: no bound of time
    const char *description;        // core:description, or NULL
    const char *hardware;           // core:hw, or NULL
};
// Writes what the source gives until a bound, its end, or iq_stop, with core:sha512 and one capture
// per gap or retune.  0, or -errno with a sentence; what was written stays readable.
int iq_record(struct iq_source *s, const struct iq_record_cfg *cfg,
              void (*progress)(double seconds, uint64_t bytes, void *arg), void *arg,
              char why[IQ_WHY]);

// ---- Reading --------------------------------------------------------------------------------

struct iq_info iq_info(const struct iq_source *s);

// The next block, owned by the caller until iq_unref; NULL at the end.  Waits while the whole pool
// is out (recordings) - somebody must unref.  One thread calls it.
struct iq_block *iq_next(struct iq_source *s);

// Seconds of samples that a radio has given and nobody has taken yet; 0 for other sources, which
// wait.  The thread that calls iq_next.
double iq_behind_s(const struct iq_source *s);

// Any thread.
struct iq_block *iq_ref(struct iq_block *b);
void             iq_unref(struct iq_block *b);

// After iq_next has returned NULL.
const struct iq_counts *iq_counts(const struct iq_source *s);

// Every block must have been unref'd.  NULL is fine.
void iq_close(struct iq_source *s);

// Samples [off, off+n) of a block as complex float, full scale of an integer format = 1.0, without
// the receiver's image.
void iq_to_cf32(const struct iq_block *b, uint32_t off, uint32_t n, float complex *restrict dst);

const char *iq_format_name(enum iq_format f);       // "cf32", ...
int         iq_format_of(const char *name);         // enum iq_format, or -EINVAL
size_t      iq_format_bytes(enum iq_format f);      // of one complex sample
const char *iq_origin_name(enum iq_origin o);       // "live", ...

// ---- Ground truth of a simulation -----------------------------------------------------------

// One transmission that the simulator put on the air.
struct iq_truth {
    double   t_s, dur_s;            // start of the first sample, length
    double   freq_hz, bw_hz;        // absolute centre as sent, with carrier error; contract's width
    double   snr_db, level_dbfs;    // in bw_hz, before fading
    char     family[24];            // contract's closed list
    char     link[64];              // mode name as in facts/links.json, or ""
    char     emitter[32];           // the scene's name for it
    bool     bit_exact;             // proven by published check values; else statistically faithful
    uint16_t payload_len;
    uint8_t  payload[256];          // what was sent, where the model carries one
};

// The transmissions that have started in blocks handed out so far, in order of start; *ret_n of
// them.  Valid until the next iq_next.  Empty for other sources.
const struct iq_truth *iq_truth(const struct iq_source *s, size_t *ret_n);

// Renders a whole scene to SigMF: <stem>.sigmf-data and <stem>.sigmf-meta with the truth as
// annotations.  out is the .sigmf-meta path.  progress may be NULL.  After a 0, why is empty or
// names an emitter of which nothing fell into the capture: most often a wrong frequency.
int iq_sim_write(const struct iq_sim_cfg *cfg, const char *out,
                 void (*progress)(double fraction, void *arg), void *arg, char why[IQ_WHY]);
