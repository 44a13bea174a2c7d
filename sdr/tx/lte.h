// SPDX-License-Identifier: GPL-3.0-or-later
// Inside sdr/tx: LTE's known signals, apart for the test (3GPP 36.211, chapter 6).
#pragma once

#include <complex.h>

#define LTE_SYNC 62             // carriers of PSS and SSS: -31 .. -1, 1 .. 31

// Primary: root 25, 29 or 34 for id2 0, 1, 2.
void lte_pss(unsigned id2, double complex d[LTE_SYNC]);

// Secondary: cell 0 .. 503, in subframe 0 or 5.
void lte_sss(unsigned cell, unsigned subframe, double d[LTE_SYNC]);
void lte_sss_shifts(unsigned id1, unsigned *ret_m0, unsigned *ret_m1);

// Reference signals of antenna port 0 in symbol l of slot ns: 2 blocks points, 6 carriers apart
// from the returned carrier (counted from the lowest) on.
unsigned lte_crs(unsigned cell, unsigned ns, unsigned l, unsigned blocks, double complex *r);
