// SPDX-License-Identifier: GPL-3.0-or-later
#include "classifier/site.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

#define MINUTE_S  60.0
#define NEAR_HZ   1e6           // an access point that changes its width, a hopper's edge
#define LOUDER_DB 6.0           // one that is louder than ever may be another, nearer
#define OFTEN     0.02          // of the minutes learnt, to count as fixed ...
#define LEAST     3             // ... and so many at least
#define FILE_MOST (1 << 20)

bool site_fixed(const struct site *s) { return s->learnt_s >= s->learn_s; }

// ---- Learning --------------------------------------------------------------------------------

static struct site_emitter *like(const struct site *s, const struct track *t)
{
    for (unsigned i = 0; i < s->n; i++) {
        const struct site_emitter *e = &s->emitter[i];
        if (!strcmp(e->family, t->family) && t->freq_lo_hz >= e->lo_hz - NEAR_HZ &&
            t->freq_hi_hz <= e->hi_hz + NEAR_HZ)
            return (struct site_emitter *)e;
    }
    return NULL;
}

static void learn(struct site *s, const struct track *t)
{
    struct site_emitter *e = like(s, t);

    if (!e && s->n == SITE_EMITTERS)
        return;                         // what is not learnt is not usual: nothing is hidden by it
    if (!e) {
        e = &s->emitter[s->n++];
        *e = (struct site_emitter){ .lo_hz = t->freq_lo_hz, .hi_hz = t->freq_hi_hz,
                                    .level_dbfs = t->level_dbfs };
        snprintf(e->family, sizeof e->family, "%s", t->family);
    }
    e->minutes++;
    e->lo_hz = fmin(e->lo_hz, t->freq_lo_hz);
    e->hi_hz = fmax(e->hi_hz, t->freq_hi_hz);
    e->level_dbfs = fmax(e->level_dbfs, t->level_dbfs);
}

// What was heard now and then only is no fixed emitter.
static void fix(struct site *s)
{
    double least = fmax(LEAST, OFTEN * s->learnt_s / MINUTE_S);
    unsigned n = 0;

    for (unsigned i = 0; i < s->n; i++)
        if (s->emitter[i].minutes >= least)
            s->emitter[n++] = s->emitter[i];
    s->n = n;
}

int site_time(struct site *s, double now_s, double step_s, unsigned band, double busy)
{
    if (site_fixed(s))
        return 0;
    s->learnt_s += step_s > 0 && step_s < MINUTE_S ? step_s : 0;
    if (band < SITE_BANDS && busy >= 0 && busy <= 1) {
        s->busy_sum[band] += busy;
        s->busy_n[band]++;
    }
    // The last minute is as long as what was left to learn: nobody asks again after it.
    return site_fixed(s) || now_s - s->minute_s >= MINUTE_S;
}

void site_minute(struct site *s, const struct cls *c, double now_s)
{
    const struct track *t;

    for (size_t i = 0; (t = cls_track(c, i)); i++)
        if (t->last_s > s->minute_s && t->verdict != VERDICT_DRONE && t->state != TRACK_ENDED &&
            isfinite(t->level_dbfs) && t->freq_hi_hz >= t->freq_lo_hz)
            learn(s, t);
    s->minute_s = now_s;
    if (site_fixed(s))
        fix(s);
}

bool site_usual(const struct site *s, const struct track *t)
{
    if (!site_fixed(s) || t->verdict == VERDICT_DRONE)
        return false;
    const struct site_emitter *e = like(s, t);
    return e && t->level_dbfs <= e->level_dbfs + LOUDER_DB;
}

double site_busy(const struct site *s, unsigned band)
{
    return band < SITE_BANDS && s->busy_n[band] ? s->busy_sum[band] / (double)s->busy_n[band] : NAN;
}

// ---- The file --------------------------------------------------------------------------------

static bool number(const json_t *o, const char *key, double lo, double hi, double *ret)
{
    const json_t *v = json_object_get(o, key);
    double x = json_is_number(v) ? json_number_value(v) : NAN;

    if (!(x >= lo && x <= hi))
        return false;
    *ret = x;
    return true;
}

