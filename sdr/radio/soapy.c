// SPDX-License-Identifier: GPL-3.0-or-later
// From SoapySDR into the ring.
//
//     make -> set -> activate -> settle -> hello -> read, read, read ... -> (trouble) -> give up
//                        ^                            |
//                        '------ stream error --------'   three times, then the process ends and
//                                                         its parent begins anew
//
// One thread reads and sets: a driver is never closed or tuned while it is being read.  A driver
// that hangs is killed with the whole process.
#include "sdr/radio/soapy.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <SoapySDR/Device.h>
#include <SoapySDR/Errors.h>
#include <SoapySDR/Formats.h>
#include <SoapySDR/Logger.h>

#include "base/utc.h"
#include "sdr/radio/loss.h"
#include "sdr/radio/ring.h"
#include "sdr/radio/setup.h"

#define WAIT_US    100000       // a read; how soon a new centre is taken
#define DRY_READS  7            // time-outs in a row after which the stream is started again: some
                                // drivers give nothing else after an overflow
#define TRIES      3
#define JUMP_SAY_NS INT64_C(5000000000)
#define DRAIN_S    1.0          // more than any driver queues
#define DRAIN_READS 100000      // and more reads than that takes
#define STALE_S    2.0          // no sample waits so long anywhere

struct radio {
    struct radio_device d;
    struct ring_out ring;
    struct loss     loss;
    double   settle_s;
    bool     greeted;
    uint64_t skip;              // samples of the settle time still to be thrown away
    int64_t  settled_ns;        // by the sample clock: what is older is of the old centre; 0 none
    unsigned dry, broken;
    int64_t  jump_ns;           // when a jump was told last
    char    *why;
};

static int64_t stamp(void) { return mono_now_ns(); }

