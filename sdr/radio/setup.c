// SPDX-License-Identifier: GPL-3.0-or-later
// Opening a device and setting it: everything by hand, no automatic gain ever (levels would mean
// nothing, and a strong neighbour would deafen us unnoticed).
#include "sdr/radio/setup.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <SoapySDR/Errors.h>
#include <SoapySDR/Formats.h>

#define RX       SOAPY_SDR_RX
#define RATE_TOL 1e-3           // a divider that nearly meets the rate is fine: the true is told
#define MTU_MAX  (1u << 20)

static const struct { const char *soapy; enum iq_format format; } formats[] = {
    { SOAPY_SDR_CS16, IQ_CI16 }, { SOAPY_SDR_CS8, IQ_CI8 }, { SOAPY_SDR_CU8, IQ_CU8 },
    { SOAPY_SDR_CF32, IQ_CF32 },
};

static int fail(char why[400], int err, const char *what)
{
    const char *said = SoapySDRDevice_lastError();
    snprintf(why, 400, "%.200s%s%.150s", what, said && said[0] ? ": " : "", said ? said : "");
    return err;
}

// The native one where we speak it, else what is nearest to it.
static void choose_format(struct radio_device *d)
{
    double full = 0;
    size_t n = 0;
    char *native = SoapySDRDevice_getNativeStreamFormat(d->dev, RX, d->channel, &full);
    char **all = SoapySDRDevice_getStreamFormats(d->dev, RX, d->channel, &n);
    int best = -1;

    for (int i = 0; native && i < 4; i++)
        if (!strcmp(native, formats[i].soapy))
            best = i;
    bool is_native = best >= 0;
    for (int i = 0; best < 0 && i < 4; i++)
        for (size_t k = 0; k < n; k++)
            if (!strcmp(all[k], formats[i].soapy))
                best = i;
    best = best < 0 ? 3 : best;                 // every driver should know CF32
    d->format = formats[best].format;
    d->soapy_format = formats[best].soapy;
    d->size = iq_format_bytes(d->format);
    // 12 bits in 16: moved up, so that a level means the same for every radio.
    if (d->format == IQ_CI16 && is_native && full >= 256 && full < 16385)
        d->shift = (int)lround(15 - log2(full));
    SoapySDR_free(native);
    SoapySDRStrings_clear(&all, n);
}

static int start_stream(struct radio_device *d, char why[400])
{
    d->stream = SoapySDRDevice_setupStream(d->dev, RX, d->soapy_format, &d->channel, 1, NULL);
    if (!d->stream)
        return fail(why, -EIO, "the device gives no stream");
    int r = SoapySDRDevice_activateStream(d->dev, d->stream, 0, 0, 0);
    if (r && r != SOAPY_SDR_TIMEOUT)            // some only become ready later
        return fail(why, -EIO, "the stream does not start");
    return 0;
}

int device_restart(struct radio_device *d, char why[400])
{
    if (d->stream) {
        SoapySDRDevice_deactivateStream(d->dev, d->stream, 0, 0);
        SoapySDRDevice_closeStream(d->dev, d->stream);
    }
    return start_stream(d, why);
}

static int set_rate(struct radio_device *d, double rate_hz, char why[400])
{
    size_t n = 0, used = 0;
    char list[200] = "";

    if (!SoapySDRDevice_setSampleRate(d->dev, RX, d->channel, rate_hz)) {
        d->rate_hz = SoapySDRDevice_getSampleRate(d->dev, RX, d->channel);
        if (fabs(d->rate_hz / rate_hz - 1) <= RATE_TOL)
            return 0;
    }
    SoapySDRRange *r = SoapySDRDevice_getSampleRateRange(d->dev, RX, d->channel, &n);
    for (size_t i = 0; i < n && used + 40 < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used,
                                 r[i].minimum == r[i].maximum ? "%s%.9g" : "%s%.9g to %.9g",
                                 i ? ", " : "", r[i].minimum, r[i].maximum);
    SoapySDR_free(r);
    snprintf(why, 400, "the device cannot sample at %.9g Hz; it offers %s", rate_hz,
             list[0] ? list : "nothing it names");
    return -EINVAL;
}

