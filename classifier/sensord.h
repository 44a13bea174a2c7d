// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: the parts of tyto-sensord.
//
//     [chain thread, one a radio]  dsp_next -> cls_push -> track, decode, burst, psd --.
//     [main thread]                health every 5 s, ledger every 10 s, signals -------+-> tell
//                                                                                      |
//     tell: a line on standard output where asked; to the publisher's thread  <--------'
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/queue.h"
#include "classifier/classifier.h"
#include "classifier/keep.h"
#include "classifier/pub.h"
#include "classifier/runs.h"
#include "classifier/site.h"
#include "hw/hw.h"
#include "sdr/scan.h"

#define SENSORD_WHY   512
#define SENSORD_PATH  256

// ---- Configuration (docs/sensord.yaml) -------------------------------------------------------

enum sensord_kind { RADIO_LIVE, RADIO_SCENE, RADIO_FILE };

struct sensord_radio {
    enum sensord_kind kind;
    char     name[32], profile[64], args[200], antenna[32], path[SENSORD_PATH], format[8];
    double   rate_hz, centre_hz, gain_db, bandwidth_hz, ppm;
    unsigned channel;
    uint64_t seed;
    bool     seed_given, freq_given;
    bool     gain_auto;                 // within what its profile gives
    bool     scan;                      // walks over bands of the plan
    uint32_t bands;                     // which, bit k for band k
    struct hw_profile hw;
};

struct sensord_cfg {
    char     name[48], keys_dir[SENSORD_PATH], sig_dir[SENSORD_PATH], plugin_path[SENSORD_PATH];
    char     endpoint[160], post_key[KEYS_Z85], spool_dir[SENSORD_PATH], local[100];
    double   spool_bytes, spool_s, heading_deg;
    bool     production;
    unsigned threads;                   // workers a radio, 0: shared out over the processors
    enum droneid_mode droneid;
    double   p_drone;
    bool     fixed;                     // the place is configured
    struct hw_place place;
    char     gpsd_host[64], gpsd_port[8];   // "" none
    char     bands[SENSORD_PATH];       // file or name of the band plan, "" none
    struct scan_plan plan;
    char     site_dir[SENSORD_PATH];    // baseline, "" none
    double   site_learn_s;
    bool     keeps;                     // evidence, as keep says (its radio, droneid, turn: later)
    struct keep_cfg keep;
    unsigned n_radios;
    struct sensord_radio radio[WIRE_RADIOS];
};

// 0, or -errno with a sentence that names file and line.
struct scan_reach sensord_reach(const struct sensord_radio *r);
// The plan's bands to the radios that scan (sensord_bands.c).
int sensord_bands(struct sensord_cfg *c, const char **ret_key, char why[SENSORD_WHY]);
// Whether its gain is set by what arrives; word: auto, fixed or NULL, as configured.
int sensord_gain(struct sensord_radio *r, const char *word, char why[SENSORD_WHY]);
int sensord_cfg_load(struct sensord_cfg *ret, const char *path, char why[SENSORD_WHY]);
// No other origin than live, where production is asked for?  Sentence and -EPERM otherwise.
int sensord_origin_ok(const struct sensord_cfg *c, const char *radio, enum iq_origin o,
                      bool exercise, char why[SENSORD_WHY]);

// ---- Where messages go -----------------------------------------------------------------------

struct tell {
    struct pub *pub;                    // NULL: no link
    bool        lines;                  // JSON Lines on standard output
    _Atomic(bool) *broken;              // standard output is gone
};
void tell_event(struct tell *t, const struct wire_msg *m);
void tell_view(struct tell *t, const struct wire_msg *m);
struct wire_view tell_wanted(const struct tell *t);
// The newest health as DIR/health.json, for who looks after the machine (tyto doctor); gone at an
// orderly end.  Nothing depends on it: a disk that is full keeps it old.
#define TELL_HEALTH "health.json"
void tell_health(const char *dir, const struct wire_msg *m);
void tell_health_end(const char *dir);

// What to say of the link in the journal: a log level and the sentence, 0: nothing more is due.
#define LINK_TEXT 600
struct link_told {                      // zero at the start
    bool     connected, waited;
    unsigned found;
    enum pub_denial denial;
    uint64_t lost_by[SPOOL_WHYS], dropped;
    double   lost_s[SPOOL_WHYS], dropped_s;
};
// The same of what gpsd said and is not believed.
struct place_told { uint64_t refused; double s; };
int place_words(struct place_told *t, const struct hw_gps *g, double now_s, char text[LINK_TEXT]);
// Takes what was measured of transforms beside the spool (dsp/plans.h); a sentence if it cannot.
int plans_words(const struct sensord_cfg *c, char text[LINK_TEXT]);
int link_words(struct link_told *t, const struct pub_stats *p, const struct sensord_cfg *c,
               double now_s, char text[LINK_TEXT]);     // now_s: since the start

