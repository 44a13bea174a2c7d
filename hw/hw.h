// SPDX-License-Identifier: GPL-3.0-or-later
// The box: what the machine can do, what its radio can do, where it stands and what time it is.
// (hw/keys.h is the room's second door: the keys.)
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Instruction sets the hot kernels are built for, worst to best; the numbers are comparable.
enum hw_isa { HW_ISA_PLAIN, HW_ISA_X86_V2, HW_ISA_X86_V3, HW_ISA_X86_V4 };

// The best set of this machine, found once; TYTO_ISA=plain|v2|v3|v4 in the environment lowers it
// (never raises it), for tests and for comparing.  Thread-safe.
enum hw_isa hw_isa(void);

// Defines NAME(): the table of functions TYPE NAME_ISA that was compiled for this machine's set.
#ifdef __x86_64__
#define HW_PICK(type, name)                                                     \
    extern const struct type name##_plain, name##_v2, name##_v3, name##_v4;     \
    const struct type *name(void)                                               \
    {                                                                           \
        switch (hw_isa()) {                                                     \
        case HW_ISA_X86_V4: return &name##_v4;                                  \
        case HW_ISA_X86_V3: return &name##_v3;                                  \
        case HW_ISA_X86_V2: return &name##_v2;                                  \
        default:            return &name##_plain;                               \
        }                                                                       \
    }
