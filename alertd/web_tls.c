// SPDX-License-Identifier: GPL-3.0-or-later
// The certificate, by GnuTLS.
//
//     data_dir/web-key.pem    ECDSA P-256, 0600; made once, so that a renewed certificate is still
//                             the same key to those who pinned it
//     data_dir/web-cert.pem   signed by itself
#include "alertd/web_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAYS       397              // CA/Browser Forum's limit, which browsers hold everybody to
#define DAY_S      86400
#define RENEW_DAYS 30
#define CHAIN      8

struct web_tls {
    gnutls_pcert_st  chain[CHAIN];
    unsigned         n;
    gnutls_privkey_t key;
    char             fingerprint[32 * 3];
    int64_t          expires_s;
    struct web_tls  *old;           // served before: a handshake may still look at it
};

static int fail(char *why, const char *path, int e)
{
    snprintf(why, ALERTD_WHY, "%.250s: %s", path, gnutls_strerror(e));
    return -EINVAL;
}

// ---- Files -------------------------------------------------------------------------------------

static int read_pem(const char *path, bool secret, gnutls_datum_t *ret, char *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC), r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

    if (!r && secret && st.st_mode & 077) {
        snprintf(why, ALERTD_WHY, "%s: others may read this key (chmod 600)", path);
        close(fd);
        return -EPERM;
    }
    if (!r && (!S_ISREG(st.st_mode) || st.st_size > 1 << 20))
        r = -EINVAL;
    unsigned char *p = r ? NULL : gnutls_malloc((size_t)st.st_size + 1);
    if (!r && !p)
        r = -ENOMEM;
    if (!r && read(fd, p, (size_t)st.st_size) != st.st_size)
        r = -EIO;
    if (fd >= 0)
        close(fd);
    if (r) {
        gnutls_free(p);
        return snprintf(why, ALERTD_WHY, "%s: %s", path, strerror(-r)), r;
    }
    ret->data = p;
    ret->size = (unsigned)st.st_size;
    return 0;
}

// Beside it, synced, then renamed over it: there is a whole file or none.
static int write_pem(const char *path, mode_t mode, const gnutls_datum_t *d, char *why)
{
    char part[300];

    snprintf(part, sizeof part, "%s.part", path);
    unlink(part);
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    int r = fd < 0 ? -errno : 0;
    if (!r && (write(fd, d->data, d->size) != (ssize_t)d->size || fsync(fd)))
        r = errno ? -errno : -EIO;
    if (fd >= 0)
        close(fd);
    if (!r && rename(part, path))
        r = -errno;
    if (r)
        snprintf(why, ALERTD_WHY, "%s: %s", path, strerror(-r));
    return r;
}

// ---- Making ------------------------------------------------------------------------------------

static void add_addresses(gnutls_x509_crt_t c)
{
    struct ifaddrs *all = NULL;

    getifaddrs(&all);
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP))
            continue;
        const struct sockaddr_in6 *six = (void *)i->ifa_addr;
        const struct sockaddr_in *four = (void *)i->ifa_addr;
        if (i->ifa_addr->sa_family == AF_INET)
            gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_IPADDRESS, &four->sin_addr, 4,
                                                 GNUTLS_FSAN_APPEND);
        else if (i->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
            gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_IPADDRESS, &six->sin6_addr, 16,
                                                 GNUTLS_FSAN_APPEND);
    }
    freeifaddrs(all);
}

static void add_names(gnutls_x509_crt_t c, const struct alertd_cfg *cfg)
{
    unsigned char loop4[4] = { 127, 0, 0, 1 };
    unsigned char ip[16];
    const char *name = cfg->web_name[0] ? cfg->web_name : "localhost";

    gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                  (unsigned)(strlen(name) < 64 ? strlen(name) : 64));
    gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_SET);
    if (cfg->web_name[0] && strcmp(name, "localhost") && inet_pton(AF_INET, name, ip) != 1 &&
        inet_pton(AF_INET6, name, ip) != 1)
        gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name),
                                             GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_IPADDRESS, loop4, 4, GNUTLS_FSAN_APPEND);
    add_addresses(c);
}

