// SPDX-License-Identifier: GPL-3.0-or-later
// Once it runs, the chain allocates nothing: not in the front, the standing detectors, the arbiter,
// the workers nor where findings become tracks.  And it locks nothing but its queues, once for each
// block or burst that is handed over.
//
//     radio of 1.6 s --> source, front, corr, arbiter, 2 workers --> this thread: cls_push
//                        |.... 1 s ....|=== counted ===|
//
// malloc and pthread_mutex_lock are this program's own and count by the calling thread's name.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
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
enum who { NOBODY, FRONT, CORR, ARBITER, WORKER, TRACK, WHO };
static const char *const names[WHO] = {
    [FRONT] = "tyto-front", [CORR] = "tyto-corr", [ARBITER] = "tyto-arbiter",
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
    for (int k = FRONT; k < WHO; k++)
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

OURS int pthread_mutex_lock(pthread_mutex_t *m)
{
    static int (*_Atomic next)(pthread_mutex_t *);
    int (*lock)(pthread_mutex_t *) = next;

    if (!lock) {
        void *p = dlsym(RTLD_NEXT, "pthread_mutex_lock");
        memcpy(&lock, &p, sizeof lock);
        next = lock;
    }
    count(locked);
    return lock(m);
}
#endif

// ---- The radio -------------------------------------------------------------------------------

#define RATE   4e6
#define LEN_S  1.6
#define ROUND  400000           // samples that are played again and again: 0.1 s

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
}

// ---- The chain -------------------------------------------------------------------------------

static unsigned long jobs;              // that came out while counting

static void on_psd(const struct psd_frame *f, void *arg) { (void)arg; jobs += f->bins > 0; }

static void run(struct dsp *d, struct cls *c)
{
    static struct decode helped;
    struct finding *f;

    while ((f = dsp_next(d))) {
        if ((double)f->tick > RATE)
            atomic_store(&armed, true);
        jobs += atomic_load(&armed);
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
    radio_make(&r);
    pthread_setname_np(pthread_self(), names[TRACK]);
    assert_int_equal(src_open(&s, &drv, "radio", false, DSP_POOL_BLOCKS, why), 0);
    assert_int_equal(cls_new(&c, &(struct cls_cfg){ .sig_dir = "classifier/sig" }, why), 0);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = 2, .droneid = DRONEID_DECODE,
                                               .on_psd = on_psd, .ticks = true });
    assert_non_null(d);
    uint32_t len = iq_info(s).block_len;
    run(d, c);
    // The front is further than what it told: while counting it sees so many blocks at most.
    unsigned long blocks = (unsigned long)((LEN_S - 1) * RATE / len) + 2;
    // A block comes, an answer to fill comes, and goes; the arbiter takes two and gives two back.
    const unsigned long most[WHO] = { [FRONT] = 3 * blocks, [CORR] = 3 * blocks,
                                      [ARBITER] = 4 * blocks + jobs + 8,
                                      [WORKER] = 2 * jobs + 8, [TRACK] = jobs + 8 };
    for (int k = FRONT; k < WHO; k++)
        print_message("%s: %lu allocations, %lu locks in %lu blocks, %lu findings\n", names[k],
                      allocated[k], locked[k], blocks, jobs);
    for (int k = FRONT; k < WHO; k++) {
        assert_int_equal(allocated[k], 0);
        assert_in_range(locked[k], 1, most[k]);     // none: nobody was counted
    }
    assert_true(jobs > 100);
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
