// SPDX-License-Identifier: GPL-3.0-or-later
// Transmitter model: analog video on FM, as racers and cheap cameras send it.  Statistically
// faithful: real pulses and subcarriers, an invented picture.
//
//      offset    +2.5 MHz  white
//                 0        about the mean of the picture (the input is AC coupled)
//                -1.3 MHz  blanking
//                -2.8 MHz  sync tips             5.35 MHz a volt, measured on a real one (NTSC)
//
// One transmission without an end, in pieces of 1 ms.
//
// mode: a channel ("R1", "F4", "S2", ...) or a band's name in facts/links.json; freq_hz overrules
// the channel.  value: sample rate in Hz, 20 MS/s.  variant: pal, ntsc; flight, bars, black; audio
// (two subcarriers, 10 % of the power together), preemphasis.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/kernel/turns.h"
#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/cvbs.h"

#define HZ_PER_V     5.35e6
#define CENTRE_V     0.237      // blanking then lies 1.27 MHz below the carrier
#define AUDIO_RAD    0.316      // phase swing: 2 (0.316 / 2)^2 = 5 % of the power, each
#define AUDIO_DEV_HZ 25e3
#define AUDIO_TONE_HZ 1000
#define BW_HZ        8e6        // contract
#define PIECE_S      1e-3
#define RATE_MOST_HZ 40e6
#define PIECE        40000      // samples of it at the greatest rate

static const struct band {
    const char *link, *letter;
    unsigned    mhz[9];
} bands[] = {                                           // facts, links.md 4.1
    { "Analog FPV 5.8 band A", "A", { 5865, 5845, 5825, 5805, 5785, 5765, 5745, 5725 } },
    { "Analog FPV 5.8 band B", "B", { 5733, 5752, 5771, 5790, 5809, 5828, 5847, 5866 } },
    { "Analog FPV 5.8 band E", "E", { 5705, 5685, 5665, 5645, 5885, 5905, 5925, 5945 } },
    { "Analog FPV 5.8 band F(Fatshark)", "F", { 5740, 5760, 5780, 5800, 5820, 5840, 5860, 5880 } },
    { "Analog FPV 5.8 band R(Raceband)", "R", { 5658, 5695, 5732, 5769, 5806, 5843, 5880, 5917 } },
    { "Analog FPV 5.8 band L", "L", { 5333, 5373, 5413, 5453, 5493, 5533, 5573, 5613 } },
    { "Analog FPV 5.8 band X(4.9-5.2)", "X", { 4990, 5020, 5050, 5080, 5110, 5140, 5170, 5200 } },
    { "Analog FPV 1.2/1.3 GHz", "", { 1080, 1120, 1160, 1200, 1240, 1258, 1280, 1320, 1360 } },
    { "Analog 2.4 GHz AV sender", "S", { 2414, 2432, 2450, 2468 } },
};
enum { BANDS = sizeof bands / sizeof *bands };

struct fmvideo {
    struct cvbs   cvbs;
    double        freq_hz, rate_hz, until_s;
    bool          audio, preemphasis;
    const char   *link;
    uint64_t      sent;                                 // samples
    uint32_t      turns;                                // phase of the carrier, 2^32 is one
    float         shelf_in, shelf_out;
    size_t        piece;
    const struct turns_ops *ops;
    float complex iq[PIECE];
    float         volts[PIECE];
    uint32_t      phase[PIECE];
};

// The band whose channel lies nearest, within 2 MHz; NULL for none.
static const struct band *band_near(double freq_hz)
{
    const struct band *best = NULL;
    double best_hz = 2e6;
    for (unsigned b = 0; b < BANDS; b++)
        for (unsigned c = 0; c < 9 && bands[b].mhz[c]; c++) {
            double d = fabs(bands[b].mhz[c] * 1e6 - freq_hz);
            if (d < best_hz) {
                best = &bands[b];
                best_hz = d;
            }
        }
    return best;
}

// Band and frequency from mode and freq_hz.
static int find_channel(const struct tx_args *a, const struct band **ret_band, double *ret_hz,
                        char why[IQ_WHY])
{
    const char *m = a->mode;
    for (unsigned b = 0; m && b < BANDS; b++) {
        bool channel = *bands[b].letter && strlen(m) == 2 && m[0] == *bands[b].letter &&
                       m[1] >= '1' && m[1] <= '8' && bands[b].mhz[m[1] - '1'];
        if (!channel && !(link_is(bands[b].link, m) && args_has_freq(a)))
            continue;
        *ret_band = &bands[b];
        *ret_hz = args_has_freq(a) ? a->freq_hz : bands[b].mhz[m[1] - '1'] * 1e6;
        return 0;
    }
    if (m || !args_has_freq(a)) {
        snprintf(why, IQ_WHY, "fmvideo: mode \"%s\" must be a channel (A1 to X8, S1 to S4), or a "
                 "band's name in facts/links.json and a freq_hz; without a mode it needs a freq_hz",
                 m ? m : "");
        return -EINVAL;
    }
    *ret_band = band_near(a->freq_hz);
    *ret_hz = a->freq_hz;
    return 0;
}

