// SPDX-License-Identifier: GPL-3.0-or-later
// The device behind the module, but for its air (soapy_air.c) and its reading (soapy_read.c).
//
// The air goes on whether or not anybody listens: from the first start of the stream on, what is
// not wanted is thrown away, so that a stream started again is at the present.
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/utc.h"
#include "sdr/sim/scene.h"
#include "sdr/soapy/soapy_own.h"
#include "sdr/src/source.h"

// Where a scene lets its receiver tune; a recording, nowhere.
static int band_read(struct soapy_dev *d, char why[SOAPY_WHY])
{
    const char *text = soapy_scene_builtin(d->cfg.scene);
    struct scene *s;

    d->tune_lo_hz = d->tune_hi_hz = d->info.centre_hz;
    if (d->cfg.file[0])
        return 0;
    int err = scene_load(&s, text ? NULL : d->cfg.scene, text, why);
    if (err < 0)
        return err;
    d->tune_lo_hz = s->tune_lo_hz;
    d->tune_hi_hz = s->tune_hi_hz;
    scene_free(s);
    return 0;
}

static int slots_new(struct soapy_dev *d, char why[SOAPY_WHY])
{
    size_t size = d->info.block_len * iq_format_bytes(d->info.format);

    d->queue = queue_new(DEPTH, QUEUE_REFUSE);
    bool ok = d->queue && queue_fd(d->queue) >= 0;
    for (unsigned i = 0; i < SLOTS && ok; i++)
        ok = (d->slot[i].data = malloc(size));
    return ok ? 0 : src_why(why, -ENOMEM, "driver=tyto: no memory for its buffers");
}

int soapy_dev_new(struct soapy_dev **ret, const struct soapy_cfg *c, char why[SOAPY_WHY])
{
    if (!soapy_cfg_present(c))
        return src_why(why, -ENODEV, "driver=tyto: the device is unplugged");
    if (c->fail_open)
        return src_why(why, -EIO, "driver=tyto: the device does not open (fail_open=1)");
    struct soapy_dev *d = calloc(1, sizeof *d);
    if (!d)
        return src_why(why, -ENOMEM, "driver=tyto: no memory");
    d->cfg = *c;
    d->gain_db = SOAPY_GAIN_DB;
    d->start_ns = mono_now_ns();
    int err = soapy_air_open(d, why);
    if (!err) {
        d->info = iq_info(d->src);
        d->want_hz = d->info.centre_hz;
        err = band_read(d, why);
    }
    if (!err)
        err = slots_new(d, why);
    if (err < 0) {
        soapy_dev_free(d);
        return err;
    }
    *ret = d;
    return 0;
}

static void drain(struct soapy_dev *d)
{
    while (queue_try_pop(d->queue))
        ;
    d->in_hand = NULL;
}

void soapy_dev_free(struct soapy_dev *d)
{
    if (!d)
        return;
    atomic_store(&d->quit, true);
    if (d->started)
        pthread_join(d->thread, NULL);
    if (d->queue)
        drain(d);
    queue_free(d->queue);
    for (unsigned i = 0; i < SLOTS; i++)
        free(d->slot[i].data);
    iq_close(d->src);
    free(d);
}

// ---- Settings --------------------------------------------------------------------------------

void soapy_dev_about(const struct soapy_dev *d, struct soapy_about *ret)
{
    *ret = (struct soapy_about){ .rate_hz = d->info.rate_hz, .centre_hz = d->info.centre_hz,
                                 .tune_lo_hz = d->tune_lo_hz, .tune_hi_hz = d->tune_hi_hz,
                                 .origin = iq_origin_name(d->info.origin) };
}

// A scene's receiver has its gain where a radio has it: in front of what overloads and of the
// converter.  Of a recording there is nothing left to amplify but its samples (soapy_read.c).
static int set_place(struct soapy_dev *d, double centre_hz)
{
    int err = iq_tune_to(d->src, &(struct iq_place){ .centre_hz = centre_hz,
                                                     .gain_db = d->gain_db - SOAPY_GAIN_DB });
    if (!err)
        d->want_hz = centre_hz;
    return err;
}

int soapy_dev_tune(struct soapy_dev *d, double centre_hz, char why[SOAPY_WHY])
{
    bool same = fabs(centre_hz - d->info.centre_hz) < 1;    // programs round to whole hertz
    // The source of a recording may be opened anew at any moment; that of a scene stays.
    int err = d->cfg.file[0] ? -ENOTSUP : set_place(d, same ? d->info.centre_hz : centre_hz);

    if (err == -ENOTSUP && same)
        return 0;
    if (err == -ENOTSUP)
        return src_why(why, err, "driver=tyto: cannot tune to %.9g MHz; this %s has %.9g MHz only",
                       centre_hz / 1e6, d->cfg.file[0] ? "recording" : "scene",
                       d->info.centre_hz / 1e6);
    if (err < 0)
        return src_why(why, err, "driver=tyto: cannot tune to %.9g MHz: outside the scene's band "
                       "(tune_lo_hz, tune_hi_hz)", centre_hz / 1e6);
    return 0;
}

int soapy_dev_set_rate(struct soapy_dev *d, double rate_hz, char why[SOAPY_WHY])
{
    // A millionth of it: programs hand rates through single precision.
    if (fabs(rate_hz - d->info.rate_hz) <= 1e-6 * d->info.rate_hz)
        return 0;
    return src_why(why, -EINVAL, "driver=tyto: cannot sample at %.9g Hz; this %s has %.9g Hz only",
                   rate_hz, d->cfg.file[0] ? "recording" : "scene", d->info.rate_hz);
}

void soapy_dev_set_gain(struct soapy_dev *d, double gain_db)
{
    atomic_store(&d->gain_db, fmin(fmax(gain_db, 0), SOAPY_GAIN_MAX_DB));
    if (!d->cfg.file[0])
        set_place(d, d->want_hz);
}

double soapy_dev_gain(const struct soapy_dev *d) { return d->gain_db; }
size_t soapy_dev_mtu(const struct soapy_dev *d)  { return d->info.block_len; }

bool soapy_dev_has_time(const struct soapy_dev *d) { return d->cfg.time != SOAPY_TIME_NONE; }

// The device's clock runs from its opening, or from what it was last set to.
int64_t soapy_dev_time_ns(const struct soapy_dev *d) { return mono_now_ns() + d->offset_ns; }

void soapy_dev_set_time_ns(struct soapy_dev *d, int64_t t_ns)
{
    atomic_store(&d->offset_ns, t_ns - mono_now_ns());
}

double soapy_dev_lag_s(const struct soapy_dev *d)
{
    double passed_s = (double)(mono_now_ns() - d->start_ns) * 1e-9;

    return d->started ? fmax(passed_s - soapy_air_s(d, (uint64_t)d->now_index), 0) : 0;
}

int soapy_dev_start(struct soapy_dev *d, bool floats)
{
    drain(d);
    d->floats = floats;
    d->fresh = true;
    atomic_store(&d->wanted, true);         // before the first block can come
    if (!d->started) {
        d->start_ns = mono_now_ns();
        int err = pthread_create(&d->thread, NULL, soapy_air_run, d);
        if (err)
            return -err;
        d->started = true;
    }
    return 0;
}

void soapy_dev_stop(struct soapy_dev *d)
{
    atomic_store(&d->wanted, false);
}
