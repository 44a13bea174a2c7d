// SPDX-License-Identifier: GPL-3.0-or-later
// The wire: every kind comes back as it went, hostile bytes are refused by name.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/rng.h"
#include "classifier/wire/envelope.h"
#include "classifier/wire/table.h"
#include "hw/keys.h"
#include "tests/unit/wire_made.h"

static uint8_t buf[WIRE_MAX], buf2[WIRE_MAX];

#define set(array, s) snprintf(array, sizeof array, "%s", s)

static void every_kind_comes_back(void **state)
{
    (void)state;
    static struct wire_msg in, out;

    for (int k = WIRE_NONE + 1; k < WIRE_KINDS; k++) {
        made_msg(&in, (enum wire_kind)k, 0xfedcba9876543210, 41);
        int n = wire_pack(&in, buf, sizeof buf);
        assert_true(n > 0);
        memset(&out, 0xa5, sizeof out);
        assert_int_equal(wire_unpack(&out, buf, (size_t)n), WIRE_OK);
        assert_int_equal(out.head.kind, k);
        // Packed again it is the same to the byte: nothing was lost or changed.
        assert_int_equal(wire_pack(&out, buf2, sizeof buf2), n);
        assert_memory_equal(buf, buf2, (size_t)n);
    }
    made_msg(&in, WIRE_TRACK, 9, 1);
    int n = wire_pack(&in, buf, sizeof buf);
    wire_unpack(&out, buf, (size_t)n);
    assert_string_equal(out.track.link, "ELRS 2.4/250Hz LoRa");
    assert_string_equal(out.track.link_alternatives[1], "D250");
    assert_int_equal(out.track.ends[0].airborne, 0);
    assert_int_equal(out.track.ends[1].airborne, -1);
    assert_true(out.track.runner_up_confidence == 0.01 && out.head.clock.err_ns == 250);
    assert_false(out.head.late);
}

static void unknown_stays_unknown(void **state)
{
    (void)state;
    static struct wire_msg in, out;

    made_msg(&in, WIRE_HEALTH, 9, 1);
    in.health.place_known = false;
    in.health.lat_deg = in.health.lon_deg = in.health.temperature_c = NAN;
    in.health.place_source[0] = 0;
    in.health.place_age_s = -1;
    in.head.clock.err_ns = -1;
    int n = wire_pack(&in, buf, sizeof buf);
    assert_true(n > 0);
    assert_int_equal(wire_unpack(&out, buf, (size_t)n), WIRE_OK);
    assert_true(isnan(out.health.lat_deg) && isnan(out.health.temperature_c));
    assert_true(isnan(out.health.place_age_s) && out.head.clock.err_ns == -1);
    assert_string_equal(out.health.place_source, "");
    made_msg(&in, WIRE_TRACK, 9, 1);
    in.track.runner_up[0] = 0;
    n = wire_pack(&in, buf, sizeof buf);
    assert_int_equal(wire_unpack(&out, buf, (size_t)n), WIRE_OK);
    assert_string_equal(out.track.runner_up, "");
    assert_true(isnan(out.track.runner_up_confidence));
}

static void refuses_to_pack_nonsense(void **state)
{
    (void)state;
    static struct wire_msg m;

#define WRONG(kind, change) do { \
        made_msg(&m, kind, 1, 1); \
        change; \
        assert_int_equal(wire_pack(&m, buf, sizeof buf), -EINVAL); \
    } while (0)
    WRONG(WIRE_TRACK, m.track.p_drone = NAN);
    WRONG(WIRE_TRACK, m.track.p_drone = 1.01);
    WRONG(WIRE_TRACK, m.track.level_dbfs = INFINITY);
    WRONG(WIRE_TRACK, set(m.track.family, "nosuch"));
    WRONG(WIRE_TRACK, set(m.track.role, "pilot"));
    WRONG(WIRE_TRACK, memset(m.track.id, 'x', sizeof m.track.id));
    WRONG(WIRE_TRACK, m.track.first_ns = m.track.last_ns + 1);
    WRONG(WIRE_TRACK, m.track.n_why = 9);
    WRONG(WIRE_TRACK, set(m.head.origin, "life"));
    WRONG(WIRE_TRACK, m.head.t_ns = -1);
    WRONG(WIRE_TRACK, m.head.stream = WIRE_STREAM_VIEW);
    WRONG(WIRE_TRACK, m.head.v = 2);
    WRONG(WIRE_DECODE, m.decode.raw_len = 257);
    WRONG(WIRE_DECODE, m.decode.field[0].key[0] = 0);
    WRONG(WIRE_LEDGER, m.ledger.n_bands = 17);
    WRONG(WIRE_PSD, m.psd.bins = 0);
    WRONG(WIRE_LOST, m.span.from = 5);
    m.head.kind = WIRE_KINDS;
    assert_int_equal(wire_pack(&m, buf, sizeof buf), -EINVAL);
    made_msg(&m, WIRE_HEALTH, 1, 1);
    int n = wire_pack(&m, buf, sizeof buf);
    for (int size = 0; size < n; size++)
        assert_int_equal(wire_pack(&m, buf2, (size_t)size), -EMSGSIZE);
}

