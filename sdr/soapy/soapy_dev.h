// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: a scene or a recording as a radio, for SoapySDR (driver=tyto).  All of the
// device but its C++ coat, which is sdr/soapy/soapy_module.cpp and only translates.
//
//     iq_open_sim / iq_open_file, paced           thread "tyto-air"
//          |  every block, whether read or not; some left out on request
//       queue (refuses when full)  <- 128 blocks, about 0.1 s, as a driver's buffers
//          |  a hole in the indices is OVERFLOW, told once, and the time stamps jump by the loss
//     soapy_dev_read                              the program's thread
//
// Time stamps are a sample clock: hardware time of the start of the air + index / rate.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SOAPY_WHY 512           // as IQ_WHY

struct soapy_pair { const char *key, *value; };

enum soapy_time { SOAPY_TIME_GOOD, SOAPY_TIME_NONE, SOAPY_TIME_JUMP };

// Device arguments, read.  docs/RADIOS.md is their reference.
struct soapy_cfg {
    char     scene[512], file[512], format[8], serial[64];
    uint64_t seed;
    bool     seed_given;
    double   rate_hz, freq_hz;  // of a raw file; freq_hz NAN: not given
    bool     loop;
    // faults; 0: never
    unsigned overflow_every;    // of so many blocks one is lost
    double   stall_after_s, hang_after_s, crash_after_s, unplug_after_s, unplug_for_s;
    char     unplug_mark[512];  // file that says "unplugged" to other processes
    bool     unplug_unsupported;    // the error then is NOT_SUPPORTED, else STREAM_ERROR
    bool     timeout_only, fail_open, short_reads;
    enum soapy_time time;
    unsigned time_jump_every;   // blocks
    double   time_jump_s;
};

// 0, or -EINVAL with a sentence: unknown keys are refused, so that no fault is asked for in vain.
int  soapy_cfg_read(struct soapy_cfg *ret, const struct soapy_pair *p, size_t n,
                    char why[SOAPY_WHY]);
bool soapy_cfg_present(const struct soapy_cfg *c);      // false: it is unplugged
void soapy_cfg_unplug(const struct soapy_cfg *c);       // leaves the mark
const char *soapy_scene_builtin(const char *name);      // its YAML; NULL: none of that name
const char *soapy_scene_name(size_t i);                 // of all there are; NULL past the last

struct soapy_dev;

// 0, or -errno with a sentence.
int  soapy_dev_new(struct soapy_dev **ret, const struct soapy_cfg *c, char why[SOAPY_WHY]);
void soapy_dev_free(struct soapy_dev *d);

struct soapy_about { double rate_hz, centre_hz, tune_lo_hz, tune_hi_hz; const char *origin; };
void soapy_dev_about(const struct soapy_dev *d, struct soapy_about *ret);
int  soapy_dev_tune(struct soapy_dev *d, double centre_hz, char why[SOAPY_WHY]);
int  soapy_dev_set_rate(struct soapy_dev *d, double rate_hz, char why[SOAPY_WHY]);

#define SOAPY_GAIN_DB     30.0  // at which samples are as the scene or the recording has them
#define SOAPY_GAIN_MAX_DB 60.0
void   soapy_dev_set_gain(struct soapy_dev *d, double gain_db);
double soapy_dev_gain(const struct soapy_dev *d);

bool    soapy_dev_has_time(const struct soapy_dev *d);
int64_t soapy_dev_time_ns(const struct soapy_dev *d);
void    soapy_dev_set_time_ns(struct soapy_dev *d, int64_t t_ns);
double  soapy_dev_lag_s(const struct soapy_dev *d);     // how far the air is behind the clock

// The one stream: complex int16 (full scale 32768), or complex float (full scale 1).
size_t soapy_dev_mtu(const struct soapy_dev *d);
int    soapy_dev_start(struct soapy_dev *d, bool floats);
void   soapy_dev_stop(struct soapy_dev *d);

enum soapy_read {
    SOAPY_TIMEOUT = -1, SOAPY_ERROR = -2, SOAPY_OVERFLOW = -4, SOAPY_UNSUPPORTED = -5
};
// Samples (at most n), or an enum soapy_read.  *ret_has_time: *ret_t_ns is of the first sample.
int    soapy_dev_read(struct soapy_dev *d, void *dst, size_t n, long timeout_us,
                      bool *ret_has_time, int64_t *ret_t_ns);

#ifdef __cplusplus
}
#endif
