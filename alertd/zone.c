// SPDX-License-Identifier: GPL-3.0-or-later
// Is a position inside a zone: on the plane that touches the earth at the zone's middle (1 cm off
// over a kilometre).  Polygons by the crossing rule; their borders belong to neither side.
#include <math.h>

#include "alertd/core.h"

#define M_PER_DEG 111194.9      // of a great circle on a sphere of 6371 km

// Along a great circle.
double place_apart_m(double lat_deg, double lon_deg, double lat2_deg, double lon2_deg)
{
    double a = lat_deg * M_PI / 180, b = lat2_deg * M_PI / 180;
    double x = sin((b - a) / 2), y = sin((lon2_deg - lon_deg) * M_PI / 360);
    return 2 * asin(fmin(1, sqrt(x * x + cos(a) * cos(b) * y * y))) * M_PER_DEG * 180 / M_PI;
}

bool zone_holds(const struct alertd_zone *z, double lat_deg, double lon_deg)
{
    double k = cos(z->lat_deg * M_PI / 180);
    double x = remainder(lon_deg - z->lon_deg, 360) * k, y = lat_deg - z->lat_deg;
    bool in = false;
    if (!isfinite(x) || !isfinite(y) || hypot(x, y) * M_PER_DEG > z->radius_m * 1.01)
        return false;
    if (!z->n_points)
        return hypot(x, y) * M_PER_DEG <= z->radius_m;
    for (unsigned i = 0, j = z->n_points - 1; i < z->n_points; j = i++) {
        double xi = remainder(z->point[i].lon_deg - z->lon_deg, 360) * k;
        double xj = remainder(z->point[j].lon_deg - z->lon_deg, 360) * k;
        double yi = z->point[i].lat_deg - z->lat_deg, yj = z->point[j].lat_deg - z->lat_deg;
        if ((yi > y) != (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi)
            in = !in;
    }
    return in;
}
