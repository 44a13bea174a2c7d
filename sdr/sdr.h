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
// reads came in; only the last one, and one before a gap, may be shorter.  So nothing behind this
// door can depend on how the bytes arrived.
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
    enum iq_origin origin;
    enum iq_format format;      // never IQ_CF64 here: the source narrows it
    const void    *data;        // n samples of that format
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

struct iq_info iq_info(const struct iq_source *s);

// The next block, owned by the caller until iq_unref; NULL at the end.  Waits while the whole pool
// is out (recordings) - somebody must unref.  One thread calls it.
struct iq_block *iq_next(struct iq_source *s);

// Any thread.
struct iq_block *iq_ref(struct iq_block *b);
void             iq_unref(struct iq_block *b);

// After iq_next has returned NULL.
const struct iq_counts *iq_counts(const struct iq_source *s);

// Every block must have been unref'd.  NULL is fine.
void iq_close(struct iq_source *s);

// Samples [off, off+n) of a block as complex float, full scale of an integer format = 1.0.
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
