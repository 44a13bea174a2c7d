// SPDX-License-Identifier: GPL-3.0-or-later
// LD_PRELOAD: a ZeroMQ whose handler of keys is never reached, and which then lets everybody in, as
// it does without a word when somebody sets it up so by mistake.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define ZAP_DOMAIN     55
#define ENFORCE_DOMAIN 93

int zmq_bind(void *socket, const char *endpoint)
{
    int (*real)(void *, const char *) = dlsym(RTLD_NEXT, "zmq_bind");
    return strcmp(endpoint, "inproc://zeromq.zap.01") ? real(socket, endpoint) : 0;
}

int zmq_setsockopt(void *socket, int option, const void *value, size_t size)
{
    int (*real)(void *, int, const void *, size_t) = dlsym(RTLD_NEXT, "zmq_setsockopt");
    return option == ZAP_DOMAIN || option == ENFORCE_DOMAIN ? 0 :
           real(socket, option, value, size);
}