static void set_video(struct fmvideo *f, const struct tx_args *a, struct rng *rng)
{
    const char *v = a->variant;
    const struct cvbs_standard *s = words_have(v, "ntsc") ? &cvbs_ntsc : &cvbs_pal;
    cvbs_init(&f->cvbs, s, words_have(v, "bars") ? CVBS_BARS
                         : words_have(v, "black") ? CVBS_BLACK : CVBS_FLIGHT,
              (uint32_t)rng_u64(rng), f->rate_hz, 0);
    f->audio = words_have(v, "audio");
    f->preemphasis = words_have(v, "preemphasis");
    f->cvbs.t0_s = rng_uniform(rng) * s->lines / s->line_hz;   // somewhere in a frame
    f->until_s = args_until(a);
}

static int fmvideo_make(void **ret_state, const struct tx_args *a, struct rng *rng,
                        char why[IQ_WHY])
{
    static const char *const known[] = { "pal", "ntsc", "flight", "bars", "black", "audio",
                                         "preemphasis", NULL };
    const struct band *band;
    double hz, rate_hz = a->value > 0 ? a->value : 20e6;
    struct rng own = *rng;
    int r = find_channel(a, &band, &hz, why);
    if (r < 0)
        return r;
    if (!words_known("fmvideo", a->variant, known, why))
        return -EINVAL;
    if (!(rate_hz >= 10e6 && rate_hz <= RATE_MOST_HZ)) {
        snprintf(why, IQ_WHY, "fmvideo: a sample rate (value) of %g Hz is outside 10 to 40 MHz",
                 rate_hz);
        return -EINVAL;
    }
    struct fmvideo *f = calloc(1, sizeof *f);
    if (!f)
        return -ENOMEM;
    f->freq_hz = hz;
    f->rate_hz = rate_hz;
    f->piece = (size_t)(rate_hz * PIECE_S);
    f->link = band ? band->link : "";
    f->ops = turns_ops();
    set_video(f, a, &own);
    *ret_state = f;
    return 0;
}

// Shelf: zero at 0.8 MHz, pole at 1.6 MHz, so 6 dB from one side to the other, 0 dB at 1.13 MHz
// (assumed: transmitters differ).  Bilinear transform.
static float shelf(struct fmvideo *f, float in)
{
    float k = (float)f->rate_hz / (float)M_PI, wz = 0.8e6f, wp = 1.6e6f;
    float dc = (float)M_SQRT1_2, out = (dc * wp / wz * ((k + wz) * in - (k - wz) * f->shelf_in) +
                                        (k - wp) * f->shelf_out) / (k + wp);
    f->shelf_in = in;
    return f->shelf_out = out;
}

static float audio_turns(const struct fmvideo *f, double t)
{
    const double most = AUDIO_DEV_HZ / AUDIO_TONE_HZ / (2 * M_PI);
    double swing = most * cvbs_sin(&f->cvbs, AUDIO_TONE_HZ * t);
    return (float)(AUDIO_RAD / (2 * M_PI)) *
           (cvbs_sin(&f->cvbs, 6.0e6 * t + swing) + cvbs_sin(&f->cvbs, 6.5e6 * t + swing));
}

static void make_piece(struct fmvideo *f, size_t n)
{
    float bias = -(float)CENTRE_V;
    cvbs_run(&f->cvbs, f->sent, n, f->volts);
    for (size_t i = 0; f->preemphasis && i < n; i++)
        f->volts[i] = shelf(f, f->volts[i] + bias);
    f->turns = f->cvbs.ops->modulate(f->volts, f->preemphasis ? 0 : bias,
                                     (float)(HZ_PER_V / f->rate_hz * 0x1p31), f->turns, f->phase,
                                     n);
    for (size_t i = 0; f->audio && i < n; i++)
        f->phase[i] += (uint32_t)(int32_t)(audio_turns(f, (double)(f->sent + i) / f->rate_hz) *
                                           0x1p32f);
    f->ops->run(f->phase, f->iq, n);
}

static int fmvideo_next(void *state, struct tx_packet *ret_packet)
{
    struct fmvideo *f = state;
    double left = (f->until_s - (double)f->sent / f->rate_hz) * f->rate_hz;
    size_t n = left < (double)f->piece ? (size_t)fmax(left + 1e-3, 0) : f->piece;
    if (!n)
        return 0;
    make_piece(f, n);
    *ret_packet = (struct tx_packet){
        .t_s = (double)f->sent / f->rate_hz, .freq_hz = f->freq_hz, .bw_hz = BW_HZ,
        .rate_hz = f->rate_hz, .n = n, .iq = f->iq, .continues = f->sent > 0,
    };
    snprintf(ret_packet->link, sizeof ret_packet->link, "%s", f->link);
    f->sent += n;
    return 1;
}

const struct tx_model tx_fmvideo = {
    .name = "fmvideo",
    .family = "analog-fpv",
    .about = "analog FM video, PAL or NTSC, on an FPV channel or any frequency",
    .make = fmvideo_make,
    .next = fmvideo_next,
    .drop = free,
};

// The same waveform in a living room.
const struct tx_model tx_avsender = {
    .name = "avsender",
    .family = "analog-av",
    .about = "analog AV sender of 2.4 GHz (mode S1 to S4), otherwise as fmvideo",
    .make = fmvideo_make,
    .next = fmvideo_next,
    .drop = free,
};
