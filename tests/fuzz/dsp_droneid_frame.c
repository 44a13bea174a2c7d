// SPDX-License-Identifier: GPL-3.0-or-later
// Any 173 bytes as a DroneID frame.  The checks are set right (a fuzzer would never find them), the
// length byte decides where the CRC-16 lies; the first input byte chooses which checks are spoilt.
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "dsp/droneid/droneid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t block[DID_BLOCK] = { 0 };
    struct decode d;
    if (size < 2)
        return 0;
    memcpy(block, data + 1, size - 1 < DID_FRAME ? size - 1 : DID_FRAME);
    if (!(data[0] & 1) && block[0] + 3u <= DID_FRAME) {
        uint16_t crc = did_crc16(block, block[0] + 1u);
        block[block[0] + 1] = (uint8_t)crc;
        block[block[0] + 2] = (uint8_t)(crc >> 8);
    }
    uint32_t crc = did_crc24a(block, DID_FRAME) ^ (data[0] >> 1 & 1);
    for (int i = 0; i < 3; i++)
        block[DID_FRAME + i] = (uint8_t)(crc >> (16 - 8 * i));
    if (!did_frame(block, &d))
        return 0;
    assert(!(data[0] >> 1 & 1));
    assert(d.raw_len <= DID_FRAME && d.n_fields < DECODE_FIELDS);
    for (unsigned i = 0; i < d.n_fields; i++) {
        assert(d.field[i].key);
        if (d.field[i].type == FIELD_NUM)
            assert(d.field[i].num > -1e12 && d.field[i].num < 1e12);
        if (d.field[i].type == FIELD_STR)
            assert(memchr(d.field[i].str, 0, sizeof(d.field[i].str)));
    }
    return 0;
}
