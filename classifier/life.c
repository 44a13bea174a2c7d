// SPDX-License-Identifier: GPL-3.0-or-later
// Tentative until its evidence suffices, then named; quiet when silent, and after long silence it
// has ended for good: what comes back later is a new track.
//
//                 NAMED             SILENT           GONE
//     tentative ---------> named <---------> quiet ---------> ended
//         |  GONE                   HEARD                       ^
//         +-----------------------------------------------------+
#include "classifier/life.h"

#include <assert.h>
#include <errno.h>

#define NO 0xff

static const unsigned char next[4][LIFE_EVENTS] = {
    /*                    HEARD            NAMED         SILENT           GONE        */
    [TRACK_TENTATIVE] = { TRACK_TENTATIVE, TRACK_NAMED,  TRACK_TENTATIVE, TRACK_ENDED },
    [TRACK_NAMED]     = { TRACK_NAMED,     TRACK_NAMED,  TRACK_QUIET,     NO          },
    [TRACK_QUIET]     = { TRACK_NAMED,     NO,           TRACK_QUIET,     TRACK_ENDED },
    [TRACK_ENDED]     = { NO,              NO,           NO,              NO          },
};

int life_move(enum track_state *s, enum life_event e)
{
    assert(*s <= TRACK_ENDED && e < LIFE_EVENTS);
    unsigned char n = next[*s][e];
    if (n == NO)
        return -EPERM;
    *s = (enum track_state)n;
    return 0;
}
