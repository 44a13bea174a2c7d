// SPDX-License-Identifier: GPL-3.0-or-later
// Where LoRa is sent: channels of the links in use, by bandwidth.
#pragma once

#define RASTER_SF_MIN 5
#define RASTER_SF_MAX 11

struct raster_channel {
    double   f_hz;              // offset from the capture's centre
    double   bw_hz;
    unsigned up, down;          // bit sf: looked for with up-chirps, with down-chirps
};

// Bandwidths there are, widest first; 0 ends them.
extern const double raster_bandwidths[];

// Channels that lie wholly in the capture, grouped by bandwidth (widest first), within one by
// what is looked for and then by frequency; at most `most` are written; the number of them.
unsigned raster_channels(double centre_hz, double rate_hz, unsigned most,
                         struct raster_channel *ret);