// ---- One radio -------------------------------------------------------------------------------

#define SAY_TRACKS CLS_TRACKS

// What was last said of a track, to say only what matters.
struct said {
    char    id[24], serial[48];
    double  said_s, p_drone, last_s;
    uint32_t revision;                  // of what was said, which is more than the classifier's
    int     state, verdict, role;
    const char *family, *link;
    bool    told;
};

struct chain {
    const struct sensord_cfg   *cfg;
    const struct sensord_radio *r;
    unsigned           index;
    struct tell       *tell;
    struct queue      *turn;            // one token: FFTW's planner takes one at a time
    pthread_t          thread;
    bool               exercise;
    // the thread's own
    struct dsp        *dsp;
    struct cls        *cls;
    struct runs        runs;
    struct said        said[SAY_TRACKS];
    unsigned           n_said;
    struct wire_msg    msg, bursts;     // being filled
    double             clock_t_s;       // where UTC was first looked at, NAN not yet; and that
    int64_t            clock_utc_ns, clock_err_ns;
    double             bursts_s;        // sample time of the first burst in bursts
    int64_t            anchor_ns;       // UTC of sample 0 of what plays in process
    double             rate_hz;
    struct scan       *scan;            // NULL: stays where it is
    struct keeper      keeper;
    struct site        site;            // learn_s 0: none
    double             site_s, site_saved_s;    // last spectrum; last written
    // told to everybody
    _Atomic(struct iq_source *) src;    // set once; closed when all threads have ended
    _Atomic(struct keep *) keeps;       // set once, NULL: nothing is kept; freed as src is
    _Atomic double     t_s, floor_dbfs_hz, occupancy, centre_hz, now_rate_hz;
    _Atomic double     window_dbfs_hz[SCAN_STEPS]; // of a scan: floor of each window, NAN not known
    _Atomic double     busy[SCAN_BANDS], usual_busy[SCAN_BANDS];   // occupancy, NAN not known
    _Atomic double     deaf_s;          // seconds of samples, since the start, in which it was deaf
    _Atomic double     gain_db;         // as the samples have it, NAN not yet
    _Atomic uint64_t   gain_changes;    // by the sensor; and why the last one
    _Atomic(const char *) gain_why;
    _Atomic int64_t    moved_ns;        // monotonic, when t_s last grew
    _Atomic uint64_t   shed, clipped, decodes;
    _Atomic int        origin;
    _Atomic bool       stop, ended, refused, forbidden;    // forbidden: its origin, here
    char               why[SENSORD_WHY];    // valid once refused is set
    struct queue      *troubles;        // why it could not be opened, malloc'd, to the main thread
    // the main thread's
    char               trouble[160];
    uint64_t           ledger_lost, ledger_settled, clipped_told, samples_told;
    double             ledger_t_s, ledger_deaf_s;
    struct scan_seen   ledger_seen[SCAN_BANDS];
    struct keep_counts ledger_kept;
    uint64_t           gain_told, ledger_gains;
    double             gain_lo_db, gain_hi_db;      // since the last ledger, NAN none yet
    int                state_told;
};

int  chain_new(struct chain **ret, const struct sensord_cfg *cfg, unsigned i, struct tell *tell,
               struct queue *turn, bool exercise, char why[SENSORD_WHY]);
int  chain_start(struct chain *c);
void chain_stop(struct chain *c);
void chain_free(struct chain *c);       // after its thread has ended
int64_t chain_utc_ns(struct chain *c, double t_s, int64_t *ret_err_ns);

// What one finding or spectrum leads to (sensord_say.c), on the chain's thread.
void say_finding(struct chain *c, const struct finding *f);
void say_psd(const struct psd_frame *f, void *chain);
void say_end(struct chain *c);
void say_head(struct wire_msg *m, enum wire_kind kind, int64_t t_ns, int64_t err_ns,
              enum iq_origin origin);

// The baseline of a radio (sensord_site.c), on the chain's thread.
int  chain_site_open(struct chain *c, char why[SENSORD_WHY]);
void chain_site_psd(struct chain *c, const struct psd_frame *f);
void chain_site_end(struct chain *c);

// ---- The whole (sensord_health.c), on the main thread ----------------------------------------

struct health {
    const struct sensord_cfg *cfg;
    struct tell   *tell;
    struct chain **chain;
    struct hw_gps *gps;
    int64_t        start_ns, health_ns, ledger_ns, ledger_utc_ns, cpu[2];
    struct wire_msg msg;
};
void ledger_say(struct health *h, int64_t now_ns);      // sensord_ledger.c
// Live only where all are: what stands in the whole must not be better than its worst part.
enum iq_origin health_origin(const struct health *h);
// SNR in its own width at which nine of ten bursts of that width and length are found.
double ledger_snr_db(double link_hz, double link_s);
// Says what is due; force: now.  True where the watchdog may be fed.
bool health_work(struct health *h, int64_t now_ns, bool force);