static void say(enum talk_trouble code, const char *text)
{
    struct talk_say s = { .kind = TALK_SAY, .code = code };
    snprintf(s.text, sizeof s.text, "%s", text);
    send(TALK_SOCKET_FD, &s, sizeof s, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// The size of a jump once in a while, the count each time.
static void say_jump(struct radio *r, double by_s, int64_t now_ns)
{
    char text[160];

    ring_count(&r->ring, RING_JUMPS);
    if (r->jump_ns && now_ns - r->jump_ns < JUMP_SAY_NS)
        return;
    r->jump_ns = now_ns;
    snprintf(text, sizeof text, "the driver's time stamps jumped %s by %.6g s against this "
             "machine's clock; they are not believed there", by_s > 0 ? "ahead" : "back",
             fabs(by_s));
    say(TALK_JUMP, text);
}

// What the read before these n samples left out.
static uint64_t missing(struct radio *r, uint32_t n, int flags, long long time_ns, int64_t now_ns)
{
    struct loss_news l = loss_samples(&r->loss, r->ring.index, n, flags & SOAPY_SDR_HAS_TIME,
                                      time_ns, now_ns);
    if (l.jumped)
        say_jump(r, l.by_s, now_ns);
    if (l.distrusted)
        say(TALK_DISTRUST, "the driver's time stamps jump or are missing: losses are estimated by "
            "the host's clock");
    return l.lost;
}

static void greet(struct radio *r, struct ring_shape shape, void *memory, unsigned doors, int flags)
{
    struct talk_hello h;

    device_hello(&r->d, &h);
    h.hardware_time = (flags & SOAPY_SDR_HAS_TIME) && r->d.trust_time != 0;
    h.open_doors = doors;
    ring_out_init(&r->ring, memory, shape, TALK_WAKE_FD, r->d.size, r->d.rate_hz, r->d.centre_hz);
    ring_tuned(&r->ring, r->d.centre_hz, r->d.gain_db, 0);
    loss_init(&r->loss, r->d.rate_hz, (uint32_t)r->d.mtu, h.hardware_time);
    send(TALK_SOCKET_FD, &h, sizeof h, MSG_NOSIGNAL);
    r->greeted = true;
}

// How many of these n samples are from before the tuner had settled.  The sample clock knows it of
// each sample, wherever it waited meanwhile; without one it is a count from the retune on.
static uint32_t unsettled(struct radio *r, uint32_t n, int flags, int64_t time_ns)
{
    uint32_t off = r->skip < n ? (uint32_t)r->skip : n;
    double before_s = (double)(r->settled_ns - time_ns) * 1e-9;

    r->skip -= off;
    if (!r->settled_ns || !(flags & SOAPY_SDR_HAS_TIME))
        return off;
    if (before_s <= 0 || before_s > r->settle_s + STALE_S || !r->loss.stamps) {
        r->settled_ns = 0;      // past it, or a clock that cannot be believed
        return off;
    }
    double k = ceil(before_s * r->d.rate_hz);
    return k > off ? k < n ? (uint32_t)k : n : off;
}

static void take(struct radio *r, uint32_t n, int flags, long long time_ns)
{
    int64_t now_ns = stamp();
    uint64_t lost = missing(r, n, flags, time_ns, now_ns);
    uint32_t off = unsettled(r, n, flags, time_ns);

    ring_lose(&r->ring, lost + off, now_ns);
    device_scale(&r->d, n);
    ring_put(&r->ring, (char *)r->d.buf + off * r->d.size, n - off, now_ns);
    r->dry = r->broken = 0;
}

static int again(struct radio *r, const char *what)
{
    char told[96];
    if (r->broken++ >= TRIES) {
        snprintf(r->why, 400, "the device stopped: %s; is it still plugged in?", what);
        return -ENODEV;
    }
    r->dry = 0;
    snprintf(told, sizeof told, "its stream was started again: %s", what);
    say(TALK_PASSING, told);
    if (r->greeted)
        loss_restart(&r->loss);
    return device_restart(&r->d, r->why);
}

// What a read gave instead of samples.
static int trouble(struct radio *r, int code)
{
    switch (code) {
    case SOAPY_SDR_TIMEOUT:
        if (r->greeted)
            ring_count(&r->ring, RING_TIMEOUTS);
        // The first samples may take long; that is the parent's patience.
        return r->greeted && ++r->dry == DRY_READS ? again(r, "only time-outs") : 0;
    case SOAPY_SDR_OVERFLOW:
        if (r->greeted) {
            ring_count(&r->ring, RING_OVERFLOWS);
            loss_overflow(&r->loss);
        }
        return 0;
    case SOAPY_SDR_CORRUPTION:
    case SOAPY_SDR_TIME_ERROR:
        if (r->greeted) {
            ring_count(&r->ring, RING_ERRORS);
            loss_overflow(&r->loss);
        }
        return ++r->broken > 1000 ? again(r, SoapySDR_errToStr(code)) : 0;
    default:
        if (r->greeted)
            ring_count(&r->ring, RING_ERRORS);
        return again(r, SoapySDR_errToStr(code));
    }
}

// Queued samples are of the old centre; then the tuner settles.
static void tune(struct radio *r, const struct talk_ask *ask)
{
    int flags = 0, n;
    long long t = 0;
    uint64_t old = 0, most = (uint64_t)(DRAIN_S * r->d.rate_hz);

    if (device_tune(&r->d, ask))
        say(TALK_PASSING, "the device did not take the new frequency, gain, filter or antenna");
    if (!r->loss.stamps || !device_now(&r->d, &r->settled_ns))
        r->settled_ns = 0;
    else
        r->settled_ns += (int64_t)(r->settle_s * 1e9);
    for (int i = 0; old < most && i < DRAIN_READS; i++) {
        flags = 0;
        n = device_read(&r->d, &flags, &t, 0);
        if (n == SOAPY_SDR_OVERFLOW)
            trouble(r, n);
        if (n <= 0 && n != SOAPY_SDR_OVERFLOW)
            break;
        if (n <= 0)
            continue;
        int64_t now_ns = stamp();
        ring_lose(&r->ring, missing(r, (uint32_t)n, flags, t, now_ns) + (uint32_t)n, now_ns);
        old += (uint32_t)n;
    }
    r->skip = (uint64_t)(r->settle_s * r->d.rate_hz);
    ring_tuned(&r->ring, r->d.centre_hz, r->d.gain_db, stamp());
}

static void hear(struct radio *r)
{
    struct talk_ask ask;

    while (recv(TALK_SOCKET_FD, &ask, sizeof ask, MSG_DONTWAIT) == sizeof ask)
        if (ask.kind == TALK_TUNE && memchr(ask.antenna, 0, sizeof ask.antenna) &&
            memchr(ask.settings, 0, sizeof ask.settings))
            tune(r, &ask);
}

static void quiet(const SoapySDRLogLevel level, const char *text)
{
    if (level <= SOAPY_SDR_WARNING) {           // the parent reads this pipe
        ssize_t r = write(STDERR_FILENO, text, strlen(text));
        r = r < 0 ? r : write(STDERR_FILENO, "\n", 1);
        (void)r;
    }
}

int soapy_run(const struct talk_ask *ask, void *memory, unsigned open_doors, char why[400])
{
    struct radio *r = calloc(1, sizeof *r);
    struct ring_shape shape = ring_shape(ask->rate_hz, ask->block_len);
    int flags = 0, n;
    long long t = 0;

    if (!r)
        return -ENOMEM;
    SoapySDR_registerLogHandler(quiet);
    r->why = why;
    r->settle_s = ask->settle_s;
    int err = device_open(&r->d, ask, why);
    uint64_t settle = err ? 0 : (uint64_t)(r->settle_s * r->d.rate_hz);
    while (!err) {
        if (r->greeted)
            hear(r);
        flags = 0;
        n = device_read(&r->d, &flags, &t, WAIT_US);
        if (n <= 0)
            err = trouble(r, n ? n : SOAPY_SDR_TIMEOUT);
        else if (settle > (uint64_t)n)          // what a tuner gives before it has locked
            settle -= (uint64_t)n;
        else {
            settle = 0;
            if (!r->greeted)
                greet(r, shape, memory, open_doors, flags);
            take(r, (uint32_t)n, flags, t);
        }
    }
    return err;                                 // the process ends: nothing is closed in vain
}

int soapy_list(const char *args, FILE *out)
{
    size_t n = 0;

    SoapySDR_registerLogHandler(quiet);
    SoapySDRKwargs *list = SoapySDRDevice_enumerateStrArgs(args, &n);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < list[i].size; k++)
            fprintf(out, "%s%s=%s", k ? ", " : "", list[i].keys[k], list[i].vals[k]);
        fputc('\n', out);
    }
    SoapySDRKwargsList_clear(list, n);
    return (int)n;
}
