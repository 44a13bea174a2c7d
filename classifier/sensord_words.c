// SPDX-License-Identifier: GPL-3.0-or-later
// What a person at the journal wants to know of the link: which thing happened, what to do next.
// Each sentence once when it becomes true; of losses, which go on, every ten minutes how many.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "classifier/sensord.h"
#include "dsp/plans.h"

#define ANSWER_S  10.0          // a post that is there has answered by then
#define AGAIN_S   600.0         // losses of one reason are told so often at most
#define HUNG_UP   3             // in a row; one alone is a post that is just starting

__attribute__((format(printf, 3, 4)))
static int say(char text[LINK_TEXT], int level, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, LINK_TEXT, fmt, ap);
    va_end(ap);
    return level;
}

static int denied(struct link_told *t, const struct pub_stats *p, const struct sensord_cfg *c,
                  char text[LINK_TEXT])
{
    if (p->connected || p->denial == PUB_NOT_DENIED)
        t->denial = PUB_NOT_DENIED;
    if (p->connected || p->denial == t->denial ||
        (p->denial == PUB_DENIED_END && p->denials < HUNG_UP))
        return 0;
    t->denial = p->denial;
    if (p->denial == PUB_DENIED_KEY)
        return say(text, LOG_WARN, "the post at %s does not know this sensor's key, or its key was "
                   "revoked: at the post, tyto keys enrol NAME 'KEY'; tyto keys show --dir %s "
                   "prints KEY", c->endpoint, c->keys_dir);
    if (p->denial == PUB_DENIED_TALK)
        return say(text, LOG_WARN, "what answers at %s is no command post: another program, or a "
                   "portal on the way; check the address and the port", c->endpoint);
    return say(text, LOG_WARN, "%s hangs up before the handshake is done: either the post's key "
               "in the configuration is not what tyto keys show prints there, or a relay on the "
               "way has no post behind it", c->endpoint);
}

static int lost(struct link_told *t, const struct pub_stats *p, const struct sensord_cfg *c,
                double now_s, char text[LINK_TEXT])
{
    for (int i = 0; i < SPOOL_WHYS; i++) {
        unsigned long long n = p->lost_by[i] - t->lost_by[i];
        if (!n || (t->lost_s[i] > 0 && now_s - t->lost_s[i] < AGAIN_S))
            continue;
        t->lost_by[i] = p->lost_by[i];
        t->lost_s[i] = now_s;
        switch ((enum spool_why)i) {
        case SPOOL_FULL: return say(text, LOG_WARN, "the spool is full (%.0f MB): its %llu oldest "
            "events are lost; mend the link, or raise max_mb", c->spool_bytes / 1048576, n);
        case SPOOL_OLD: return say(text, LOG_WARN, "%llu events waited longer than %.4g h for the "
            "post and are lost; mend the link, or raise max_h", n, c->spool_s / 3600);
        case SPOOL_DISK: return say(text, LOG_ERROR, "no room on the disk of %s (or it fails): "
            "%llu events are lost; make room, look at dmesg", c->spool_dir, n);
        case SPOOL_ASKED: return say(text, LOG_WARN, "the post asks for %llu events that it had "
            "acknowledged and that are gone here: was its database set back to a copy?", n);
        default: return say(text, LOG_ERROR, "%llu events or more in %s were damaged or tampered "
            "with and are lost: look at that disk, and at who may write there", n, c->spool_dir);
        }
    }
    return 0;
}

static int found(struct link_told *t, const struct pub_stats *p, const struct sensord_cfg *c,
                 char text[LINK_TEXT])
{
    const struct spool_found *f = &p->found;

    if (t->found++)
        return 0;
    if (!f->damaged && !f->foreign && !f->unreadable)
        return 0;
    return say(text, LOG_ERROR, "of what an earlier start left in %s, %u files are damaged or not "
               "this sensor's, %u sealed to another post, %u not readable; what is good in them is "
               "sent, files of no use are kept as *.seg.bad", c->spool_dir, f->damaged, f->foreign,
               f->unreadable);
}

static int connection(struct link_told *t, const struct pub_stats *p, const struct sensord_cfg *c,
                      double now_s, char text[LINK_TEXT])
{
    bool was = t->connected;

    t->connected = p->connected;
    t->waited = t->waited || p->connected;
    if (p->connected != was)
        return p->connected ? say(text, LOG_INFO, "the command post answers at %s", c->endpoint)
               : say(text, LOG_WARN, "the link to %s is cut; events wait in the spool and are sent "
                     "when it is back", c->endpoint);
    // Nobody there since the start: with a wrong address nothing else would be said of it.
    if (t->waited || p->denial != PUB_NOT_DENIED || now_s < ANSWER_S)
        return 0;
    t->waited = true;
    return say(text, LOG_WARN, "no answer from %s yet; events wait in the spool: is that the "
               "post's address, does it run, is the port open on the way?", c->endpoint);
}

int link_words(struct link_told *t, const struct pub_stats *p, const struct sensord_cfg *c,
               double now_s, char text[LINK_TEXT])
{
    int r = connection(t, p, c, now_s, text);

    if (!r)
        r = denied(t, p, c, text);
    if (!r)
        r = found(t, p, c, text);
    if (!r)
        r = lost(t, p, c, now_s, text);
    if (r || p->dropped == t->dropped ||
        (t->dropped_s > 0 && now_s - t->dropped_s < AGAIN_S))
        return r;
    unsigned long long n = p->dropped - t->dropped;
    t->dropped = p->dropped;
    t->dropped_s = now_s;
    return say(text, LOG_ERROR, "%llu events came faster than they could be written down and are "
               "lost: is the disk of %s slow, or this machine overloaded?", n, c->spool_dir);
}

int place_words(struct place_told *t, const struct hw_gps *g, double now_s, char text[LINK_TEXT])
{
    const char *why = "";
    uint64_t n = g ? hw_gps_refused(g, &why) : t->refused;

    if (n == t->refused || (t->refused && now_s - t->s < AGAIN_S))
        return 0;
    unsigned long long more = n - t->refused;
    t->refused = n;
    t->s = now_s;
    return say(text, LOG_WARN, "gpsd told %llu times what cannot be, the last: %s; the place stays "
               "as it was. Look at the receiver (cgps): it is faulty, or somebody disturbs it",
               more, why);
}

int plans_words(const struct sensord_cfg *c, char text[LINK_TEXT])
{
    char path[SENSORD_PATH + 16], why[PLANS_WHY];

    snprintf(path, sizeof path, "%s/" PLANS_FILE, c->spool_dir);
    int r = c->spool_dir[0] ? plans_load(path, why) : -ENOENT;
    return r == 0 || r == -ENOENT ? 0 : say(text, LOG_WARN, "%s; until then transforms are "
                                            "estimated, which costs time", why);
}