// The largest message there can be still fits a frame with its envelope and seal.
static void the_largest_fits(void **state)
{
    (void)state;
    static struct wire_msg m;

    made_msg(&m, WIRE_DECODE, UINT64_MAX, 1);
    m.decode.raw_len = 256;
    m.decode.n_fields = WIRE_FIELDS;
    for (unsigned i = 0; i < WIRE_FIELDS; i++) {
        struct wire_field *f = &m.decode.field[i];
        memset(f, 0, sizeof *f);
        snprintf(f->key, sizeof f->key, "a_rather_long_key_of_a_field_%u", i % 10);
        f->key[0] = (char)('a' + i / 10);
        f->type = WIRE_F_STR;
        memset(f->str, 'x', sizeof f->str - 1);
    }
    int n = wire_pack(&m, buf, sizeof buf);
    assert_in_range(n, 4000, 8000);
    assert_int_equal(wire_unpack(&m, buf, (size_t)n), WIRE_OK);
    made_msg(&m, WIRE_HEALTH, UINT64_MAX, 1);
    m.health.n_radios = WIRE_RADIOS;
    for (unsigned i = 1; i < WIRE_RADIOS; i++)
        m.health.radio[i] = m.health.radio[0];
    assert_in_range(wire_pack(&m, buf, sizeof buf), 1000, 8000);
}

static void cut_anywhere_is_refused(void **state)
{
    (void)state;
    static struct wire_msg m, out;

    for (int k = WIRE_NONE + 1; k < WIRE_KINDS; k++) {
        made_msg(&m, (enum wire_kind)k, 1, 1);
        int n = wire_pack(&m, buf, sizeof buf);
        for (int i = 0; i < n; i++) {
            uint8_t *exact = malloc(i ? (size_t)i : 1);     // so that a sanitizer sees one too many
            memcpy(exact, buf, (size_t)i);
            enum wire_fault f = wire_unpack(&out, exact, (size_t)i);
            assert_true(f == WIRE_NOT_MSGPACK || f == WIRE_LYING_SIZE);
            free(exact);
        }
        buf[n] = 0xc0;              // and one byte more than the map
        assert_int_equal(wire_unpack(&out, buf, (size_t)n + 1), WIRE_NOT_MSGPACK);
    }
}

static enum wire_fault fault_of(const char *bytes, size_t n)
{
    static struct wire_msg out;
    return wire_unpack(&out, (const uint8_t *)bytes, n);
}
#define FAULT(s) fault_of(s, sizeof s - 1)

