// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room, tyto-radio only: one SoapySDR device, opened and set.
#pragma once

#include <SoapySDR/Device.h>

#include "sdr/radio/talk.h"

struct radio_device {
    SoapySDRDevice *dev;
    SoapySDRStream *stream;
    size_t   channel;
    enum iq_format format;
    const char *soapy_format;
    size_t   size, mtu, want;   // bytes a sample; samples a buffer; samples a read, whole buffers
    void    *buf;               // want samples
    int      shift;             // bits that its full scale lacks to ci16's
    int      trust_time;        // of the profile: 1, 0, -1 not known
    double   rate_hz, centre_hz, gain_db;
    bool     filtered;          // a bandwidth was set, ever
    struct talk_ask set;        // what was asked last
    char     driver[32], origin[16], name[160];
};

int  device_open(struct radio_device *d, const struct talk_ask *ask, char why[400]);
int  device_restart(struct radio_device *d, char why[400]);     // the stream only
// Samples, or SOAPY_SDR_x.
int  device_read(struct radio_device *d, int *flags, long long *time_ns, long wait_us);
void device_scale(struct radio_device *d, uint32_t n);          // the samples just read
// What of it differs from what was asked last, all after a failure; centre_hz and gain_db are then
// the true ones.
int  device_tune(struct radio_device *d, const struct talk_ask *a);
bool device_now(struct radio_device *d, int64_t *ret_ns);       // its sample clock; false: none
void device_hello(const struct radio_device *d, struct talk_hello *ret);
