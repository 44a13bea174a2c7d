// SPDX-License-Identifier: GPL-3.0-or-later
// The known parts of the DroneID waveform.
#include "dsp/droneid/droneid.h"

#include <math.h>

const int16_t did_symbol_at[DID_SYMBOLS] = {
    -3288, -2192, -1096, 0, 1096, 2192, 3288, 4384, 5488,   // the last prefix is 80 again
};

const int8_t did_symbol_data[DID_SYMBOLS] = { -1, 0, 1, -1, 2, -1, 3, 4, 5 };

float complex did_zc(int root, int n)
{
    // exp(-j pi u n (n+1) / 601); periodic in 2 * 601: kept whole, exact
    int64_t q = (int64_t)root * n * (n + 1) % (2 * DID_ZC_LEN);
    double  a = -M_PI * (double)q / DID_ZC_LEN;
    return (float)cos(a) + I * (float)sin(a);
}