static int set_rate_and_correction(struct radio_device *d, const struct talk_ask *a, char why[400])
{
    int r = set_rate(d, a->rate_hz, why);

    if (!r && a->ppm != 0 && SoapySDRDevice_hasFrequencyCorrection(d->dev, RX, d->channel))
        SoapySDRDevice_setFrequencyCorrection(d->dev, RX, d->channel, a->ppm);
    return r;
}

// "key=value,key=value" to the driver; switches of filters and amplifiers are its settings.
static int set_settings(struct radio_device *d, const char *all)
{
    char text[sizeof ((struct talk_ask *)0)->settings];
    int r = 0;

    snprintf(text, sizeof text, "%s", all);
    for (char *p = text, *next; p && *p && !r; p = next) {
        next = strchr(p, ',');
        if (next)
            *next++ = 0;
        char *value = strchr(p, '=');
        if (!value)
            return -EINVAL;
        *value++ = 0;
        r = SoapySDRDevice_writeSetting(d->dev, p, value);
    }
    return r;
}

// The path of the signal first: antenna, filter, switches; then where, and how loud.
static const char *set_place(struct radio_device *d, const struct talk_ask *a)
{
    SoapySDRDevice *v = d->dev;
    bool fresh = !d->set.kind;

    if (a->antenna[0] && (fresh || strcmp(a->antenna, d->set.antenna)) &&
        SoapySDRDevice_setAntenna(v, RX, d->channel, a->antenna))
        return "the antenna named in the configuration is not to be had";
    // 0 is the driver's own choice: only a filter that was set here has to go for it.
    if ((a->bandwidth_hz > 0 || d->filtered) &&
        (fresh || a->bandwidth_hz != d->set.bandwidth_hz)) {
        d->filtered = true;
        if (SoapySDRDevice_setBandwidth(v, RX, d->channel, a->bandwidth_hz))
            return "the filter's bandwidth cannot be set";
    }
    if (a->settings[0] && (fresh || strcmp(a->settings, d->set.settings)) &&
        set_settings(d, a->settings))
        return "a setting of the driver cannot be set";
    int r = SoapySDRDevice_setFrequency(v, RX, d->channel, a->centre_hz, NULL);
    d->centre_hz = SoapySDRDevice_getFrequency(v, RX, d->channel);
    if (r)
        return "the device cannot be tuned there";
    if (fresh && SoapySDRDevice_hasGainMode(v, RX, d->channel))
        SoapySDRDevice_setGainMode(v, RX, d->channel, false);
    if (!isnan(a->gain_db) && (fresh || a->gain_db != d->set.gain_db) &&
        SoapySDRDevice_setGain(v, RX, d->channel, a->gain_db))
        return "the gain cannot be set";
    d->gain_db = SoapySDRDevice_getGain(v, RX, d->channel);
    return NULL;
}

// What failed half way is in a state that nobody knows: the next time all is set, whatever was so
// before.  Or a second visit would take what the first was refused for done.
static const char *set_known(struct radio_device *d, const struct talk_ask *a)
{
    const char *wrong = set_place(d, a);

    d->set = *a;
    d->set.kind = wrong ? 0 : a->kind;
    return wrong;
}

static int set_all(struct radio_device *d, const struct talk_ask *a, char why[400])
{
    int r = set_rate_and_correction(d, a, why);
    const char *wrong = r ? NULL : set_known(d, a);

    return r ? r : wrong ? fail(why, -EINVAL, wrong) : 0;
}

int device_tune(struct radio_device *d, const struct talk_ask *a)
{
    return set_known(d, a) ? -EINVAL : 0;
}

bool device_now(struct radio_device *d, int64_t *ret_ns)
{
    if (d->trust_time == 0 || !SoapySDRDevice_hasHardwareTime(d->dev, ""))
        return false;
    *ret_ns = SoapySDRDevice_getHardwareTime(d->dev, "");
    return SoapySDRDevice_lastStatus() == 0;
}

