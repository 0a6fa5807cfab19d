/* pgoutput_decode: messages as Postgres 15 sent them, whole, cut short and with a byte too many. */
#include "source/pgoutput_decode.h"

#include <stdlib.h>

#include "base/buf.h"
#include "harness/check.h"

/* ---- bytes ---- */

static unsigned
nibble(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

/* From hexadecimal into a block of exactly that size, so that a sanitizer sees every step beyond.
 */
static struct span
bytes_of(const char *hex)
{
    size_t len = strlen(hex) / 2;
    char *bytes = malloc(len ? len : 1);

    CHECK(bytes && strlen(hex) % 2 == 0);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return (struct span){bytes, len};
}

static void
bytes_free(struct span *bytes)
{
    free((void *)(uintptr_t)bytes->ptr);
}

/* ---- messages as text ---- */

static void
put_tuple(struct buf *out, const char *tag, const struct pgoutput_tuple *tuple)
{
    static const char *const kinds[] = {[VALUE_NULL] = "null",
                                        [VALUE_UNCHANGED] = "unchanged",
                                        [VALUE_TEXT] = "text",
                                        [VALUE_BINARY] = "binary",
                                        [VALUE_JSON] = "json"};

    if (!tuple->values)
        return;
    buf_putf(out, " %s(", tag);
    for (size_t i = 0; i < tuple->count; i++) {
        const struct value *value = &tuple->values[i];

        buf_putf(out, "%s%s", i ? " " : "", kinds[value->kind]);
        if (value->kind == VALUE_TEXT)
            buf_putf(out, ":%.*s", SPAN_ARG(value_span(value)));
        else if (value->kind == VALUE_BINARY)
            buf_putf(out, ":%u bytes", value->len);
    }
    buf_putc(out, ')');
}

static void
put_columns(struct buf *out, struct pgoutput_columns columns)
{
    struct column column;

    while (pgoutput_column_next(&columns, &column))
        buf_putf(out, " %s%.*s:%u:%d", column.key ? "*" : "", SPAN_ARG(column.name), column.type,
                 column.typmod);
}

static void
put_number(struct buf *out, const char *name, uint64_t n)
{
    if (n)
        buf_putf(out, " %s=%llu", name, (unsigned long long)n);
}

static void
put_lsn(struct buf *out, const char *name, lsn_t lsn)
{
    if (lsn)
        buf_putf(out, " %s=" LSN_FMT, name, LSN_ARG(lsn));
}

static void
put_span(struct buf *out, const char *name, struct span text)
{
    if (text.len)
        buf_putf(out, " %s=%.*s", name, SPAN_ARG(text));
}

/* Everything that is not zero. */
static void
describe(const struct pgoutput_message *m, struct buf *out)
{
    buf_putf(out, "%s", pgoutput_type_name((char)m->type));
    put_number(out, "xid", m->xid);
    put_number(out, "subxid", m->subxid);
    put_lsn(out, "lsn", m->lsn);
    put_lsn(out, "end", m->end_lsn);
    put_number(out, "time", (uint64_t)m->time_us);
    put_number(out, "prepared", (uint64_t)m->prepare_time_us);
    put_number(out, "first", m->first_segment);
    put_span(out, "gid", m->gid);
    put_number(out, "oid", m->oid);
    put_span(out, "namespace", m->namespace);
    put_span(out, "name", m->name);
    if (m->identity)
        buf_putf(out, " identity=%c", m->identity);
    put_columns(out, m->columns);
    if (m->old_kind)
        buf_putf(out, " %c", (char)m->old_kind);
    put_tuple(out, "old", &m->old_tuple);
    put_tuple(out, "new", &m->new_tuple);
    put_number(out, "cascade", m->cascade);
    put_number(out, "restart", m->restart_identity);
    for (size_t i = 0; i < m->relation_count; i++)
        buf_putf(out, " of=%u", pgoutput_truncate_oid(m, i));
    put_number(out, "transactional", m->transactional);
    put_span(out, "content", m->content);
}

/* ---- what Postgres sent ---- */

struct sample {
    const char *hex;
    const char *want;
    bool in_stream; /* between Stream Start and Stream Stop */
};

/* clang-format off */
static const struct sample samples[] = {
    /* protocol version 1, text: insert, update, update of the key, delete */
    {"42000000000a156838000303b0761cabff00000375",
     "Begin xid=885 lsn=0/A156838 time=1795166160849919", false},
    {"52000041047075626c696300636170006400030169640000000017ffffffff006e616d650000000019ffffffff006269670000000019ffffffff",
     "Relation oid=16644 namespace=public name=cap identity=d *id:23:-1 name:25:-1 big:25:-1", false},
    {"49000041044e000374000000013174000000036f6e656e",
     "Insert oid=16644 new(text:1 text:one null)", false},
    {"55000041044e00037400000001317400000003756e6f6e",
     "Update oid=16644 new(text:1 text:uno null)", false},
    {"55000041044b00037400000001326e6e4e000374000000013374000000047a77656975",
     "Update oid=16644 K old(text:2 null null) new(text:3 text:zwei unchanged)", false},
    {"44000041044b00037400000001316e6e",
     "Delete oid=16644 K old(text:1 null null)", false},
    {"4300000000000a156838000000000a156868000303b0761cabff",
     "Commit lsn=0/A156838 end=0/A156868 time=1795166160849919", false},
    /* a type, replica identity FULL */
    {"59000040747075626c6963006d6f6f6400",
     "Type oid=16500 namespace=public name=mood", false},
    {"520000410b7075626c69630063617066006600020169640000000017ffffffff01760000004074ffffffff",
     "Relation oid=16651 namespace=public name=capf identity=f *id:23:-1 *v:16500:-1", false},
    {"550000410b4f000274000000013774000000026f6b4e00027400000001377400000003736164",
     "Update oid=16651 O old(text:7 text:ok) new(text:7 text:sad)", false},
    {"440000410b4f00027400000001377400000003736164",
     "Delete oid=16651 O old(text:7 text:sad)", false},
    {"540000000203000041040000410b",
     "Truncate cascade=1 restart=1 of=16644 of=16651", false},
    /* logical messages, an origin */
    {"4d01000000000a159778707265000000000568656c6c6f",
     "Message lsn=0/A159778 name=pre transactional=1 content=hello", false},
    {"4d00000000000a1599c06e7000000000076f757473696465",
     "Message lsn=0/A1599C0 name=np content=outside", false},
    {"4f0000000000abcdef6f726700",
     "Origin lsn=0/ABCDEF name=org", false},
    /* binary columns */
    {"490000410b4e000262000000040000000762000000026f6b",
     "Insert oid=16651 new(binary:4 bytes binary:2 bytes)", false},
    /* version 2: a transaction that is sent before it has ended */
    {"530000037901", "Stream Start xid=889 first=1", false},
    {"530000037900", "Stream Start xid=889", false},
    {"5200000379000041047075626c696300636170006400030169640000000017ffffffff006e616d650000000019ffffffff006269670000000019ffffffff",
     "Relation xid=889 oid=16644 namespace=public name=cap identity=d *id:23:-1 name:25:-1 big:25:-1", true},
    {"490000037a000041044e000374000000013174000000036f6e656e",
     "Insert xid=890 oid=16644 new(text:1 text:one null)", true},
    {"550000037a000041044b00037400000001326e6e4e000374000000013374000000047a77656975",
     "Update xid=890 oid=16644 K old(text:2 null null) new(text:3 text:zwei unchanged)", true},
    {"440000037a000041044b00037400000001316e6e",
     "Delete xid=890 oid=16644 K old(text:1 null null)", true},
    {"540000037a000000010000004104", "Truncate xid=890 of=16644", true},
    {"590000037a000040747075626c6963006d6f6f6400",
     "Type xid=890 oid=16500 namespace=public name=mood", true},
    {"4d0000037a01000000000a159778707265000000000568656c6c6f",
     "Message xid=890 lsn=0/A159778 name=pre transactional=1 content=hello", true},
    {"45", "Stream Stop", true},
    {"41000003790000037a", "Stream Abort xid=889 subxid=890", false},
    /* with streaming = parallel (version 4) the abort says where and when */
    {"41000003790000037a000000000a1b7cf0000303b076d46f72",
     "Stream Abort xid=889 subxid=890 lsn=0/A1B7CF0 time=1795166172893042", false},
    {"630000037900000000000a1b7cf0000000000a1b7d20000303b076d46f72",
     "Stream Commit xid=889 lsn=0/A1B7CF0 end=0/A1B7D20 time=1795166172893042", false},
    /* version 3: two-phase commit */
    {"62000000000a159aa0000000000a159b98000303b0761e1bce00000377676964206f6e6500",
     "Begin Prepare xid=887 lsn=0/A159AA0 end=0/A159B98 time=1795166160944078 gid=gid one", false},
    {"5000000000000a159aa0000000000a159b98000303b0761e1bce00000377676964206f6e6500",
     "Prepare xid=887 lsn=0/A159AA0 end=0/A159B98 time=1795166160944078 gid=gid one", false},
    {"4b00000000000a159b98000000000a159bd8000303b076d2c0c700000377676964206f6e6500",
     "Commit Prepared xid=887 lsn=0/A159B98 end=0/A159BD8 time=1795166172782791 gid=gid one", false},
    {"7200000000000a159d50000000000a159d90000303b076d3428e000303b076d3bfdb000003786769642074776f00",
     "Rollback Prepared xid=888 lsn=0/A159D50 end=0/A159D90 time=1795166172848091 prepared=1795166172816014 gid=gid two", false},
    {"7000000000000a1e6970000000000a1e6a70000303b076d4fdcc0000037b67696420746872656500",
     "Stream Prepare xid=891 lsn=0/A1E6970 end=0/A1E6A70 time=1795166172929484 gid=gid three", false},
    /* pg_catalog is sent as nothing; no columns at all */
    {"5900000019007465787400", "Type oid=25 namespace=pg_catalog name=text", false},
    {"5200000001006e6f6e6500640000",
     "Relation oid=1 namespace=pg_catalog name=none identity=d", false},
    {"49000000014e0000", "Insert oid=1 new()", false},
};
/* clang-format on */

static bool
decode(struct span bytes, bool in_stream, struct pgoutput_message *ret, struct err *err)
{
    static struct pgoutput_decoder decoder;

    pgoutput_clear(&decoder);
    decoder.in_stream = in_stream;
    return pgoutput_decode(&decoder, bytes, ret, err);
}

static void
decodes_what_postgres_sent(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        CLEANUP(bytes_free) struct span bytes = bytes_of(samples[i].hex);
        CLEANUP(buf_free) struct buf got = buf_make(10000);
        struct pgoutput_message message;
        struct err err;

        CHECK_OK(decode(bytes, samples[i].in_stream, &message, &err), err);
        describe(&message, &got);
        CHECK_STR(got.ptr, samples[i].want);
    }
}

