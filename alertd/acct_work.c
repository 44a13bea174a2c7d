// SPDX-License-Identifier: GPL-3.0-or-later
// The worker: one thread with its own database handle, fed and emptied through two queues.  One is
// enough on purpose: guessing passwords costs the guesser's time and never more than one core's.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/acct.h"

#define JOBS 64                 // waiting at once: 6 s of passwords

struct acct_worker {
    struct acct  *acct;
    struct queue *in, *out;
    pthread_t     thread;
};

void acct_job_free(struct acct_job *j)
{
    if (j)
        sodium_memzero(j, sizeof *j);
    free(j);
}

static int set_password(struct acct *a, struct acct_job *j)
{
    int r = j->need_old ? acct_check_password(a, j->user, j->old) : 0;

    if (r) {
        snprintf(j->why, sizeof j->why, "the present password is another one");
        return r;
    }
    return acct_set_password(a, j->user, j->password, j->session, j->why);
}

static int check(struct acct *a, struct acct_job *j)
{
    struct acct_row *row = NULL;
    int r = acct_check_password(a, j->user, j->password);
    int n = r ? 0 : acct_list(a, &row, j->now_s, j->why);

    if (n < 0)
        return n;
    for (int i = 0; i < n; i++)
        if (!strcmp(row[i].user, j->user))
            j->who.role = row[i].role;
    free(row);
    return r;
}

static int work(struct acct *a, struct acct_job *j)
{
    switch (j->verb) {
    case JOB_LINK:     return acct_by_link(a, j->token, j->now_s, j->ret_token, &j->who);
    case JOB_PASSWORD: return acct_by_password(a, j->user, j->password, j->now_s, j->ret_token,
                                               &j->who);
    case JOB_CHECK:    return check(a, j);
    case JOB_SET:      return set_password(a, j);
    case JOB_TOUCH:    return acct_touch(a, j->session, j->now_s);
    case JOB_SIGN_OUT: return acct_sign_out(a, j->session);
    case JOB_TIDY:     return acct_tidy(a, j->now_s);
    }
    return -EINVAL;
}

static void *run(void *arg)
{
    struct acct_worker *w = arg;
    struct acct_job *j;
    sigset_t all;

    sigfillset(&all);               // signals are for the main thread
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_setname_np(pthread_self(), "accounts");
    while ((j = queue_pop(w->in))) {
        j->result = work(w->acct, j);
        if (!j->ticket || queue_push(w->out, j))
            acct_job_free(j);
    }
    queue_close(w->out);
    return NULL;
}

struct acct_worker *acct_worker_new(const char *dir, char why[ACCT_WHY])
{
    struct acct_worker *w = calloc(1, sizeof *w);

    if (w)
        w->in = queue_new(JOBS, QUEUE_REFUSE), w->out = queue_new(JOBS, QUEUE_WAIT);
    if (!w || !w->in || !w->out) {
        snprintf(why, ACCT_WHY, "no memory");
    } else if ((w->acct = acct_open(dir, why))) {
        if (!pthread_create(&w->thread, NULL, run, w))
            return w;
        snprintf(why, ACCT_WHY, "no thread for the accounts' worker");
    }
    if (w) {
        queue_free(w->in);
        queue_free(w->out);
        acct_close(w->acct);
    }
    free(w);
    return NULL;
}

int acct_worker_push(struct acct_worker *w, struct acct_job *j)
{
    int r = queue_push(w->in, j);
    if (r)
        acct_job_free(j);
    return r;
}

struct queue *acct_worker_done(struct acct_worker *w) { return w->out; }

void acct_worker_free(struct acct_worker *w)
{
    if (!w)
        return;
    queue_close(w->in);
    for (struct acct_job *j; (j = queue_pop(w->out));)     // until the worker has ended
        acct_job_free(j);
    pthread_join(w->thread, NULL);
    queue_free(w->in);
    queue_free(w->out);
    acct_close(w->acct);
    free(w);
}
