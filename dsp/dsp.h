// SPDX-License-Identifier: GPL-3.0-or-later
// Samples to findings: what was on the air, where, when, and what it measured like.
//
//     struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = 2 });
//     while ((f = dsp_next(d)))  { ...; finding_free(f); }
//     dsp_free(d);
//
// Inside (threads; every arrow is a bounded queue):
//
//     source -> front: banks, floor, tiles, edges --candidates--> arbiter -> N workers -> dsp_next
//            \-> standing correlators ------------candidates--/     (measure, demodulate)
//
// Findings come in one order, that of the bursts' first samples as the arbiter closes them (but for
// those told ahead); it does not depend on the number of threads, on the machine's speed or on how
// samples arrived.
// No name of a product appears here: dsp measures and reads, the classifier names.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdr/sdr.h"

struct hw_profile;

// ---- Measured values ------------------------------------------------------------------------

// A measured value with its standard uncertainty; err < 0: not measured.
struct meas { double v, err; };
#define MEAS_NONE ((struct meas){ 0, -1 })
static inline bool meas_ok(struct meas m) { return m.err >= 0; }

// Closed list (contract, section 2): what was measured, not a product.
enum sig_kind { KIND_UNKNOWN, KIND_LORA, KIND_FSK, KIND_MSK, KIND_OFDM, KIND_DSSS, KIND_FM, KIND_AM,
                KIND_CW, KIND_COUNT };
const char *sig_kind_name(enum sig_kind k);

enum burst_flags {
    BURST_TOUCHES_GAP = 1 << 0, // starts or ends at lost samples or where the radio was retuned
    BURST_AT_START    = 1 << 1, // on the air at the recording's first sample
    BURST_AT_END      = 1 << 2, // still on the air at its last
    BURST_CLIPPED     = 1 << 3,
    BURST_NO_SAMPLES  = 1 << 4, // place and level only: its samples fell to the memory cap, or
                                // there was no time to look at them
    BURST_EDGE        = 1 << 5, // reaches the edge of the capture: only a part of its width is seen
};

// A burst is one transmission.  One longer than DSP_RUN_S is a run, told in parts with one id: its
// first 20 ms, then 20 ms every 250 ms, then its end (which carries the whole length).
enum burst_part { BURST_WHOLE, BURST_RUN_FIRST, BURST_RUN_MORE, BURST_RUN_END };
#define DSP_RUN_S      0.040
#define DSP_RUN_PART_S 0.020
#define DSP_RUN_STEP_S 0.250

// Who saw it.  A burst carries every hypothesis of the detectors whose candidates it merged.
enum burst_hyp { HYP_ENERGY = 1, HYP_DRONEID = 2, HYP_LORA = 4, HYP_BLE = 8,
                 HYP_STF = 16, HYP_DSSS = 32 };
// Made in the receiver: by its offset, image, third order, second, clock; or a line of its own.
enum product { PRODUCT_NONE, PRODUCT_DC, PRODUCT_IMAGE, PRODUCT_THIRD, PRODUCT_HARMONIC,
               PRODUCT_CLOCK, PRODUCT_SPUR, PRODUCT_COUNT };
const char *product_name(enum product p);

// ---- Fingerprint: what was measured on one burst (or one part of a run) ----------------------

enum ofdm_numerology { OFDM_NONE, OFDM_15K, OFDM_30K, OFDM_WIFI, OFDM_WIFI_AX, OFDM_OTHER };
enum video_standard  { VIDEO_NONE, VIDEO_PAL, VIDEO_NTSC };