/* Where a prefix of a message is a message too: an abort without its position. */
static bool
is_whole(struct span bytes, size_t len)
{
    return bytes.ptr[0] == PGOUTPUT_STREAM_ABORT && len == 9;
}

static void
refuses_what_is_cut_short(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        CLEANUP(bytes_free) struct span bytes = bytes_of(samples[i].hex);

        for (size_t len = 0; len < bytes.len; len++) {
            /* a block of its own, so that reading on is seen */
            CLEANUP(bytes_free) struct span cut = bytes_of("");
            struct pgoutput_message message;
            struct err err;

            bytes_free(&cut);
            cut = (struct span){malloc(len ? len : 1), len};
            memcpy((void *)(uintptr_t)cut.ptr, bytes.ptr, len);
            if (decode(cut, samples[i].in_stream, &message, &err) != is_whole(bytes, len))
                fail_msg("%s cut to %zu bytes was taken", samples[i].want, len);
        }
    }
}

static void
refuses_a_byte_too_many(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        CLEANUP(bytes_free) struct span bytes = bytes_of(samples[i].hex);
        CLEANUP(buf_free) struct buf longer = buf_make(10000);
        struct pgoutput_message message;
        struct err err;

        buf_put(&longer, bytes);
        buf_putc(&longer, 'x');
        if (decode(buf_span(&longer), samples[i].in_stream, &message, &err))
            fail_msg("%s and a byte more was taken", samples[i].want);
        CHECK_INT(err.kind, ERR_BUG);
    }
}

