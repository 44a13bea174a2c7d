// SPDX-License-Identifier: GPL-3.0-or-later
//
// FFTW's plans in place mostly go through a buffer that they allocate each time they run.  Where
// one does, we keep a buffer of our own and run the plan that goes from there: estimated, of 2^k
// points, it does the same steps and gives the same bits.
#include "dsp/fft.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fftw3.h>
#include <sys/mman.h>

#define PAGE  ((uintptr_t)65536)        // the largest that processors have as their smallest
#define LARGE (4 * PAGE)

struct dft {
    fftwf_plan     same, apart;     // same: NULL where it is run from aside
    float complex *aside;
    size_t         bytes;
};

static enum dft_plans how;

static fftwf_plan plan(unsigned n, enum dft_dir dir, unsigned many, float complex *a,
                       float complex *b, unsigned flags)
{
    int len = (int)n;
    return fftwf_plan_many_dft(1, &len, (int)many, (fftwf_complex *)a, NULL, 1, len,
                               (fftwf_complex *)b, NULL, 1, len, (int)dir,
                               flags | FFTW_PRESERVE_INPUT);
}

static fftwf_plan make(unsigned n, enum dft_dir dir, unsigned many, float complex *a,
                       float complex *b)
{
    fftwf_plan p = NULL;

    if (how != DFT_ESTIMATE)
        p = plan(n, dir, many, a, b, FFTW_MEASURE | (how == DFT_KNOWN ? FFTW_WISDOM_ONLY : 0));
    return p ? p : plan(n, dir, many, a, b, FFTW_ESTIMATE);
}

void dft_plans(enum dft_plans as) { how = as; }

// FFTW tells of a plan only in words.
static bool allocates(fftwf_plan p)
{
    char *words = fftwf_sprint_plan(p);
    bool yes = words && strstr(words, "buffered");
    free(words);
    return yes;
}

struct dft *dft_new(unsigned n, enum dft_dir dir, unsigned howmany)
{
    size_t len = (size_t)n * howmany;
    struct dft *f = calloc(1, sizeof *f);
    float complex *a = dft_alloc(len), *b = dft_alloc(len);

    if (f && a && b) {
        f->same = make(n, dir, howmany, a, a);
        f->apart = make(n, dir, howmany, a, b);
    }
    free(a);
    free(b);
    if (f && f->same && allocates(f->same)) {
        fftwf_destroy_plan(f->same);
        f->same = NULL;
        f->bytes = len * sizeof *f->aside;      // not touched before it is used
        f->aside = aligned_alloc(64, (f->bytes + 63) / 64 * 64);
    }
    if (!f || (!f->same && !f->aside) || !f->apart) {
        dft_free(f);
        return NULL;
    }
    return f;
}

void dft_free(struct dft *f)
{
    if (!f)
        return;
    if (f->same)
        fftwf_destroy_plan(f->same);
    if (f->apart)
        fftwf_destroy_plan(f->apart);
    free(f->aside);
    free(f);
}

void dft_run(const struct dft *f, float complex *in, float complex *out)
{
    if (in == out && f->aside)
        in = memcpy(f->aside, in, f->bytes);
    fftwf_execute_dft(in == out ? f->same : f->apart, (fftwf_complex *)in, (fftwf_complex *)out);
}

// As memset, but the pages that lie whole in a large piece are given back instead: they come anew,
// as zeros, when they are used, and cost nothing until then.
static void zero(void *p, size_t bytes)
{
    uintptr_t at = (uintptr_t)p, end = at + bytes;
    uintptr_t from = (at + PAGE - 1) / PAGE * PAGE, to = end / PAGE * PAGE;

    if (bytes < LARGE || madvise((void *)from, to - from, MADV_DONTNEED)) {
        memset(p, 0, bytes);
        return;
    }
    memset(p, 0, from - at);
    memset((void *)to, 0, end - to);
}

float complex *dft_alloc(size_t n)
{
    size_t bytes = (n * sizeof(float complex) + 63) / 64 * 64;     // 64: one AVX-512 register
    float complex *p = aligned_alloc(64, bytes ? bytes : 64);

    if (p)
        zero(p, bytes ? bytes : 64);
    return p;
}