// One that signs for nobody else (no CA), for serving only.
static int make_cert(const char *path, gnutls_x509_privkey_t key, const struct alertd_cfg *cfg,
                     int64_t now_s, char *why)
{
    gnutls_x509_crt_t c = NULL;
    gnutls_datum_t pem = { 0 };
    unsigned char serial[16];
    int e = gnutls_x509_crt_init(&c);

    if (e >= 0)
        e = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    if (e < 0) {
        gnutls_x509_crt_deinit(c);
        return fail(why, path, e);
    }
    serial[0] = (serial[0] & 0x7f) | 1;         // positive, and not shortened
    gnutls_x509_crt_set_version(c, 3);
    gnutls_x509_crt_set_serial(c, serial, sizeof serial);
    // A day earlier: the laptop that looks at it may be behind.
    gnutls_x509_crt_set_activation_time(c, (time_t)(now_s - DAY_S));
    gnutls_x509_crt_set_expiration_time(c, (time_t)(now_s + (DAYS - 1) * (int64_t)DAY_S));
    add_names(c, cfg);
    gnutls_x509_crt_set_basic_constraints(c, 0, -1);
    gnutls_x509_crt_set_key_usage(c, GNUTLS_KEY_DIGITAL_SIGNATURE);
    gnutls_x509_crt_set_key_purpose_oid(c, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if ((e = gnutls_x509_crt_set_key(c, key)) >= 0 &&
        (e = gnutls_x509_crt_sign2(c, c, key, GNUTLS_DIG_SHA256, 0)) >= 0)
        e = gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_PEM, &pem);
    gnutls_x509_crt_deinit(c);
    int r = e < 0 ? fail(why, path, e) : write_pem(path, 0644, &pem, why);
    gnutls_free(pem.data);
    return r;
}

static int make_key(const char *path, gnutls_x509_privkey_t *ret, char *why)
{
    gnutls_x509_privkey_t k = NULL;
    gnutls_datum_t pem = { 0 };
    int e = gnutls_x509_privkey_init(&k);

    if (e >= 0)
        e = gnutls_x509_privkey_generate(k, GNUTLS_PK_ECDSA,
                                         GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (e >= 0)
        e = gnutls_x509_privkey_export2_pkcs8(k, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                              &pem);
    int r = e < 0 ? fail(why, path, e) : write_pem(path, 0600, &pem, why);
    if (pem.data)
        gnutls_memset(pem.data, 0, pem.size);
    gnutls_free(pem.data);
    if (r)
        gnutls_x509_privkey_deinit(k);
    else
        *ret = k;
    return r;
}

static int load_key(const char *path, bool make, gnutls_x509_privkey_t *ret, char *why)
{
    gnutls_x509_privkey_t k = NULL;
    gnutls_datum_t pem;

    if (make && access(path, F_OK))
        return make_key(path, ret, why);
    int r = read_pem(path, true, &pem, why);
    if (r)
        return r;
    int e = gnutls_x509_privkey_init(&k);
    if (e >= 0)
        e = gnutls_x509_privkey_import2(k, &pem, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN);
    gnutls_memset(pem.data, 0, pem.size);
    gnutls_free(pem.data);
    if (e < 0) {
        gnutls_x509_privkey_deinit(k);
        return fail(why, path, e);
    }
    *ret = k;
    return 0;
}

// ---- Loading -----------------------------------------------------------------------------------

static int fingerprint(struct web_tls *t, gnutls_x509_crt_t c)
{
    unsigned char h[32];
    size_t n = sizeof h;
    int e = gnutls_x509_crt_get_fingerprint(c, GNUTLS_DIG_SHA256, h, &n);

    for (size_t i = 0; e >= 0 && i < n; i++)
        snprintf(t->fingerprint + 3 * i, 4, i + 1 < n ? "%02X:" : "%02X", h[i]);
    return e;
}

static int take_chain(struct web_tls *t, const char *path, gnutls_x509_privkey_t key,
                      gnutls_x509_crt_t *c, unsigned n, char *why)
{
    unsigned char a[64], b[64];
    size_t an = sizeof a, bn = sizeof b;
    int e = fingerprint(t, c[0]);

    gnutls_x509_crt_get_key_id(c[0], GNUTLS_KEYID_USE_SHA256, a, &an);
    gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &bn);
    if (an != bn || memcmp(a, b, an)) {
        snprintf(why, ALERTD_WHY, "%s: the certificate belongs to another key", path);
        return -EINVAL;
    }
    t->expires_s = gnutls_x509_crt_get_expiration_time(c[0]);
    for (unsigned i = 0; e >= 0 && i < n; i++)
        if ((e = gnutls_pcert_import_x509(&t->chain[i], c[i], 0)) >= 0)
            t->n++;
    if (e >= 0)
        e = gnutls_privkey_init(&t->key);
    if (e >= 0)
        e = gnutls_privkey_import_x509(t->key, key, GNUTLS_PRIVKEY_IMPORT_COPY);
    return e < 0 ? fail(why, path, e) : 0;
}

