// SPDX-License-Identifier: GPL-3.0-or-later
// Once it runs, the chain allocates nothing and locks nothing: not in the source, the front, the
// standing detectors, the arbiter, the workers (frames that they read included) nor where findings
// become tracks.
//
//     radio of 1.2 s --> source, front, corr, arbiter, 2 workers --> this thread: cls_push
//                        |.. 0.6 s ..|=== counted ===|
//
// malloc, pthread_mutex_lock and their kin are this program's own and count by the calling thread's
// name.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "classifier/classifier.h"
#include "sdr/src/source.h"

// A sanitizer's own allocator cannot be taken from it; what is counted is the same without.
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define COUNTS 0
#else
#define COUNTS 1
#endif
enum who { NOBODY, SOURCE, FRONT, CORR, ARBITER, WORKER, TRACK, WHO };
static const char *const names[WHO] = {
    [SOURCE] = "tyto-source", [FRONT] = "tyto-front", [CORR] = "tyto-corr",
    [ARBITER] = "tyto-arbiter",
    [WORKER] = "tyto-worker", [TRACK] = "steady-track",
};

static atomic_bool armed;
static atomic_ulong allocated[WHO], locked[WHO];

#if COUNTS
static enum who who(void)
{
    static _Thread_local int known = -1;
    char name[16] = "";

    if (known >= 0)
        return (enum who)known;
    known = NOBODY;
    pthread_getname_np(pthread_self(), name, sizeof name);
    for (int k = SOURCE; k < WHO; k++)
        if (!strncmp(name, names[k], strlen(names[k])))
            known = k;
    return (enum who)known;
}

static void count(atomic_ulong *of)
{
    if (atomic_load_explicit(&armed, memory_order_relaxed))
        of[who()]++;
}

#define OURS __attribute__((visibility("default")))
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

OURS void *malloc(size_t n) { count(allocated); return __libc_malloc(n); }
OURS void *calloc(size_t n, size_t size) { count(allocated); return __libc_calloc(n, size); }
OURS void *realloc(void *p, size_t n) { count(allocated); return __libc_realloc(p, n); }
OURS void *aligned_alloc(size_t align, size_t n)
{
    count(allocated);
    return __libc_memalign(align, n);
}
OURS int posix_memalign(void **ret, size_t align, size_t n)
{
    count(allocated);
    *ret = __libc_memalign(align, n);
    return *ret ? 0 : ENOMEM;
}

OURS void *memalign(size_t align, size_t n) { return aligned_alloc(align, n); }

// One of libc's that counts as a lock, or as what only goes with one.
#define LOCK(name, params, args)                                                              \
    OURS int name params                                                                      \
    {                                                                                         \
        static int (*_Atomic next) params;                                                    \
        int (*f) params = next;                                                               \
        if (!f) {                                                                             \
            void *p = dlsym(RTLD_NEXT, #name);                                                \
            memcpy(&f, &p, sizeof f);                                                         \
            next = f;                                                                         \
        }                                                                                     \
        count(locked);                                                                        \
        return f args;                                                                        \
    }
#define MUTEX pthread_mutex_t *m
#define COND  pthread_cond_t *c
#define UNTIL const struct timespec *t
LOCK(pthread_mutex_lock, (MUTEX), (m))
LOCK(pthread_mutex_trylock, (MUTEX), (m))
LOCK(pthread_mutex_timedlock, (MUTEX, UNTIL), (m, t))
LOCK(pthread_cond_wait, (COND, MUTEX), (c, m))
LOCK(pthread_cond_timedwait, (COND, MUTEX, UNTIL), (c, m, t))
LOCK(pthread_cond_signal, (COND), (c))
LOCK(pthread_cond_broadcast, (COND), (c))
LOCK(pthread_rwlock_rdlock, (pthread_rwlock_t *l), (l))
LOCK(pthread_rwlock_wrlock, (pthread_rwlock_t *l), (l))
LOCK(pthread_spin_lock, (pthread_spinlock_t *l), (l))

// That it counts, for a thread of each name.
static void *does_it(void *name)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

    pthread_setname_np(pthread_self(), name);
    void *volatile p = malloc(1);
    free(p);
    pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
    return NULL;
}

static void counts_what_is_done(void)
{
    pthread_t t;

    atomic_store(&armed, true);
    for (int k = SOURCE; k < WHO; k++) {
        unsigned long was[2] = { allocated[k], locked[k] };
        assert_int_equal(pthread_create(&t, NULL, does_it, (char *)names[k]), 0);
        pthread_join(t, NULL);
        assert_int_equal(allocated[k] - was[0], 1);
        assert_int_equal(locked[k] - was[1], 1);
        allocated[k] = locked[k] = 0;
    }
    atomic_store(&armed, false);
}
#else
static void counts_what_is_done(void) {}
#endif

// ---- The radio -------------------------------------------------------------------------------

#define RATE   10e6
#define LEN_S  1.2
#define FROM_S 0.6              // by then the emitters are known
#define ROUND  1000000          // samples that are played again and again: 0.1 s
#define FRAMES "rate_hz: 10e6\ncentre_hz: 2440e6\nduration_s: 0.1\n" \
    "receiver: {noise_dbfs: -250}\nemitters: [{model: droneid, freq_hz: 2440.2e6, " \
    "level_dbfs: -30, start_s: 0.005, period_s: 0.04}]\n"
#define KEEP_0 2100             // samples of a frame of 640 us: symbols 3 to 5, both preambles and
#define KEEP_1 4350             // what lies between them

