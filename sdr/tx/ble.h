// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the transmitter models: Bluetooth Low Energy bits.  ../shared/facts/remoteid.md, C1.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BLE_PDU  257            // header of 2 and up to 255
#define BLE_BITS (8 * (1 + 4 + BLE_PDU + 3))

double   ble_channel_hz(unsigned channel);                  // index 0..39
uint32_t ble_crc(const uint8_t *pdu, size_t n);             // register, init 0x555555
void     ble_whiten(unsigned channel, uint8_t *bit, size_t n);
// A whole packet on the 1M layer: preamble, advertising access address, PDU, CRC.  Number of bits.
size_t   ble_packet(unsigned channel, const uint8_t *pdu, size_t n, uint8_t bit[BLE_BITS]);
