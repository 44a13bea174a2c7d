// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room, tyto-radio only: how many samples are missing between two reads.
//
// With a hardware clock its time stamps say it to the sample.  They are checked: drivers start with
// garbage, some jump; a step ahead is a loss only if its samples are not from the future.  Without
// one, arrival by the host's clock says it roughly, a second later:
//
//     arrival - index / rate    * * *        before
//                                      * * * after: this much was lost
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loss {
    double   rate_hz;
    uint32_t mtu;               // samples a driver's buffer holds
    bool     stamps;            // time stamps are believed
    bool     have;              // expect_ns, least_ns and host_ns are set
    int64_t  expect_ns;         // the next stamp, if nothing is lost
    int64_t  host_ns;           // of the read before
    double   least_ns;          // host's clock less stamp, at the least: what no sample can beat
    unsigned odd;               // how much the stamps jump lately
    unsigned missing;           // reads in a row without a stamp
    bool     overflow;          // told by the driver since the last samples
    bool     have_base;         // the host's way
    double   base_ns, best_ns;
    int64_t  end_ns;
    unsigned told;              // windows in which the driver's own word is looked for
};

struct loss_news { uint64_t lost; bool jumped, distrusted; double by_s; };  // by_s: of the jump

void loss_init(struct loss *l, double rate_hz, uint32_t mtu, bool stamps);
// n samples came at host_ns, the first of them being the index-th (lost ones counted); stamp_ns
// where has_stamp.  What lies before them.
struct loss_news loss_samples(struct loss *l, uint64_t index, uint32_t n, bool has_stamp,
                              int64_t stamp_ns, int64_t host_ns);
void loss_overflow(struct loss *l);
void loss_restart(struct loss *l);          // the stream was stopped and started again