struct radio { uint64_t n; float complex *x; };

static int64_t radio_read(void *state, void *dst, size_t n)
{
    struct radio *r = state;
    uint64_t all = (uint64_t)(LEN_S * RATE), at = r->n % ROUND;

    n = n < all - r->n ? n : (size_t)(all - r->n);
    n = n < ROUND - at ? n : (size_t)(ROUND - at);
    memcpy(dst, r->x + at, n * sizeof *r->x);
    r->n += n;
    return (int64_t)n;
}

static void radio_close(void *state) { (void)state; }
static const struct src_ops ops = { .read = radio_read, .close = radio_close };

// DroneID frames of the simulator, of every other one only the preambles: seen, not read.
static void frames_add(float complex *x, struct rng *rng)
{
    static float complex one[ROUND];
    struct iq_source *s;
    struct iq_block *b;
    char why[IQ_WHY];
    size_t n = 0, from = 0, frames = 0;

    if (iq_open_sim(&s, &(struct iq_sim_cfg){ .text = FRAMES, .pool_blocks = 4 }, why) < 0)
        fail_msg("%s", why);
    for (; (b = iq_next(s)); iq_unref(b)) {
        assert_true(n + b->n <= ROUND);
        iq_to_cf32(b, 0, b->n, one + n);
        n += b->n;
    }
    iq_close(s);
    for (size_t i = 0; i < n; i++) {
        if (cabsf(one[i]) > 1e-4f && (!frames || i - from > RATE * 1e-3)) {
            from = i;
            frames++;
        }
        bool whole = frames % 2 || (i - from >= KEEP_0 && i - from < KEEP_1);
        x[i] += whole ? one[i] : cabsf(one[i]) * rng_cnormal(rng);
    }
    assert_true(frames >= 2);
}

// Packets of FSK on three channels, bursts of noise all over, a carrier that stays.
static void radio_make(struct radio *r)
{
    struct rng rng;
    double phase = 0;

    r->n = 0;
    r->x = malloc(ROUND * sizeof *r->x);
    assert_non_null(r->x);
    rng_init(&rng, 9);
    for (size_t i = 0; i < ROUND; i++) {
        double t = (double)i / RATE, packet = fmod(t, 4e-3), bit = rng_uniform(&rng);
        static double dev = 250e3;
        r->x[i] = 0.005f * rng_cnormal(&rng);
        r->x[i] += 0.003f * (float complex)cexp(2 * M_PI * I * fmod(1.5e6 * t, 1));
        if (i % 8 == 0)
            dev = bit < 0.5 ? -250e3 : 250e3;
        phase += (((int)(t / 4e-3) % 3 - 1) * 1e6 + dev) / RATE;
        if (packet < 1e-3)
            r->x[i] += 0.03f * (float complex)cexp(2 * M_PI * I * (phase - floor(phase)));
        if (fmod(t, 9e-3) > 8.5e-3)
            r->x[i] += 0.05f * rng_cnormal(&rng);
    }
    frames_add(r->x, &rng);
}

// ---- The chain -------------------------------------------------------------------------------

static unsigned long jobs, frames_read, frames_failed;      // that came out while counting

static void on_psd(const struct psd_frame *f, void *arg) { (void)arg; jobs += f->bins > 0; }

static void run(struct dsp *d, struct cls *c)
{
    static struct decode helped;
    struct finding *f;

    while ((f = dsp_next(d))) {
        if ((double)f->tick > FROM_S * RATE)
            atomic_store(&armed, true);
        bool counted = atomic_load(&armed);
        jobs += counted;
        frames_read += counted && f->n_decode;
        frames_failed += counted && f->soft;
        (void)cls_push(c, f, &helped);
        while (cls_changed(c))
            ;
        finding_free(f);
    }
    atomic_store(&armed, false);
}

static void test_steady(void **state)
{
    (void)state;
    struct radio r;
    struct src_driver drv = { .ops = &ops, .state = &r, .rate_hz = RATE, .centre_hz = 2440e6,
                              .format = IQ_CF32, .origin = IQ_SELFTEST };
    struct iq_source *s;
    struct cls *c;
    char why[IQ_WHY];

    if (!COUNTS)
        skip();
    counts_what_is_done();
    radio_make(&r);
    pthread_setname_np(pthread_self(), names[TRACK]);
    assert_int_equal(src_open(&s, &drv, "radio", false, DSP_POOL_BLOCKS, why), 0);
    assert_int_equal(cls_new(&c, &(struct cls_cfg){ .sig_dir = "classifier/sig",
                                                    .droneid = DRONEID_DECODE }, why), 0);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = 2, .droneid = DRONEID_DECODE,
                                               .on_psd = on_psd, .ticks = true });
    assert_non_null(d);
    run(d, c);
    for (int k = SOURCE; k < WHO; k++)
        print_message("%s: %lu allocations, %lu locks in %.1f s, %lu findings\n", names[k],
                      allocated[k], locked[k], LEN_S - FROM_S, jobs);
    for (int k = SOURCE; k < WHO; k++) {
        assert_int_equal(allocated[k], 0);
        assert_int_equal(locked[k], 0);
    }
    print_message("%lu frames read, %lu seen and not read\n", frames_read, frames_failed);
    assert_true(jobs > 100);
    assert_true(frames_read > 2);
    assert_true(frames_failed > 2);
    dsp_free(d);
    cls_free(c);
    iq_close(s);
    free(r.x);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_steady) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