static int load_cert(struct web_tls *t, const char *path, gnutls_x509_privkey_t key, char *why)
{
    gnutls_x509_crt_t c[CHAIN];
    unsigned n = CHAIN;
    gnutls_datum_t pem;
    int r = read_pem(path, false, &pem, why);

    if (r)
        return r;
    int e = gnutls_x509_crt_list_import(c, &n, &pem, GNUTLS_X509_FMT_PEM,
                                        GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    gnutls_free(pem.data);
    if (e < 0 || !n)
        return fail(why, path, e < 0 ? e : GNUTLS_E_NO_CERTIFICATE_FOUND);
    r = take_chain(t, path, key, c, n, why);
    for (unsigned i = 0; i < n; i++)
        gnutls_x509_crt_deinit(c[i]);
    return r;
}

void tls_free(struct web_tls *t)
{
    if (!t)
        return;
    tls_free(t->old);
    for (unsigned i = 0; i < t->n; i++)
        gnutls_pcert_deinit(&t->chain[i]);
    if (t->key)
        gnutls_privkey_deinit(t->key);
    free(t);
}

static bool near_end(const struct web_tls *t, int64_t now_s)
{
    return t->expires_s - now_s < RENEW_DAYS * (int64_t)DAY_S;
}

// Own files: made where missing, and anew near the end.
static int load(struct web_tls *t, const struct alertd_cfg *cfg, int64_t now_s, char *why)
{
    char key_path[280], cert_path[280];
    bool own = !cfg->web_cert[0];
    gnutls_x509_privkey_t key = NULL;

    snprintf(key_path, sizeof key_path, own ? "%s/web-key.pem" : "%s",
             own ? cfg->data_dir : cfg->web_key);
    snprintf(cert_path, sizeof cert_path, own ? "%s/web-cert.pem" : "%s",
             own ? cfg->data_dir : cfg->web_cert);
    int r = load_key(key_path, own, &key, why);
    if (r)
        return r;
    if (own && access(cert_path, F_OK))
        r = make_cert(cert_path, key, cfg, now_s, why);
    if (!r)
        r = load_cert(t, cert_path, key, why);
    gnutls_x509_privkey_deinit(key);
    if (!r && !own && t->expires_s <= now_s) {
        snprintf(why, ALERTD_WHY, "%s: the certificate has run out; put a new one there",
                 cert_path);
        r = -ESTALE;
    }
    return r;
}

struct web_tls *tls_load(const struct alertd_cfg *cfg, int64_t now_s, char why[ALERTD_WHY])
{
    char path[280];

    if (!cfg->web_cert[0] != !cfg->web_key[0]) {
        snprintf(why, ALERTD_WHY, "%s: web_cert and web_key belong together", cfg->file);
        return NULL;
    }
    for (int again = 0; again < 2; again++) {
        struct web_tls *t = calloc(1, sizeof *t);
        if (!t) {
            snprintf(why, ALERTD_WHY, "no memory");
            return NULL;
        }
        if (load(t, cfg, now_s, why)) {
            tls_free(t);
            return NULL;
        }
        if (cfg->web_cert[0] || !near_end(t, now_s) || again)
            return t;
        tls_free(t);
        snprintf(path, sizeof path, "%s/web-cert.pem", cfg->data_dir);
        unlink(path);
    }
    return NULL;
}

int tls_renew(struct web_tls *t, const struct alertd_cfg *cfg, int64_t now_s,
              char why[ALERTD_WHY])
{
    if (!near_end(t, now_s))
        return 0;
    struct web_tls *fresh = tls_load(cfg, now_s, why);
    if (!fresh)
        return -EINVAL;
    if (!strcmp(fresh->fingerprint, t->fingerprint)) {
        tls_free(fresh);
        return 0;
    }
    // The one served now stays until the next renewal: a handshake may be on the way.
    tls_free(t->old);
    t->old = NULL;
    struct web_tls now = *t;
    *t = *fresh;
    *fresh = now;
    t->old = fresh;
    return 1;
}

const char *tls_fingerprint(const struct web_tls *t) { return t->fingerprint; }
int64_t tls_expires_s(const struct web_tls *t) { return t->expires_s; }

// ---- Serving -----------------------------------------------------------------------------------

static _Thread_local struct web_tls *serving;

void tls_serve(struct web_tls *t) { serving = t; }

int tls_retrieve(gnutls_session_t s, const gnutls_datum_t *req_ca_rdn, int nreqs,
                 const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length,
                 gnutls_pcert_st **pcert, unsigned *pcert_length, gnutls_privkey_t *pkey)
{
    (void)s, (void)req_ca_rdn, (void)nreqs, (void)pk_algos, (void)pk_algos_length;
    if (!serving)
        return -1;
    *pcert = serving->chain;
    *pcert_length = serving->n;
    *pkey = serving->key;
    return 0;
}