/* Every byte, every bit: refused or taken, but never read beyond the block (sanitizers watch). */
static void
survives_any_damage(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        CLEANUP(bytes_free) struct span bytes = bytes_of(samples[i].hex);

        for (size_t at = 0; at < bytes.len * 8; at++) {
            char *byte = (char *)(uintptr_t)bytes.ptr + at / 8;
            CLEANUP(buf_free) struct buf ignored = buf_make(1000 * 1000);
            struct pgoutput_message message;
            struct err err;

            *byte = (char)(*byte ^ 1 << at % 8);
            if (decode(bytes, samples[i].in_stream, &message, &err))
                describe(&message, &ignored);
            *byte = (char)(*byte ^ 1 << at % 8);
        }
    }
}

static void
says_what_is_wrong_and_where(void **state UNUSED)
{
    static const struct {
        const char *hex, *want;
    } cases[] = {
        {"", "malformed message from pgoutput: unknown, at byte 0 of 0"},
        {"7a", "malformed message from pgoutput: unknown, at byte 1 of 1"},
        /* an insert whose tuple is announced as old */
        {"49000000014f0000", "malformed message from pgoutput: Insert, at byte 5 of 8"},
        /* a column of kind 'x' */
        {"49000000014e000178", "malformed message from pgoutput: Insert, at byte 8 of 9"},
        /* more columns than a table can have */
        {"49000000014e0681", "malformed message from pgoutput: Insert, at byte 8 of 8"},
        {"49000000014effff", "malformed message from pgoutput: Insert, at byte 8 of 8"},
        /* a column longer than the message */
        {"49000000014e00017480000000", "malformed message from pgoutput: Insert, at byte 13 of 13"},
        {"49000000014e00017400000001", "malformed message from pgoutput: Insert, at byte 13 of 13"},
        /* a delete without an old row */
        {"44000000014e0000", "malformed message from pgoutput: Delete, at byte 5 of 8"},
        /* more relations than fit */
        {"54ffffffff00", "malformed message from pgoutput: Truncate, at byte 6 of 6"},
        /* a time beyond 64 bits */
        {"4200000000000000007fffffffffffffff00000001",
         "malformed message from pgoutput: Begin, at byte 17 of 21"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(bytes_free) struct span bytes = bytes_of(cases[i].hex);
        struct pgoutput_message message;
        struct err err;

        CHECK_FAILS(decode(bytes, false, &message, &err), err, ERR_BUG, cases[i].want);
    }
}

static void
remembers_being_inside_a_stream(void **state UNUSED)
{
    static struct pgoutput_decoder decoder;
    static const struct {
        const char *hex;
        uint32_t xid; /* of what was decoded */
    } session[] = {
        {"49000041044e000374000000013174000000036f6e656e", 0},           {"530000037901", 889},
        {"490000037a000041044e000374000000013174000000036f6e656e", 890}, {"45", 0},
        {"49000041044e000374000000013174000000036f6e656e", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(session); i++) {
        CLEANUP(bytes_free) struct span bytes = bytes_of(session[i].hex);
        struct pgoutput_message message;
        struct err err;

        CHECK_OK(pgoutput_decode(&decoder, bytes, &message, &err), err);
        CHECK_INT(message.xid, session[i].xid);
    }
}

static void
names_every_type(void **state UNUSED)
{
    static const char types[] = "BCORYIUDTMSEcAbPKrp";

    for (size_t i = 0; types[i]; i++)
        CHECK(strcmp(pgoutput_type_name(types[i]), "unknown") != 0);
    CHECK_STR(pgoutput_type_name('x'), "unknown");
    CHECK_STR(pgoutput_type_name('\0'), "unknown");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_what_postgres_sent),
        cmocka_unit_test(refuses_what_is_cut_short),
        cmocka_unit_test(refuses_a_byte_too_many),
        cmocka_unit_test(survives_any_damage),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(remembers_being_inside_a_stream),
        cmocka_unit_test(names_every_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
