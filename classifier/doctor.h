// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: what is wrong on this machine, and the mend.
//
// Each check is one line of doctor_checks and one function, which looks and says findings:
//
//     doctor_say(d, DOCTOR_WRONG, "chrony, or ...", "the clock is %s", ...);
//
// A note is worth knowing but stops nobody.  A finding that is wrong always says what to do.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum doctor_state { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WRONG };
const char *doctor_state_name(enum doctor_state s);

struct sensord_cfg;

struct doctor {
    // asked for
    const char *config;         // sensord's configuration
    const char *keys, *spool;   // folders; NULL: the configuration's, else the usual ones
    const char *device;         // SoapySDR arguments of the radio to measure; NULL: all found
    const char *plugin_path;    // where drivers are; NULL: SoapySDR's own place
    const char *gps_port;       // of gpsd, NULL: 2947
    double      seconds, rate_hz, freq_hz;  // of the measurement; 0: chosen by the profile
    bool        tune;           // measure transforms before they are looked at
    // how it is told: check is a name of the table; mend NULL where nothing is to be done
    void (*tell)(void *arg, const char *check, enum doctor_state s, const char *what,
                 const char *mend);
    void       *arg;
    // own
    const char *check;
    unsigned    count[3];       // findings by state
    const struct sensord_cfg *cfg;          // what was configured, NULL: nothing that can be read
};

struct doctor_check { const char *name, *about; void (*run)(struct doctor *d); };
extern const struct doctor_check doctor_checks[];       // ended by a name of NULL

// Reads the configuration; before all checks, so that they look where it says.
int  doctor_read(struct doctor *d, struct sensord_cfg *into, char why[512]);
void doctor_run(struct doctor *d, const struct doctor_check *c);
__attribute__((format(printf, 4, 5)))
void doctor_say(struct doctor *d, enum doctor_state s, const char *mend, const char *fmt, ...);

// Radios on the bus: their ids against the profiles', and whether we may open their nodes.
// sys: "/sys/bus/usb/devices", dev: "/dev/bus/usb".
void doctor_usb(struct doctor *d, const char *sys, const char *dev);
// One line of `tyto-radio --list` to arguments that open that device; false: it has no driver.
bool doctor_args(const char *line, char *driver, size_t driver_size, char *args, size_t args_size);

// Devices that fit SoapySDR arguments (NULL: all that show themselves).  False: tyto-radio, which
// lists them, could not be started.
#define DOCTOR_RADIOS 8
struct doctor_found { unsigned n; char driver[DOCTOR_RADIOS][64], args[DOCTOR_RADIOS][512]; };
bool doctor_list(const struct doctor *d, const char *wanted, struct doctor_found *ret);
// The value of key in "key=value, key=value", up to the next ", word="; false: it has none.
bool doctor_value(const char *line, const char *key, char *ret, size_t size);

#define DOCTOR_SPOOL "/var/lib/tyto"     // where nothing else is known

void doctor_clock(struct doctor *d);
void doctor_plans(struct doctor *d);
struct hw_keepers;
void doctor_keepers(struct doctor *d, const struct hw_keepers *k);
void doctor_place(struct doctor *d);
void doctor_drivers(struct doctor *d);
void doctor_radio(struct doctor *d);

// A sensor that runs with this configuration tells its radios' rate and loss itself (they are not
// to be opened twice).  False: none runs, and nothing was said.
bool doctor_running(struct doctor *d);
bool doctor_told(const struct doctor *d);       // does one run? (of a configuration with a post)
// Rate and loss of one radio, measured or told, and the verdict.
struct doctor_rate {
    const char *name;
    double   rate_hz, measured_hz, seconds;     // measured_hz 0: not known
    double   jitter_s;          // how late this machine looked at times: bounds what can be judged
    uint64_t lost, overflows, restarts, errors, jumps;
    bool     hardware_time;
    const char *what, *how;     // last trouble; "" or " (told by the running sensor)"
};
void doctor_judge(struct doctor *d, const struct doctor_rate *r);
