// SPDX-License-Identifier: GPL-3.0-or-later
// Bluetooth Low Energy's advertisements: preamble and access address, which all of them share, on
// channels 37, 38 and 39.  Nothing behind the address is read.
#pragma once

#include <stdbool.h>

#include "dsp/stand/chan.h"
#include "dsp/stand/stand.h"
#include "dsp/stand/walk.h"

#define BLE_CHANNELS 3
#define BLE_DELAY    2          // samples: near 1 us, a bit
#define BLE_STEPS    48         // room for those of 40 us

struct ble_chan {
    struct chan     c;
    float complex  *x;          // samples, the last of the block before in front
    float          *re, *im;    // steps, likewise
    float          *p;
    unsigned        kept;       // steps in front
    uint64_t        have;       // steps since the restart
    double          peak;       // the largest of late, not told yet: power, step, angle
    int64_t         peak_at;
    float complex   peak_sum;
};

struct ble {
    double          rate_hz, chan_hz;   // of the capture, of channels
    unsigned        n, points, steps;
    struct dft     *inv;
    float          *window;
    float complex   w[BLE_STEPS];       // conjugates of the address's own steps
    double          limit;              // of rho^2 steps^2
    double          first_us;           // of the first step's sample into the preamble
    const struct walk_ops *op;
    struct ble_chan chan[BLE_CHANNELS];
    unsigned        channels;
    void          (*on_power)(void *arg, const float *p, unsigned n);   // a measurement's; NULL
    void           *on_power_arg;
};

int  ble_init(struct ble *b, double rate_hz, unsigned n);       // 0 or -ENOMEM
void ble_done(struct ble *b);
int  ble_tune(struct ble *b, double centre_hz);                 // likewise
void ble_restart(struct ble *b);
void ble_spec(struct ble *b, const struct wide_spec *s, struct stand_list *out);
void ble_end(struct ble *b, struct stand_list *out);
