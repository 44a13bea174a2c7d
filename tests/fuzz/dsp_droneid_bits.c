// SPDX-License-Identifier: GPL-3.0-or-later
// Any LLRs through the bit stage and the memory: input bytes are signed LLRs, repeated as often as
// needed; the first byte scales them, up to values no receiver gives.
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "dsp/droneid/droneid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct did_tables t;
    static struct did_turbo *turbo;
    static struct droneid_memory *memory;
    static float air[DID_CODED], soft[3][DID_STREAM];
    static struct droneid_soft llr;
    uint8_t block[DID_BLOCK];
    struct decode d;
    if (!turbo) {
        did_tables_init(&t);
        turbo = did_turbo_new(&t);
        memory = droneid_memory_new();
    }
    if (size < 2 || !turbo || !memory)
        return 0;
    float scale = ldexpf(1, (int8_t)data[0] / 8);
    for (int e = 0; e < DID_CODED; e++)
        air[e] = scale * (int8_t)data[1 + (size_t)e % (size - 1)];
    did_rate_recover(&t, air, llr.llr);
    int ok = did_turbo_run(turbo, (const float (*)[DID_STREAM])llr.llr, NULL, 2, true, block);
    if (ok && did_frame(block, &d)) {
        d.t_s.v = 1;
        droneid_memory_learn(memory, &(struct finding){ .decode = &d, .n_decode = 1 });
    }
    if (!ok) {
        did_turbo_soft(turbo, soft);
        for (int i = 0; i < DID_STREAM; i++)
            assert(!(fabsf(soft[0][i]) > 1.001f));
    }
    struct finding f = { .soft = &llr, .droneid = { .seen = true, .t_s = { 2, 0 } } };
    droneid_memory_help(memory, &f, &d);
    return 0;
}
