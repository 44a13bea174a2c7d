// SPDX-License-Identifier: GPL-3.0-or-later
// The web thread: start, loop, stop.
//
//     poll { MHD's epoll | changes | answers | accounts' results | quit }, at most a second
//        changes  -> picture of the world, or ring of spectrum lines; sleeping streams wake
//        answers  -> the request that waits for one wakes
//        MHD_run  -> everything that the sockets brought
//        tick     -> pings, deadlines, sessions that ended, the certificate
#include "alertd/web.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "alertd/web_in.h"
#include "base/utc.h"

#define CHANGES_A_TURN 512          // then the sockets have their turn
#define STOP_NS        (SECOND_NS / 2)  // for last words to go out

const struct web_limits web_usual = {
    .head_ms = 10000, .body_ms = 20000, .idle_ms = 30000, .stranger_ms = 5000, .action_ms = 10000,
    .ping_ms = 15000,               // proxies and browsers give up on silence after 30 to 60 s
    .tick_ms = 1000, .window = 8192,
};

// ---- What comes from the queues ----------------------------------------------------------------

// An event of a stream is a line: JSON has no raw line ends but between its parts.
static void one_line(struct change *c)
{
    for (size_t i = 0; i < c->len; i++)
        if (c->json[i] == '\n' || c->json[i] == '\r')
            c->json[i] = ' ';
}

static void take_changes(struct web *w)
{
    struct change *c;
    bool world = false, view = false;

    for (int i = 0; i < CHANGES_A_TURN && (c = queue_try_pop(w->changes)); i++) {
        one_line(c);
        if (c->kind == CHANGE_VIEW) {
            view = true;
            stream_view(w, c);
        } else {
            world = true;
            w->count.no_memory += world_add(&w->world, c) < 0;
        }
    }
    if (world)
        stream_wake_all(w, false);
    if (view)
        stream_wake_all(w, true);
    w->loop_gone = queue_ended(w->changes);
}

static void take_answers(struct web *w)
{
    struct action *a;
    while ((a = queue_try_pop(w->answers)))
        api_answer(w, a);
}

static void take_accounts(struct web *w)
{
    struct acct_job *j;
    while ((j = queue_try_pop(acct_worker_done(w->worker))))
        api_account(w, j);
}

// ---- The loop ----------------------------------------------------------------------------------

static void tidy_accounts(struct web *w, int64_t now_s)
{
    struct acct_job *j = calloc(1, sizeof *j);
    if (!j)
        return;
    j->verb = JOB_TIDY;
    j->now_s = now_s;
    acct_worker_push(w->worker, j);
}

static void tick(struct web *w)
{
    char why[ALERTD_WHY];
    int64_t now_ns = mono_now_ns(), now_s = utc_now_ns() / SECOND_NS;

    if (now_ns < w->tick_ns)
        return;
    w->tick_ns = now_ns + w->limits.tick_ms * MS_NS;
    stream_tick(w, now_ns);
    web_conn_tick(w, now_ns);
    int64_t v = acct_version(w->acct);
    if (v != w->data_version || now_ns >= w->check_ns) {
        w->data_version = v;
        w->check_ns = now_ns + WEB_CHECK_S * SECOND_NS;
        stream_check_sessions(w, now_s);
    }
    if (now_ns >= w->hour_ns) {
        w->hour_ns = now_ns + 3600 * SECOND_NS;
        tidy_accounts(w, now_s);
        if (w->tls)
            w->count.tls_faults += tls_renew(w->tls, w->cfg, now_s, why) < 0;
    }
}

static int wait_ms(const struct web *w)
{
    MHD_UNSIGNED_LONG_LONG t;
    int64_t ms = (w->tick_ns - mono_now_ns()) / 1000000 + 1;

    if (ms < 0)
        ms = 0;
    if (MHD_get_timeout(w->mhd, &t) == MHD_YES && (int64_t)t < ms)
        ms = (int64_t)t;
    return (int)ms;
}

