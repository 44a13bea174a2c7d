// SPDX-License-Identifier: GPL-3.0-or-later
// Product codes of DroneID frames, as observers have collected them; there is no official list.
#include "dsp/droneid/droneid.h"

static const struct { uint8_t code; const char *name; } products[] = {
    { 1, "Inspire 1" }, { 2, "Phantom 3" }, { 3, "Phantom 3" }, { 4, "Phantom 3 Standard" },
    { 5, "Matrice 100" }, { 6, "ACEONE" }, { 7, "WKM" }, { 8, "NAZA" }, { 9, "A2" }, { 10, "A3" },
    { 11, "Phantom 4" }, { 12, "MG1" }, { 14, "Matrice 600" }, { 15, "Phantom 3 4K" },
    { 16, "Mavic Pro" }, { 17, "Inspire 2" }, { 18, "Phantom 4 Pro" }, { 20, "N2" },
    { 21, "Spark" }, { 23, "Matrice 600 Pro" }, { 24, "Mavic Air" }, { 25, "Matrice 200" },
    { 26, "Phantom 4 series" }, { 27, "Phantom 4 Advanced" }, { 28, "Matrice 210" },
    { 30, "Matrice 210 RTK" }, { 31, "A3 AG" }, { 32, "MG2" }, { 34, "MG1A" },
    { 35, "Phantom 4 RTK" }, { 36, "Phantom 4 Pro V2" }, { 38, "MG1P" }, { 40, "MG1P RTK" },
    { 41, "Mavic 2" }, { 44, "Matrice 200 V2" }, { 51, "Mavic 2 Enterprise" },
    { 53, "Mavic Mini" }, { 58, "Mavic Air 2" }, { 59, "Phantom 4 Multispectral" },
    { 60, "Matrice 300 RTK" }, { 61, "DJI FPV" }, { 63, "Mini 2" }, { 64, "Agras T10" },
    { 65, "Agras T30" }, { 66, "Air 2S" }, { 67, "Matrice 30" }, { 68, "Mavic 3" },
    { 69, "Mavic 2 Enterprise Advanced" }, { 70, "Mini SE" }, { 73, "Mini 3 Pro" },
    { 240, "Yuneec H480" },
};

const char *did_product(unsigned code)
{
    for (unsigned i = 0; i < sizeof(products) / sizeof(*products); i++)
        if (products[i].code == code)
            return products[i].name;
    return NULL;
}
