// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as SigMF metadata: an answer or a sentence, and what is accepted keeps its promises.
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sdr/src/sigmf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sigmf m;
    char why[IQ_WHY] = "";
    int r = sigmf_parse(&m, data, size, "m", why);

    if (r < 0) {
        assert(why[0] == 'm' && strlen(why) < IQ_WHY);
        return 0;
    }
    assert(m.rate_hz >= IQ_RATE_MIN_HZ && m.rate_hz <= IQ_RATE_MAX_HZ);
    assert(m.centre_hz >= 0 && m.centre_hz <= 300e9);
    assert(m.dataset[0] != '/' && strcmp(m.dataset, ".."));
    for (size_t i = 1; i < m.captures; i++)
        assert(m.capture[i].start >= m.capture[i - 1].start);
    sigmf_done(&m);
    return 0;
}