struct fingerprint {
    enum sig_kind kind;
    double        kind_p;           // how sure of the kind, 0..1
    struct meas   t_s, dur_s;       // start, seconds since the first sample; length
    struct meas   freq_hz;          // absolute centre
    struct meas   bw_hz, bw99_hz;   // as the contract defines it per kind; 99 % power width, always
    struct meas   snr_db;           // mean power during the burst over noise, in bw_hz
    double        level_dbfs;
    struct meas   level_dbm;        // at the antenna's socket, where the profile has a calibration
    struct meas   env_cv;           // standard deviation over mean of |x|, noise removed
    struct meas   papr_db;
    struct meas   on_fraction;      // share of the length that is above half of its mean power
    // fsk, msk
    struct meas   symbol_rate_bd, deviation_hz, mod_index;
    uint64_t      fsk_head;         // first 64 hard bits from the first symbol, MSB first
    unsigned      fsk_head_bits;    // how many of them were read; read only for preamble and access
                                    // address tests, never passed on
    // lora
    struct meas   chirp_hz_per_s;   // sign: + up-chirps
    struct meas   sweep_hz;
    int           sf;               // 5..12, 0 not known
    struct meas   lora_symbols;     // length in symbols
    // ofdm
    enum ofdm_numerology numerology;
    struct meas   useful_symbol_s, cp_s;
    struct meas   cp_corr;          // normalised correlation over the prefixes, 0..1
    struct meas   symbol_period_s;  // mean symbol-to-symbol time
    struct meas   long_cp_every;    // symbols from one longer prefix to the next, 7 for LTE
    struct meas   lte_pss;          // normalised peak of the best of the three 63-long ZC, 0..1
    int           zc_len;           // Zadoff-Chu symbols found: length ...
    int           zc_root[4];       // ... and roots in order of appearance, 0 for none
    struct meas   wifi_stf;         // normalised 0.8 us periodicity of the head, 0..1
    // dsss
    struct meas   chip_rate_hz, barker_corr;    // the latter 0..1
    // fm video
    struct meas   line_rate_hz, line_corr;      // the latter 0..1
    enum video_standard video;
};

// ---- Decode: bytes read whose checks passed --------------------------------------------------

// Closed list (contract, section 2), grows with the demodulators.
enum protocol { PROTO_NONE, PROTO_DJI_DRONEID, PROTO_DJI_DRONEID_ENCRYPTED, PROTO_COUNT };
const char *protocol_name(enum protocol p);

enum field_type { FIELD_NULL, FIELD_NUM, FIELD_STR, FIELD_BOOL };

// One named value of a decode.  Keys are the contract's; a NULL is "sent, but invalid or unknown".
struct field {
    const char     *key;            // static string
    enum field_type type;
    int             decimals;       // how a number is written
    double          num;            // FIELD_NUM, FIELD_BOOL
    char            str[48];        // FIELD_STR, any bytes, NUL-terminated
};

#define DECODE_FIELDS 48
struct decode {
    enum protocol protocol;
    struct meas   t_s, freq_hz;
    double        snr_db;
    double        freq_err_hz;      // as of a finding
    bool          clipped;          // while the converter was at its stops
    bool          assisted;         // won with help from earlier frames of the same aircraft
    char          check[24];        // "crc24a+crc16"
    uint16_t      raw_len;
    uint8_t       raw[256];
    unsigned      n_fields;
    struct field  field[DECODE_FIELDS];
};

// Soft bits of a frame that failed its checks: LLRs after de-rate-matching, three streams of
// K + 4 = 1412 (systematic, parity 1, parity 2), + means 0.  For the track thread only.
struct droneid_soft { float llr[3][1412]; };

// What a DroneID receiver measured, checks passed or not.
struct droneid_seen {
    bool        seen;               // a root-600 / root-147 pair in the right distance
    bool        verified;           // the whole burst structure holds: may be reported alone
    bool        crc_ok;
    bool        cut;                // by a gap or the file's end
    unsigned    symbols;            // 8 or 9
    struct meas t_s, freq_hz, snr_db;   // start of the burst, centre, in 9.015 MHz
    double      metric;             // combined normalised preamble correlation, 0..1
};

struct finding {
    uint64_t            id;         // of the burst; parts of a run share it
    enum burst_part     part;
    uint32_t            hyp, flags; // enum burst_hyp, enum burst_flags
    enum iq_origin      origin;
    bool                reject;     // no burst: a candidate that did not hold, one told ahead, or
                                    // a product that is no run
    enum product        product;    // it is nobody's signal
    double              freq_err_hz;    // of the receiver's crystal, corrected; 0: not known
    // A DroneID burst is told ahead, without waiting for the energy detector: droneid, decode and
    // soft, and of fp only place and level.  Its burst comes some 30 ms later, again, with the same
    // id (unless a stronger claim took its place), and repeats neither decode nor soft.
    bool                ahead, again;
    double              rate_hz, centre_hz, gain_db;    // of the capture, then
    struct fingerprint  fp;
    struct droneid_seen droneid;
    struct decode      *decode;     // n_decode of them, owned; NULL when none
    unsigned            n_decode;
    struct droneid_soft *soft;      // owned; NULL unless the frame failed and decoding is on
    uint64_t            tick;       // every burst that ends before this sample index has been told
    bool                shelved;    // the chain's own: where its memory goes back to
};