static void hostile_bytes_are_named(void **state)
{
    (void)state;
    assert_int_equal(FAULT(""), WIRE_NOT_MSGPACK);
    assert_int_equal(FAULT("\xc1"), WIRE_NOT_MSGPACK);
    assert_int_equal(FAULT("\xc0"), WIRE_NO_MAP);
    assert_int_equal(FAULT("\x93\x01\x02\x03"), WIRE_NO_MAP);
    assert_int_equal(FAULT("\xdd\xee\x6b\x28\x00"), WIRE_LYING_SIZE);   // array of 4e9
    assert_int_equal(FAULT("\xdf\xff\xff\xff\xff"), WIRE_LYING_SIZE);   // map of 4e9 pairs
    assert_int_equal(FAULT("\x81\xa1v\xdb\xff\xff\xff\xff" "abc"), WIRE_LYING_SIZE);
    assert_int_equal(FAULT("\x81\xa1v\xc6\xff\xff\xff\xff" "abc"), WIRE_LYING_SIZE);
    assert_int_equal(FAULT("\x81\xa1v\xc9\xff\xff\xff\xff\x01" "abc"), WIRE_LYING_SIZE);
    assert_int_equal(FAULT("\x80"), WIRE_MISSING);
    assert_int_equal(FAULT("\x81\xa1v\x02"), WIRE_BAD_VERSION);
    assert_int_equal(FAULT("\x81\xa1v\xa1" "1"), WIRE_BAD_TYPE);
    assert_int_equal(FAULT("\x81\xa1v\x01"), WIRE_MISSING);
    assert_int_equal(FAULT("\x82\xa1v\x01\xa4kind\xa4" "nope"), WIRE_BAD_KIND);
    assert_int_equal(FAULT("\x82\xa1v\x01\xa4kind\xa4none"), WIRE_BAD_KIND);
    assert_int_equal(FAULT("\x82\xa1v\x01\xa4kind\x05"), WIRE_BAD_TYPE);
    assert_int_equal(FAULT("\x82\xa1v\x01\xa4kind\xa5track"), WIRE_MISSING);
    assert_int_equal(FAULT("\x82\xa1v\x01\xa4kind\xa4view"), WIRE_OK);
    assert_int_equal(FAULT("\x83\xa1v\x01\xa4kind\xa4view\xa3psd\xc0"), WIRE_OK);   // nil: unknown
    assert_int_equal(FAULT("\x83\xa1v\x01\xa4kind\xa4view\xa3psd\x01"), WIRE_BAD_TYPE);
    assert_int_equal(FAULT("\x84\xa1v\x01\xa4kind\xa4view\xa3psd\xc3\xa3psd\xc2"),
                     WIRE_BAD_VALUE);
    assert_int_equal(FAULT("\x83\xa1v\x01\xa1v\x01\xa4kind\xa4view"), WIRE_BAD_VALUE);
    assert_int_equal(FAULT("\x85\xa1v\x01\xa4kind\xa4view\x07\x08\xa1x\x92\x80\xc0\xa1x\x01"),
                     WIRE_OK);              // unknown keys, whatever they are
    assert_int_equal(FAULT("\x84\xa1v\x01\xa4kind\xa3" "ack\xa4" "boot\x01\xa3seq\xff"),
                     WIRE_BAD_VALUE);       // -1
    assert_int_equal(FAULT("\x84\xa1v\x01\xa4kind\xa3" "ack\xa4" "boot\x01\xa3seq"
                           "\xcb\x3f\xf0\0\0\0\0\0\0"), WIRE_BAD_TYPE);     // 1.0 is not whole
    assert_int_equal(FAULT("\x84\xa1v\x01\xa4kind\xa3" "ack\xa4" "boot\x01\xa3seq"
                           "\xcf\xff\0\0\0\0\0\0\0"), WIRE_BAD_VALUE);       // more than 2^53
}

static void depth_and_length_are_bounded(void **state)
{
    (void)state;
    static struct wire_msg out;

    memset(buf, 0x91, 1001);
    buf[0] = 0x81;
    buf[1] = 0xa0;
    buf[1001] = 0xc0;
    assert_int_equal(wire_unpack(&out, buf, 1002), WIRE_TOO_DEEP);
    static uint8_t big[WIRE_MAX + 1] = { 0xc0 };
    assert_int_equal(wire_unpack(&out, big, sizeof big), WIRE_TOO_LONG);
}

static void text_is_mended(void **state)
{
    (void)state;
    static struct wire_msg in, out;

    made_msg(&in, WIRE_TRACK, 1, 1);
    set(in.track.claimed_serial, "A\xff" "B\x01\xed\xa0\x80\xc0\x80");
    int n = wire_pack(&in, buf, sizeof buf);
    assert_int_equal(wire_unpack(&out, buf, (size_t)n), WIRE_OK);
#define R "\xef\xbf\xbd"
    assert_string_equal(out.track.claimed_serial, "A" R "B" R R R R R R);
    // An identifier is no text: refused.
    made_msg(&in, WIRE_TRACK, 1, 1);
    n = wire_pack(&in, buf, sizeof buf);
    uint8_t *id = memmem(buf, (size_t)n, "t-00ab", 6);
    assert_non_null(id);
    id[2] = 0x80;
    assert_int_equal(wire_unpack(&out, buf, (size_t)n), WIRE_BAD_VALUE);
    id[2] = 0;
    assert_int_equal(wire_unpack(&out, buf, (size_t)n), WIRE_BAD_VALUE);
}

