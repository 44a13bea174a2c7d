// SPDX-License-Identifier: GPL-3.0-or-later
// What little evidence may not claim: a single faint code, pieces and skirts of other bursts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/classifier_feed.h"

static struct feed feed;

static void ofdm(double t_s, double dur_s, double freq_hz, double bw_hz, double useful_s)
{
    struct finding *f = feed_add(&feed, t_s, dur_s, freq_hz, bw_hz);
    assert_non_null(f);
    f->fp.kind = KIND_OFDM;
    f->fp.useful_symbol_s = (struct meas){ useful_s, 20e-9 };
    f->fp.numerology = useful_s > 60e-6 ? OFDM_15K : OFDM_WIFI;
}

// One faint Barker claim far off every channel is nobody's Wi-Fi; one clear one is
// likely, not sure.
static void wifi_one_claim(void **state)
{
    (void)state;
    feed_init(&feed, 40e6, 2460e6, 21);
    struct finding *f = feed_add(&feed, 0.01, 1.2e-3, 2467.54e6, 11e6);
    f->fp.kind = KIND_DSSS;
    f->fp.barker_corr = (struct meas){ 0.6, 0.05 };
    f->fp.snr_db = (struct meas){ 5.5, 0.5 };
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, "wifi"), 0);
    assert_int_equal(cls_counts(c)->unclassified, 1);
    cls_free(c);
    f->fp.freq_hz.v = 2467.03e6;
    f->fp.barker_corr.v = 0.8;
    f->fp.snr_db.v = 15;
    c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, "wifi"), 1);
    assert_true(cls_track(c, 0)->confidence > 0.6 && cls_track(c, 0)->confidence < 0.95);
    cls_free(c);
}

// Energy of no kind beside bursts of a known one is a piece of them; on its own it is told, as one
// track, and nobody is certain of what he does not know.
static void pieces(void **state)
{
    (void)state;
    feed_init(&feed, 40e6, 2440e6, 22);
    for (int i = 0; i < 40; i++) {
        ofdm(i * 3.7e-3, 0.4e-3, 2437e6, 16.25e6, 3.2e-6);
        struct finding *f = feed_add(&feed, i * 3.7e-3 + 0.1e-3, 80e-6, 2431e6, 3e6);
        f->fp.level_dbfs = -55;
    }
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, NULL), 1);
    assert_int_equal(cls_counts(c)->unclassified, 40);
    cls_free(c);
    for (int i = 0; i < 40; i++)
        feed_add(&feed, i * 3.7e-3 + 2e-3, 80e-6, 2431e6 + 1e6 * (i % 2), 3e6);
    c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    // an emitter between the frames is not hidden
    assert_int_equal(feed_count(c, "unknown"), 1);
    cls_free(c);
    feed_init(&feed, 40e6, 2440e6, 23);
    for (int i = 0; i < 40; i++)
        feed_add(&feed, i * 3.7e-3 + 2e-3, 80e-6, 2431e6 + 1e6 * (i % 2), 3e6);
    c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, "unknown"), 1);
    assert_true(cls_track(c, 0)->confidence <= 0.95);
    cls_free(c);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(wifi_one_claim), cmocka_unit_test(pieces),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
