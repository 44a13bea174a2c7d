// SPDX-License-Identifier: GPL-3.0-or-later
// The C++ coat that SoapySDR's registry asks for: it translates calls, sentences become exceptions.
// Everything else is C, in soapy_dev.c.
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include <SoapySDR/Constants.h>
#include <SoapySDR/Device.hpp>
#include <SoapySDR/Errors.h>
#include <SoapySDR/Formats.h>
#include <SoapySDR/Modules.hpp>
#include <SoapySDR/Registry.hpp>

#include "base/version.h"
#include "sdr/soapy/soapy_dev.h"

static_assert(SOAPY_TIMEOUT == SOAPY_SDR_TIMEOUT && SOAPY_ERROR == SOAPY_SDR_STREAM_ERROR &&
              SOAPY_OVERFLOW == SOAPY_SDR_OVERFLOW &&
              SOAPY_UNSUPPORTED == SOAPY_SDR_NOT_SUPPORTED, "the codes go through");

namespace {

using std::string;
using SoapySDR::Kwargs;
using SoapySDR::Range;
using SoapySDR::RangeList;
using SoapySDR::Stream;

soapy_cfg cfg_of(const Kwargs &args)
{
    std::vector<soapy_pair> p;
    char why[SOAPY_WHY];
    soapy_cfg c;

    for (const auto &a : args)
        p.push_back({ a.first.c_str(), a.second.c_str() });
    if (soapy_cfg_read(&c, p.data(), p.size(), why) < 0)
        throw std::invalid_argument(why);
    return c;
}

void check(int err, const char *why)
{
    if (err < 0)
        throw std::runtime_error(why);
}

class Tyto : public SoapySDR::Device {
    soapy_dev *d = nullptr;
    soapy_about about;
    double freq_hz;
    bool streaming = false, floats = false;
    Stream *stream() const { return reinterpret_cast<Stream *>(d); }

public:
    explicit Tyto(const soapy_cfg &c)
    {
        char why[SOAPY_WHY];
        check(soapy_dev_new(&d, &c, why), why);
        soapy_dev_about(d, &about);
        freq_hz = about.centre_hz;
    }
    ~Tyto() override { soapy_dev_free(d); }
    Tyto(const Tyto &) = delete;
    Tyto &operator=(const Tyto &) = delete;

    string getDriverKey() const override { return "tyto"; }
    string getHardwareKey() const override { return string("Tyto ") + about.origin; }
    Kwargs getHardwareInfo() const override
    {
        return { { "origin", about.origin }, { "version", TYTO_VERSION } };
    }

    size_t getNumChannels(const int dir) const override { return dir == SOAPY_SDR_RX ? 1 : 0; }
    std::vector<string> getStreamFormats(const int, const size_t) const override
    {
        return { SOAPY_SDR_CS16, SOAPY_SDR_CF32 };
    }
    string getNativeStreamFormat(const int, const size_t, double &full) const override
    {
        full = 32768;
        return SOAPY_SDR_CS16;
    }

    std::vector<string> listAntennas(const int, const size_t) const override { return { "RX" }; }
    string getAntenna(const int, const size_t) const override { return "RX"; }
    void setAntenna(const int, const size_t, const string &name) override
    {
        if (name != "RX")
            throw std::runtime_error("driver=tyto: there is no antenna \"" + name + "\", only RX");
    }

    std::vector<string> listGains(const int, const size_t) const override { return { "RF" }; }
    void setGain(const int, const size_t, const double v) override { soapy_dev_set_gain(d, v); }
    void setGain(const int, const size_t, const string &, const double v) override
    {
        soapy_dev_set_gain(d, v);
    }
    double getGain(const int, const size_t) const override { return soapy_dev_gain(d); }
    double getGain(const int, const size_t, const string &) const override
    {
        return soapy_dev_gain(d);
    }
    Range getGainRange(const int, const size_t) const override { return { 0, SOAPY_GAIN_MAX_DB }; }
    Range getGainRange(const int, const size_t, const string &) const override
    {
        return { 0, SOAPY_GAIN_MAX_DB };
    }

    std::vector<string> listFrequencies(const int, const size_t) const override { return { "RF" }; }
    void setFrequency(const int, const size_t, const double hz, const Kwargs &) override
    {
        char why[SOAPY_WHY];
        check(soapy_dev_tune(d, hz, why), why);
        freq_hz = hz;
    }
    void setFrequency(const int dir, const size_t ch, const string &name, const double hz,
                      const Kwargs &args) override
    {
        if (name != "RF")
            throw std::runtime_error("driver=tyto: there is no frequency \"" + name + "\"");
        setFrequency(dir, ch, hz, args);
    }
    double getFrequency(const int, const size_t) const override { return freq_hz; }
    double getFrequency(const int, const size_t, const string &) const override { return freq_hz; }
    RangeList getFrequencyRange(const int, const size_t) const override
    {
        return { Range(about.tune_lo_hz, about.tune_hi_hz) };
    }
    RangeList getFrequencyRange(const int, const size_t, const string &) const override
    {
        return { Range(about.tune_lo_hz, about.tune_hi_hz) };
    }