static const char *read_emitter(const json_t *o, struct site_emitter *e)
{
    const char *family = json_string_value(json_object_get(o, "family"));
    double minutes;

    if (!family || !*family || strlen(family) >= sizeof e->family)
        return "a family";
    snprintf(e->family, sizeof e->family, "%s", family);
    if (!number(o, "lo_hz", -300e9, 300e9, &e->lo_hz) ||
        !number(o, "hi_hz", e->lo_hz, 300e9, &e->hi_hz) ||
        !number(o, "level_dbfs", -1000, 1000, &e->level_dbfs) ||
        !number(o, "minutes", 0, 1e9, &minutes))
        return "lo_hz, hi_hz, level_dbfs and minutes";
    e->minutes = (uint32_t)minutes;
    return NULL;
}

static const char *read_all(const json_t *o, struct site *s)
{
    const json_t *list = json_object_get(o, "emitters"), *busy = json_object_get(o, "busy"), *e;
    const char *wrong;
    size_t i;
    double n;

    if (!number(o, "learnt_s", 0, 1e12, &s->learnt_s))
        return "learnt_s";
    if (!json_is_array(list) || json_array_size(list) > SITE_EMITTERS)
        return "a list of 512 emitters at most";
    json_array_foreach(list, i, e) {
        if ((wrong = read_emitter(e, &s->emitter[s->n])))
            return wrong;
        s->n++;
    }
    json_array_foreach(busy, i, e)
        if (i < SITE_BANDS && number(e, "of", 1, 1e15, &n) &&
            number(e, "share", 0, 1, &s->busy_sum[i])) {
            s->busy_n[i] = (uint64_t)n;
            s->busy_sum[i] *= n;
        }
    return NULL;
}

int site_load(struct site *s, const char *path, double learn_s, char why[IQ_WHY])
{
    json_error_t at;
    FILE *f = fopen(path, "rbe");

    *s = (struct site){ .learn_s = learn_s };
    if (!f && errno == ENOENT)
        return 0;
    if (!f) {
        int err = -errno;
        snprintf(why, IQ_WHY, "%.300s: %s", path, strerror(-err));
        return err;
    }
    char *text = malloc(FILE_MOST + 1);
    size_t n = text ? fread(text, 1, FILE_MOST + 1, f) : 0;
    fclose(f);
    json_t *o = text && n <= FILE_MOST ? json_loadb(text, n, JSON_REJECT_DUPLICATES, &at) : NULL;
    const char *wrong = !text || n > FILE_MOST ? "at most 1 MB" : !o ? "JSON" : read_all(o, s);
    if (wrong)
        snprintf(why, IQ_WHY, "%.300s:%d: %s was expected; without the file learning begins anew",
                 path, o ? 1 : n <= FILE_MOST && at.line > 0 ? at.line : 1, wrong);
    json_decref(o);
    free(text);
    return wrong ? -EINVAL : 0;
}

static void write_all(FILE *f, const struct site *s)
{
    struct json j;

    json_init(&j, f);
    json_begin(&j);
    json_num(&j, "learnt_s", s->learnt_s, 1);
    json_open(&j, "emitters", '[');
    for (unsigned i = 0; i < s->n; i++) {
        const struct site_emitter *e = &s->emitter[i];
        json_open(&j, NULL, '{');
        json_str(&j, "family", e->family);
        json_num(&j, "lo_hz", e->lo_hz, 0);
        json_num(&j, "hi_hz", e->hi_hz, 0);
        json_num(&j, "level_dbfs", e->level_dbfs, 1);
        json_int(&j, "minutes", e->minutes);
        json_close(&j);
    }
    json_close(&j);
    json_open(&j, "busy", '[');
    for (unsigned i = 0; i < SITE_BANDS; i++) {
        json_open(&j, NULL, '{');
        json_num(&j, "share", site_busy(s, i), 5);
        json_int(&j, "of", (int64_t)s->busy_n[i]);
        json_close(&j);
    }
    json_close(&j);
    json_end(&j);
}

int site_save(const struct site *s, const char *path)
{
    char part[600];
    int err = 0;

    snprintf(part, sizeof part, "%s~", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f) {
        err = -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    write_all(f, s);
    if (ferror(f) || fflush(f))
        err = -EIO;
    if (fclose(f) && !err)
        err = -errno;
    if (!err && rename(part, path))
        err = -errno;
    if (err)
        unlink(part);
    return err;
}