static void envelopes_hold_one_message(void **state)
{
    (void)state;
    static struct wire_msg in, out;
    static uint8_t late[WIRE_MAX];

    made_msg(&in, WIRE_TRACK, 1, 1);
    int n = wire_pack(&in, buf, sizeof buf), m = wire_pack_late(buf, (size_t)n, late, sizeof late);
    assert_true(m > n);
    assert_int_equal(wire_unpack(&out, late, (size_t)m), WIRE_OK);
    assert_true(out.head.late);
    assert_non_null(memmem(late, (size_t)m, buf, (size_t)n));       // byte for byte
    int mm = wire_pack_late(late, (size_t)m, buf2, sizeof buf2);
    assert_int_equal(wire_unpack(&out, buf2, (size_t)mm), WIRE_TOO_DEEP);
    mm = wire_pack_late((const uint8_t *)"\xdd\xff\xff\xff\xff", 5, buf2, sizeof buf2);
    assert_int_equal(wire_unpack(&out, buf2, (size_t)mm), WIRE_LYING_SIZE);
    // A message that merely says it is late is not believed.
    assert_int_equal(FAULT("\x83\xa1v\x01\xa4kind\xa4view\xa4late\xc3"), WIRE_OK);
}

#define POST_PUBLIC "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"     // RFC 26's test keys
#define POST_SECRET "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
#define OTHER_PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define OTHER_SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

static void seals_open_for_the_post_only(void **state)
{
    (void)state;
    static struct wire_msg in, out;
    static uint8_t sealed[WIRE_MAX], late[WIRE_MAX], open[WIRE_MAX];
    uint8_t post[32];

    made_msg(&in, WIRE_TRACK, 1, 1);
    int n = wire_pack(&in, buf, sizeof buf);
    assert_int_equal(keys_raw(POST_PUBLIC, post), 0);
    int s = wire_seal(buf, (size_t)n, post, sealed, sizeof sealed);
    assert_int_equal(s, n + WIRE_SEAL);
    int m = wire_pack_sealed(sealed, (size_t)s, late, sizeof late);
    assert_int_equal(wire_unpack(&out, late, (size_t)m), WIRE_SEALED);
    int k = wire_unseal(late, (size_t)m, POST_PUBLIC, POST_SECRET, open, sizeof open);
    assert_int_equal(k, wire_pack_late(buf, (size_t)n, buf2, sizeof buf2));
    assert_memory_equal(open, buf2, (size_t)k);
    assert_int_equal(wire_unpack(&out, open, (size_t)k), WIRE_OK);
    assert_true(out.head.late);
    assert_int_equal(wire_unseal(late, (size_t)m, OTHER_PUBLIC, OTHER_SECRET, open, sizeof open),
                     -EBADMSG);
    late[m - 1] ^= 1;
    assert_int_equal(wire_unseal(late, (size_t)m, POST_PUBLIC, POST_SECRET, open, sizeof open),
                     -EBADMSG);
    assert_int_equal(wire_unseal(buf, (size_t)n, POST_PUBLIC, POST_SECRET, open, sizeof open), 0);
    m = wire_pack_sealed(sealed, WIRE_SEAL - 1, late, sizeof late);
    assert_int_equal(wire_unseal(late, (size_t)m, POST_PUBLIC, POST_SECRET, open, sizeof open),
                     -EBADMSG);
}

// Whatever a flipped byte makes of a message, what is accepted can be packed again.
static void mutations_are_refused_or_sound(void **state)
{
    (void)state;
    static struct wire_msg in, out;
    struct rng r;
    unsigned ok = 0;

    rng_init(&r, 7);
    for (int i = 0; i < 20000; i++) {
        made_msg(&in, (enum wire_kind)(1 + rng_below(&r, WIRE_KINDS - 1)), 1, 1);
        int n = wire_pack(&in, buf, sizeof buf);
        for (unsigned k = rng_below(&r, 3) + 1; k; k--)
            buf[rng_below(&r, (uint32_t)n)] = (uint8_t)rng_u64(&r);
        if (wire_unpack(&out, buf, (size_t)n) != WIRE_OK)
            continue;
        ok++;
        assert_true(wire_pack(&out, buf2, sizeof buf2) > 0);
    }
    assert_true(ok > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_comes_back), cmocka_unit_test(unknown_stays_unknown),
        cmocka_unit_test(refuses_to_pack_nonsense), cmocka_unit_test(the_largest_fits),
        cmocka_unit_test(cut_anywhere_is_refused), cmocka_unit_test(hostile_bytes_are_named),
        cmocka_unit_test(depth_and_length_are_bounded), cmocka_unit_test(text_is_mended),
        cmocka_unit_test(envelopes_hold_one_message),
        cmocka_unit_test(seals_open_for_the_post_only),
        cmocka_unit_test(mutations_are_refused_or_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