#else
#define HW_PICK(type, name)                                                     \
    extern const struct type name##_plain;                                      \
    const struct type *name(void) { return &name##_plain; }
#endif
const char *hw_isa_name(enum hw_isa isa);

// Which processor this is, one line: maker, family, model, stepping, name ("unknown" if untold).
#define HW_CPU_NAME 160
void hw_cpu_name(char ret[HW_CPU_NAME]);

// Processors this process may run on, at least 1.
unsigned hw_cpus(void);
// How many of them nobody used over the next so many seconds; < 0: the kernel does not tell.
double hw_cpus_idle(double seconds);

// Directory of the running program into dir (no trailing slash); 0 or -errno.  Data files are
// found beside it: <dir>/../share/tyto.
int hw_program_dir(char *dir, size_t size);

#define HW_WHY 512              // room for one sentence

// ---- Profiles: what a radio model can do, as data (hw/profiles/NAME.yaml) ---------------------

// Where a figure comes from.
enum hw_evidence { HW_DATA_SHEET, HW_DRIVER_SOURCE, HW_MEASURED };
const char *hw_evidence_name(enum hw_evidence e);   // "data sheet", ...

#define HW_RATES 16
struct hw_figure { double v; enum hw_evidence evidence; };  // v NAN: nobody says
struct hw_profile {
    char   name[32];            // "rtlsdr", "hackrf", "b2xx", "bladerf2", "airspy", "tyto"
    char   title[64];           // as people call it
    char   driver[32];          // SoapySDR's driver key
    char   package[48];         // Debian package that brings the driver
    char   format[8];           // native stream format: "ci16", "ci8", "cu8", "cf32"
    struct hw_figure freq_lo_hz, freq_hi_hz;
    struct hw_figure rate_lo_hz, rate_hi_hz;        // what the device can be set to
    struct hw_figure rate_sustained_hz;             // what arrives without loss on a usual host
    double rates_hz[HW_RATES];  // where only certain rates are possible, else none
    unsigned n_rates;
    struct hw_figure settle_s;  // samples older than this after a retune are not to be trusted
    struct hw_figure clock_ppm; // crystal, as delivered
    struct hw_figure bits;      // effective bits of the converter
    struct hw_figure clock_hz;  // the reference whose multiples leak into what it receives
    struct hw_figure full_dbm;  // calibration: what fills the converter (0 dBFS) at gain_db, ...
    struct hw_figure full_err_db;   // ... and its standard error, over the range of frequencies
    struct hw_figure gain_lo_db, gain_hi_db;    // within which the sensor may set it; NAN: not
    double gain_db;             // to start with
    bool   hardware_time;       // time stamps of the driver are a sample clock, not the host's
    bool   remote;              // reached over a network: origin cannot be proven live
    char   udev[256];           // "vvvv:pppp" of its USB ids, separated by blanks
};
// name: a profile's name, or a path to a file.  0, or -errno with file and line.
int hw_profile_load(struct hw_profile *ret, const char *name, char why[HW_WHY]);
// Names of all there are, one a call from 0; NULL past the last.  Sorted.
const char *hw_profile_name(size_t i);
// The profile for a SoapySDR driver key, by name; NULL: none.
const char *hw_profile_for_driver(const char *driver);

// ---- Policy ----------------------------------------------------------------------------------

// Where an installation has this file, no command and no configuration widens what it allows:
//
//     droneid: recognise           # off, recognise (also where this line is missing), decode
//     record: never                # see tyto-record(1)
//     keep: evidence               # off (also where this line is missing): see docs/RADIOS.md
#define HW_POLICY_PATH "/etc/tyto/policy.yaml"
#define HW_WHERE 256
enum hw_droneid { HW_DRONEID_OFF, HW_DRONEID_RECOGNISE, HW_DRONEID_DECODE };
const char *hw_droneid_name(enum hw_droneid level);
// The most that is allowed, by that file and, where not NULL, a further one (which must be there to
// count, and can only narrow); where: file and line that say so, "" where nobody does.  -EINVAL
// with a sentence for a file that cannot be understood: nothing is allowed then.
int hw_policy_droneid(const char *further, char where[HW_WHERE], char why[HW_WHY]);

// May a sensor keep samples of what it alarms for?  1 where every policy there is says so (that
// file and `further`; without any, nothing is allowed) and none has `record: never`; 0 and where.
int hw_policy_keep(const char *further, char where[HW_WHERE], char why[HW_WHY]);

// ---- Place and time --------------------------------------------------------------------------

// How good the system's clock is, from the kernel (adjtimex) and from chrony where it was asked.
struct hw_clock {
    char    source[16];         // "gnss" "ntp" "rtc" "none": what disciplines it
    bool    locked;
    double  age_s;              // since it was last corrected; < 0 not known
    int64_t err_ns;             // bound on its error
};
void hw_clock_read(struct hw_clock *ret);
// Asks chronyd on this machine for hw_clock_read, which tells what it said for a minute from then.
// Waits at most 50 ms; one thread, every 10 s or so.
void hw_clock_ask(void);

// Who keeps the clock, asked now (takes up to 0.2 s).
struct hw_keepers {
    bool     kernel;            // its clock is marked as kept right, by whomever
    bool     chrony, chrony_answers, chrony_synchronised, chrony_gnss;  // runs; ...
    char     chrony_source[48];
    unsigned chrony_stratum;
    double   chrony_err_s, chrony_age_s;    // bound; since its last measurement, < 0 not known
    bool     timesyncd;         // systemd's, runs
    double   timesyncd_age_s;   // since it last set the clock; < 0: not since the start
};
void hw_keepers_read(struct hw_keepers *ret);

// The lowest process of that name (as in /proc/PID/comm); 0: none is to be seen.
long hw_process(const char *name);

// Where the box stands.
struct hw_place {
    bool   known;
    char   source[16];          // "gpsd" "config" "none"
    double lat_deg, lon_deg, alt_m, err_m;  // err_m: 95 % horizontal; alt_m NAN not known
    double age_s;               // of the fix
    unsigned satellites;
    double clock_off_s;         // this machine's clock less the receiver's; NAN not known
};
// A client of gpsd on host:port (NULL: 127.0.0.1:2947), reading in a thread of its own, which
// tries again for ever.  NULL: no memory.
struct hw_gps;
struct hw_gps *hw_gps_new(const char *host, const char *port);
void hw_gps_read(struct hw_gps *g, struct hw_place *ret);      // any thread; never waits
// What gpsd said and is not believed: how often, and why the last time ("" never).
uint64_t hw_gps_refused(const struct hw_gps *g, const char **ret_why);
void hw_gps_free(struct hw_gps *g);

// Free bytes on the file system of path, or -errno.
int64_t hw_disk_free(const char *path);
// Share of one core that this process used since the last call with the same *state (0 at first).
double hw_cpu_share(int64_t state[2]);
int64_t hw_rss_bytes(void);
double hw_temperature_c(void);  // hottest thermal zone; NAN not known
