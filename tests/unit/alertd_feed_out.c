// SPDX-License-Identifier: GPL-3.0-or-later
// The fused feed: an enrolled reader gets what was given, a stranger and a sensor's key get
// nothing, and who is revoked gets nothing more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "alertd/feed.h"

struct reader { void *ctx, *sub; };

static struct reader reader_new(const char *endpoint, const char *server, const struct keys_own *k)
{
    struct reader r = { .ctx = zmq_ctx_new() };
    int zero = 0;
    r.sub = zmq_socket(r.ctx, ZMQ_SUB);
    zmq_setsockopt(r.sub, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(r.sub, ZMQ_CURVE_SERVERKEY, server, KEYS_Z85);
    zmq_setsockopt(r.sub, ZMQ_CURVE_PUBLICKEY, k->public_z85, KEYS_Z85);
    zmq_setsockopt(r.sub, ZMQ_CURVE_SECRETKEY, k->secret_z85, KEYS_Z85);
    zmq_setsockopt(r.sub, ZMQ_SUBSCRIBE, "alert", 5);
    assert_int_equal(zmq_connect(r.sub, endpoint), 0);
    return r;
}

static void reader_free(struct reader *r)
{
    zmq_close(r->sub);
    zmq_ctx_term(r->ctx);
}

static void give(struct feed_out *f, enum change_kind kind, uint64_t n)
{
    struct change *c = calloc(1, sizeof *c + 16);
    c->n = n;
    c->kind = kind;
    snprintf(c->id, sizeof c->id, "a%d", (int)kind);
    strncpy(c->json, "{\"x\":1}", 15);
    c->len = strlen(c->json);
    feed_give(f, c);
    change_free(c);
}

// Gives until the reader has one, at most `tries` times 20 ms; the second frame into text.
static bool hears(struct feed_out *f, struct reader *r, int tries, char text[256])
{
    for (int i = 0; i < tries; i++) {
        give(f, CHANGE_TRACK, 1);                       // not subscribed: never seen
        give(f, CHANGE_ALERT, 7);
        zmq_pollitem_t p = { .socket = r->sub, .events = ZMQ_POLLIN };
        if (zmq_poll(&p, 1, 20) <= 0)
            continue;
        char kind[32];
        int n = zmq_recv(r->sub, kind, sizeof kind, 0);
        assert_int_equal(n, 5);
        assert_memory_equal(kind, "alert", 5);
        n = zmq_recv(r->sub, text, 255, 0);
        assert_in_range(n, 1, 255);
        text[n] = 0;
        return true;
    }
    return false;
}

static void keys_at(const char *dir, const char *name, struct keys_own *ret)
{
    char path[300], why[KEYS_WHY];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(keys_make(path, why), 0);
    assert_int_equal(keys_load(path, ret, why), 0);
}

static void only_readers_read(void **state)
{
    (void)state;
    char dir[] = "/tmp/tyto-feed-" "XX" "XX" "XX", path[300], why[ALERTD_WHY], text[256], cmd[320];
    struct keys_own post, friend, sensor, stranger;
    struct alertd_cfg cfg = { .feed = "tcp://127.0.0.1:*" };
    assert_non_null(mkdtemp(dir));
    keys_at(dir, "post", &post);
    keys_at(dir, "friend", &friend);
    keys_at(dir, "sensor", &sensor);
    keys_at(dir, "stranger", &stranger);
    snprintf(cfg.keys_dir, sizeof cfg.keys_dir, "%s/post", dir);
    snprintf(path, sizeof path, "%s/post/readers", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(keys_enrol(cfg.keys_dir, "gate", sensor.public_z85, why), 0);
    assert_int_equal(keys_enrol(path, "friend", friend.public_z85, why), 0);
    struct feed_out *f = feed_start(&cfg, &post, why);
    assert_non_null(f);

    struct reader a = reader_new(feed_endpoint(f), post.public_z85, &friend);
    struct reader b = reader_new(feed_endpoint(f), post.public_z85, &sensor);
    struct reader c = reader_new(feed_endpoint(f), post.public_z85, &stranger);
    assert_true(hears(f, &a, 500, text));
    assert_string_equal(text, "{\"n\":7,\"id\":\"a0\",\"gone\":false,\"json\":{\"x\":1}}");
    assert_false(hears(f, &b, 20, text));
    assert_false(hears(f, &c, 20, text));

    assert_int_equal(keys_revoke(path, "friend", why), 0);
    bool still = true;
    for (int i = 0; i < 3000 && still; i++) {   // what was under way, then silence
        still = hears(f, &a, 20, text);
        usleep(10000);
    }
    assert_false(still);
    reader_free(&a);
    reader_free(&b);
    reader_free(&c);
    feed_stop(f);
    feed_stop(NULL);
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    assert_int_equal(system(cmd), 0);
}

static void a_taken_port_is_said(void **state)
{
    (void)state;
    struct alertd_cfg cfg = { .file = "x.yaml", .feed = "tcp://127.0.0.1:*",
                              .keys_dir = "/nonexistent" };
    struct keys_own own;
    char why[ALERTD_WHY];
    assert_int_equal(zmq_curve_keypair(own.public_z85, own.secret_z85), 0);
    struct feed_out *f = feed_start(&cfg, &own, why);
    assert_non_null(f);
    snprintf(cfg.feed, sizeof cfg.feed, "%.120s", feed_endpoint(f));
    assert_null(feed_start(&cfg, &own, why));
    assert_non_null(strstr(why, "x.yaml: feed: tcp://127.0.0.1:"));
    feed_stop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_readers_read), cmocka_unit_test(a_taken_port_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