// ---- Spectrum for display and health, twice a second -----------------------------------------

struct psd_frame {
    double   t_s, centre_hz, rate_hz;
    unsigned bins;                  // lowest frequency first
    const float *psd_db;            // dBFS per bin
    float    floor_db;              // noise floor per bin
    float    occupancy;             // share of cells above the threshold
};

// ---- The chain -------------------------------------------------------------------------------

enum droneid_mode { DRONEID_OFF, DRONEID_RECOGNISE, DRONEID_DECODE };

// The source's pool must hold at least so many blocks (iq_file_cfg.pool_blocks): blocks are the
// history that cut-outs are taken from.  With fewer the chain could wait for itself.
#define DSP_POOL_BLOCKS 256
#define DSP_TICK_S      0.050

struct dsp_cfg {
    struct iq_source *source;       // borrowed; read by the chain's source thread only
    unsigned          threads;      // workers, 1..64; 0: processors there are
    enum droneid_mode droneid;
    bool              steps;        // the gain may be stepped: a radio that stays at one place
    bool              gain_auto;    // and set, within what its profile says
    const struct hw_profile *profile;   // of the radio, borrowed; NULL: nothing known of it
    // A finding, too, each DSP_TICK_S of sample time without another: a reject without hyp that
    // only carries the tick.
    bool              ticks;
    // Called on the thread that calls dsp_next; the frame is valid during the call.  May be NULL.
    void            (*on_psd)(const struct psd_frame *f, void *arg);
    void             *arg;
};

struct dsp_self {                   // what the receiver knows of itself
    double   image_dbc, image_err_db;   // of its image, taken away; 0: none is known
    uint64_t image_changes, steps;      // steps of the gain, to tell products
    double   deaf_s;                    // in which the floor was made of them
};

struct dsp_counts {
    uint64_t bursts, runs, rejected;    // told; long ones; standing candidates that did not hold
    uint64_t cut_dropped, droneid_candidates, droneid_seen, droneid_crc_failed; // cut: no samples
    uint64_t cand_dropped;      // claims of the detectors for which there was no room or time
    uint64_t products[PRODUCT_COUNT];   // masked; of a run each part counts
    struct dsp_self self;
};

struct dsp *dsp_new(const struct dsp_cfg *cfg);         // NULL: no memory
// Waits; NULL at the end of the source.  The caller owns the finding.  One thread.
struct finding *dsp_next(struct dsp *d);
void finding_free(struct finding *f);                   // NULL is fine
// After dsp_next returned NULL.
const struct dsp_counts *dsp_counts(const struct dsp *d);
struct dsp_now {                    // so far
    double      deaf_s, gain_db;    // gain_db: of the samples just now, NAN none yet
    uint64_t    gain_changes;       // by gain_auto; why the last one, "" never
    const char *gain_why;
};
struct dsp_now dsp_now(const struct dsp *d);            // any thread
void dsp_free(struct dsp *d);                           // NULL is fine; may be called early

// ---- DroneID with memory (track thread) ------------------------------------------------------
// A-priori bits from earlier frames of one aircraft help a frame that failed alone.

struct droneid_memory;
struct droneid_memory *droneid_memory_new(void);
void droneid_memory_free(struct droneid_memory *m);
// Remembers a frame with valid checks (its transmission's measurements key it).
void droneid_memory_learn(struct droneid_memory *m, const struct finding *f);
// Tries again with what is remembered of aircraft that fit; on success fills *ret (assisted = true)
// and returns 1; 0 when it does not hold or brings nothing new.
int  droneid_memory_help(struct droneid_memory *m, const struct finding *f, struct decode *ret);
