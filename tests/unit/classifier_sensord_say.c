// SPDX-License-Identifier: GPL-3.0-or-later
// What a sensor says of a scene: each track at once and then now and again, decodes with the track
// they belong to.  Through the real chain.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "classifier/sensord.h"

#define SCENE "name: t\nrate_hz: 10e6\ncentre_hz: 2440e6\nduration_s: 2.4\nseed: 3\n" \
    "receiver: {noise_dbfs: -50}\nemitters:\n" \
    "  - {name: uav, model: droneid, freq_hz: 2440.5e6, snr_db: 20, period_s: 0.2}\n"

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *s = text; (s = strstr(s, what)); s++)
        n++;
    return n;
}

// The scene as fast as it goes, its lines in text.
static void hear(char *text, size_t size, struct chain **ret)
{
    static struct sensord_cfg cfg;
    static _Atomic(bool) broken;
    static struct tell tell = { .lines = true, .broken = &broken };
    char why[SENSORD_WHY];
    struct iq_source *src;
    struct chain *c;
    struct finding *f;

    cfg.n_radios = 1;
    cfg.droneid = DRONEID_DECODE;
    cfg.radio[0].kind = RADIO_SCENE;
    snprintf(cfg.radio[0].name, sizeof cfg.radio[0].name, "a");
    snprintf(cfg.sig_dir, sizeof cfg.sig_dir, "classifier/sig");
    struct queue *turn = queue_new(1, QUEUE_WAIT);
    if (chain_new(&c, &cfg, 0, &tell, turn, false, why) < 0)
        fail_msg("%s", why);
    assert_int_equal(iq_open_sim(&src, &(struct iq_sim_cfg){ .text = SCENE,
                     .pool_blocks = DSP_POOL_BLOCKS }, why), 0);
    c->anchor_ns = utc_now_ns();
    atomic_store(&c->src, src);
    c->dsp = dsp_new(&(struct dsp_cfg){ .source = src, .droneid = DRONEID_DECODE, .threads = 1,
                                        .on_psd = say_psd, .arg = c });
    FILE *keep = stdout, *f_out = fmemopen(text, size, "w");
    stdout = f_out;
    while ((f = dsp_next(c->dsp))) {
        say_finding(c, f);
        finding_free(f);
    }
    say_end(c);
    stdout = keep;
    fclose(f_out);
    queue_free(turn);
    *ret = c;
}

static void says_what_matters_and_no_more(void **state)
{
    (void)state;
    static char text[1 << 20];
    struct chain *c;

    hear(text, sizeof text, &c);
    unsigned tracks = count(text, "\"type\":\"track\"");
    unsigned decodes = count(text, "\"type\":\"decode\"");
    assert_in_range(decodes, 10, 13);           // 12 frames were sent
    assert_in_range(count(text, "\"type\":\"decode\"") - count(text, "\"track\":\"r0-t"), 0, 2);
    // Named at once, then every 2 s while it lasts: not at each of 48 ticks.
    assert_in_range(tracks, 2, 8);
    assert_non_null(strstr(text, "\"revision\":2"));
    assert_true(count(text, "\"family\":\"dji-droneid\"") >= 2);
    assert_int_equal(count(text, "\"origin\":\"simulation\""), tracks + decodes);
    assert_non_null(strstr(text, "\"id\":\"r0-t0001\""));
    assert_int_equal(atomic_load(&c->decodes), decodes);
    assert_true(atomic_load(&c->t_s) > 1.9);
    assert_true(atomic_load(&c->floor_dbfs_hz) < -110 && atomic_load(&c->floor_dbfs_hz) > -135);
    chain_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(says_what_matters_and_no_more) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
