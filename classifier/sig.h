// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: the library of signatures, read from classifier/sig/*.yaml.
//
// One file a family.  A family has modes; a mode says what its waveform measures like, where it may
// be and how its packets fall in time.  What a file leaves out is not tested (0 or NULL here).
// docs: classifier/sig/README.md lists the keys.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "classifier/classifier.h"

// How the evidence of a family is weighed (classifier/judge.c holds the functions).
enum sig_judge {
    SIG_JUDGE_HOPPER,           // waveform, packet grid, packets a hop, raster: hop.c
    SIG_JUDGE_WAVEFORM,         // the ranges of the file alone
    SIG_JUDGE_DRONEID, SIG_JUDGE_OCUSYNC, SIG_JUDGE_VIDEO, SIG_JUDGE_WIFI, SIG_JUDGE_BLE,
    SIG_JUDGE_BLUETOOTH, SIG_JUDGE_LTE,
    SIG_JUDGES
};

// Where a number comes from, best first.
enum sig_evidence { SIG_RECORDED, SIG_CODE, SIG_STANDARD, SIG_COMPUTED, SIG_WEB, SIG_UNVERIFIED };

struct sig_range { double lo, hi; };

struct sig_mode {
    char            *link;              // name in the link catalogue; NULL: the family has no modes
    char           **alternatives;      // modes of the same waveform and cadence
    unsigned         n_alternatives;
    enum track_role  role;
    enum sig_kind    kind;
    double          *bands_hz;          // lower edge, upper edge, lower ...; none: anywhere
    unsigned         n_bands_hz;
    double           channel_start_hz, channel_step_hz;
    unsigned         channel_count;
    double          *channels_hz;       // a list instead of a raster
    unsigned         n_channels;
    double           channel_tolerance_hz;
    unsigned         sf;
    double           bw_hz, bw_tolerance;               // relative
    double           symbol_rate_bd, symbol_rate_tolerance;
    struct sig_range mod_index, deviation_hz;
    struct sig_range burst_s;
    double           period_s;
    unsigned         packets_per_hop, hop_channels;
    enum sig_evidence evidence;
    char            *source;
    unsigned         line;              // of the file, for messages
};

struct sig {
    unsigned         version;
    char            *family;            // contract's closed list
    enum verdict     verdict;
    enum sig_judge   judge;
    double           prior;             // share among emitters that reach this judge
    double           p_drone;           // of an emitter that is of this family
    bool             recorded;          // met in a recording; else confidence ends at SIG_CAP
    char            *date, *source;
    struct sig_mode *modes;
    unsigned         n_modes;
    char             file[64];          // name without its folder
};

#define SIG_CAP  0.95       // goals.md: until a family has been met in a recording
#define SIG_MAX  128        // families at most
#define SIG_FILE_MAX 262144 // bytes of one file

struct sigs {
    struct sig *sig[SIG_MAX];           // in order of file name
    unsigned    n;
};

// Reads every *.yaml in dir.  0, or -errno with one sentence naming file and line.
int  sigs_load(struct sigs *ret, const char *dir, char why[IQ_WHY]);
void sigs_free(struct sigs *s);
// One file's text (not NUL-terminated); name is for messages.
int  sig_parse(struct sig **ret, const char *name, const char *text, size_t len, char why[IQ_WHY]);
void sig_free(struct sig *s);
const struct sig *sigs_find(const struct sigs *s, const char *family);     // NULL: not there

// Where signatures are: dir, else $TYTO_SIG_DIR, else <program>/../share/tyto/sig.
int  sigs_dir(char *ret, size_t size, const char *dir);

// Checks what the schema cannot; sig_check.c.
int  sig_check(const struct sig *s, char why[IQ_WHY]);
bool sig_family_known(const char *family, bool *ret_not_drone);
