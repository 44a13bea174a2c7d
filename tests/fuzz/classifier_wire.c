// SPDX-License-Identifier: GPL-3.0-or-later
// The wire: any bytes are a message or a named fault; a message can be packed, and comes back.
#include <assert.h>
#include <string.h>

#include "classifier/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wire_msg m, again;
    static uint8_t buf[WIRE_MAX], buf2[WIRE_MAX];
    enum wire_fault f = wire_unpack(&m, data, size);

    assert((unsigned)f < WIRE_FAULTS);
    // Any key will do: what is sealed here does not open.
    (void)wire_unseal(data, size, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
                      "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6", buf, sizeof buf);
    if (f)
        return 0;
    int n = wire_pack(&m, buf, sizeof buf);
    assert(n > 0);
    assert(wire_unpack(&again, buf, (size_t)n) == WIRE_OK);
    assert(wire_pack(&again, buf2, sizeof buf2) == n && !memcmp(buf, buf2, (size_t)n));
    return 0;
}
