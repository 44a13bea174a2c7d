// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the web thread: the certificate.  Where none is configured one is made at the first
// start: ECDSA P-256, signed by itself, for web_name, localhost and the machine's addresses, 397
// days (what browsers take at most), key file 0600.  Near its end it is made anew with the same
// key, at start or in flight.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdint.h>

#include "alertd/alertd.h"

struct web_tls;

struct web_tls *tls_load(const struct alertd_cfg *cfg, int64_t now_s, char why[ALERTD_WHY]);
// 1: made anew or read anew, 0: still good, -errno with a sentence.
int  tls_renew(struct web_tls *t, const struct alertd_cfg *cfg, int64_t now_s,
               char why[ALERTD_WHY]);
const char *tls_fingerprint(const struct web_tls *t);   // "AB:CD:..." SHA-256
int64_t tls_expires_s(const struct web_tls *t);
void tls_free(struct web_tls *t);

// For MHD_OPTION_HTTPS_CERT_CALLBACK, which has no closure: the web thread has one certificate.
void tls_serve(struct web_tls *t);
int tls_retrieve(gnutls_session_t s, const gnutls_datum_t *req_ca_rdn, int nreqs,
                 const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length,
                 gnutls_pcert_st **pcert, unsigned *pcert_length, gnutls_privkey_t *pkey);
