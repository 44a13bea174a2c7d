// SPDX-License-Identifier: GPL-3.0-or-later
// What a radio is set to from place to place, when settings fail and when places leave them open.
// The device behind SoapySDR's C API is this program: its calls stand before the library's.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sdr/radio/setup.h"

static struct {
    char     antenna[64], settings[64];
    double   bandwidth_hz, centre_hz, gain_db;
    bool     stuck;             // its switch of antennas does not answer
    unsigned calls;
} radio;

int SoapySDRDevice_setAntenna(SoapySDRDevice *d, const int dir, const size_t c, const char *name)
{
    (void)d, (void)dir, (void)c;
    radio.calls++;
    if (!radio.stuck)
        strncpy(radio.antenna, name, sizeof radio.antenna - 1);
    return radio.stuck ? -1 : 0;
}

int SoapySDRDevice_setBandwidth(SoapySDRDevice *d, const int dir, const size_t c, const double hz)
{
    (void)d, (void)dir, (void)c;
    radio.calls++;
    radio.bandwidth_hz = hz;
    return 0;
}

int SoapySDRDevice_writeSetting(SoapySDRDevice *d, const char *key, const char *value)
{
    (void)d, (void)key;
    radio.calls++;
    strncpy(radio.settings, value, sizeof radio.settings - 1);
    return 0;
}

int SoapySDRDevice_setFrequency(SoapySDRDevice *d, const int dir, const size_t c, const double hz,
                                const SoapySDRKwargs *args)
{
    (void)d, (void)dir, (void)c, (void)args;
    radio.centre_hz = hz;
    return 0;
}

double SoapySDRDevice_getFrequency(const SoapySDRDevice *d, const int dir, const size_t c)
{
    (void)d, (void)dir, (void)c;
    return radio.centre_hz;
}

bool SoapySDRDevice_hasGainMode(const SoapySDRDevice *d, const int dir, const size_t c)
{
    (void)d, (void)dir, (void)c;
    return false;
}

int SoapySDRDevice_setGain(SoapySDRDevice *d, const int dir, const size_t c, const double db)
{
    (void)d, (void)dir, (void)c;
    radio.calls++;
    radio.gain_db = db;
    return 0;
}

double SoapySDRDevice_getGain(const SoapySDRDevice *d, const int dir, const size_t c)
{
    (void)d, (void)dir, (void)c;
    return radio.gain_db;
}

static struct talk_ask ask_of(double centre_hz, const char *antenna, double bandwidth_hz)
{
    struct talk_ask a = { .kind = TALK_TUNE, .centre_hz = centre_hz, .gain_db = 20,
                          .bandwidth_hz = bandwidth_hz, .settings = "lna=1" };
    strncpy(a.antenna, antenna, sizeof a.antenna - 1);
    return a;
}

static void only_news_is_set(void **state)
{
    struct radio_device d = { 0 };
    struct talk_ask a = ask_of(1e9, "RX2", 5e6);
    (void)state;

    memset(&radio, 0, sizeof radio);
    assert_int_equal(device_tune(&d, &a), 0);
    assert_int_equal(radio.calls, 4);
    a.centre_hz = 2e9;
    assert_int_equal(device_tune(&d, &a), 0);
    assert_int_equal(radio.calls, 4);
    assert_true(d.centre_hz == 2e9 && d.gain_db == 20);
}

// A second visit is refused as the first was, and once the switch answers all is set anew.
static void what_failed_is_set_again(void **state)
{
    struct radio_device d = { 0 };
    struct talk_ask low = ask_of(1e9, "LOW", 5e6), high = ask_of(2e9, "HIGH", 8e6);
    (void)state;

    memset(&radio, 0, sizeof radio);
    assert_int_equal(device_tune(&d, &low), 0);
    radio.stuck = true;
    assert_int_not_equal(device_tune(&d, &high), 0);
    assert_int_not_equal(device_tune(&d, &high), 0);
    assert_true(d.centre_hz == 1e9);
    radio.stuck = false;
    assert_int_equal(device_tune(&d, &high), 0);
    assert_string_equal(radio.antenna, "HIGH");
    assert_true(radio.bandwidth_hz == 8e6 && d.centre_hz == 2e9);
}

// A driver that names no filter of its own gets its own choice back behind a band that set one.
static void a_filter_goes_with_its_band(void **state)
{
    struct radio_device d = { 0 };
    struct talk_ask own = ask_of(1e9, "RX", 0), narrow = ask_of(2e9, "RX", 5e6);
    (void)state;

    memset(&radio, 0, sizeof radio);
    radio.bandwidth_hz = -1;
    assert_int_equal(device_tune(&d, &own), 0);
    assert_true(radio.bandwidth_hz == -1);          // never touched
    assert_int_equal(device_tune(&d, &narrow), 0);
    assert_true(radio.bandwidth_hz == 5e6);
    assert_int_equal(device_tune(&d, &own), 0);
    assert_true(radio.bandwidth_hz == 0);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(only_news_is_set), cmocka_unit_test(what_failed_is_set_again),
        cmocka_unit_test(a_filter_goes_with_its_band),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
