// SPDX-License-Identifier: GPL-3.0-or-later
// LoRa chirps as samples.
//
//      f
//      |   /|  /|       /|  /  /|  .   .           a symbol of value s starts s/2^sf up the sweep
//      |  / | / |  ... / | /| / |   .   .          and wraps round once
//      | /  |/  |     /  |/ |/  |    .   .
//       preamble, up     sync 2     2.25 down      [2 of value 0 for SF5, SF6]   payload
//
// A whole symbol turns the phase by whole cycles whatever its value, so each starts where the one
// before it ended.  Only the quarter of the last down-chirp has to be carried over.
#include "sdr/tx/lora.h"

#include <assert.h>
#include <math.h>

#include "sdr/kernel/turns.h"

unsigned lora_payload_li(unsigned sf, unsigned bytes, unsigned cr)
{
    // 8 symbols of the first block hold 4 sf bits, from SF7 up on two bits less per symbol.
    int bits = (int)(8 * bytes) - (int)(4 * sf) + (sf >= 7 ? 8 : 0);
    return 8 + (bits > 0 ? ((unsigned)bits * (cr + 4) + 4 * sf - 1) / (4 * sf) : 0);
}

static unsigned null_symbols(const struct lora *l) { return l->sf < 7 ? 2 : 0; }

size_t lora_chips(const struct lora *l)
{
    size_t n = (size_t)1 << l->sf;
    return (l->preamble + 2 + 2 + null_symbols(l) + l->payload) * n + n / 4;
}

#define PIECE 256

struct pen {
    const struct lora *l;
    const struct turns_ops *ops;
    float complex     *out;
    double             phase;   // cycles, at the start of the next symbol
};

// The first part (0 .. 1) of a symbol of value s; down-chirps sweep the other way.
static void chirp(struct pen *p, unsigned s, double part, bool down)
{
    double n = (double)(1u << p->l->sf), x0 = s / n, sign = down != p->l->inverted ? -1 : 1;
    unsigned len = (unsigned)(n * part * p->l->over), held = 0;
    uint32_t phase[PIECE];
    for (unsigned i = 0; i <= len; i++) {
        double u = i / (n * p->l->over), x = x0 + u;
        double turn = n * (u * x0 + u * u / 2 - u / 2);     // integral of x - 1/2
        if (x >= 1)
            turn -= n * (x - 1);
        double a = p->phase + sign * turn;
        if (i < len)
            phase[held++] = (uint32_t)(int64_t)(a * 0x1p32);
        if (held == PIECE || i == len) {
            p->ops->run(phase, p->out, held);
            p->out += held;
            held = 0;
        }
        if (i == len)
            p->phase = a - floor(a);
    }
}

void lora_frame(const struct lora *l, struct rng *rng, float complex *out)
{
    struct pen p = { l, turns_ops(), out, 0 };
    unsigned n = 1u << l->sf;
    assert(l->sf >= 5 && l->sf <= 12 && l->over >= 1);
    for (unsigned i = 0; i < l->preamble; i++)
        chirp(&p, 0, 1, false);
    chirp(&p, (l->sync >> 4) * 8u % n, 1, false);           // a nibble a symbol, 8 bins a step
    chirp(&p, (l->sync & 15) * 8u % n, 1, false);
    chirp(&p, 0, 1, true);
    chirp(&p, 0, 1, true);
    chirp(&p, 0, 0.25, true);
    for (unsigned i = 0; i < null_symbols(l); i++)
        chirp(&p, 0, 1, false);
    for (unsigned i = 0; i < l->payload; i++) {
        unsigned s = rng_below(rng, n);
        // The first block of SF7 and up is sent at reduced rate: one value in four.
        chirp(&p, i < 8 && l->sf >= 7 ? (s & ~3u) + 1 : s, 1, false);
    }
}