static void name_device(struct radio_device *d)
{
    SoapySDRKwargs k = SoapySDRDevice_getHardwareInfo(d->dev);
    char *driver = SoapySDRDevice_getDriverKey(d->dev);
    char *hardware = SoapySDRDevice_getHardwareKey(d->dev);
    const char *origin = SoapySDRKwargs_get(&k, "origin");
    const char *serial = SoapySDRKwargs_get(&k, "serial");

    snprintf(d->driver, sizeof d->driver, "%s", driver ? driver : "");
    snprintf(d->origin, sizeof d->origin, "%s", origin ? origin : "");
    snprintf(d->name, sizeof d->name, "%.60s %.60s%s%.30s", d->driver, hardware ? hardware : "",
             serial ? " " : "", serial ? serial : "");
    SoapySDR_free(driver);
    SoapySDR_free(hardware);
    SoapySDRKwargs_clear(&k);
}

// No device: is there none, or can it not be opened?
static int refuse(const struct talk_ask *a, char why[400])
{
    char said[160];
    size_t n = 0;

    snprintf(said, sizeof said, "%s", SoapySDRDevice_lastError());
    SoapySDRKwargsList_clear(SoapySDRDevice_enumerateStrArgs(a->args, &n), n);
    if (n)
        snprintf(why, 400, "the device %.120s is there but does not open (%.120s): does another "
                 "program use it, may this user (udev rule)?", a->args, said);
    else
        snprintf(why, 400, "no device fits %.120s (%.100s): is it plugged in, is its driver "
                 "(soapysdr-module-...) installed? tyto doctor tells more", a->args, said);
    return n ? -EBUSY : -ENODEV;
}

int device_open(struct radio_device *d, const struct talk_ask *a, char why[400])
{
    *d = (struct radio_device){ .channel = a->channel, .trust_time = a->hardware_time };
    d->dev = SoapySDRDevice_makeStrArgs(a->args);
    if (!d->dev)
        return refuse(a, why);
    if (d->channel >= SoapySDRDevice_getNumChannels(d->dev, RX)) {
        snprintf(why, 400, "the device has no receive channel %zu", d->channel);
        return -EINVAL;
    }
    name_device(d);
    choose_format(d);
    int r = set_all(d, a, why);
    if (!r)
        r = start_stream(d, why);
    if (r)
        return r;
    d->mtu = SoapySDRDevice_getStreamMTU(d->dev, d->stream);
    d->mtu = d->mtu < 1 ? 1 : d->mtu > MTU_MAX ? MTU_MAX : d->mtu;
    d->want = d->mtu * (a->block_len > d->mtu ? a->block_len / d->mtu : 1);
    d->buf = malloc(d->want * d->size);
    return d->buf ? 0 : fail(why, -ENOMEM, "no memory");
}

int device_read(struct radio_device *d, int *flags, long long *time_ns, long wait_us)
{
    int n = SoapySDRDevice_readStream(d->dev, d->stream, &d->buf, d->want, flags, time_ns, wait_us);
    return n > (int)d->want ? SOAPY_SDR_CORRUPTION : n;
}

void device_scale(struct radio_device *d, uint32_t n)
{
    int16_t *p = d->buf;
    int by = 1 << d->shift;

    for (size_t i = 0; d->shift && i < 2 * (size_t)n; i++) {
        int v = p[i] * by;
        p[i] = (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
    }
}

void device_hello(const struct radio_device *d, struct talk_hello *ret)
{
    *ret = (struct talk_hello){ .kind = TALK_HELLO, .format = d->format, .rate_hz = d->rate_hz,
                                .centre_hz = d->centre_hz, .gain_db = d->gain_db };
    // As it stands now, which is what a place that names neither means.
    char *antenna = SoapySDRDevice_getAntenna(d->dev, RX, d->channel);
    double bandwidth_hz = SoapySDRDevice_getBandwidth(d->dev, RX, d->channel);
    ret->bandwidth_hz = bandwidth_hz > 0 && bandwidth_hz < 1e12 ? bandwidth_hz : 0;
    if (antenna && strlen(antenna) < sizeof ret->antenna)
        snprintf(ret->antenna, sizeof ret->antenna, "%s", antenna);
    SoapySDR_free(antenna);
    snprintf(ret->driver, sizeof ret->driver, "%s", d->driver);
    snprintf(ret->origin, sizeof ret->origin, "%s", d->origin);
    snprintf(ret->device, sizeof ret->device, "%s", d->name);
}
