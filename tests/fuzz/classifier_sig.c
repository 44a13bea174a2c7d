// SPDX-License-Identifier: GPL-3.0-or-later
// Signature files: any bytes load or are refused in one sentence.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "classifier/sig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[IQ_WHY] = "";
    struct sig *s;

    if (size > SIG_FILE_MAX)
        return 0;
    if (sig_parse(&s, "f.yaml", (const char *)data, size, why) == 0)
        sig_free(s);
    else
        assert(!strncmp(why, "f.yaml:", 7) && strlen(why) < IQ_WHY);
    return 0;
}
