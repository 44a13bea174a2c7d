// SPDX-License-Identifier: GPL-3.0-or-later
// How a mean power of noise is distributed: a gamma law with so many degrees of freedom.
#pragma once

#include <math.h>

// Standard normal deviate of probability p (Abramowitz and Stegun 26.2.23, error 4.5e-4).
static inline double normal_quantile(double p)
{
    double t = sqrt(-2 * log(p < 0.5 ? p : 1 - p));
    double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                   (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    return p < 0.5 ? -z : z;
}

// Quantile p of a gamma variable of mean 1 with dof degrees of freedom (Wilson and Hilferty).
static inline double gamma_quantile(double p, double dof)
{
    double c = 1 / (9 * dof), r = 1 - c + normal_quantile(p) * sqrt(c);
    return r > 0.05 ? r * r * r : 0.000125;
}
