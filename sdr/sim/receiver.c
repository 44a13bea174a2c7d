// SPDX-License-Identifier: GPL-3.0-or-later
// The receiver's own marks.  A direct-conversion receiver whose quadrature arm has gain g and is
// off by the angle p gives  I' = I,  Q' = g (Q cos p + I sin p):  each signal gets an image at the
// mirrored frequency, |1 - g e^(-jp)|^2 / |1 + g e^(jp)|^2 of its power.  Then DC, then the
// converter.
#include "sdr/sim/receiver.h"

#include <assert.h>
#include <math.h>

void receiver_init(struct receiver *r, const struct scene_receiver *rx, double gain_db)
{
    double g = pow(10, rx->iq_gain_db / 20), p = rx->iq_phase_deg * M_PI / 180;
    double dc_db = fmin(rx->dc_dbfs + rx->dc_per_db * gain_db, 0);
    double dc = rx->dc_dbfs > -300 ? pow(10, dc_db / 20) : 0, a = rx->dc_deg * M_PI / 180;
    r->ops = receiver_ops();
    r->marks = (struct receiver_marks){
        .q = (float)(g * cos(p)), .i = (float)(g * sin(p)),
        .dc_i = (float)(dc * cos(a)), .dc_q = (float)(dc * sin(a)),
        .full = rx->adc_bits ? (float)((1 << (rx->adc_bits - 1)) - 1) : 0,
    };
}

void receiver_cf32(const struct receiver *r, float complex *x, size_t n)
{
    r->ops->cf32(&r->marks, (float *)x, n);
}

void receiver_ci16(const struct receiver *r, const float complex *x, int16_t *ret, size_t n)
{
    assert(r->marks.full > 0);
    r->ops->ci16(&r->marks, (const float *)x, ret, n);
}
