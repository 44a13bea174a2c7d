// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: what a source driver is (file, simulator, radio).  A driver only
// delivers samples in order.  The front (sdr/source.c) does the rest, the same for all: full
// blocks whatever sizes the reads gave, indices, gaps, flags, counts, pacing, the last block.
//
//     driver: read read read            front:  |== block ==|== block ==|= last =|
//
// iq_open_X() opens its driver, fills a struct src_driver and hands it to src_open().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdr/sdr.h"

// A place in the stream where the index or the clock jumps.
struct src_mark {
    uint64_t lost;              // samples missing directly before the next sample to be read
    int64_t  utc_ns;            // UTC of the next sample; 0: carry on counting
    int64_t  utc_err_ns;
    bool     tuned;             // centre_hz is that of the next sample and on
    double   centre_hz;
    bool     gained;            // gain_db is that of the next sample and on
    double   gain_db;
};

struct src_ops {
    // Up to n whole samples (n >= 1, any size, often 1) of src_driver.format to dst, which is
    // aligned for them.  Gives how many, fewer is fine; 0 at the end; -errno at a fault (the end
    // too).  Never called again after <= 0.  Never reads across a mark.
    int64_t (*read)(void *state, void *dst, size_t n);

    // Before each read: true and *ret when there is a mark at the next sample; told once, then
    // false.  May wait for that sample.  NULL: this driver never has any.
    bool (*mark)(void *state, struct src_mark *ret);

    // Once, after read gave <= 0: adds trailing_bytes and, where the end was no orderly one, fault.
    // NULL: neither can be.
    void (*ended)(void *state, struct iq_counts *c);

    // The transmissions whose start lies before sample index `upto`, in order of start; the same
    // array, grown, at each call.  NULL: none known.
    const struct iq_truth *(*truth)(void *state, uint64_t upto, size_t *ret_n);

    // Any thread: a read or mark that waits gives up soon, and read gives 0.  NULL: they never
    // wait for anything from outside.
    void (*stop)(void *state);

    // iq_tune_to, from any thread; the mark says when it took effect.  NULL: cannot.
    int (*tune)(void *state, const struct iq_place *p);

    // iq_behind_s.  NULL: never.
    double (*behind_s)(void *state);

    // iq_radio, from any thread.  NULL: no radio.
    void (*radio)(void *state, struct iq_radio *ret);

    void (*close)(void *state);
};

struct src_driver {
    const struct src_ops *ops;
    void          *state;
    double         rate_hz, centre_hz, gain_db;
    enum iq_format format;      // of what read delivers; IQ_CF64 is narrowed by the front
    enum iq_origin origin;
    uint64_t       total;       // samples, 0: not known
    int64_t        utc_ns;      // of sample 0; 0: not known
    int64_t        utc_err_ns;
    bool           endless;     // a radio: no block is held back to see whether it is the last
};

// Puts the front before a driver.  0 and the driver belongs to *ret_src; -EINVAL (rate out of
// range) or -ENOMEM with a sentence, and it still belongs to the caller.  name: for sentences.
int src_open(struct iq_source **ret_src, const struct src_driver *d, const char *name, bool paced,
             unsigned pool_blocks, char why[IQ_WHY]);

uint32_t src_block_len(double rate_hz);     // samples a block holds

// One sentence into why, cut at its size; returns err, so that `return src_why(why, -EINVAL, ...)`.
int src_why(char why[IQ_WHY], int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

// A path as sentences show it: the end of a long one, so that the sentence behind it still fits.
#define SRC_NAME 200
const char *src_name(char ret[SRC_NAME], const char *path);

// The whole of a regular file of at most max bytes; *ret_text is malloc'd, and not terminated.
int src_slurp(const char *path, size_t max, char **ret_text, size_t *ret_len, char why[IQ_WHY]);
