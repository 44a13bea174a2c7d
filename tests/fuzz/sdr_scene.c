// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a scene: an answer or a sentence.  What is accepted keeps its ranges, and its models
// take their arguments or say why not, and send.
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "sdr/sim/engine.h"

#define EMITTERS 3              // more would only be slower
#define SAMPLES  64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render(const struct scene *s)
{
    static float complex x[SAMPLES];
    struct sim *m = NULL;
    char why[IQ_WHY] = "";
    unsigned copies = 0;
    for (unsigned i = 0; i < s->n_emitters; i++)
        copies += s->emitter[i].copies;
    if (copies > EMITTERS)
        return;
    int err = sim_new(&m, s, 1, why);
    assert(err == 0 || (why[0] && strlen(why) < IQ_WHY));
    if (!err)
        assert(sim_read(m, x, SAMPLES) > 0);
    sim_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scene *s = NULL;
    char why[IQ_WHY] = "";
    int err = scene_parse(&s, data, size, "scene", why);
    if (err < 0) {
        assert(!s && !strncmp(why, "scene: ", 7) && strlen(why) < IQ_WHY);
        return 0;
    }
    assert(s->rate_hz >= IQ_RATE_MIN_HZ && s->rate_hz <= IQ_RATE_MAX_HZ);
    assert(s->n_emitters <= SCENE_EMITTERS && isfinite(s->rx.noise_dbfs_hz));
    for (unsigned i = 0; i < s->n_emitters; i++)
        assert(s->emitter[i].model && s->emitter[i].stop_s >= s->emitter[i].start_s);
    if (s->samples)
        render(s);
    scene_free(s);
    return 0;
}
