// SPDX-License-Identifier: GPL-3.0-or-later
// Families of the contract, section 2.
#include "classifier/families.h"

#include <string.h>

const char *const families[] = {
    "expresslrs", "mlrs", "crossfire", "tracer", "ghost", "frsky-d8", "frsky-d16", "frsky-r9",
    "frsky-access", "futaba-sfhss", "futaba-fasst", "hott", "hitec", "radiolink", "corona",
    "redpine", "kyosho", "pelikan", "jeti", "flysky-afhds", "flysky-afhds2a", "hubsan", "mjx-bugs",
    "wfly", "dsm2", "dsmx", "devo", "mlink", "nrf24-toy", "sik", "openlrs", "microhard",
    "dji-droneid", "dji-ocusync", "dji-lightbridge", "remote-id", "dji-wifi", "wifi-drone",
    "wfb-ng", "openhd", "hdzero", "walksnail", "analog-fpv",
    // of no drone
    "wifi", "bluetooth", "ble", "zigbee", "lorawan", "meshtastic", "lte", "nr", "dect",
    "microwave-oven", "wmbus", "ook-remote", "rfid", "wireless-mic", "hid-2g4", "dsrc", "analog-av",
    "radar", "adsb", "spur", "cw", "noise",
    // groups
    "unknown-hopper", "unknown-ofdm", "unknown", NULL
};

bool family_known(const char *family, bool *ret_not_drone)
{
    bool not_drone = false;

    for (unsigned i = 0; strcmp(families[i], "unknown-hopper"); i++) {
        not_drone = not_drone || !strcmp(families[i], "wifi");
        if (strcmp(families[i], family))
            continue;
        *ret_not_drone = not_drone;
        return true;
    }
    return false;
}
