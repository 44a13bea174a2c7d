// SPDX-License-Identifier: GPL-3.0-or-later
// What noise does to the standing detectors' statistics.
#pragma once

// Sum of k independent values n * Beta(1, n - 1): a bin's power over the mean of the n bins of its
// transform.  What it exceeds with probability p.
double law_sum_limit(unsigned n, unsigned k, double p);
// One value n * Beta(1, n - 1): n |rho|^2 of n samples against a known waveform.
double law_one_limit(unsigned n, double p);
