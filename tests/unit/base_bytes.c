// SPDX-License-Identifier: GPL-3.0-or-later
// The bounded reader: values as written, nothing past the end, an error that stays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static void reads_little_endian(void **state)
{
    (void)state;
    static const uint8_t p[] = { 0x12, 0x34, 0xff, 0xfe, 0xff, 0x78, 0x56, 0x34, 0x12,
                                 0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4, 5, 6, 7, 0x88 };
    struct bytes b = bytes_of(p, sizeof p);

    assert_int_equal(bytes_u8(&b), 0x12);
    assert_int_equal(bytes_u16(&b), 0xff34);
    assert_int_equal(bytes_i16(&b), -2);
    assert_int_equal(bytes_u32(&b), 0x12345678);
    assert_int_equal(bytes_i32(&b), INT32_MAX);
    assert_true(bytes_u64(&b) == 0x8807060504030201u);
    assert_false(b.bad);
    assert_int_equal(b.pos, sizeof p);
}

static void end_is_the_end(void **state)
{
    (void)state;
    uint8_t *p = malloc(3);     // on the heap, so that a sanitizer sees one byte too many
    memset(p, 0xaa, 3);
    struct bytes b = bytes_of(p, 3);

    assert_int_equal(bytes_u32(&b), 0);
    assert_true(b.bad);
    assert_int_equal(b.pos, 0);
    assert_int_equal(bytes_u8(&b), 0);      // the error sticks though a byte is there
    assert_null(bytes_take(&b, 0));
    free(p);
}

static void whole_is_not_past(void **state)
{
    (void)state;
    uint8_t p[4] = { 0 };
    struct bytes b = bytes_of(p, 4);

    assert_ptr_equal(bytes_take(&b, 4), p);
    assert_ptr_equal(bytes_take(&b, 0), p + 4);
    assert_false(b.bad);
    assert_null(bytes_take(&b, 1));
    assert_true(b.bad);
}

// A length from outside near the top of size_t must not wrap round.
static void huge_length(void **state)
{
    (void)state;
    uint8_t p[8] = { 0 };
    struct bytes b = bytes_of(p, 8);

    bytes_take(&b, 4);
    assert_null(bytes_take(&b, SIZE_MAX - 2));
    assert_true(b.bad);
    b = bytes_of(NULL, 0);
    assert_int_equal(bytes_u64(&b), 0);
    assert_true(b.bad);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(reads_little_endian),
        cmocka_unit_test(end_is_the_end),
        cmocka_unit_test(whole_is_not_past),
        cmocka_unit_test(huge_length),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