static int epoll_fd(const struct web *w)
{
    const union MHD_DaemonInfo *i = MHD_get_daemon_info(w->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    return i ? i->epoll_fd : -1;
}

// Last words to everybody, then time for them to go out.
static void wind_up(struct web *w)
{
    int64_t until = mono_now_ns() + STOP_NS;
    MHD_socket fd = MHD_quiesce_daemon(w->mhd);

    if (fd >= 0)
        close(fd);
    w->stopping = true;
    stream_end_all(w, "stopping");
    while (w->waiting)
        req_wake(w->waiting, 503, error_json("The post is stopping."));
    while (w->conns && mono_now_ns() < until) {
        struct pollfd p = { .fd = epoll_fd(w), .events = POLLIN };
        poll(&p, 1, 10);
        MHD_run(w->mhd);
        stream_end_all(w, "stopping");
        if (!w->n_streams)
            break;
    }
}

static void *run(void *arg)
{
    struct web *w = arg;
    struct pollfd p[] = {
        { .fd = epoll_fd(w), .events = POLLIN },
        { .fd = queue_fd(w->changes), .events = POLLIN },
        { .fd = queue_fd(w->answers), .events = POLLIN },
        { .fd = queue_fd(acct_worker_done(w->worker)), .events = POLLIN },
        { .fd = w->quit_fd, .events = POLLIN },
    };

    sigset_t all;

    // Signals are for the main thread; a client that hangs up is none.
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_setname_np(pthread_self(), "web");
    tls_serve(w->tls);
    while (!(p[4].revents & POLLIN)) {
        if (w->loop_gone)
            p[1].fd = -1;           // readable for ever
        poll(p, sizeof p / sizeof p[0], wait_ms(w));
        take_changes(w);
        take_answers(w);
        take_accounts(w);
        tick(w);
        MHD_run(w->mhd);
    }
    wind_up(w);
    MHD_stop_daemon(w->mhd);
    tls_serve(NULL);
    return NULL;
}

// ---- Start and stop ----------------------------------------------------------------------------

static void on_fault(void *cls, const char *fmt, va_list ap)
{
    struct web *w = cls;

    (void)fmt, (void)ap;            // every client that hangs up would be a line
    atomic_fetch_add(&w->mhd_errors, 1);
}

// Paths and queries are taken as they stand: none of ours needs an escape, and so none can hide a
// NUL or a dot.
static size_t keep_escapes(void *cls, struct MHD_Connection *con, char *s)
{
    (void)cls, (void)con;
    return strlen(s);
}

static bool start_mhd(struct web *w)
{
    unsigned flags = MHD_USE_EPOLL | MHD_USE_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
#define OPTIONS \
    MHD_OPTION_EXTERNAL_LOGGER, on_fault, w, \
    MHD_OPTION_LISTEN_SOCKET, w->listen_fd, \
    MHD_OPTION_NOTIFY_CONNECTION, web_on_connection, w, \
    MHD_OPTION_NOTIFY_COMPLETED, web_on_completed, w, \
    MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, \
    /* Never reached: at its limit MHD accepts nobody; we choose who comes in (web_room.c). */ \
    MHD_OPTION_CONNECTION_LIMIT, (unsigned)(WEB_CONNECTIONS + WEB_CONNECTIONS_SLACK), \
    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(w->limits.idle_ms + 999) / 1000, \
    /* Room for a head that we refuse ourselves, in words, before MHD does. */ \
    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(4 * WEB_HEAD_MAX), \
    MHD_OPTION_STRICT_FOR_CLIENT, 1

    w->mhd = w->tls ?
        MHD_start_daemon(flags | MHD_USE_TLS, 0, web_on_accept, w, web_on_request, w, OPTIONS,
                         MHD_OPTION_HTTPS_PRIORITIES,
                         "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE",
                         MHD_OPTION_HTTPS_CERT_CALLBACK, tls_retrieve, MHD_OPTION_END) :
        MHD_start_daemon(flags, 0, web_on_accept, w, web_on_request, w, OPTIONS, MHD_OPTION_END);
#undef OPTIONS
    return w->mhd;
}

static int open_accounts(struct web *w, char why[ALERTD_WHY])
{
    char id[9];

    w->acct = acct_open(w->cfg->data_dir, why);
    w->worker = w->acct ? acct_worker_new(w->cfg->data_dir, why) : NULL;
    if (!w->worker)
        return -EIO;
    snprintf(id, sizeof id, "%s", acct_id(w->acct));
    // Cookies know no ports: two posts on one host must not sign each other out.
    snprintf(w->cookie, sizeof w->cookie, "%styto-%s", w->tls ? "__Host-" : "", id);
    return 0;
}

// For `tyto user link`, which does not know what port it became.
static void write_url(const struct web *w)
{
    char path[300];

    snprintf(path, sizeof path, "%s/web-url", w->cfg->data_dir);
    FILE *f = fopen(path, "we");
    if (!f)
        return;
    fprintf(f, "%s\n", w->url);
    fclose(f);
}

static int prepare(struct web *w, const struct web_setup *s, char why[ALERTD_WHY])
{
    int r = files_load(&w->files, w->cfg->page_dir, why);

    if (r || (r = web_listen(w, s->next_port, why)))
        return r;
    if (w->cfg->web_tls && !(w->tls = tls_load(w->cfg, utc_now_ns() / SECOND_NS, why)))
        return -EINVAL;
    if ((r = open_accounts(w, why)))
        return r;
    w->delays = acct_delays_new();
    w->quit_fd = eventfd(0, EFD_CLOEXEC);
    if (!w->delays || w->quit_fd < 0 || queue_fd(w->changes) < 0 || queue_fd(w->answers) < 0 ||
        queue_fd(acct_worker_done(w->worker)) < 0 || !start_mhd(w)) {
        snprintf(why, ALERTD_WHY, "the web server cannot be started: no memory or no file "
                 "descriptors left");
        return -ENOMEM;
    }
    write_url(w);
    return 0;
}

static void web_free(struct web *w)
{
    stream_done(w);
    acct_worker_free(w->worker);
    acct_close(w->acct);
    acct_delays_free(w->delays);
    files_done(&w->files);
    world_done(&w->world);
    tls_free(w->tls);
    if (w->quit_fd >= 0)
        close(w->quit_fd);
    free(w);
}

struct web *web_start(const struct web_setup *s, char why[ALERTD_WHY])
{
    struct web *w = calloc(1, sizeof *w);
    uint64_t seed;

    if (!w || sodium_init() < 0) {
        for (size_t i = 0; i < s->n_world; i++)
            change_free(s->world[i]);
        snprintf(why, ALERTD_WHY, "no memory");
        free(w);
        return NULL;
    }
    w->cfg = s->cfg;
    w->limits = s->limits ? *s->limits : web_usual;
    w->changes = s->changes;
    w->actions = s->actions;
    w->answers = s->answers;
    w->listen_fd = w->quit_fd = -1;
    randombytes_buf(&seed, sizeof seed);
    world_init(&w->world, seed);
    w->world.window_max = w->limits.window;
    for (size_t i = 0; i < s->n_world; i++)
        one_line(s->world[i]);
    world_start(&w->world, s->world, s->n_world, s->last_n);
    if (!prepare(w, s, why)) {
        if (!pthread_create(&w->thread, NULL, run, w))
            return w;
        snprintf(why, ALERTD_WHY, "no thread for the web server");
        MHD_stop_daemon(w->mhd);        // closes the listening socket
        w->listen_fd = -1;
    }
    if (w->listen_fd >= 0 && !w->mhd)
        close(w->listen_fd);
    web_free(w);
    return NULL;
}

void web_stop(struct web *w)
{
    if (!w)
        return;
    (void)!write(w->quit_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
    pthread_join(w->thread, NULL);
    web_free(w);
}

unsigned    web_port(const struct web *w) { return w->port; }
const char *web_url(const struct web *w) { return w->url; }
unsigned    web_viewers(const struct web *w) { return atomic_load(&w->viewers); }

const char *web_fingerprint(const struct web *w)
{
    return w->tls ? tls_fingerprint(w->tls) : "";
}

int web_link(struct web *w, const char *user, const char *role, char ret[WEB_LINK],
             char why[ALERTD_WHY])
{
    char token[ACCT_TOKEN];
    int64_t now_s = utc_now_ns() / SECOND_NS;
    int as = acct_role_of(role);
    struct acct *a = acct_open(w->cfg->data_dir, why);

    if (!a)
        return -EIO;
    int r = as < 0 ? as : acct_add(a, user, (enum acct_role)as, now_s, why);
    if (as < 0)
        snprintf(why, ALERTD_WHY, "there is no role \"%s\"", role);
    if (!r || r == -EEXIST)
        r = acct_link(a, user, now_s, token, why);
    acct_close(a);
    if (!r)
        snprintf(ret, WEB_LINK, "%s#token=%s", w->url, token);
    sodium_memzero(token, sizeof token);
    return r;
}
