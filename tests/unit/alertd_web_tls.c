// SPDX-License-Identifier: GPL-3.0-or-later
// The certificate: what it says, how long, with which key, and what is refused.  Read back with
// GnuTLS from the files; times are given.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gnutls/x509.h>

#include "alertd/web_tls.h"
#include "tests/unit/alertd_client.h"

#define DAY 86400ll

static struct post post;
static char why[ALERTD_WHY];

static int begin(void **state) { (void)state; post_new(&post, true); return 0; }
static int end(void **state) { (void)state; post_remove(&post); return 0; }

static char *file_of(const char *name, char ret[400])
{
    snprintf(ret, 400, "%s/%s", post.dir, name);
    return ret;
}

static gnutls_x509_crt_t read_cert(void)
{
    char path[400];
    gnutls_datum_t d;
    gnutls_x509_crt_t c;

    assert_int_equal(gnutls_load_file(file_of("web-cert.pem", path), &d), 0);
    gnutls_x509_crt_init(&c);
    assert_int_equal(gnutls_x509_crt_import(c, &d, GNUTLS_X509_FMT_PEM), 0);
    gnutls_free(d.data);
    return c;
}

static void is_what_browsers_want(void **state)
{
    (void)state;
    char path[400];
    struct stat st;
    unsigned bits, use, critical;
    int64_t now_s = utc_now_ns() / 1000000000;
    struct web_tls *t = tls_load(&post.cfg, now_s, why);

    assert_non_null(t);
    gnutls_x509_crt_t c = read_cert();
    assert_int_equal(gnutls_x509_crt_get_pk_algorithm(c, &bits), GNUTLS_PK_ECDSA);
    assert_int_equal(bits, 256);
    assert_int_equal(gnutls_x509_crt_get_signature_algorithm(c), GNUTLS_SIGN_ECDSA_SHA256);
    assert_int_equal(gnutls_x509_crt_get_version(c), 3);
    assert_int_equal(gnutls_x509_crt_check_hostname(c, "localhost"), 1);
    assert_int_equal(gnutls_x509_crt_check_hostname(c, "post.test"), 1);
    assert_int_equal(gnutls_x509_crt_check_hostname(c, "127.0.0.1"), 1);
    assert_int_equal(gnutls_x509_crt_check_hostname(c, "evil.test"), 0);
    assert_int_equal(gnutls_x509_crt_get_ca_status(c, &critical), 0);
    assert_true(gnutls_x509_crt_get_key_usage(c, &use, &critical) >= 0);
    assert_int_equal(use, GNUTLS_KEY_DIGITAL_SIGNATURE);
    int64_t from = gnutls_x509_crt_get_activation_time(c);
    int64_t to = gnutls_x509_crt_get_expiration_time(c);
    assert_int_equal(to - from, 397 * DAY);
    assert_true(from < now_s && to == tls_expires_s(t));
    assert_int_equal(strlen(tls_fingerprint(t)), 32 * 3 - 1);
    gnutls_x509_crt_deinit(c);
    assert_int_equal(stat(file_of("web-key.pem", path), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(file_of("web-cert.pem", path), &st), 0);
    assert_int_equal(st.st_mode & 0200, 0200);          // what others may read is up to the umask
    assert_int_equal(st.st_mode & 0022, 0);
    tls_free(t);
}

static void stays_and_is_renewed_in_time(void **state)
{
    (void)state;
    unsigned char a[32], b[32];
    size_t n = sizeof a;
    int64_t now_s = utc_now_ns() / 1000000000;
    struct web_tls *t = tls_load(&post.cfg, now_s, why), *u;
    gnutls_x509_crt_t c = read_cert();

    gnutls_x509_crt_get_key_id(c, GNUTLS_KEYID_USE_SHA256, a, &n);
    gnutls_x509_crt_deinit(c);
    u = tls_load(&post.cfg, now_s + 300 * DAY, why);            // a restart much later
    assert_string_equal(tls_fingerprint(t), tls_fingerprint(u));
    assert_int_equal(tls_renew(u, &post.cfg, now_s + 365 * DAY, why), 0);
    char was[100];
    snprintf(was, sizeof was, "%s", tls_fingerprint(u));
    assert_int_equal(tls_renew(u, &post.cfg, now_s + 370 * DAY, why), 1);
    assert_string_not_equal(tls_fingerprint(u), was);
    assert_int_equal(tls_expires_s(u), now_s + (370 + 396) * DAY);
    assert_int_equal(tls_renew(u, &post.cfg, now_s + 371 * DAY, why), 0);
    c = read_cert();                                            // the same key
    gnutls_x509_crt_get_key_id(c, GNUTLS_KEYID_USE_SHA256, b, &n);
    gnutls_x509_crt_deinit(c);
    assert_memory_equal(a, b, sizeof a);
    tls_free(t);
    t = tls_load(&post.cfg, now_s + 2000 * DAY, why);           // a start long after its end
    assert_non_null(t);
    assert_true(tls_expires_s(t) > now_s + 2300 * DAY);
    tls_free(t);
    tls_free(u);
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    char path[400];
    int64_t now_s = utc_now_ns() / 1000000000;
    struct web_tls *t = tls_load(&post.cfg, now_s, why);

    assert_non_null(t);
    tls_free(t);
    chmod(file_of("web-key.pem", path), 0640);
    assert_null(tls_load(&post.cfg, now_s, why));
    assert_non_null(strstr(why, "others may read"));
    chmod(path, 0600);
    remove(file_of("web-key.pem", path));                       // a new key, the old certificate
    assert_null(tls_load(&post.cfg, now_s, why));
    assert_non_null(strstr(why, "another key"));
    write_file(post.dir, "web-cert.pem", "nonsense\n");
    assert_null(tls_load(&post.cfg, now_s, why));
    assert_non_null(strstr(why, "web-cert.pem"));
    // One of their own: both files, there, and not run out; never written over.
    snprintf(post.cfg.web_cert, sizeof post.cfg.web_cert, "%s/web-cert.pem", post.dir);
    assert_null(tls_load(&post.cfg, now_s, why));
    assert_non_null(strstr(why, "belong together"));
    snprintf(post.cfg.web_key, sizeof post.cfg.web_key, "%s/web-key.pem", post.dir);
    assert_null(tls_load(&post.cfg, now_s, why));
    remove(post.cfg.web_cert);
    post.cfg.web_cert[0] = post.cfg.web_key[0] = '\0';
    t = tls_load(&post.cfg, now_s, why);
    assert_non_null(t);
    tls_free(t);
    snprintf(post.cfg.web_cert, sizeof post.cfg.web_cert, "%s/web-cert.pem", post.dir);
    snprintf(post.cfg.web_key, sizeof post.cfg.web_key, "%s/web-key.pem", post.dir);
    t = tls_load(&post.cfg, now_s, why);
    assert_non_null(t);
    tls_free(t);
    assert_null(tls_load(&post.cfg, now_s + 400 * DAY, why));
    assert_non_null(strstr(why, "run out"));
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest t[] = {
        WITH(is_what_browsers_want), WITH(stays_and_is_renewed_in_time),
        WITH(refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