    void setSampleRate(const int, const size_t, const double hz) override
    {
        char why[SOAPY_WHY];
        check(soapy_dev_set_rate(d, hz, why), why);
    }
    double getSampleRate(const int, const size_t) const override { return about.rate_hz; }
    std::vector<double> listSampleRates(const int, const size_t) const override
    {
        return { about.rate_hz };
    }
    RangeList getSampleRateRange(const int, const size_t) const override
    {
        return { Range(about.rate_hz, about.rate_hz) };
    }
    double getBandwidth(const int, const size_t) const override { return about.rate_hz; }
    std::vector<double> listBandwidths(const int, const size_t) const override
    {
        return { about.rate_hz };
    }

    bool hasHardwareTime(const string &what) const override
    {
        return what.empty() && soapy_dev_has_time(d);
    }
    long long getHardwareTime(const string &) const override { return soapy_dev_time_ns(d); }
    void setHardwareTime(const long long t_ns, const string &) override
    {
        soapy_dev_set_time_ns(d, t_ns);
    }

    std::vector<string> listSensors() const override { return { "lag_s" }; }
    SoapySDR::ArgInfo getSensorInfo(const string &key) const override
    {
        SoapySDR::ArgInfo i;
        i.key = key;
        i.name = "how far the samples are behind real time: a machine too slow for the scene";
        i.units = "s";
        i.type = SoapySDR::ArgInfo::FLOAT;
        return i;
    }
    string readSensor(const string &) const override { return std::to_string(soapy_dev_lag_s(d)); }

    Stream *setupStream(const int dir, const string &format, const std::vector<size_t> &channels,
                        const Kwargs &) override
    {
        if (dir != SOAPY_SDR_RX)
            throw std::runtime_error("driver=tyto: it receives only");
        if (channels.size() > 1 || (channels.size() == 1 && channels[0] != 0))
            throw std::runtime_error("driver=tyto: it has one channel, 0");
        if (format != SOAPY_SDR_CS16 && format != SOAPY_SDR_CF32)
            throw std::runtime_error("driver=tyto: formats are CS16 and CF32, not " + format);
        if (streaming)
            throw std::runtime_error("driver=tyto: it has one stream, which is in use");
        streaming = true;
        floats = format == SOAPY_SDR_CF32;
        return stream();
    }
    void closeStream(Stream *) override
    {
        soapy_dev_stop(d);
        streaming = false;
    }
    size_t getStreamMTU(Stream *) const override { return soapy_dev_mtu(d); }
    int activateStream(Stream *, const int flags, const long long, const size_t) override
    {
        return flags || soapy_dev_start(d, floats) < 0 ? SOAPY_SDR_NOT_SUPPORTED : 0;
    }
    int deactivateStream(Stream *, const int flags, const long long) override
    {
        soapy_dev_stop(d);
        return flags ? SOAPY_SDR_NOT_SUPPORTED : 0;
    }
    int readStream(Stream *, void *const *buffs, const size_t n, int &flags, long long &t_ns,
                   const long timeout_us) override
    {
        bool has = false;
        int64_t t = 0;
        int r = soapy_dev_read(d, buffs[0], n, timeout_us, &has, &t);
        flags = has ? SOAPY_SDR_HAS_TIME : 0;
        t_ns = t;
        return r;
    }
};

// Lists the device when it is asked for by name: a program that looks for radios must not come
// upon a simulation by chance.
SoapySDR::KwargsList find(const Kwargs &args)
{
    const auto driver = args.find("driver");
    if (driver == args.end() || driver->second != "tyto")
        return {};
    soapy_cfg c = cfg_of(args);
    if (!soapy_cfg_present(&c))
        return {};
    Kwargs found = args;
    found["serial"] = c.serial;
    found["origin"] = c.file[0] ? "recording" : "simulation";
    found["label"] = string("Tyto ") + found["origin"] + ": " + (c.file[0] ? c.file : c.scene);
    return { found };
}

SoapySDR::Device *make(const Kwargs &args) { return new Tyto(cfg_of(args)); }

const SoapySDR::ModuleVersion version(TYTO_VERSION);
const SoapySDR::Registry registry("tyto", &find, &make, SOAPY_SDR_ABI_VERSION);

} // namespace
