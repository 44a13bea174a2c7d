// SPDX-License-Identifier: GPL-3.0-or-later
// Truth beside findings.
//
// An emitter is found when there is a track of its family (and of its link mode, where both say
// one) for it alone: two emitters of one mode need two tracks.  Several not-drone emitters of one
// family may share a track, as the contract allows.  A drone verdict that no drone on the air
// accounts for is a false alarm.
#include "classifier/demo.h"

#include <math.h>
#include <string.h>

#include "classifier/sig.h"

void demo_decode(struct demo *d, const struct decode *x)
{
    if (d->n_decode < DEMO_FRAMES)
        d->decode[d->n_decode++] = *x;
}

static struct demo_emitter *emitter(struct demo *d, const struct iq_truth *t)
{
    for (unsigned i = 0; i < d->n; i++)
        if (!strcmp(d->emitter[i].name, t->emitter) && !strcmp(d->emitter[i].family, t->family))
            return &d->emitter[i];
    if (d->n == DEMO_EMITTERS)
        return NULL;
    struct demo_emitter *e = &d->emitter[d->n++];
    *e = (struct demo_emitter){ .first_s = t->t_s, .snr_db = t->snr_db };
    memcpy(e->name, t->emitter, sizeof e->name);
    memcpy(e->family, t->family, sizeof e->family);
    memcpy(e->link, t->link, sizeof e->link);
    e->link[strcspn(e->link, "[")] = 0;         // the domain is left out in tracks
    for (size_t n = strlen(e->link); n && e->link[n - 1] == ' '; n--)
        e->link[n - 1] = 0;
    return e;
}

// The frame that was read at this time begins like the payload that was sent.
static bool was_read(const struct demo *d, const struct iq_truth *t)
{
    for (unsigned i = 0; i < d->n_decode; i++) {
        const struct decode *x = &d->decode[i];
        if (fabs(x->t_s.v - t->t_s) < 200e-6 && x->raw_len && x->raw_len <= t->payload_len &&
            !memcmp(x->raw, t->payload, x->raw_len))
            return true;
    }
    return false;
}

static void gather(struct demo *d, const struct iq_source *src)
{
    size_t n;
    const struct iq_truth *t = iq_truth(src, &n);

    for (size_t i = 0; i < n; i++) {
        struct demo_emitter *e = emitter(d, &t[i]);
        if (!e)
            continue;
        e->transmissions++;
        e->last_s = fmax(e->last_s, t[i].t_s + t[i].dur_s);
        if (!strcmp(e->family, "dji-droneid") && t[i].payload_len) {
            e->frames++;
            e->read += was_read(d, &t[i]);
        }
    }
}

static bool same_link(const struct track *t, const struct demo_emitter *e)
{
    if (!t->link || !e->link[0] || !strcmp(t->link, e->link))
        return true;
    for (int i = 0; i < 4 && t->link_alternatives[i]; i++)
        if (!strcmp(t->link_alternatives[i], e->link))
            return true;
    return false;
}

// The track that accounts for an emitter; a drone's is taken, others may be shared.
static const struct track *match(const struct cls *c, const struct demo_emitter *e, bool share,
                                 bool *taken, size_t max)
{
    const struct track *t;

    for (size_t i = 0; i < max && (t = cls_track(c, i)); i++)
        if (!taken[i] && !strcmp(t->family, e->family) && same_link(t, e)) {
            taken[i] = !share;
            return t;
        }
    return NULL;
}

static void row(FILE *f, const struct demo_emitter *e, const struct track *t)
{
    fprintf(f, "  %-18s %-13s %-26.26s %5llu  %5.1f  ", e->name, e->family, e->link,
            (unsigned long long)e->transmissions, e->snr_db);
    if (!t)
        fputs("NOT FOUND\n", f);
    else
        fprintf(f, "%s, %s %.2f%s", t->id, verdict_name(t->verdict), t->confidence,
                e->frames ? "" : "\n");
    if (t && e->frames)
        fprintf(f, ", %u of %u frames read bit for bit\n", e->read, e->frames);
}

void demo_compare(struct demo *d, const struct iq_source *src, const struct cls *c, FILE *f,
                  struct demo_result *sum)
{
    bool taken[CLS_TRACKS] = { false }, not_drone;
    const struct track *t;

    gather(d, src);
    fprintf(f, "  %-18s %-13s %-26s %5s  %5s  %s\n", "on the air", "family", "link", "sent", "SNR",
            "found");
    for (unsigned i = 0; i < d->n; i++) {
        struct demo_emitter *e = &d->emitter[i];
        not_drone = false;
        sig_family_known(e->family, &not_drone);
        t = match(c, e, not_drone, taken, CLS_TRACKS);
        row(f, e, t);
        sum->found += t != NULL;
        sum->missed += t == NULL;
    }
    for (size_t i = 0; i < CLS_TRACKS && (t = cls_track(c, i)); i++) {
        if (t->verdict != VERDICT_DRONE || taken[i])
            continue;
        sum->false_alarms++;
        fprintf(f, "  %-18s %s%s%s, drone %.2f: nothing on the air accounts for it\n",
                "FALSE ALARM", t->family, t->link ? ", " : "", t->link ? t->link : "", t->p_drone);
    }
}
