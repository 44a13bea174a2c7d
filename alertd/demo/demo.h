// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: the demo runs the real daemons on a simulated event, in a folder of its own.
//
//     event.c   seed -> what happens when, two scenes, two configurations
//     folder.c  a temporary folder, made and removed
//     proc.c    a daemon as a process without rights, its lines, its end
//     tally.c   which of the event's drones were called, and what was called besides
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hw/keys.h"

#define DEMO_WHY   512
#define DEMO_PATH  400
#define DEMO_ACTS  4            // two aircraft, a control radio, a video link

// ---- The event -------------------------------------------------------------------------------

struct demo_act {               // something that has to be called, once
    char   who[64];             // for people: "a police drone"
    char   sign[32];            // what its line holds: a serial number, a mode's name
    double start_s;             // on the air from, seconds of sample time
    unsigned device;            // which hears it
};

struct demo_event {
    uint64_t seed;
    double   rate_hz[2];        // of the 2.4 and the 5.8 GHz device
    struct demo_act act[DEMO_ACTS];
    double   freq_hz[2];        // centre of each capture
    double   video_hz;
    bool     pal;
    double   snr_db[DEMO_ACTS];
    unsigned elrs_uid;
};

void demo_event_make(struct demo_event *e, uint64_t seed);
// Steps of rates, best first: the demo goes down them where the machine cannot keep up.
#define DEMO_STEPS 4
void demo_event_rate(struct demo_event *e, unsigned step);
unsigned demo_step(double cpus);        // the step that so many free processors carry
// Writes scenes and configurations into dir; 0 or -errno with a sentence.
int demo_event_write(const struct demo_event *e, const char *dir, char why[DEMO_WHY]);
int demo_sensor_write(const struct demo_event *e, const char *dir, const char *endpoint,
                      const char *post_key, const char *modules, char why[DEMO_WHY]);

// ---- Its folder and its processes ------------------------------------------------------------

// A fresh folder under TMPDIR, mode 0700, locked until this process ends.
int  demo_folder_make(char ret[DEMO_PATH], char why[DEMO_WHY]);
// Removes what demos of the same user left there that were killed; how many, and one of them.
unsigned demo_folder_sweep(char ret_one[DEMO_PATH]);
void demo_folder_give(const char *dir, uid_t uid);  // with all that is in it; uid -1: nothing
void demo_folder_remove(const char *dir);           // never follows a link out of it

struct demo_proc {
    pid_t  pid;                 // 0: none
    int    fd[2];               // its standard output and error, -1 when at their end
    size_t len[2];
    char   line[2][4096];
};

int demo_signals(void);         // blocks those that end us; a descriptor that tells of them, or -1
// Whom to be instead of root: uid of "nobody" where root runs the demo and nobody may run the
// program and use the folder (which is given to it), else -1.
uid_t demo_user(const char *program, const char *dir);
int   demo_become(uid_t uid);           // 0, or -1: rights stay as they are; uid -1: nobody else
int   demo_start(struct demo_proc *p, uid_t uid, const char *dir, char *const argv[],
                 char why[DEMO_WHY]);
// Reads what there is on fd[which] and gives each whole line to fn.
void  demo_lines(struct demo_proc *p, unsigned which, void (*fn)(const char *line, void *arg),
                 void *arg);
bool  demo_gone(struct demo_proc *p, int *ret_status);     // it has ended; told once
// Ends them in an orderly way, then the other way: SIGTERM, and after 3 s SIGKILL.
void  demo_stop(struct demo_proc *p, unsigned n);
// What they started and left behind comes to us (radios' processes, which end by themselves when
// their sensor is gone): from the first call on, until all have ended or 10 s are over; then how
// many are left and the lowest of them.
void  demo_adopt(void);
unsigned demo_orphans(pid_t *ret_one);

// ---- What was heard and called ---------------------------------------------------------------

struct demo_watch {
    double   samples, lost;     // of both radios
    double   heard_s[2];        // of the event, by each radio
    unsigned bad_rounds;        // health messages in a row that tell of too much loss
};
// The radios (an array) of one health message of the sensor.  early: losses do not count yet.
struct json_t;
void demo_weigh(struct demo_watch *w, const double rate_hz[2], const struct json_t *radios,
                bool early);

struct demo_tally {
    bool     called[DEMO_ACTS];
    double   after_s[DEMO_ACTS];        // from its first signal to the call, by the host's clock
    unsigned wrong;                     // drone alerts of nobody in the event
};
// A line of alertd's log: >= 0 the act it calls (first or again), -1 a drone alert of nobody,
// -2 something else.
int demo_tally_line(struct demo_tally *t, const struct demo_event *e, const char *line,
                    double event_s);
