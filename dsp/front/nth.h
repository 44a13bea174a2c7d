// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The k-th smallest of n (Hoare); reorders x.
static inline float nth(float *x, unsigned n, unsigned k)
{
    unsigned lo = 0, hi = n - 1;

    while (lo < hi) {
        float pivot = x[(lo + hi) / 2];
        unsigned i = lo, j = hi;
        for (;;) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i >= j)
                break;
            float t = x[i];
            x[i++] = x[j];
            x[j--] = t;
        }
        if (k <= j)
            hi = j;
        else
            lo = j + 1;
    }
    return x[k];
}
